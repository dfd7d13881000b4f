"""What sources hand over: frames, waiting, and what can be wrong with a source."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from digits.files import in_utf8
from digits.reading.images import ImageError, to_bgr
from digits.reading.orientation import UP, Orientation

Report = Callable[[str], None]  # takes one sentence for the terminal


class SourceError(Exception):
    """A source that cannot be opened or was lost; the message is one sentence for the user."""


class SourceMissingError(SourceError):
    """A source that is not there: no such file, and no camera of that name."""


@dataclass(frozen=True)
class Frame:
    """One frame: which source it is from, its number and time there, and uint8 (H, W, 3) BGR pixels.

    `still` is true for a picture, which has no past and no future to vote with. `place` is which file of how many.
    `orientation` is how the picture was set upright before it came to be `image`.
    """

    source: str
    index: int
    time_s: float
    image: np.ndarray
    still: bool = False
    place: tuple[int, int] = (1, 1)
    orientation: Orientation = UP


class Silence(StrEnum):
    """Why a camera gives no frame."""

    STARTING = "starting"
    LOST = "lost"


@dataclass(frozen=True)
class Waiting:
    """No frame just now, and why; the camera is given up in `seconds_left`."""

    reason: Silence
    seconds_left: float


def utf8(name: object) -> str:
    """Return a path or URL as text that OpenCV takes.

    Raises:
        SourceError: if the name is not UTF-8.
    """
    if not in_utf8(name):
        raise SourceError(f"{name} cannot be opened: its name is not in UTF-8; rename it.")
    return str(name)


def as_bgr(image: np.ndarray) -> np.ndarray:
    """Return any camera's frame as uint8 (H, W, 3) BGR; raise ImageError if it is none."""
    if image.ndim == 3 and image.shape[2] == 2:
        return cv2.cvtColor(image, cv2.COLOR_YUV2BGR_YUY2)
    return to_bgr(image)


def next_frame(capture: cv2.VideoCapture) -> np.ndarray | None:
    """Return the next frame of a camera or a video, uint8 (H, W, 3) BGR, or None if what it gives is none."""
    ok, image = capture.read()
    try:
        return as_bgr(image) if ok else None
    except (ImageError, cv2.error):
        return None


def finite(value: float) -> float:
    """Return a number that a driver named, 0 for infinities and NaN."""
    return value if math.isfinite(value) else 0.0
