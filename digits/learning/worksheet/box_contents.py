"""What each box of a straightened worksheet holds: nothing, a cross, a hand, or what is written, its strokes alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from digits.box import Box
from digits.learning.worksheet.page import PrintedBox
from digits.learning.worksheet.printed_boxes import INSIDE, darkest_channel, find_boxes, without_lines
from digits.learning.worksheet.straighten import SCALE, SheetError, Straight

_MOST_HIDDEN = 1 / 3  # of all boxes
_COLOUR_MARGIN = 20  # of 255: one channel alone is noisier than grey
_PEN = 5.0  # mm: wider dark things are no pen strokes but shadows and fingers
_LEAST_SIDE = 2.6  # mm: smaller than this is no digit but dust
_TOUCHING = 0.9  # mm: ink so near the picture's rim makes it larger
_OUTSIDE = 3.0  # mm that a picture may reach beyond its box
_PAPER = 1.2  # mm of paper kept round ink that leaves its box
# Ink of a box: contrast (of 255) above this share of its darkest, and above the least that counts.
_LEVEL, _FAINTEST = 0.36, 24
_SPECK = 0.25  # mm^2
_SHARED = 0.2  # a stroke with this share of its ink in another box belongs to both
_BLOT = 0.5  # share of a box under ink, above which it is blotted out
_CROSS_ZONE, _CROSS_COVER = 0.24, 0.9  # where the arms of a cross begin, and how much of each must be ink
_JOINED = 0.6  # of the way between two ends of a cross: ink there makes it an 8


class State(StrEnum):
    """What a box holds, in the words of the records that are kept; DOUBTFUL: written, but maybe no whole digit."""

    EMPTY = "empty"
    CROSSED_OUT = "crossed out"
    HIDDEN = "hidden"
    WRITTEN = "written"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class Cut:
    """What one box holds.

    Attributes:
        box: where, and which digit is wanted there.
        picture: uint8 (h, w, 3) BGR at SCALE, without printed lines, of WRITTEN and DOUBTFUL boxes; else None.
        tile: of its picture, if strokes are found there.
        doubt: why it is set aside, as part of a file's name; "" if it is not.
    """

    box: PrintedBox
    state: State
    picture: np.ndarray | None = None
    tile: np.ndarray | None = None
    doubt: str = ""


def cut_boxes(straight: Straight) -> list[Cut]:
    """Return what each box of a straightened sheet holds, in the order of its layout.

    Raises:
        SheetError: if the printed boxes cannot be made out, or too many are hidden.
    """
    page = straight.page
    paper = _paper(page)
    share = cv2.divide(page, paper, scale=255)
    response = 255 - darkest_channel(share)
    places, seen = find_boxes(response, straight.layout)
    hidden = np.count_nonzero(~seen)
    if hidden > _MOST_HIDDEN * len(seen):
        raise SheetError(f"{hidden} of its {len(seen)} boxes are hidden; photograph the whole sheet, no hand on it.")
    clean = without_lines(page, paper, share, places)
    contrast = _contrast(clean, paper)
    mask, levels = _ink_mask(contrast, places)
    owners = _Owners(mask, places)
    return [
        _cut(box, position, places[position], clean, paper, owners) if seen[position] and levels[position]
        else Cut(box, State.EMPTY if seen[position] else State.HIDDEN)
        for position, box in enumerate(straight.layout.boxes)
    ]  # fmt: skip


def _paper(page: np.ndarray) -> np.ndarray:
    """Return the paper without what is written, uint8 like `page`: a closing, so that edges of shadows stay."""
    coarse = 4
    size = (page.shape[1] // coarse, page.shape[0] // coarse)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    width = round(_PEN * SCALE / coarse) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed = cv2.morphologyEx(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.MORPH_CLOSE, kernel)
    closed = cv2.max(cv2.GaussianBlur(closed, (0, 0), 2.0), np.full_like(closed, 8))
    return cv2.resize(closed, page.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _contrast(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Return how much darker than the paper each pixel is, uint8: in grey, or, for coloured pens, in one channel."""
    share = cv2.divide(page, paper, scale=255)
    coloured = cv2.subtract(255 - darkest_channel(share), np.full(share.shape[:2], _COLOUR_MARGIN, np.uint8))
    return cv2.max(255 - cv2.cvtColor(share, cv2.COLOR_BGR2GRAY), coloured)


def _cut(box: PrintedBox, position: int, place: Box, clean: np.ndarray, paper: np.ndarray, owners: _Owners) -> Cut:
    """Return what a box in sight holds."""
    own = owners.of(position)
    if not len(own):
        return Cut(box, State.EMPTY)
    ink = Box.union(Box(*stroke[:4]) for stroke in owners.stats[own].tolist())  # left, top, width, height, area
    if ink.side < _LEAST_SIDE * SCALE:
        return Cut(box, State.EMPTY)
    if _crossed_out(owners.belongs(own)[owners.labels[place.window]]):
        return Cut(box, State.CROSSED_OUT)
    cut_off = not place.grown(round(_OUTSIDE * SCALE)).contains(ink)
    picture = _picture(_view(place, ink), own, clean, paper, owners)
    return Cut(box, State.DOUBTFUL if cut_off or owners.shared(position) else State.WRITTEN, picture)


def _view(place: Box, ink: Box) -> Box:
    """Return the part of the page to keep: inside the printed line, or round ink that comes near it."""
    inset, near, paper, most = (round(length * SCALE) for length in (INSIDE, _TOUCHING, _PAPER, _OUTSIDE))
    inside = place.grown(-inset)
    safe, wide = inside.grown(-near), Box.union([inside, ink.grown(paper)]).within(place.grown(most))
    return Box.between(wide.x if ink.x < safe.x else inside.x, wide.y if ink.y < safe.y else inside.y,
                       wide.right if ink.right > safe.right else inside.right,
                       wide.bottom if ink.bottom > safe.bottom else inside.bottom)


def _picture(view: Box, own: np.ndarray, clean: np.ndarray, paper: np.ndarray, owners: _Owners) -> np.ndarray:
    """Return the part of the page, with strokes of other boxes made paper."""
    labels = owners.labels[view.window]
    ours = owners.belongs(own)[labels]
    width = round(0.5 * SCALE) | 1
    foreign = cv2.dilate(((labels > 0) & ~ours).astype(np.uint8), np.ones((width, width), np.uint8)) > 0
    foreign &= ~ours
    picture = clean[view.window].copy()
    picture[foreign] = paper[view.window][foreign]
    return picture


def _ink_mask(contrast: np.ndarray, places: list[Box]) -> tuple[np.ndarray, np.ndarray]:
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


class _Owners:
    """Which box each stroke belongs to: the one that holds most of its ink, or several that hold much of it.

    `labels` int32 (H, W) numbers the strokes; `stats` is OpenCV's (boxes and areas of the strokes).
    """

    def __init__(self, mask: np.ndarray, places: list[Box]):
        count, self.labels, self.stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        windows = [place.grown(-round(0.3 * SCALE)).window for place in places]
        inside = np.stack([np.bincount(self.labels[window].ravel(), minlength=count) for window in windows])
        inside[:, self.stats[:, cv2.CC_STAT_AREA] < _SPECK * SCALE**2] = 0
        inside[:, 0] = 0  # the paper
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


def _crossed_out(ink: np.ndarray) -> bool:
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
