"""How the finder network looks at a frame: near, far, farther, and at large stills in windows; and what it answers.

All but the windows lie side by side on one square picture, so that one call of the network sees digits from some
8 pixels to the whole frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

SIDE = 640  # pixels: the network's picture is square
FAR = 160  # pixels: shorter side of the far look
FARTHER = (1, 3, 6)  # the far looks are so many times smaller than the near one
STRIDE, FINE = 4, 4  # pixels from place to place of the maps; sub-pixels of ink a place has along each side
STILL = 1200  # pixels: a frame whose longer side has more is looked at in windows as well
_STEP = SIDE - 96  # pixels from window to window: what a border hides of one, the next one shows
_GAP = 24  # pixels between two looks: each one's border is drawn on over half of them, so that no edge is near
_LARGEST = 4.0  # small pictures are enlarged by so much at most


class Network(Protocol):
    """What the finder needs of a network."""

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return float32 (160, 160, 21) for a picture, float32 (640, 640) grey in [0, 1]."""


@dataclass(frozen=True)
class Look:
    """What the network says of a frame at one scale.

    Attributes:
        maps: float32 (h, w, 5 + 16): logits of a digit's and of other writing's centre, log2 of the digit's size in
            32 px, way to its centre in 32 px, logits of ink.
        grey: uint8 (4 h, 4 w), what the network looked at.
        scale: pixels of the look for one of the frame.
        left, top: where the look begins in the frame, in pixels of the look.
    """

    maps: np.ndarray
    grey: np.ndarray
    scale: float
    left: int = 0
    top: int = 0

    def ink(self, places: tuple[slice, slice]) -> np.ndarray:
        """Return the logits of ink in some rows and columns of the maps, float32 (4 h, 4 w)."""
        part = self.maps[places][..., 5:]
        h, w = part.shape[:2]
        return part.reshape(h, w, FINE, FINE).transpose(0, 2, 1, 3).reshape(h * FINE, w * FINE)


def look_at(grey: np.ndarray, network: Network) -> list[Look]:
    """Return what the network says of a frame, uint8 (H, W): near, far, and windows of a large still."""
    looks = _near_and_far(grey, network)
    if max(grey.shape) > STILL:
        looks += _windows(grey, network)
    return looks


def _near_and_far(grey: np.ndarray, network: Network) -> list[Look]:
    height, width = grey.shape
    scale = min((SIDE - _GAP) / max(height, width), (SIDE - FAR - _GAP) / min(height, width), _LARGEST)
    picture = np.full((SIDE, SIDE), grey[:: max(1, height // 32), :: max(1, width // 32)].mean(), np.uint8)
    places, x, y = [], 0, 0
    for smaller in FARTHER:
        part = _resized(grey, scale / smaller)
        rows, columns = part.shape
        _put(part, picture, x, y)
        places.append((x, y, part, scale / smaller))
        if smaller == 1:  # the farther looks lie in the strip that the near one leaves, one after the other
            x, y = (0, SIDE - FAR) if width >= height else (SIDE - FAR, 0)
        else:
            x, y = (x + _aligned(columns), y) if width >= height else (x, y + _aligned(rows))
    maps = network(picture * np.float32(1 / 255))
    return [_look(maps, picture, left, top, part.shape, at) for left, top, part, at in places]


def _put(part: np.ndarray, picture: np.ndarray, x: int, y: int) -> None:
    """Put a part on the picture with its corner at (x, y), its border drawn on as far as half the gap on all sides."""
    above, left = min(y, _GAP // 2), min(x, _GAP // 2)
    beyond = cv2.copyMakeBorder(part, above, _GAP // 2, left, _GAP // 2, cv2.BORDER_REPLICATE)
    room = picture[y - above :, x - left :][: beyond.shape[0], : beyond.shape[1]]
    room[:] = beyond[: room.shape[0], : room.shape[1]]


def _aligned(length: int) -> int:
    return -(-(length + _GAP) // STRIDE) * STRIDE


def _windows(grey: np.ndarray, network: Network) -> Iterator[Look]:
    scale = min(2 * SIDE / max(grey.shape), 1.0)
    still = _resized(grey, scale)
    for top in _starts(still.shape[0]):
        for left in _starts(still.shape[1]):
            part = still[top : top + SIDE, left : left + SIDE]
            picture = np.full((SIDE, SIDE), part.mean(), np.uint8)
            picture[: part.shape[0], : part.shape[1]] = part
            maps = network(picture * np.float32(1 / 255))
            yield _look(maps, picture, 0, 0, part.shape, scale, (left, top))


def _starts(length: int) -> list[int]:
    return [0] if length <= SIDE else [*range(0, length - SIDE, _STEP), length - SIDE]


def _resized(grey: np.ndarray, scale: float) -> np.ndarray:
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _look(maps: np.ndarray, picture: np.ndarray, x: int, y: int, shape: tuple[int, int], scale: float,
          corner: tuple[int, int] = (0, 0)) -> Look:
    """Cut what is said of one part, of `shape` pixels with its corner at (x, y), out of the maps of all."""
    rows, columns = (-(-side // STRIDE) for side in shape)
    places = np.s_[y // STRIDE : y // STRIDE + rows, x // STRIDE : x // STRIDE + columns]
    return Look(maps[places], picture[y : y + rows * STRIDE, x : x + columns * STRIDE], scale, *corner)
