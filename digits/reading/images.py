"""Pictures from disk: one loader for every file a person may have, whatever wrote it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digits.reading.decoders import LONGEST_SIDE, decode, decode_several
from digits.reading.image_header import Header, read_header
from digits.reading.image_kinds import has_pages, is_animation

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".heic", ".heif", ".avif")
# A picture that needs more than this is refused by its header: with it and what comes after, reading stays within
# 1.5 GB. It is enough for 100 megapixels with transparency, and for 60 in 16 bits.
_MOST_BYTES = 1_000_000_000
_BAND = 256  # rows that are converted at once: wide numbers of a whole large picture would take gigabytes
_AT_ONCE = 8  # pages of a file, or frames of an animation, held at a time, where they are no larger than a photograph
_MOST = 10_000  # of them read from one file
# On white paper, transparent strokes that are darker than this are seen; white ones are laid on black.
_SEEN_ON_WHITE = 200
_WHITE, _BLACK = 255, 0


class ImageError(ValueError):
    """A picture that cannot be read; the message is one sentence for the user."""


def load_image(path: str | Path) -> np.ndarray:
    """Return the picture of a file as the camera would have shown it.

    EXIF rotation is applied, transparency is laid on white (white strokes on black), and 16-bit, CMYK and grey files
    become 8-bit colour.

    Args:
        path: any file OpenCV decodes, and HEIC where pillow-heif is installed; accents and spaces in its name are fine
            on every platform.
    Returns:
        uint8 (H, W, 3), BGR; pictures with a side over 4096 pixels come back reduced.
    Raises:
        ImageError: if the file is missing, empty, truncated beyond use, no picture, several, or too large for the
            memory.
    """
    return decode_image(_read(Path(path)), path)


def load_images(path: str | Path) -> Iterator[np.ndarray]:
    """Yield all pictures of a file: the pages of a TIFF, the frames of an animation; of other files the one there is.

    Raises:
        ImageError: as `load_image`, but not for several.
    """
    data = _read(Path(path))
    if not (has_pages(data) or is_animation(data)):
        yield decode_image(data, path)
        return
    header = _affordable(data, path)
    at_once = _AT_ONCE if header is None else max(1, min(_AT_ONCE, _MOST_BYTES // _needed(data, header)))
    count = 0
    for start in range(0, _MOST, at_once):
        pictures = _decoded_several(data, start, at_once, path)
        yield from pictures
        count += len(pictures)
        if len(pictures) < at_once:
            break
    if not count:
        raise _unreadable(path)


def decode_image(data: bytes, name: object = "a picture") -> np.ndarray:
    """Return the picture that a file's bytes hold, as `load_image` does; `name` is what errors call it."""
    if not data:
        raise ImageError(f"{name} is empty, expected a picture.")
    if has_pages(data) or is_animation(data):
        kind = "an animation" if is_animation(data) else "several pages"
        raise ImageError(f"{name} holds {kind}, expected one picture; save each as a file of its own.")
    header = _affordable(data, name)
    try:
        image = decode(data, header)
        if image is None or image.size == 0:
            raise _unreadable(name)
        return _reduced(to_bgr(image))
    except MemoryError as error:
        raise _too_large(name) from error
    except ImportError:
        raise ImageError(
            f"{name} is a HEIC photograph; install what reads it (python -m pip install pillow-heif), or let the phone "
            "take JPEG (iPhone: Settings, Camera, Formats, Most Compatible)."
        ) from None


def moves(path: str | Path) -> bool:
    """Return whether a file is an animation, whose pictures follow each other in time; False if it cannot be read."""
    try:
        return is_animation(_read(Path(path)))
    except ImageError:
        return False


