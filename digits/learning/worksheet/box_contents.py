"""What each box of a straightened worksheet holds: empty, crossed out, hidden, or a picture of what is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from digits.box import Box
from digits.learning.worksheet.page import PrintedBox
from digits.learning.worksheet.printed_boxes import INSIDE, darkest_channel, find_boxes, without_lines
from digits.learning.worksheet.straighten import SCALE, SheetError, Straight
from digits.learning.worksheet.strokes_of_boxes import Owners, crossed_out, ink_mask

_MOST_HIDDEN = 1 / 3  # of all boxes
_COLOUR_MARGIN = 20  # of 255: one channel alone is noisier than grey
_PEN = 5.0  # mm: wider dark things are no pen strokes but shadows and fingers
_LEAST_SIDE = 2.6  # mm: smaller than this is no digit but dust
_TOUCHING = 0.9  # mm: ink so near the picture's rim makes it larger
_OUTSIDE = 3.0  # mm that a picture may reach beyond its box
_PAPER = 1.2  # mm of paper kept round ink that leaves its box


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
    mask, levels = ink_mask(contrast, places)
    owners = Owners(mask, places)
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


def _cut(box: PrintedBox, position: int, place: Box, clean: np.ndarray, paper: np.ndarray, owners: Owners) -> Cut:
    """Return what a box in sight holds."""
    own = owners.of(position)
    if not len(own):
        return Cut(box, State.EMPTY)
    ink = Box.union(Box(*stroke[:4]) for stroke in owners.stats[own].tolist())  # left, top, width, height, area
    if ink.side < _LEAST_SIDE * SCALE:
        return Cut(box, State.EMPTY)
    if crossed_out(owners.belongs(own)[owners.labels[place.window]]):
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


def _picture(view: Box, own: np.ndarray, clean: np.ndarray, paper: np.ndarray, owners: Owners) -> np.ndarray:
    """Return the part of the page, with strokes of other boxes made paper."""
    labels = owners.labels[view.window]
    ours = owners.belongs(own)[labels]
    width = round(0.5 * SCALE) | 1
    foreign = cv2.dilate(((labels > 0) & ~ours).astype(np.uint8), np.ones((width, width), np.uint8)) > 0
    foreign &= ~ours
    picture = clean[view.window].copy()
    picture[foreign] = paper[view.window][foreign]
    return picture
