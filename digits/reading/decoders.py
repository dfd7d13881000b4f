"""From the bytes of a picture to its pixels, as OpenCV and, for HEIC, pillow-heif decode them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import cv2
import numpy as np

from digits.outputs import diverted
from digits.reading.image_header import Header
from digits.reading.image_kinds import is_animation, is_heic

LONGEST_SIDE = 4096
# Larger pictures are decoded at a fraction of their size: nothing a reader needs is lost, and memory stays small.
_REDUCE_ABOVE_BYTES = 12_000_000
_REDUCE_ABOVE_PIXELS = 50_000_000
_REDUCTIONS = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4,
               8: cv2.IMREAD_REDUCED_COLOR_8}  # fmt: skip


def quiet_decoders() -> AbstractContextManager:
    """Drop, within it, what libpng and libjpeg write past Python to standard error: what matters we say ourselves."""
    return diverted(2)


def decode(data: bytes, header: Header | None) -> np.ndarray | None:
    """Return the picture of a file, rotated as EXIF says, or None if it is none.

    Returns:
        (H, W, 3) BGR or, of what may be transparent, (H, W, 4) BGRA; uint8, or uint16 of what has more than 8 bits.
        Large pictures come reduced.
    Raises:
        MemoryError: if there is too little memory.
        ImportError: if it is HEIC, and pillow-heif is not installed.
    """
    with quiet_decoders(), _nothing_if_damaged():
        return _decode_heic(data) if is_heic(data) else _decode(np.frombuffer(data, np.uint8), header)
    return None


def decode_several(data: bytes, start: int, count: int) -> list[np.ndarray]:
    """Return up to `count` pages or frames from one on, as `decode` does, but not rotated; none beyond the end.

    Of animations OpenCV's `imdecodemulti` gives the first frames again and again; what knows them came with 4.11.
    """
    array = np.frombuffer(data, np.uint8)
    with quiet_decoders(), _nothing_if_damaged():
        if not is_animation(data):
            return list(cv2.imdecodemulti(array, cv2.IMREAD_UNCHANGED, range=(start, start + count))[1])
        if hasattr(cv2, "imdecodeanimation"):
            return list(cv2.imdecodeanimation(array, start, count)[1].frames)
        first = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
        return [first] if start == 0 and first is not None else []
    return []


@contextmanager
def _nothing_if_damaged() -> Iterator[None]:
    """End quietly where OpenCV cannot decode; raise MemoryError where memory does not suffice."""
    try:
        yield
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error


def _decode(data: np.ndarray, header: Header | None) -> np.ndarray | None:
    """Ask for transparency and for more than 8 bits, which OpenCV's colour mode throws away, where they may be."""
    if header and header.alpha:
        whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
            return whole
        del whole
    if header is None or header.deep:
        deep = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        if deep is not None and deep.dtype in (np.uint8, np.uint16):
            return deep
        del deep
    return cv2.imdecode(data, _REDUCTIONS[_reduction(data, header)])


def _reduction(data: np.ndarray, header: Header | None) -> int:
    """Return by how much the sides may be divided while decoding."""
    least = 2 if data.size >= _REDUCE_ABOVE_BYTES else 1
    if header is None or not header.reducible or header.width * header.height <= _REDUCE_ABOVE_PIXELS:
        return least
    fitting = [each for each in _REDUCTIONS if max(header.width, header.height) // each >= LONGEST_SIDE]
    return max(least, *fitting, 1)


def _decode_heic(data: bytes) -> np.ndarray | None:
    """Decode an iPhone's photograph; OpenCV takes its first tile, a corner, for the whole."""
    import pillow_heif

    try:
        return np.asarray(pillow_heif.open_heif(data, bgr_mode=True))
    except (ValueError, OSError, RuntimeError, EOFError):
        return None
