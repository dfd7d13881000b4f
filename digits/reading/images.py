"""Pictures from disk: one loader for every file a person may have, whatever wrote it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from digits.reading.image_header import Header, read_header

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Larger pictures are decoded at a fraction of their size: nothing a reader needs is lost, and memory stays small.
_REDUCE_ABOVE_BYTES = 12_000_000
_LONGEST_SIDE = 4096
_REDUCE_ABOVE_PIXELS = 50_000_000
_REDUCTIONS = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
               8: cv2.IMREAD_REDUCED_COLOR_8}  # fmt: skip
# A picture that needs more than this is refused by its header: with it and what comes after, reading stays within
# 1.5 GB. It is enough for 100 megapixels with transparency, and for 60 in 16 bits.
_MOST_BYTES = 1_000_000_000
_BAND = 256  # rows that are converted at once: wide numbers of a whole large picture would take gigabytes
_one_at_a_time = threading.Lock()


class ImageError(ValueError):
    """A picture that cannot be read; the message is one sentence for the user."""


def load_image(path: str | Path) -> np.ndarray:
    """Return the picture of a file as the camera would have shown it.

    EXIF rotation is applied, transparency is laid on white, and 16-bit, CMYK and grey files become 8-bit colour.

    Args:
        path: any file OpenCV decodes; accents and spaces in its name are fine on every platform.
    Returns:
        uint8 (H, W, 3), BGR; pictures with a side over 4096 pixels come back reduced.
    Raises:
        ImageError: if the file is missing, empty, truncated beyond use, no picture, or too large for the memory.
    """
    path = Path(path)
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    return decode_image(data, path)


def decode_image(data: np.ndarray, name: object = "a picture") -> np.ndarray:
    """Return the picture that a file's bytes, uint8 (N,), hold, as `load_image` does; `name` is what errors call it."""
    if data.size == 0:
        raise ImageError(f"{name} is empty, expected a picture.")
    header = read_header(memoryview(data))
    if header and len(data) + header.width * header.height * header.bytes_each > _MOST_BYTES:
        raise ImageError(f"{name} has {header.width} x {header.height} pixels, too many to read; make it smaller.")
    try:
        with quiet_decoders():
            image = _decode(data, header)
        if image is None or image.size == 0:
            raise ImageError(f"{name} is not a readable picture; expected one of {', '.join(IMAGE_SUFFIXES)}.")
        return _reduced(image)
    except MemoryError as error:
        raise ImageError(f"{name} needs more memory than is free; make it smaller.") from error


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Drop, within it, what libpng and libjpeg write past Python to standard error: what matters we say ourselves."""
    with _one_at_a_time:
        try:
            kept = os.dup(2)
        except OSError:  # a process without outputs
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(nowhere)
            os.close(kept)


def _reduced(image: np.ndarray) -> np.ndarray:
    longest = max(image.shape[:2])
    if longest <= _LONGEST_SIDE:
        return image
    scale = _LONGEST_SIDE / longest
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Return any camera or file array as uint8 (H, W, 3) BGR.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA; uint8, uint16 (full range) or float in [0, 1].
    Raises:
        ImageError: if it has no pixels or another shape.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.size == 0 or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ImageError(f"a frame of shape {image.shape} was found, expected (height, width) or (height, width, 3).")
    if image.dtype == np.uint8 and image.shape[2:] == (3,):
        return image
    colours = np.empty((*image.shape[:2], 3), np.uint8)
    # An alpha channel that is nowhere used, as some BMP files carry, says nothing.
    alpha = image.shape[2:] == (4,) and bool(image[:, :, 3].any())
    for top in range(0, len(image), _BAND):
        rows = slice(top, top + _BAND)
        colours[rows] = _band_to_bgr(_eight_bits(image[rows]), alpha)
    return colours


def _eight_bits(band: np.ndarray) -> np.ndarray:
    if band.dtype == np.uint8:
        return band
    if band.dtype == np.uint16:
        return (band >> 8).astype(np.uint8)
    # Infinities and NaN of a broken float camera count as black.
    return (np.clip(np.nan_to_num(band, posinf=0.0), 0.0, 1.0) * 255).astype(np.uint8)


def _band_to_bgr(band: np.ndarray, alpha: bool) -> np.ndarray:
    if band.ndim == 2 or band.shape[2] == 1:
        return cv2.cvtColor(band.reshape(band.shape[:2]), cv2.COLOR_GRAY2BGR)
    if not alpha:
        return band[:, :, :3]
    opacity, colour = band[:, :, 3:].astype(np.uint16), band[:, :, :3].astype(np.uint16)
    return ((colour * opacity + 255 * (255 - opacity)) // 255).astype(np.uint8)


def _decode(data: np.ndarray, header: Header | None) -> np.ndarray | None:
    """Decode for viewing; raise MemoryError where that does not suffice."""
    try:
        if header and header.alpha:  # which OpenCV's colour mode throws away
            whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
                return to_bgr(whole)
            del whole
        return cv2.imdecode(data, _REDUCTIONS[_reduction(data, header)])
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        return None


def _reduction(data: np.ndarray, header: Header | None) -> int:
    """Return by how much the sides may be divided while decoding."""
    least = 2 if data.size >= _REDUCE_ABOVE_BYTES else 1
    if header is None or not header.reducible or header.width * header.height <= _REDUCE_ABOVE_PIXELS:
        return least
    fitting = [each for each in _REDUCTIONS if max(header.width, header.height) // each >= _LONGEST_SIDE]
    return max(least, *fitting, 1)
