"""What speaks for and against a part of the ink: its shape, its edges, its place, and what else was read."""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.ink import Ink
from digits.reading.finding.locate import MIN_SIDE, Part
from digits.reading.readings import Hint, Reason

# A part whose strokes are wider than this share of its size is a blot, a finger or a shadow.
_FATTEST = 0.37
# What lies behind a sheet is darker than this share of it; a shadow on the sheet is not.
_ROOM = 0.27
# No digit is this many times wider than high.
_FLATTEST = 3.2
# What lies along the frame's edge (within this share of its side), narrow beside the frame (this share) and this much
# longer than wide, is the edge of the sheet or of the table.
_AT_EDGE, _NARROW, _LONG = 0.006, 0.1, 3.0
# What goes round more confident digits than these, however small they are, is the edge of their sheet.
_ROUND_MANY = 5
# A part this wide and high is a rim or a grid, not a digit.
_WHOLE_FRAME = 0.98
# Parts sent to the network, the most prominent first; forty digits and their broken pieces fit.
MOST_PARTS = 90
# Parts smaller than this share of the largest readable one are not the same writing.
SMALLEST = 0.12
# A part read with at least this confidence is one digit, and no other way to cut the ink is tried.
SURE = 0.9
# Beside confident digits, fainter or smaller things by these shares are print, lines and dust.
FAINTER = 0.38
CERTAIN = 0.97
SMALLER = 0.4
# How dark the surroundings of a digit are beside its strokes. On paper this is below 0.16 (real photographs) or 0.24
# (98 % of rendered pages); in photographs of rooms, animals and textures half of what looks like a digit has over 0.3.
_PLAIN, _CLUTTERED = 0.12, 0.28
# Rows that rise or fall by more degrees than the first, all by about the same (the second: deviation from the median),
# mean a turned sheet: digits are turned back before they are read. Neighbours in a row are so many sides apart at most.
TURNED, SAME_SLOPE, STEEPEST = 7.0, 4.0, 32.0
_IN_A_ROW, _LEAST_ROW = 3.5, 4
_COVERED = 0.4  # share of its box from which a part is what is there already, or a piece of it
# A frame darker than this (mean of 255) has too little light to tell ink from paper.
_TOO_DARK = 40
# How much of a stroke's contrast its own width would bring at its steepest, in the softer of the two directions. On
# the development photographs, phones out of focus included, sharp writing has 1.3 or more; a moving sheet 0.3 to 0.6.
_BLURRED = 0.8
_SMEARED = 0.3  # edges one way beside those the other way, of what moved while the shutter was open
# When so many parts are blurred, and this share of what would be read, the sheet moves: what looks sharp are strokes
# along the way it moves, and they alone are no digits. Print from behind, fainter than this, is blurred at all times.
_MOVING, _MOVING_SHARE, _MOVING_INK = 3, 0.25, 0.6
_AROUND = 4  # px of paper beside the strokes that their edges are measured in
_THINNEST = 3.0  # px: the edge of a thinner stroke is no steeper


@dataclass(frozen=True)
class Rest:
    """What the parts read with confidence have in common, to hold the others against.

    Attributes:
        contrast, side: medians, large parts counting more; 0 where nothing was read.
        third_whole_side: longer side of the third largest part inside the frame, 0 if there are fewer.
    """

    contrast: float
    side: float
    third_whole_side: float

    @classmethod
    def of(cls, parts: list[Part]) -> "Rest":
        """Return what parts read with confidence have in common."""
        parts = [part for part in parts if not part.cut_off] or parts
        sides = [part.side for part in parts]
        whole = sorted((part.side for part in parts if not part.cut_off), reverse=True)
        contrast = _weighted_median([part.contrast for part in parts], sides)
        return cls(contrast, _weighted_median(sides, sides), whole[2] if len(whole) > 2 else 0.0)


