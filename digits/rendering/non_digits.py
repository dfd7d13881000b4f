"""Drawings that are no digits, for teaching and testing a reader to say so.

Left out is whatever a person could take for a digit: the letters in LETTERS_LIKE_DIGITS, single upright lines (1),
plain loops (0). Half digits are only cut where what stays is no other digit (half an 8 can be a 3).
"""

from collections.abc import Callable

import cv2
import numpy as np

from digits.rendering import letters
from digits.rendering.handwriting import digit_glyph
from digits.rendering.letters import Fonts, cropped, fitted
from digits.rendering.pen import Random, arc, ink_lines, random_hand, spline, write
from digits.rendering.scribbles import WRITTEN

# What may be kept of a digit that the frame's edge cuts: none of these reads as a digit.
HALVES = ((0, "left"), (0, "right"), (0, "top"), (0, "bottom"), (2, "bottom"), (5, "bottom"), (6, "top"), (8, "left"))


# Put together from digits --------------------------------------------------------------------------------------------
def _digit(rng: Random, size: int, label: int | None = None) -> np.ndarray:
    label = int(rng.choice([0, 2, 3, 4, 5, 6, 7, 8, 9])) if label is None else label
    return write(digit_glyph(label, rng), random_hand(rng), rng, size)


def _overlapped(rng: Random, size: int) -> np.ndarray:
    """Two digits on top of each other, the upper one shifted."""
    dx, dy = rng.uniform(-0.3, 0.3, 2) * size
    dx += np.sign(dx) * 0.15 * size
    canvas = np.zeros((2 * size, 2 * size), np.uint8)
    for x, y in ((size // 2, size // 2), (int(size / 2 + dx), int(size / 2 + dy))):
        part = canvas[y : y + size, x : x + size]
        np.maximum(part, _digit(rng, size), out=part)
    return fitted(canvas, size)


def _touching(rng: Random, size: int) -> np.ndarray:
    """A number of two to four digits that run into each other."""
    row = None
    for _ in range(int(rng.integers(2, 5))):
        ink = cropped(_digit(rng, size, int(rng.integers(10))))
        ink = cv2.resize(ink, (max(2, ink.shape[1] * 64 // ink.shape[0]), 64), interpolation=cv2.INTER_AREA)
        if row is None:
            row = ink
            continue
        overlap = min(int(rng.integers(1, 14)), ink.shape[1] - 1, row.shape[1] - 1)
        joined = np.zeros((64, row.shape[1] + ink.shape[1] - overlap), np.uint8)
        joined[:, : row.shape[1]] = row
        joined[:, -ink.shape[1] :] = np.maximum(joined[:, -ink.shape[1] :], ink)
        row = joined
    return fitted(row, size)


def _half(rng: Random, size: int) -> np.ndarray:
    """A digit cut by the frame's edge."""
    label, side = HALVES[rng.integers(len(HALVES))]
    ink = cropped(_digit(rng, size, label))
    height, width = ink.shape
    keep = rng.uniform(0.3, 0.5)
    rows = {"top": slice(0, int(keep * height) + 2), "bottom": slice(int((1 - keep) * height), height)}
    columns = {"left": slice(0, int(keep * width) + 2), "right": slice(int((1 - keep) * width), width)}
    return fitted(ink[rows.get(side, slice(None)), columns.get(side, slice(None))], size)


def _blobs(rng: Random, size: int) -> np.ndarray:
    """A texture with a threshold: cloth, marble, shadows, dirt."""
    cells = int(rng.integers(3, 16))
    field = cv2.resize(rng.standard_normal((cells, cells), np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.4:  # its edges only
        field = 0.25 - np.abs(field - rng.uniform(-0.5, 0.5))
    return (255 * np.clip(4 * (field - np.quantile(field, rng.uniform(0.5, 0.85))) + 0.5, 0, 1)).astype(np.uint8)


def _solid(rng: Random, size: int) -> np.ndarray:
    """Filled shapes: fingers, buttons, corners of things."""
    canvas, kind = np.zeros((size, size), np.uint8), rng.integers(3)
    centre = (size / 2, size / 2)
    axes = rng.uniform(0.3, 0.85) * size * np.array([1, rng.uniform(0.6, 1)])  # longer ones would pass for a 1
    if kind == 0:
        cv2.ellipse(canvas, (centre, tuple(axes), rng.uniform(0, 180)), 255, -1, cv2.LINE_AA)
    elif kind == 1:
        around = arc(*centre, *axes / 2, 0, 360, int(rng.integers(4, 9)))
        corners = np.array(around) + 0.06 * size * rng.standard_normal((len(around), 2))
        cv2.fillPoly(canvas, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    else:
        corners = cv2.boxPoints((centre, (max(axes), 0.6 * max(axes)), rng.uniform(0, 180)))
        cv2.fillPoly(canvas, [corners.astype(np.int32)], 255, cv2.LINE_AA)
    return canvas


def _smear(rng: Random, size: int) -> np.ndarray:
    """Parallel streaks of uneven strength, as a wiped board or a moving hand leaves them."""
    canvas, angle = np.zeros((size, size), np.float32), rng.uniform(0, 180)
    for _ in range(int(rng.integers(4, 18))):
        middle = rng.uniform(0.25, 0.75, 2) * size
        reach = rng.uniform(0.1, 0.4) * size * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        bow = 0.06 * size * rng.standard_normal(2)
        line = spline(np.array([middle - reach, middle + bow, middle + reach]))
        canvas += rng.uniform(0.2, 1) * ink_lines([line], rng.uniform(1, 7) * size / 128, size, 0.0, rng)
    canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 3))
    return np.clip(canvas * (300 / canvas.max()), 0, 255).astype(np.uint8)


DRAWN: list[tuple[Callable[[Random, int], np.ndarray], float]] = [
    (_overlapped, 1.2), (_touching, 2), (_half, 1.2), (letters.printed_letter, 3), (letters.printed_words, 1),
    (letters.text_block, 0.8), (_blobs, 2), (_solid, 0.8), (_smear, 0.8),
]  # fmt: skip
_PAIRS = (_overlapped, _touching)
TRUETYPE_SHARE = 0.3  # of all non-digits, where fonts are given


def draw_non_digit(rng: Random, size: int = 128, fonts: Fonts = (), pairs: bool = True) -> np.ndarray:
    """Return a drawing that is no digit, uint8 (size, size), white on black, never blank.

    Args:
        size: side of the picture in pixels.
        fonts: paths of TrueType fonts to take three tenths of the drawings from; needs Pillow.
        pairs: whether two digits that touch or overlap are among them: no digit to a network, two to a reader.
    """
    if len(fonts) and rng.random() < TRUETYPE_SHARE:
        return letters.reshaped(letters.draw_printed_letter(rng, size, fonts), rng)
    kinds = [kind for kind in (*WRITTEN, *DRAWN) if pairs or kind[0] not in _PAIRS]
    shares = np.cumsum([share for _, share in kinds])
    index = int(np.searchsorted(shares, rng.uniform(0, shares[-1])))
    if index < len(WRITTEN):
        return write(kinds[index][0](rng), random_hand(rng), rng, size)
    return kinds[index][0](rng, size)
