"""Rendered handwriting: digits in the many styles the world writes them, and drawings that are no digits."""

import numpy as np

from digits.rendering.glyphs_0_to_4 import STYLES_0_TO_4
from digits.rendering.glyphs_5_to_9 import STYLES_5_TO_9
from digits.rendering.pen import Glyph, Hand, Random, Style, random_hand, turned, write

STYLES: dict[int, list[tuple[Style, float]]] = STYLES_0_TO_4 | STYLES_5_TO_9

# Degrees that a first stroke rises to the corner, on paper. Between the two people disagree on 1 and 7, so neither is
# drawn there: a network taught both on such pictures reads plain ones of either as the other.
_FLATTEST_FLAG_OF_1, _STEEPEST_BAR_OF_7 = 27.0, 17.0


def draw_digit(label: int, rng: np.random.Generator, size: int = 128, hand: Hand | None = None) -> np.ndarray:
    """Return the ink of one handwritten-looking digit.

    Args:
        label: 0 to 9.
        size: side of the picture in pixels; the digit's longer side spans 84 % of it.
        hand: the writer and pen; a new one for each digit if None.
    Returns:
        uint8 (size, size), white on black, antialiased.
    Raises:
        KeyError: if `label` is no digit.
    """
    while True:
        glyph = digit_glyph(int(label), rng)
        writer = random_hand(rng) if hand is None else hand
        if not _one_or_seven(int(label), glyph, writer):
            return write(glyph, writer, rng, size)


def digit_glyph(label: int, rng: Random) -> Glyph:
    """Return control points of one digit in a style drawn by its share."""
    styles = STYLES[label]
    shares = np.cumsum([share for _, share in styles])
    return styles[int(np.searchsorted(shares, rng.uniform(0, shares[-1])))][0](rng)


def _one_or_seven(label: int, glyph: Glyph, hand: Hand) -> bool:
    """Return whether a 1 would look like a 7 as this hand writes it, or a 7 like a 1."""
    first = glyph[0]
    if label == 1:
        flag = np.subtract((0.0, 0.0), first[0][0])  # stems start at (0, 0)
        return bool(flag.any()) and _rise(flag, hand) < _FLATTEST_FLAG_OF_1
    if label == 7 and len(glyph) == 1 and len(first) > 1:  # not crossed; without a corner it is a cane
        return _rise(np.subtract(first[-1][0], first[-2][0]), hand) > _STEEPEST_BAR_OF_7
    return False


def _rise(stroke: np.ndarray, hand: Hand) -> float:
    x, y = turned(stroke, hand)
    return float(np.degrees(np.arctan2(-y, x)))
