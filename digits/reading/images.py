"""Pictures from disk: one loader for every file a person may have, whatever wrote it."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from digits.reading.image_kinds import has_pages, is_animation, is_heic, may_be_transparent

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".heic", ".heif", ".avif")
# Larger pictures are decoded at a fraction of their size: nothing a reader needs is lost, and memory stays small.
_REDUCE_ABOVE_BYTES = 12_000_000
_LONGEST_SIDE = 4096
_JPEG = b"\xff\xd8"  # never has more than 8 bits
_AT_ONCE = 8  # pages of a file, or frames of an animation, held at a time
_MOST = 10_000  # of them read from one file
# On white paper, transparent strokes that are darker than this are seen; white ones are laid on black.
_SEEN_ON_WHITE = 200


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
        ImageError: if the file is missing, empty, truncated beyond use, no picture or several.
    """
    data = _read(Path(path))
    if has_pages(data) or is_animation(data):
        kind = "an animation" if is_animation(data) else "several pages"
        raise ImageError(f"{path} holds {kind}, expected one picture; save each as a file of its own.")
    return _loaded(Path(path), data)


def load_images(path: str | Path) -> Iterator[np.ndarray]:
    """Yield all pictures of a file: the pages of a TIFF, the frames of an animation; of other files the one there is.

    Raises:
        ImageError: as `load_image`, but not for several.
    """
    path, data = Path(path), _read(Path(path))
    if not (has_pages(data) or is_animation(data)):
        yield _loaded(path, data)
        return
    count = 0
    for start in range(0, _MOST, _AT_ONCE):
        pictures = _decode_several(data, start)
        yield from (_at_most(to_bgr(picture)) for picture in pictures)
        count += len(pictures)
        if len(pictures) < _AT_ONCE:
            break
    if not count:
        raise _unreadable(path)


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
    if image.dtype == np.uint16:
        bits = max(8, int(image.max()).bit_length())
        image = (image >> (bits + bits % 2 - 8)).astype(np.uint8)
    elif image.dtype != np.uint8:
        # Infinities and NaN of a broken float camera count as black.
        image = (np.clip(np.nan_to_num(image, posinf=0.0), 0.0, 1.0) * 255).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image.reshape(image.shape[:2]), cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        return _opaque(image)
    return image


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if not data:
        raise ImageError(f"{path} is empty, expected a picture.")
    return data


def _loaded(path: Path, data: bytes) -> np.ndarray:
    image = _decode_heic(path, data) if is_heic(data) else _decode(data)
    if image is None or image.size == 0:
        raise _unreadable(path)
    return _at_most(image)


def _unreadable(path: Path) -> ImageError:
    return ImageError(f"{path} is not a readable picture; expected one of {', '.join(IMAGE_SUFFIXES)}.")


def _at_most(image: np.ndarray) -> np.ndarray:
    """Return a picture reduced so far that its longer side is at most 4096 pixels."""
    longest = max(image.shape[:2])
    if longest <= _LONGEST_SIDE:
        return image
    scale = _LONGEST_SIDE / longest
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _decode(data: bytes) -> np.ndarray | None:
    """Decode for viewing; transparency and more than 8 bits, which OpenCV's colour mode throws away, are asked for."""
    array = np.frombuffer(data, np.uint8)
    try:
        flag = cv2.IMREAD_COLOR if len(data) < _REDUCE_ABOVE_BYTES else cv2.IMREAD_REDUCED_COLOR_2
        image = cv2.imdecode(array, flag)
        if may_be_transparent(data):
            whole = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
            if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
                return to_bgr(whole)
        if flag == cv2.IMREAD_COLOR and not data.startswith(_JPEG):
            deep = cv2.imdecode(array, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
            return image if deep is None or deep.dtype != np.uint16 else to_bgr(deep)
        return image
    except cv2.error:
        return None


def _decode_several(data: bytes, start: int) -> list[np.ndarray]:
    """Return up to `_AT_ONCE` pages or frames from one on, none beyond the end.

    Of animations OpenCV's `imdecodemulti` gives the first frames again and again; what knows them came with 4.11.
    """
    array = np.frombuffer(data, np.uint8)
    try:
        if not is_animation(data):
            return list(cv2.imdecodemulti(array, cv2.IMREAD_UNCHANGED, range=(start, start + _AT_ONCE))[1])
        if hasattr(cv2, "imdecodeanimation"):
            return list(cv2.imdecodeanimation(array, start, _AT_ONCE)[1].frames)
        first = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
        return [first] if start == 0 and first is not None else []
    except cv2.error:
        return []


def _decode_heic(path: Path, data: bytes) -> np.ndarray | None:
    """Decode an iPhone's photograph with pillow-heif; OpenCV takes its first tile, a corner, for the whole."""
    try:
        import pillow_heif
    except ImportError:
        raise ImageError(
            f"{path} is a HEIC photograph; install what reads it (python -m pip install pillow-heif), or let the phone "
            "take JPEG (iPhone: Settings, Camera, Formats, Most Compatible)."
        ) from None
    try:
        return to_bgr(np.asarray(pillow_heif.open_heif(data, bgr_mode=True)))
    except (ValueError, OSError, RuntimeError, EOFError):
        return None


def _opaque(image: np.ndarray) -> np.ndarray:
    """Return a picture with transparency laid on white paper, or on black where nothing would be seen on white."""
    alpha = image[:, :, 3:].astype(np.uint16)
    if not alpha.any():
        return np.ascontiguousarray(image[:, :, :3])  # an unused alpha channel, as some BMP files carry
    colour = image[:, :, :3].astype(np.uint16) * alpha
    on_white = ((colour + 255 * (255 - alpha)) // 255).astype(np.uint8)
    # Blurred a little, so that a few stray pixels do not count as strokes.
    darkest = cv2.blur(cv2.cvtColor(on_white, cv2.COLOR_BGR2GRAY), (3, 3)).min()
    hidden = darkest > _SEEN_ON_WHITE and (alpha < 255).any()
    return (colour // 255).astype(np.uint8) if hidden else on_white
