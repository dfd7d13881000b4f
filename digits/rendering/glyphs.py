"""How people write the ten digits: each style gives one digit as control points (see `pen`).

Numbers are positions in a box one unit tall, taken from how manuals and many hands form the digits;
the random ranges around them are wide on purpose: MNIST's American writers are only a part of the world.
"""

import numpy as np

from digits.rendering.glyphs_0_to_4 import STYLES_0_TO_4
from digits.rendering.glyphs_5_to_9 import STYLES_5_TO_9
from digits.rendering.pen import Glyph, Random, Style

STYLES: dict[int, list[tuple[Style, float]]] = STYLES_0_TO_4 | STYLES_5_TO_9


def digit_glyph(label: int, rng: Random) -> Glyph:
    """Return control points of one digit in a style drawn by its share."""
    styles = STYLES[label]
    shares = np.cumsum([share for _, share in styles])
    return styles[int(np.searchsorted(shares, rng.uniform(0, shares[-1])))][0](rng)