def worth_reading(parts: list[Part], ink: Ink) -> tuple[list[Part], list[tuple[Part, Reason]]]:
    """Drop what cannot be a digit by its shape; the rest comes back most prominent first."""
    height, width = ink.contrast.shape
    darkest = _ROOM * float(np.percentile(ink.paper, 90))
    readable, rejected = [], []
    for part in parts:
        _, _, w, h = part.box
        if _off_paper(part, ink, darkest):
            rejected.append((part, Reason.OFF_PAPER))
        elif _along_edge(part, width, height):
            rejected.append((part, Reason.CUT_OFF))
        elif part.stroke > _FATTEST * part.side or (w > _WHOLE_FRAME * width and h > _WHOLE_FRAME * height):
            rejected.append((part, Reason.NOT_A_STROKE))
        else:
            readable.append(part)
    readable.sort(key=lambda part: -prominence(part, ink))
    largest = max((part.side for part in readable[:5] if not part.cut_off and not flat(part)), default=0)
    return [part for part in readable if part.side >= SMALLEST * largest][:MOST_PARTS], rejected[:MOST_PARTS]


def slope_of_rows(parts: list[Part]) -> float:
    """Return by how many degrees the rows rise, 0 where they do not agree or are too few."""
    if len(parts) < _LEAST_ROW:
        return 0.0
    boxes = np.array([part.box for part in parts], float)
    middles, sides = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1)
    step = middles - middles[:, np.newaxis]  # from the row's part to the column's
    distance = np.hypot(step[..., 0], step[..., 1])
    slopes = np.degrees(np.arctan2(-step[..., 1], step[..., 0]))
    distance[(np.abs(slopes) > STEEPEST) | (distance > _IN_A_ROW * sides[:, np.newaxis]) | (distance == 0)] = np.inf
    nearest = distance.argmin(axis=1)
    found = slopes[np.arange(len(parts)), nearest][np.isfinite(distance.min(axis=1))]
    if len(found) < max(_LEAST_ROW - 1, len(parts) / 2):
        return 0.0
    median = float(np.median(found))
    return median if np.median(np.abs(found - median)) < SAME_SLOPE else 0.0


def turned_back(ink: np.ndarray, slope: float) -> np.ndarray:
    """Return the ink of a part on a turned sheet as it stands on an upright one."""
    if slope == 0:
        return ink
    side = int(np.ceil(np.hypot(*ink.shape))) + 2
    matrix = cv2.getRotationMatrix2D(((ink.shape[1] - 1) / 2, (ink.shape[0] - 1) / 2), -slope, 1.0)
    matrix[:, 2] += (side - 1) / 2 - np.array([ink.shape[1] - 1, ink.shape[0] - 1]) / 2
    return cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_LINEAR)


def like_a_shadow(part: Part, reason: Reason) -> bool:
    """Return whether what was refused may be a shadow, or a digit and a shadow."""
    return part.cut_off or reason in (Reason.OFF_PAPER, Reason.NOT_A_STROKE)


def covered(part: Part, others: list[Part]) -> bool:
    """Return whether much of a part's box is that of another part."""
    least = _COVERED * part.box.area
    return any(part.box.shared(other.box) > least for other in others)


