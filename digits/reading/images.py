"""Pictures from disk: one loader for every file a person may have, whatever wrote it."""

from pathlib import Path

import cv2
import numpy as np

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Larger pictures are decoded at a fraction of their size: nothing a reader needs is lost, and memory stays small.
_REDUCE_ABOVE_BYTES = 12_000_000
_LONGEST_SIDE = 4096


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
        ImageError: if the file is missing, empty, truncated beyond use or no picture.
    """
    path = Path(path)
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    return decode_image(data, path)


def decode_image(data: np.ndarray, name: str | Path) -> np.ndarray:
    """Return the picture in a file's bytes, uint8 (N,), as `load_image` does; errors call it by `name`."""
    if data.size == 0:
        raise ImageError(f"{name} is empty, expected a picture.")
    image = _decode(data)
    if image is None or image.size == 0:
        raise ImageError(f"{name} is not a readable picture; expected one of {', '.join(IMAGE_SUFFIXES)}.")
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
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype != np.uint8:
        # Infinities and NaN of a broken float camera count as black.
        image = (np.clip(np.nan_to_num(image, posinf=0.0), 0.0, 1.0) * 255).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image.reshape(image.shape[:2]), cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        return _on_white(image)
    return image


def _decode(data: np.ndarray) -> np.ndarray | None:
    """Decode for viewing; transparency needs a second look, because OpenCV's colour mode throws it away."""
    try:
        flag = cv2.IMREAD_COLOR if data.size < _REDUCE_ABOVE_BYTES else cv2.IMREAD_REDUCED_COLOR_2
        image = cv2.imdecode(data, flag)
        if _may_be_transparent(data):
            whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if whole is not None and whole.ndim == 3 and whole.shape[2] == 4:
                return to_bgr(whole)
        return image
    except cv2.error:
        return None


def _may_be_transparent(data: np.ndarray) -> bool:
    head = data[:12].tobytes()
    return head.startswith(b"\x89PNG") or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[:2] == b"BM"


def _on_white(image: np.ndarray) -> np.ndarray:
    alpha = image[:, :, 3:].astype(np.uint16)
    if not alpha.any():
        return np.ascontiguousarray(image[:, :, :3])  # an unused alpha channel, as some BMP files carry
    colour = image[:, :, :3].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)
