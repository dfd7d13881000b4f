"""Drawings that are no digits, for teaching and testing a reader to say so.

Left out is whatever a person could take for a digit: the letters in LETTERS_LIKE_DIGITS, single upright lines (1),
plain loops (0). Half digits are only cut where what stays is no other digit (half an 8 can be a 3).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from digits.learning.digit_styles import digit_glyph
from digits.learning.paper import ink_points
from digits.learning.pen import Glyph, arc, ink_lines, random_hand, spline, write

Random = np.random.Generator
Fonts = Sequence[str | Path]

LETTERS_LIKE_DIGITS = "OoQDIlij|!ZzSsBqgby"  # 0, 1, 2, 5, 8, 9, 6 and 4 in some hand or font
LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhkmnprtuvwx&#@%?+=*{}<>"
HERSHEY_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)  # fmt: skip
# Print to learn from: the DejaVu fonts that come with matplotlib. Letters are tested in all other fonts.
TRAINING_FONTS = tuple(
    f"DejaVu{face}" for family in ("Sans", "SansMono", "Serif")
    for face in (family, f"{family}-Bold", f"{family}-Italic" if family == "Serif" else f"{family}-Oblique")
)  # fmt: skip
# What may be kept of a digit that the frame's edge cuts: none of these reads as a digit.
HALVES = ((0, "left"), (0, "right"), (0, "top"), (0, "bottom"), (2, "bottom"), (5, "bottom"), (6, "top"), (8, "left"))

# Handwritten letters as strokes; a stroke is one piece unless it holds lists.
_LETTER_STROKES: dict[str, list[list]] = {
    "A": [[(0, 1), (0.3, 0)], [(0.3, 0), (0.6, 1)], [(0.1, 0.62), (0.52, 0.6)]],
    "C": [[(0.55, 0.15), (0.3, 0), (0.02, 0.3), (0.02, 0.7), (0.3, 1), (0.6, 0.82)]],
    "E": [[(0.5, 0), (0.02, 0.01)], [(0.02, 0), (0, 1)], [(0, 1), (0.52, 0.98)], [(0.01, 0.5), (0.42, 0.48)]],
    "F": [[(0.5, 0), (0.02, 0.01)], [(0.02, 0), (0, 1)], [(0.01, 0.48), (0.4, 0.46)]],
    "H": [[(0, 0), (0.02, 1)], [(0.55, 0), (0.55, 1)], [(0, 0.52), (0.55, 0.5)]],
    "K": [[(0, 0), (0, 1)], [(0.5, 0), (0.02, 0.55)], [(0.15, 0.42), (0.55, 1)]],
    "M": [[(0, 1), (0.08, 0)], [(0.08, 0), (0.38, 0.7)], [(0.38, 0.7), (0.68, 0)], [(0.68, 0), (0.75, 1)]],
    "N": [[(0, 1), (0.02, 0)], [(0.02, 0), (0.52, 1)], [(0.52, 1), (0.55, 0)]],
    "P": [[(0.02, 0), (0, 1)], [(0.02, 0.02), (0.4, 0.03), (0.5, 0.25), (0.36, 0.48), (0.02, 0.5)]],
    "R": [[(0.02, 0), (0, 1)], [(0.02, 0.02), (0.4, 0.03), (0.48, 0.25), (0.3, 0.48), (0.02, 0.5)],
          [(0.2, 0.5), (0.56, 1)]],
    "V": [[(0, 0), (0.3, 1)], [(0.3, 1), (0.62, 0)]],
    "W": [[(0, 0), (0.2, 1)], [(0.2, 1), (0.42, 0.25)], [(0.42, 0.25), (0.62, 1)], [(0.62, 1), (0.85, 0)]],
    "X": [[(0, 0), (0.6, 1)], [(0.6, 0), (0, 1)]],
    "G": [[(0.56, 0.18), (0.3, 0), (0.02, 0.3), (0.04, 0.75), (0.32, 1), (0.58, 0.85), (0.58, 0.6)],
          [(0.58, 0.58), (0.36, 0.58)]],
    "J": [[(0.42, 0), (0.44, 0.7), (0.3, 1), (0.05, 0.92), (0, 0.72)], [(0.18, 0.01), (0.68, 0)]],
    "L": [[(0.02, 0), (0, 1)], [(0, 1), (0.52, 0.98)]],
    "T": [[(0, 0.01), (0.66, 0)], [(0.33, 0.01), (0.33, 1)]],
    "U": [[(0, 0), (0.01, 0.65), (0.28, 1), (0.56, 0.65), (0.57, 0)]],
    "Y": [[(0, 0), (0.3, 0.48)], [(0.6, 0), (0.3, 0.48)], [(0.3, 0.48), (0.3, 1)]],
    "a": [[(0.5, 0.1), (0.25, 0), (0, 0.4), (0.1, 0.9), (0.35, 0.85), (0.52, 0.1)],
          [(0.52, 0.1), (0.52, 0.8), (0.72, 0.95)]],
    "d": [[(0.5, 0.5), (0.25, 0.42), (0, 0.7), (0.2, 1), (0.5, 0.8)], [(0.52, 0), (0.52, 0.95), (0.64, 0.98)]],
    "e": [[(0.05, 0.5), (0.5, 0.4), (0.4, 0.05), (0.15, 0.05), (0, 0.5), (0.2, 0.98), (0.6, 0.8)]],
    "f": [[(0.5, 0.1), (0.35, 0), (0.2, 0.2), (0.2, 1)], [(0, 0.42), (0.42, 0.4)]],
    "h": [[(0, 0), (0, 1)], [(0, 0.7), (0.2, 0.45), (0.42, 0.55), (0.45, 1)]],
    "k": [[(0, 0), (0, 1)], [(0.36, 0.4), (0.02, 0.72)], [(0.1, 0.65), (0.42, 1)]],
    "m": [[(0, 0), (0, 1)], [(0, 0.4), (0.25, 0.02), (0.42, 0.3), (0.42, 1)],
          [(0.42, 0.4), (0.7, 0.02), (0.88, 0.3), (0.9, 1)]],
    "n": [[(0, 0), (0, 1)], [(0, 0.4), (0.35, 0.02), (0.6, 0.3), (0.62, 1)]],
    "p": [[(0, 0), (0, 1)], [(0, 0.12), (0.3, 0), (0.5, 0.25), (0.3, 0.52), (0, 0.45)]],
    "r": [[(0, 0), (0.02, 1)], [(0.02, 0.45), (0.2, 0.08), (0.45, 0.06)]],
    "t": [[(0.2, 0), (0.18, 0.8), (0.32, 1), (0.5, 0.9)], [(0, 0.3), (0.45, 0.27)]],
    "u": [[(0, 0), (0.02, 0.75), (0.28, 1), (0.58, 0.7), (0.6, 0)], [(0.6, 0), (0.62, 0.85), (0.78, 1)]],
    "w": [[(0, 0), (0.08, 0.9), (0.3, 0.95), (0.42, 0.2)], [(0.42, 0.2), (0.5, 0.95), (0.75, 0.9), (0.85, 0)]],
    "x": [[(0, 0), (0.15, 0.05), (0.55, 0.95), (0.7, 0.9)], [(0.65, 0), (0.05, 1)]],
    "ñ": [[(0, 0.3), (0, 1)], [(0, 0.5), (0.3, 0.3), (0.5, 0.5), (0.5, 1)],
          [(0.0, 0.1), (0.2, 0.02), (0.3, 0.1), (0.5, 0.02)]],
    "&": [[(0.7, 0.55), (0.4, 1), (0.05, 0.85), (0.3, 0.45), (0.4, 0.15), (0.25, 0), (0.12, 0.15), (0.75, 1)]],
    "?": [[(0, 0.15), (0.2, 0), (0.45, 0.15), (0.25, 0.45), (0.22, 0.7)], [(0.22, 0.93), (0.23, 0.97)]],
}  # fmt: skip


# Written with a pen ------------------------------------------------------------------------------------------------
def _letter(rng: Random) -> Glyph:
    strokes = list(_LETTER_STROKES.values())[rng.integers(len(_LETTER_STROKES))]
    return [[stroke] for stroke in strokes]


def _word(rng: Random) -> Glyph:
    """Two to five letters side by side, some joined."""
    glyph, x = [], 0.0
    for _ in range(int(rng.integers(2, 6))):
        letter = _letter(rng)
        right = max(point[0] for stroke in letter for piece in stroke for point in piece)
        glyph += [[[(px + x, py) for px, py in piece] for piece in stroke] for stroke in letter]
        x += right + rng.uniform(0.0, 0.3)
    return glyph


def _scribble(rng: Random) -> Glyph:
    steps = rng.standard_normal((int(rng.integers(9, 30)), 2))
    walk = np.cumsum(steps, axis=0) * 0.25 if rng.random() < 0.4 else steps * (0.5, rng.uniform(0.2, 0.6))
    return [[list(map(tuple, walk))]]


def _zigzag(rng: Random) -> Glyph:
    turns = int(rng.integers(5, 14))
    x = np.linspace(0, rng.uniform(0.5, 2.0), turns) + 0.03 * rng.standard_normal(turns)
    y = np.where(np.arange(turns) % 2, rng.uniform(0.4, 1.0), 0) + 0.05 * rng.standard_normal(turns)
    points = list(zip(x, y, strict=True))
    if rng.random() < 0.5:
        return [[points]]
    return [[[a, b] for a, b in zip(points[:-1], points[1:], strict=True)]]


def _spiral(rng: Random) -> Glyph:
    turns = rng.uniform(2.2, 5)
    angles = np.linspace(0, 2 * np.pi * turns, int(9 * turns)) + rng.uniform(0, 6)
    radius = np.linspace(0.03, 0.5, len(angles))
    return [[list(zip(radius * np.cos(angles) * rng.uniform(0.6, 1.2), radius * np.sin(angles), strict=True))]]


def _tick(rng: Random) -> Glyph:
    low = (rng.uniform(0.15, 0.35), 1.0)
    return [[[(0, rng.uniform(0.55, 0.8)), low], [low, (rng.uniform(0.8, 1.3), rng.uniform(0, 0.2))]]]


def _cross(rng: Random) -> Glyph:
    w = rng.uniform(0.6, 1.2)
    if rng.random() < 0.5:
        return [[[(0, 0), (w, 1)]], [[(w, 0), (0, 1)]]]
    return [[[(w / 2, 0), (w / 2, 1)]], [[(0, rng.uniform(0.4, 0.6)), (w, 0.5)]]]


def _arrow(rng: Random) -> Glyph:
    head, turn = rng.uniform(0.15, 0.4), rng.choice([0, 90, 180, 270]) + rng.uniform(-25, 25)
    shape = [[[(0, 0), (1, 0)]], [[(1 - head, -head), (1, 0)], [(1, 0), (1 - head, head)]]]
    if rng.random() < 0.25:  # on both ends
        shape.append([[(head, -head), (0, 0)], [(0, 0), (head, head)]])
    return _turned(shape, turn)


def _turned(glyph: Glyph, degrees: float) -> Glyph:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [[[(c * x - s * y, s * x + c * y) for x, y in piece] for piece in stroke] for stroke in glyph]


def _star(rng: Random) -> Glyph:
    if rng.random() < 0.5:  # in one line
        tips = arc(0, 0, 0.5, 0.5, 90, 90 + 144 * 5, 6)
        return [[[a, b] for a, b in zip(tips[:-1], tips[1:], strict=True)]]
    rays = int(rng.integers(3, 7))
    tips = [(0.5 * np.cos(a), 0.5 * np.sin(a)) for a in np.arange(rays) * np.pi / rays]
    return [[[(-x, -y), (x, y)]] for x, y in tips]


def _face(rng: Random) -> Glyph:
    eye, mood = rng.uniform(0.03, 0.08), rng.uniform(-0.2, 0.2)
    eyes = [[arc(x, -0.15, eye, eye, 0, 360, 6)] for x in (-0.18, 0.18)]
    mouth = [[(-0.2, 0.2), (0, 0.2 + mood), (0.2, 0.2)]]
    glyph = [[arc(0, 0, rng.uniform(0.38, 0.55), 0.5, 90, 450, 10)], *eyes, mouth]
    return glyph if rng.random() < 0.6 else [*glyph, [[(0, -0.05), (0.05, 0.08), (0, 0.08)]]]


def _closed(points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    return [[a, b] for a, b in zip(points, points[1:] + points[:1], strict=True)]


def _outline(rng: Random) -> Glyph:
    """Rectangles, triangles with a dot, houses, hearts, envelopes."""
    w, kind = rng.uniform(0.8, 1.8), rng.integers(5)
    box = [(0.0, 0.0), (w, 0.0), (w, 1.0), (0.0, 1.0)]
    if kind == 0:
        return [_closed(box), [[(0, 0), (w, 1)]]]
    if kind == 1:
        return [_closed([(0, 1), (w / 2, 0), (w, 1)]), [[(w / 2, 0.66), (w / 2 + 0.02, 0.7)]]]
    if kind == 2:
        return [_closed(box), _closed([(0, 0), (w / 2, -0.6), (w, 0)])]
    if kind == 3:
        left = [(0.5, 0.3), (0.3, 0.02), (0.02, 0.2), (0.2, 0.65), (0.5, 1)]
        return [[left], [[(1 - x, y) for x, y in left]]]
    return [_closed(box), [[(0, 0), (w / 2, 0.5)], [(w / 2, 0.5), (w, 0)]]]


def _hatching(rng: Random) -> Glyph:
    count, lean, squared = int(rng.integers(3, 12)), rng.uniform(-0.6, 0.6), rng.random() < 0.35
    x = np.linspace(0, rng.uniform(0.6, 1.6), count)
    glyph = [[[(a, 0.0), (a + lean, 1.0)]] for a in x]
    if squared:
        glyph += [[[(min(0, lean), y), (x[-1] + max(0, lean), y)]] for y in np.linspace(0.1, 0.9, max(2, count - 2))]
    return glyph if rng.random() < 0.6 else _turned(glyph, 90)


def _bars(rng: Random) -> Glyph:
    """One to four lines that lie: dashes, equal signs, rulings; one alone lies up to 31 degrees off."""
    count = int(rng.integers(1, 5))
    slope = rng.uniform(-0.6, 0.6) if count == 1 else rng.uniform(-0.25, 0.25)
    return [[[(0, y), (1, y + slope)]] for y in 0.25 * np.arange(count) * rng.uniform(0.6, 1.4)]


def _corner(rng: Random) -> Glyph:
    """A sheet's corner, a frame's edge: two lines that meet, about square, or a wide arc."""
    if rng.random() < 0.35:
        start = rng.uniform(0, 360)
        return [[arc(0, 0, rng.uniform(0.6, 1), 0.8, start, start + rng.uniform(60, 170), 6)]]
    turn = rng.choice([0, 90]) + rng.uniform(-20, 20)  # the other two corners resemble a 7 or a 1 with its flag
    return _turned([[[(0, -rng.uniform(0.5, 1)), (0, 0)], [(0, 0), (rng.uniform(0.6, 1), 0)]]], turn)


def _dots(rng: Random) -> Glyph:
    """Colons, ellipses, points in a cloud."""
    if rng.random() < 0.5:
        places = [(0.3 * i, 0.0) if rng.random() < 0.8 else (0.3 * i, 0.1) for i in range(int(rng.integers(2, 5)))]
    else:
        places = list(map(tuple, rng.random((int(rng.integers(3, 14)), 2))))
    return [[[(x, y), (x + 0.02, y + 0.02)]] for x, y in places]


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
    return _fitted(canvas, size)


def _touching(rng: Random, size: int) -> np.ndarray:
    """A number of two to four digits that run into each other."""
    row = None
    for _ in range(int(rng.integers(2, 5))):
        ink = _cropped(_digit(rng, size, int(rng.integers(10))))
        ink = cv2.resize(ink, (max(2, ink.shape[1] * 64 // ink.shape[0]), 64), interpolation=cv2.INTER_AREA)
        if row is None:
            row = ink
            continue
        overlap = min(int(rng.integers(1, 14)), ink.shape[1] - 1, row.shape[1] - 1)
        joined = np.zeros((64, row.shape[1] + ink.shape[1] - overlap), np.uint8)
        joined[:, : row.shape[1]] = row
        joined[:, -ink.shape[1] :] = np.maximum(joined[:, -ink.shape[1] :], ink)
        row = joined
    return _fitted(row, size)


def _half(rng: Random, size: int) -> np.ndarray:
    """A digit cut by the frame's edge."""
    label, side = HALVES[rng.integers(len(HALVES))]
    ink = _cropped(_digit(rng, size, label))
    height, width = ink.shape
    keep = rng.uniform(0.3, 0.5)
    rows = {"top": slice(0, int(keep * height) + 2), "bottom": slice(int((1 - keep) * height), height)}
    columns = {"left": slice(0, int(keep * width) + 2), "right": slice(int((1 - keep) * width), width)}
    return _fitted(ink[rows.get(side, slice(None)), columns.get(side, slice(None))], size)


