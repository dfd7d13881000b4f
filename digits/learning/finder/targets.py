"""What the finder is to answer for a frame: the numbers that a frame's truth comes to on the places of its maps."""

import cv2
import numpy as np

from digits.box import Box
from digits.learning.finder.maps import FINE, STRIDE
from digits.rendering.frames.canvas import Frame

# Planes of the targets, before those of the ink. Weights: 0 where it does not matter what the finder says.
PLANES = ("centre", "other", "size", "dx", "dy", "centre_weight", "size_weight", "offset_weight")
OFFSET_UNIT = 32.0  # pixels: offsets are learnt in parts of it
SIZE_UNIT = 32.0  # pixels: sizes are learnt as log2 of their part of it
SMALLEST = 6.0  # pixels: a smaller digit is not asked for
_SEEN, _SEEN_ENOUGH = 0.5, 0.8  # shares of the ink: less is no digit, more is one, between them it does not matter
_INKED = 60  # of 255: places with so much ink of a digit, on average, are asked for the way to its centre


def targets(frame: Frame) -> np.ndarray:
    """Return float16 (H / 4, W / 4, 8 + 16): PLANES, then the ink's share of the 4x4 pixels of each place."""
    height, width = (side // STRIDE for side in frame.grey.shape)
    maps = np.zeros((height, width, len(PLANES) + FINE * FINE), np.float16)
    planes = np.zeros((len(PLANES), height, width), np.float32)
    planes[5] = 1
    _centres(frame, planes)
    for box in frame.others:
        if box.side >= SMALLEST:
            _hill(planes[1], box)
    _offsets(frame, planes)
    maps[..., : len(PLANES)] = planes.transpose(1, 2, 0)
    ink = frame.ink.reshape(height, STRIDE, width, STRIDE).transpose(0, 2, 1, 3).reshape(height, width, -1)
    maps[..., len(PLANES) :] = ink * np.float32(1 / 255)
    return maps


def _centres(frame: Frame, planes: np.ndarray) -> None:
    height, width = planes.shape[1:]
    for box, seen in zip(frame.boxes, frame.seen, strict=True):
        if box.side < SMALLEST or seen < _SEEN:
            continue
        if seen < _SEEN_ENOUGH:
            planes[5][_places(box, height, width)] = 0
            continue
        _hill(planes[0], box)
        column, row = int(box.centre[0] / STRIDE), int(box.centre[1] / STRIDE)
        near = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        planes[2][near] = np.log2(box.side / SIZE_UNIT)
        planes[6][near] = 1


def _places(box: Box, height: int, width: int) -> tuple[slice, slice]:
    return np.s_[max(0, box.y // STRIDE) : min(height, -(-box.bottom // STRIDE)),
                 max(0, box.x // STRIDE) : min(width, -(-box.right // STRIDE))]


def _hill(plane: np.ndarray, box: Box) -> None:
    """Raise a hill of height 1 on the place that holds the middle of a box; its foot grows with the box."""
    height, width = plane.shape
    x, y = (value / STRIDE for value in box.centre)
    column, row = int(x), int(y)
    if not (0 <= column < width and 0 <= row < height):
        return
    sides = max(box.w, 0.4 * box.h), max(box.h, 0.4 * box.w)
    sx, sy = (float(np.clip(0.12 * side / STRIDE, 0.55, 4.0)) for side in sides)
    reach_x, reach_y = int(np.ceil(3 * sx)), int(np.ceil(3 * sy))
    left, right = max(0, column - reach_x), min(width, column + reach_x + 1)
    top, bottom = max(0, row - reach_y), min(height, row + reach_y + 1)
    across = np.exp(-((np.arange(left, right) - column) ** 2) / (2 * sx * sx))
    down = np.exp(-((np.arange(top, bottom) - row) ** 2) / (2 * sy * sy))
    window = plane[top:bottom, left:right]
    np.maximum(window, (down[:, None] * across).astype(np.float32), out=window)


def _offsets(frame: Frame, planes: np.ndarray) -> None:
    """Ask each place with ink of a digit for the way to that digit's centre."""
    height, width = planes.shape[1:]
    owners = frame.owner.reshape(height, STRIDE, width, STRIDE).transpose(0, 2, 1, 3).reshape(height, width, -1)
    owner = owners.max(-1)
    clear = owner > 0
    # A place with ink of two digits belongs to neither.
    clear &= np.where(owners > 0, owners, np.int16(32767)).min(-1) == owner
    clear &= cv2.resize(frame.ink, (width, height), interpolation=cv2.INTER_AREA) > _INKED * 0.3
    rows, columns = np.nonzero(clear)
    if not len(rows):
        return
    boxes = np.array([(*box.centre, box.side) for box in frame.boxes], np.float32)
    x, y, side = boxes[owner[rows, columns] - 1].T
    seen = np.array(frame.seen, np.float32)[owner[rows, columns] - 1]
    planes[3][rows, columns] = (x - (columns + 0.5) * STRIDE) / OFFSET_UNIT
    planes[4][rows, columns] = (y - (rows + 0.5) * STRIDE) / OFFSET_UNIT
    planes[7][rows, columns] = (seen >= _SEEN) / np.maximum(side / OFFSET_UNIT, 0.3)
