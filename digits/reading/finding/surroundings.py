"""A digit stands on something even, among its like. What is read amid leaves, bricks, cells or stars mostly is none.

One more look at what would be accepted, by what is seen in the frame rather than by what the network says. Five things
are weighed up as factors of odds: unread things of its kind for each one that was read, unread things of any kind, how
dark and how uneven it is around the strokes, and, for the digit, the network's word.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.ink import Ink
from digits.reading.finding.locate import Part
from digits.reading.tile import INK_LEVEL

# Of the same kind: at least this share of the other's size, and of its contrast.
_ALIKE = 0.5
# Powers of the factors, after a logistic regression on 3,470 digits (real photographs, scans, sheets and a clip, their
# negatives, rendered pages and photographs) and 380 false ones (36 photographs and their crops, rendered textures).
_CLUTTER_POWER, _UNEVEN_POWER, _CONFIDENCE_POWER = 0.75, 0.75, 0.5
_LEAST_CLUTTER = 0.02  # paper grain: less is no plainer
_MOST_UNEVEN = 40.0  # grey levels: more is no worse
_SUREST = 0.98  # how much surer a network is than this says nothing: a third of the false readings have that
# Log odds from which on there is too much against a digit. More than half of the false readings are 1s, as anything
# long and upright looks like one: they are held to more. Of real photographs, scans and sheets none has over 0.65 as a
# 1 or 0.96 as another digit, of 2,400 on rendered pages two others have more than these limits (on squared paper of
# which 25 pieces stay unread); of false readings 87 % of the ones and 92 % of the others have.
_MOST_AGAINST_ONE, _MOST_AGAINST = 0.85, 1.7
# Bars come in rows, on walls and in windows: for a 1, other ones are company by this share of what other digits are.
# With none at all a page of ones, taken from a little farther, was lost.
_ONES_FOR_ONE = 0.25
_PAGE = 6  # so many digits and nothing else are a page: nothing speaks against any of them
_MARGIN, _AROUND = 0.3, 4  # of the part's side, and px: the surroundings looked at
_CLEAR = 2  # px beside the strokes that are their soft edge
_SAMPLES = 32  # places across the surroundings at which they are looked at
_LEAST_PLACES = 8  # fewer show no plane
_PLANE = 0.8  # share of the surroundings that a plane is fitted to
# Inside a ring the paper is darker than around it by less than this share of the stroke's contrast. The zeros among the
# real photographs have 0.5 at most, half of them less than 0.06; the edge of a dark thing, seen as a ring, is near 1.
_SAME_PAPER = 0.7
_LEAST_INSIDE = 30  # px: a smaller hole is all soft edge


@dataclass(frozen=True)
class Company:
    """What is in the frame, of what the network was shown: parts read as `ones`, as `others` than 1, and `unread`."""

    ones: list[Part]
    others: list[Part]
    unread: list[Part]


def out_of_place(part: Part, ink: Ink, company: Company, confidence: float) -> bool:
    """Return whether too much speaks against a part that is read as a digit.

    Args:
        part: of `locate`, with its box in work pixels; among the ones or the others of `company`.
        ink: what it was found in.
        company: what else was found there.
        confidence: the network's, 0 to 1.
    """
    if not company.unread and len(company.ones) + len(company.others) >= _PAGE:
        return False
    one = any(part is other for other in company.ones)
    ones = sum(_alike(part, other) for other in company.ones)
    read = sum(_alike(part, other) for other in company.others) + (1 + (ones - 1) * _ONES_FOR_ONE if one else ones)
    against = _unread_around(part, read, company.unread) - _CONFIDENCE_POWER * _log_odds(min(confidence, _SUREST))
    most = _MOST_AGAINST_ONE if one else _MOST_AGAINST
    if against + _around(1.0, _MOST_UNEVEN) <= most:
        return False  # however it looks around it: so it is with most, and looking takes longest
    return against + _around(clutter(part, ink), _unevenness(part, ink)) > most


def paper_inside(part: Part, ink: Ink) -> bool:
    """Return whether it is as light inside a ring as around it, as far as can be seen: a dark thing's edge is no 0.

    Args:
        part: of `locate`, with its box in work pixels.
        ink: what it was found in.
    """
    own = cv2.compare(part.ink, INK_LEVEL * 255, cv2.CMP_GT)
    contours, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    inside = cv2.drawContours(np.zeros_like(own), contours, -1, 255, cv2.FILLED)
    inside = (inside > 0) & (cv2.dilate(own, np.ones((2 * _CLEAR + 1,) * 2, np.uint8)) == 0)
    rows, columns, bare = _surroundings(part, ink)
    step = max(1, max(bare.shape) // _SAMPLES)
    around = ink.grey[rows, columns][::step, ::step][bare[::step, ::step] > 0]
    if np.count_nonzero(inside) < _LEAST_INSIDE or len(around) < _LEAST_PLACES:
        return True
    grey = ink.grey[part.box.window]
    within, on = np.median(grey[inside][::step]), np.median(grey[own > 0][::step])
    outside = np.percentile(around, 75)
    return bool(outside - within < _SAME_PAPER * max(outside - on, 1.0))


def clutter(part: Part, ink: Ink) -> float:
    """Return the mean contrast around and between the strokes of a part, as a share of the strokes' own."""
    rows, columns, bare = _surroundings(part, ink)
    return cv2.mean(ink.contrast[rows, columns], bare)[0] / max(part.contrast, 1.0)


