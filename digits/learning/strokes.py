"""Rendered handwriting: digits in the many styles the world writes them, and drawings that are no digits."""

import numpy as np

from digits.learning.digit_styles import digit_glyph
from digits.learning.non_digits import draw_non_digit
from digits.learning.pen import Hand, random_hand, write

__all__ = ["draw_digit", "draw_non_digit"]


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
    return write(digit_glyph(int(label), rng), random_hand(rng) if hand is None else hand, rng, size)