def to_bgr(image: np.ndarray) -> np.ndarray:
    """Return any camera or file array as uint8 (H, W, 3) BGR.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA; uint8, uint16 or float in [0, 1]. Cameras and
            scanners put 10, 12 or 14 bits into 16: the brightest value tells how many there are.
    Raises:
        ImageError: if it has no pixels or another shape.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.size == 0 or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ImageError(f"a frame of shape {image.shape} was found, expected (height, width) or (height, width, 3).")
    if image.dtype == np.uint8 and image.shape[2:] == (3,):
        return image
    bits = max(8, int(image.max()).bit_length()) if image.dtype == np.uint16 else 8
    shift = bits + bits % 2 - 8
    # An alpha channel that is nowhere used, as some BMP files carry, says nothing.
    if image.shape[2:] != (4,) or not image[:, :, 3].any():
        return _colours(image[:, :, :3] if image.ndim == 3 else image, shift)
    colours = _colours(image, shift, _WHITE)
    return _colours(image, shift, _BLACK) if _hidden(colours, image, shift) else colours


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data:
        raise ImageError(f"{path} is empty, expected a picture.")
    return data


def _affordable(data: bytes, name: object) -> Header | None:
    """Return the header of a picture; raise ImageError if it says that the picture would fill the memory."""
    header = read_header(data)
    if header and _needed(data, header) > _MOST_BYTES:
        raise ImageError(f"{name} has {header.width} x {header.height} pixels, too many to read; make it smaller.")
    return header


def _needed(data: bytes, header: Header) -> int:
    return len(data) + header.width * header.height * header.bytes_each


def _decoded_several(data: bytes, start: int, count: int, name: object) -> list[np.ndarray]:
    try:
        return [_reduced(to_bgr(image)) for image in decode_several(data, start, count)]
    except MemoryError as error:
        raise _too_large(name) from error


def _unreadable(name: object) -> ImageError:
    return ImageError(f"{name} is not a readable picture; expected one of {', '.join(IMAGE_SUFFIXES)}.")


def _too_large(name: object) -> ImageError:
    return ImageError(f"{name} needs more memory than is free; make it smaller.")


def _reduced(image: np.ndarray) -> np.ndarray:
    """Return a picture reduced so far that its longer side is at most 4096 pixels."""
    longest = max(image.shape[:2])
    if longest <= LONGEST_SIDE:
        return image
    scale = LONGEST_SIDE / longest
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _colours(image: np.ndarray, shift: int, paper: int = _WHITE) -> np.ndarray:
    """Return grey, colours, or colours with transparency on paper of a brightness as uint8 (H, W, 3) BGR."""
    colours = np.empty((*image.shape[:2], 3), np.uint8)
    for top in range(0, len(image), _BAND):
        rows = slice(top, top + _BAND)
        colours[rows] = _band_to_bgr(_eight_bits(image[rows], shift), paper)
    return colours


def _eight_bits(band: np.ndarray, shift: int) -> np.ndarray:
    if band.dtype == np.uint8:
        return band
    if band.dtype == np.uint16:
        return (band >> shift).astype(np.uint8)
    # Infinities and NaN of a broken float camera count as black.
    return (np.clip(np.nan_to_num(band, posinf=0.0), 0.0, 1.0) * 255).astype(np.uint8)


def _band_to_bgr(band: np.ndarray, paper: int) -> np.ndarray:
    if band.ndim == 2 or band.shape[2] == 1:
        return cv2.cvtColor(band.reshape(band.shape[:2]), cv2.COLOR_GRAY2BGR)
    if band.shape[2] == 3:
        return band
    opacity, colour = band[:, :, 3:].astype(np.uint16), band[:, :, :3].astype(np.uint16)
    return ((colour * opacity + paper * (255 - opacity)) // 255).astype(np.uint8)


def _hidden(on_white: np.ndarray, image: np.ndarray, shift: int) -> bool:
    """Return whether of a picture with transparency, BGRA, nothing is seen on white paper."""
    # Blurred a little, so that a few stray pixels do not count as strokes.
    darkest = cv2.blur(cv2.cvtColor(on_white, cv2.COLOR_BGR2GRAY), (3, 3)).min()
    return darkest > _SEEN_ON_WHITE and _eight_bits(image[:, :, 3], shift).min() < 255