def _unread_around(part: Part, read: float, unread: list[Part]) -> float:
    """Return the log of how many parts are unread: all of them, times those like `part` for each such one read."""
    alike = sum(_alike(part, other) for other in unread)
    return float(np.log((1 + alike) / max(read, 1)) + np.log(1 + len(unread)))


def _alike(part: Part, other: Part) -> bool:
    return other.side > _ALIKE * part.side and other.contrast > _ALIKE * part.contrast


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _around(clutter: float, unevenness: float) -> float:
    """Return what the looks of the surroundings say against a digit: log odds."""
    uneven = _UNEVEN_POWER * np.log(1 + min(unevenness, _MOST_UNEVEN))
    return float(_CLUTTER_POWER * np.log(clutter + _LEAST_CLUTTER) + uneven)


def _surroundings(part: Part, ink: Ink) -> tuple[slice, slice, np.ndarray]:
    """Return the rows and columns around a part, and what of that is bare of its strokes, uint8 of 0 and 1."""
    height, width = ink.contrast.shape
    around = part.box.grown(int(_MARGIN * part.side) + _AROUND).within(Box(0, 0, width, height))
    own = np.zeros((around.h, around.w), np.uint8)
    own[part.box.moved(-around.x, -around.y).window] = part.ink > INK_LEVEL * 255
    return *around.window, cv2.dilate(own, np.ones((2 * _CLEAR + 1,) * 2, np.uint8)) ^ 1


def _unevenness(part: Part, ink: Ink) -> float:
    """Return the median deviation, in grey levels, of what is around the strokes from the plane that fits it best."""
    rows, columns, bare = _surroundings(part, ink)
    step = max(1, max(bare.shape) // _SAMPLES)
    bare, grey = bare[::step, ::step] > 0, ink.grey[rows, columns][::step, ::step]
    places = np.column_stack([*np.nonzero(bare), np.ones(np.count_nonzero(bare))])
    if len(places) < _LEAST_PLACES:
        return 0.0
    values = grey[bare].astype(float)
    kept = np.ones(len(values), bool)
    for _ in range(3):  # other strokes are no part of the plane
        away = np.abs(values - places @ np.linalg.lstsq(places[kept], values[kept], rcond=None)[0])
        kept = away <= np.quantile(away, _PLANE)
    return float(np.median(away))