def _off_paper(part: Part, ink: Ink, darkest: float) -> bool:
    """Return whether a part lies where it is darker than any shadow on the sheet: in the room behind it."""
    if ink.light_on_dark:
        return False
    shape = ink.contrast.shape
    box = part.box
    rows, columns = ink.paper.shape
    top, left = box.y * rows // shape[0], box.x * columns // shape[1]
    bottom, right = max(top + 1, box.bottom * rows // shape[0]), max(left + 1, box.right * columns // shape[1])
    return ink.paper[top:bottom, left:right].mean() < darkest


def _along_edge(part: Part, width: int, height: int) -> bool:
    """Return whether a part is a strip along the frame's left or right edge; those above and below are flat anyway."""
    box = part.box
    slack = 1 + _AT_EDGE * max(width, height)
    return (box.x <= slack or box.right >= width - slack) and box.w < _NARROW * width and box.h > _LONG * box.w


def prominence(part: Part, ink: Ink) -> float:
    """Return how much a part stands out: large, dark, whole, and not at the rim."""
    height, width = ink.contrast.shape
    x, y = part.box.centre
    off_centre = max(abs(x - width / 2) / width, abs(y - height / 2) / height)  # 0 to 0.5
    return part.side * part.contrast * (1.0 - off_centre) * (0.4 if part.cut_off else 1.0)


def encloses(part: Part, others: list[Part]) -> bool:
    """Return whether a part goes round several others: the edge of a sheet, a collar, a frame drawn on paper."""
    inside = [other for other in others if part.box.surrounds(other.box.centre)]
    # Specks inside a digit are seldom more than two; what runs out of the frame is the more likely edge of a sheet.
    least, most = SMALLEST * part.side, 1 if part.cut_off else 2
    larger = sum(other is not part and other.side > least for other in inside)
    return larger > most or len(inside) > _ROUND_MANY


def flat(part: Part) -> bool:
    """Return whether a part is too wide for its height to be a digit, though it may be a stroke of one."""
    return part.box.w > _FLATTEST * part.box.h


def same_pen(first: Part, second: Part) -> bool:
    """Return whether two parts are about as dark as each other."""
    weaker, stronger = sorted((first.contrast, second.contrast))
    return weaker >= FAINTER * stronger


def _weighted_median(values: list[float], weights: list[float]) -> float:
    if not values:
        return 0.0
    order = np.argsort(values)
    share = np.cumsum(np.asarray(weights, float)[order])
    return float(np.asarray(values)[order][np.searchsorted(share, share[-1] / 2)])


def hint_for(frame: np.ndarray, ink: Ink, parts: list[Part]) -> Hint | None:
    """Return what a person should change, when nothing was read."""
    if frame[::8, ::8].mean() < _TOO_DARK and not ink.light_on_dark:
        return Hint.TOO_DARK
    if not parts:
        return Hint.NO_CONTRAST
    part = parts[0]
    if part.side < 2 * MIN_SIDE:
        return Hint.TOO_SMALL
    if part.cut_off:
        return Hint.CUT_OFF
    return Hint.BLURRED if any(soft_edges(part, ink)) else None


def soft_edges(part: Part, ink: Ink) -> tuple[bool, bool]:
    """Return whether the edges of a part are soft for the width of its strokes, and whether in one direction only."""
    softer, sharper = sorted(_steepest(part, ink))
    relative = softer * max(part.stroke, _THINNEST) / max(part.contrast, 1.0)
    return relative < _BLURRED, softer < _SMEARED * sharper


def moves(sharp: list[Part], blurred: list[Part]) -> bool:
    """Return whether a frame shows a sheet that moves, from its parts that are sharp and those that are blurred."""
    if not sharp:
        return False
    ink = _MOVING_INK * float(np.median([part.contrast for part in sharp]))
    count = sum(part.contrast > ink for part in blurred)
    return count >= _MOVING and count > _MOVING_SHARE * (count + len(sharp))


def _steepest(part: Part, ink: Ink) -> tuple[float, float]:
    """Return the contrast that one pixel brings at the steepest edges of a part, across and down."""
    height, width = ink.contrast.shape
    area = cv2.blur(ink.contrast[part.box.grown(_AROUND).within(Box(0, 0, width, height)).window], (3, 3))
    if min(area.shape) < 3:
        return 0.0, 0.0
    across, down = cv2.absdiff(area[:, 2:], area[:, :-2]), cv2.absdiff(area[2:], area[:-2])
    return _mean_of_largest(across) / 2, _mean_of_largest(down) / 2


def needed_amid(least: float, around: float) -> float:
    """Return the confidence that is enough: `least` on plain paper, more and more where there is clutter `around`."""
    share = (around - _PLAIN) / (_CLUTTERED - _PLAIN)
    return least + (1.001 - least) * min(max(share, 0.0), 1.0) ** 2


def _mean_of_largest(values: np.ndarray, count: int = 12) -> float:
    counts = cv2.calcHist([values], [0], None, [256], [0, 256]).ravel()[::-1]
    above = np.minimum(counts.cumsum(), count)
    # Each counts once for every level it reaches: 255 for the strongest.
    return float(above[:-1].sum()) / max(float(above[-1]), 1.0)
