"""A photograph of one digit, to its tile, found without a network."""

import numpy as np

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
    hole = len(found) == 2 and not found[1].cut_off and _goes_round(found[1].box, found[0].box)
    return normalise(found[hole].ink)


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


def _goes_round(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int]) -> bool:
    """Return whether one box (x, y, w, h) holds all of another one, and more."""
    x, y, w, h = inner
    left, top, width, height = outer
    return (outer != inner and left <= x and top <= y and x + w <= left + width and y + h <= top + height)
