"""The ImageNet weights that MobileNetV2 starts from, tried in a fixed order and checked before use."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py

from digits.files import replacing
from digits.learning.networks.registry import FROM_DIGITS, Origin
from digits.learning.shared.download import KERAS_FILES, DownloadError, download, first_line, keras_home
from digits.learning.shared.progress import SILENT
from digits.paths import EXPORTS_DIR

IMAGENET_FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"
IMAGENET_URL = f"{KERAS_FILES}/keras-applications/mobilenet_v2/{IMAGENET_FILE}"
IMAGENET_VARIABLE = "DIGITS_IMAGENET_WEIGHTS"
SHIPPED_TRUNK = EXPORTS_DIR / "trunk" / "mobilenet_v2_trunk_f16.npz"
WEIGHT_SUFFIXES = (".h5", ".hdf5", ".keras", ".npz")


@dataclass(frozen=True)
class Weights:
    """Starting weights of MobileNetV2.

    `path` is a Keras HDF5 file of ImageNet's, an .npz of float16 arrays where they are shipped, None for random ones.
    """

    path: Path | None
    origin: Origin


def imagenet_weights(argument: str | os.PathLike | None = None, report: Callable[[str], None] = SILENT) -> Weights:
    """Return the weights that MobileNetV2 starts from.

    Order: `argument` (a file, or "none" for random weights), the variable DIGITS_IMAGENET_WEIGHTS, Keras'
    cache, Keras' download (kept in its cache), the trunk shipped with the project, random weights.

    Raises:
        DownloadError: if `argument` or the variable names a file that is missing or no weights file.
    """
    variable = os.environ.get(IMAGENET_VARIABLE)
    for name, value in (("--imagenet-weights", argument), (IMAGENET_VARIABLE, variable)):
        if value:
            return _named_weights(name, str(value), report)
    cached = keras_home() / "models" / IMAGENET_FILE
    attempts = [("Keras' cache", _checked_weights)] if cached.is_file() else []
    for name, attempt in [*attempts, ("Keras' download", _download_weights)]:
        report(f"ImageNet weights: trying {name}.")
        try:
            path = attempt(cached)
        except DownloadError as error:
            report(f"ImageNet weights: {name} did not work ({error}).")
            continue
        report(f"ImageNet weights: {path}, from {name} (weights=imagenet).")
        return Weights(path, Origin.IMAGENET)
    if SHIPPED_TRUNK.is_file():
        report(f"ImageNet weights: the shipped trunk, {SHIPPED_TRUNK}, which has seen digits (weights=shipped); what "
               f"is trained from it {FROM_DIGITS}.")  # fmt: skip
        return Weights(SHIPPED_TRUNK, Origin.SHIPPED)
    report(f"ImageNet weights: none found, nor the shipped {SHIPPED_TRUNK}; random start (weights=random).")
    return Weights(None, Origin.RANDOM)


def _named_weights(name: str, value: str, report: Callable[[str], None]) -> Weights:
    if value.strip().lower() == "none":
        report(f"ImageNet weights: none, as {name} says; starting at random (weights=random).")
        return Weights(None, Origin.RANDOM)
    path = Path(value).expanduser()
    try:
        _checked_weights(path)
    except DownloadError as error:
        expected = "give a weights file of MobileNetV2 1.0 without top, or none"
        raise DownloadError(f"{name} {value}: {error}; {expected}.") from error
    origin = Origin.SHIPPED if path.suffix == ".npz" else Origin.IMAGENET
    report(f"ImageNet weights: {path}, from {name} (weights={origin}{f': {FROM_DIGITS}' * (path.suffix == '.npz')}).")
    return Weights(path, origin)


def _checked_weights(path: Path) -> Path:
    """Return `path` if it is a whole weights file; a download of Keras cut off half-way is not."""
    if not path.is_file():
        raise DownloadError(f"there is no file {path}")
    if path.suffix not in WEIGHT_SUFFIXES:
        raise DownloadError(f"its name ends in {path.suffix or 'nothing'}, not in {', '.join(WEIGHT_SUFFIXES)}")
    if path.suffix in (".npz", ".keras"):
        if not zipfile.is_zipfile(path):
            raise DownloadError(f"{path} is damaged: not a {path.suffix} file inside")
        return path
    if not h5py.is_hdf5(path):
        raise DownloadError(f"{path} is not an HDF5 file")
    try:
        h5py.File(path, "r").close()
    except OSError as error:  # "truncated file" for a download that was cut off
        raise DownloadError(f"{path} is damaged: {first_line(error)}") from error
    return path


def _download_weights(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            _checked_weights(download(IMAGENET_URL, beside))
    except OSError as error:
        raise DownloadError(f"{path} cannot be written: {first_line(error)}") from error
    return path