# Printed, smeared, filled --------------------------------------------------------------------------------------------
def _printed_letter(rng: Random, size: int) -> np.ndarray:
    text = LETTERS[rng.integers(len(LETTERS))]
    return _hershey(rng, text, size)


def _printed_words(rng: Random, size: int) -> np.ndarray:
    letters = np.array(list(LETTERS + "  aeinrtm"))
    text = "".join(rng.choice(letters, int(rng.integers(2, 9)))).strip() or "ma"
    return _hershey(rng, "W" + text if len(text) < 2 else text, size)


def _hershey(rng: Random, text: str, size: int) -> np.ndarray:
    canvas = np.zeros((2 * size, 2 * size * (1 + len(text))), np.uint8)
    scale, thickness = size / 32, max(1, int(size / 128 * rng.integers(2, 12)))
    font = HERSHEY_FONTS[rng.integers(len(HERSHEY_FONTS))] | (cv2.FONT_ITALIC if rng.random() < 0.25 else 0)
    cv2.putText(canvas, text, (size // 2, 3 * size // 2), font, scale, 255, thickness, cv2.LINE_AA)
    return _fitted(canvas, size, rng.uniform(-10, 10))


def _text_block(rng: Random, size: int) -> np.ndarray:
    """Some lines of small print."""
    canvas = np.zeros((4 * size, 4 * size), np.uint8)
    letters = np.array(list("abcdefghiklmnoprstuvw   .,"))
    for line in range(int(rng.integers(2, 9))):
        text = "".join(rng.choice(letters, int(rng.integers(6, 24))))
        thickness = 1 + int(rng.integers(2))
        cv2.putText(canvas, text, (8, 30 + 28 * line), cv2.FONT_HERSHEY_COMPLEX, 0.8, 255, thickness, cv2.LINE_AA)
    return _fitted(canvas, size)


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


def _cropped(ink: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect(ink_points(ink))
    return ink[y : y + h, x : x + w]


def _fitted(ink: np.ndarray, size: int, degrees: float = 0.0) -> np.ndarray:
    """Return the ink cropped and brought to 84 % of uint8 (size, size), turned by some degrees."""
    ink = _cropped(ink)
    scale = 0.84 * size / max(ink.shape)
    shape = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    ink = cv2.resize(ink, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (size - ink.shape[0]) // 2, (size - ink.shape[1]) // 2
    canvas = np.zeros((size, size), np.uint8)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    if degrees:
        canvas = cv2.warpAffine(canvas, cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 0.95), (size, size))
    return canvas


def _reshaped(ink: np.ndarray, rng: Random) -> np.ndarray:
    """Return the letter as other fonts would have it: narrower or wider, leaning, a thinner or a thicker line."""
    size = len(ink)
    matrix = np.array([[np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(-0.3, 0.3), 0], [0, 1, 0]])
    matrix[:, 2] = size - matrix[:, :2] @ (size / 2, size / 2)
    ink = cv2.warpAffine(ink, matrix, (2 * size, 2 * size))
    side = int(rng.integers(2, 2 + max(1, size // 24)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    other = (cv2.erode if rng.random() < 0.5 else cv2.dilate)(ink, disc)
    return _fitted(other if other.max() > 200 else ink, size)


@lru_cache(maxsize=64)
def _font(path: str, height: int):
    from PIL import ImageFont  # only here: Pillow comes with matplotlib, the camera script lives without it

    return ImageFont.truetype(path, height)


def draw_printed_letter(rng: Random, size: int, fonts: Fonts, letters: str = LETTERS) -> np.ndarray:
    """Return one letter of a TrueType font, uint8 (size, size), white on black.

    Args:
        fonts: paths of font files.
        letters: to choose from; a sensible test leaves out LETTERS_LIKE_DIGITS.
    Raises:
        ImportError: if Pillow is not installed.
    """
    from PIL import Image, ImageDraw

    letter = letters[rng.integers(len(letters))]
    page = Image.new("L", (2 * size, 2 * size))
    font = _font(str(fonts[rng.integers(len(fonts))]), size)
    ImageDraw.Draw(page).text((size // 2, size // 4), letter, fill=255, font=font)
    ink = np.array(page)
    if ink.max() < 65:  # the font lacks the letter
        return _printed_letter(rng, size)
    return _fitted(ink, size, rng.uniform(-8, 8))


@lru_cache(maxsize=1)
def training_fonts() -> list[str]:
    """Return the paths of TRAINING_FONTS, as far as matplotlib has them."""
    from matplotlib import get_data_path  # only here, as above

    folder = Path(get_data_path()) / "fonts" / "ttf"
    return [str(folder / f"{name}.ttf") for name in TRAINING_FONTS if (folder / f"{name}.ttf").exists()]


# The number is how often a kind is drawn, out of the sum.
WRITTEN: list[tuple[Callable[[Random], Glyph], float]] = [
    (_letter, 6), (_word, 2), (_scribble, 2.5), (_zigzag, 1), (_spiral, 0.7), (_tick, 0.6), (_cross, 0.8), (_arrow, 1),
    (_star, 0.7), (_face, 0.8), (_outline, 1.2), (_hatching, 1.2), (_bars, 0.8), (_corner, 1), (_dots, 0.6),
]  # fmt: skip
DRAWN: list[tuple[Callable[[Random, int], np.ndarray], float]] = [
    (_overlapped, 1.2), (_touching, 2), (_half, 1.2), (_printed_letter, 3), (_printed_words, 1), (_text_block, 0.8),
    (_blobs, 2), (_solid, 0.8), (_smear, 0.8),
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
        return _reshaped(draw_printed_letter(rng, size, fonts), rng)
    kinds = [kind for kind in (*WRITTEN, *DRAWN) if pairs or kind[0] not in _PAIRS]
    shares = np.cumsum([share for _, share in kinds])
    index = int(np.searchsorted(shares, rng.uniform(0, shares[-1])))
    if index < len(WRITTEN):
        return write(kinds[index][0](rng), random_hand(rng), rng, size)
    return kinds[index][0](rng, size)
