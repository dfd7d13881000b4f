"""From a picture to the tile of one digit in it, found without a network."""

from functools import reduce

import numpy as np

from digits.box import Box
from digits.reading.finding.ink import Ink, find_inks
from digits.reading.finding.judging import SMALLER, prominence, same_pen, worth_reading
from digits.reading.finding.locate import MIN_SIDE, Part, locate, merge, neighbours
from digits.reading.images import to_bgr
from digits.reading.tile import normalise

# Without a network to ask, pieces are joined as long as the whole stays this small beside its largest piece:
# for bits, and for halves (pieces of this share of the largest).
_GROWN_BY_BITS = 1.35
_GROWN_BY_HALVES = 2.0
_HALF = 0.45
# What was found is the digit when it shares this much with where the digit is (intersection over union).
WHOLE = 0.55


def main_tile(frame: np.ndarray) -> np.ndarray:
    """Return the tile of the most prominent thing in a photograph of one digit, found without a network.

    Args:
        frame: as for `Reader.read`.
    Returns:
        uint8 (96, 96).
    Raises:
        ValueError: "blank: ..." if nothing is written there.
    """
    found = [whole for ink in find_inks(to_bgr(frame)) if (whole := _whole(ink)) is not None]
    if not found:
        raise ValueError("blank: no strokes were found on the paper")
    # Where light and dark strokes are as likely, the one that lies inside the other is the hole of a 0.
    inner, outer = found[0].box, found[-1].box
    hole = inner != outer and outer.contains(inner) and not found[-1].cut_off
    return normalise(found[-1 if hole else 0].ink)


def found_tile(frame: np.ndarray, box: Box) -> np.ndarray | None:
    """Return the tile of what the reader finds at a known place, or None if it does not find all of it.

    Args:
        frame: uint8 (H, W, 3) BGR.
        box: where the digit is, in pixels.
    """
    for ink in find_inks(frame):
        place = Box(*(length / ink.scale for length in box))  # parts are in work pixels
        parts = [part for part in locate(ink) if _lies_in(part.box, place)]
        if parts:
            whole = reduce(merge, parts)
            if whole.box.overlap(place) > WHOLE:
                return normalise(whole.ink)
    return None


def _lies_in(part: Box, place: Box) -> bool:
    across, down = part.centre[0] - place.x, part.centre[1] - place.y
    slack = 0.05 * place.side
    return -slack <= across <= place.w + slack and -slack <= down <= place.h + slack


def _whole(ink: Ink) -> Part | None:
    """Return the most prominent part with all pieces that belong to it, None if nothing is worth reading."""
    parts, _ = worth_reading(locate(ink, MIN_SIDE), ink)
    if not parts:
        return None
    whole = max(parts, key=lambda part: prominence(part, ink))
    largest = whole.side
    for part in sorted(parts, key=lambda part: -part.side):
        near = part is not whole and neighbours([whole, part]) and same_pen(whole, part)
        grown = _GROWN_BY_HALVES if part.side > _HALF * largest else _GROWN_BY_BITS
        if near and part.side > SMALLER / 2 * largest and merge(whole, part).side <= grown * largest:
            whole = merge(whole, part)
    return whole
