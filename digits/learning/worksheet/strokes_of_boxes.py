"""The ink on a straightened worksheet: which strokes there are, whose they are, which cross a box out."""

from __future__ import annotations

import cv2
import numpy as np

from digits.box import Box
from digits.learning.worksheet.printed_boxes import INSIDE
from digits.learning.worksheet.straighten import SCALE

# Ink of a box: contrast (of 255) above this share of its darkest, and above the least that counts.
_LEVEL, _FAINTEST = 0.36, 24
_SPECK = 0.25  # mm^2
_SHARED = 0.2  # a stroke with this share of its ink in another box belongs to both
_BLOT = 0.5  # share of a box under ink, above which it is blotted out
_CROSS_ZONE, _CROSS_COVER = 0.24, 0.9  # where the arms of a cross begin, and how much of each must be ink
_JOINED = 0.6  # of the way between two ends of a cross: ink there makes it an 8


def ink_mask(contrast: np.ndarray, places: list[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Return bool-like uint8 (H, W), 1 where there is ink in or beside a box, and the level used in each box (0: none).

    Each box has its own level: pens differ, and so does the light.
    """
    mask = np.zeros_like(contrast)
    levels = np.zeros(len(places))
    inset, outset = round(INSIDE * SCALE), round(1.4 * SCALE)
    soft = cv2.GaussianBlur(contrast, (0, 0), 0.08 * SCALE)
    for position, place in enumerate(places):
        plain, darkest = map(float, np.percentile(soft[place.grown(-inset).window], (40, 99.5)))
        level = max(_FAINTEST, plain + _LEVEL * (darkest - plain), 2.2 * plain)
        if darkest > level:
            levels[position] = level
            area = place.grown(outset).window
            np.maximum(mask[area], (soft[area] > level).astype(np.uint8), out=mask[area])
    return mask, levels


class Owners:
    """Which box each stroke belongs to: the one that holds most of its ink, or several that hold much of it.

    `labels` int32 (H, W) numbers the strokes; `stats` is OpenCV's (boxes and areas of the strokes).
    """

    def __init__(self, mask: np.ndarray, places: list[Box]):
        count, self.labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        speck = stats[:, cv2.CC_STAT_AREA] < _SPECK * SCALE**2
        speck[0] = True
        self.stats = stats
        inset = round(0.3 * SCALE)
        inside = np.zeros((len(places), count), np.int32)
        for position, place in enumerate(places):
            area = self.labels[place.grown(-inset).window]
            inside[position] = np.bincount(area.ravel(), minlength=count)
        inside[:, speck] = 0
        share = inside / np.maximum(inside.sum(axis=0), 1)
        self._own = (share > _SHARED) | ((share == share.max(axis=0)) & (inside > 0))
        self._shared = self._own & (self._own.sum(axis=0) > 1)

    def of(self, position: int) -> np.ndarray:
        """Return the numbers of the strokes of a box, those that it shares included."""
        return np.flatnonzero(self._own[position])

    def belongs(self, strokes: np.ndarray) -> np.ndarray:
        """Return bool (number of strokes,), True for these: indexed with `labels`, a mask."""
        chosen = np.zeros(len(self.stats), bool)
        chosen[strokes] = True
        return chosen

    def shared(self, position: int) -> bool:
        """Return whether a stroke in this box belongs to another one too."""
        return bool(self._shared[position].any())


def crossed_out(ink: np.ndarray) -> bool:
    """Return whether a box is blotted out, or has two straight strokes from corner to corner.

    An 8 like an hourglass has them too, but its ends are joined above and below.

    Args:
        ink: bool (h, w), this box's strokes between the middles of its printed lines.
    """
    if ink.mean() > _BLOT:
        return True
    small = cv2.resize(cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)), (48, 72))
    falling, rising = _arm(small), _arm(small[:, ::-1])
    if falling is None or rising is None:
        return False
    rising[:, 0] = small.shape[1] - 1 - rising[:, 0]
    joined = (_covered(small, falling[end], rising[end]) for end in (0, 1))
    return not all(share >= _JOINED for share in joined)


def _arm(ink: np.ndarray) -> np.ndarray | None:
    """Return the ends, float (2, 2), of a straight stroke from the top left to the bottom right; None without one.

    Args:
        ink: uint8 (72, 48), not 0 where there is ink.
    """
    height, width = ink.shape
    zone = (round(_CROSS_ZONE * height), round(_CROSS_ZONE * width))
    if not (ink[: zone[0], : zone[1]].any() and ink[-zone[0] :, -zone[1] :].any()):
        return None
    near = np.linspace(0.04, _CROSS_ZONE, 6)
    starts = np.stack(np.meshgrid(near * width, near * height), -1).reshape(-1, 2)
    ends = np.stack(np.meshgrid((1 - near) * width, (1 - near) * height), -1).reshape(-1, 2)
    shares = _covered(ink, starts[:, None], ends[None])
    start, end = np.unravel_index(shares.argmax(), shares.shape)
    return np.stack([starts[start], ends[end]]) if shares[start, end] >= _CROSS_COVER else None


def _covered(ink: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the share of ink along straight lines between points (..., 2) as (x, y)."""
    points = start[..., None, :] + np.linspace(0, 1, 40)[:, None] * (end - start)[..., None, :]
    points = np.clip(points.round().astype(int), 0, (ink.shape[1] - 1, ink.shape[0] - 1))
    return (ink[points[..., 1], points[..., 0]] > 0).mean(axis=-1)
