"""Drawings made with a pen that are no digits: words, arrows, faces, hatching."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from digits.rendering.letters import LETTER_STROKES
from digits.rendering.pen import Glyph, Random, arc


def _letter(rng: Random) -> Glyph:
    strokes = list(LETTER_STROKES.values())[rng.integers(len(LETTER_STROKES))]
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
    return [[[a, b] for a, b in pairwise(points)]]


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
        return [[[a, b] for a, b in pairwise(tips)]]
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


# The number is how often a kind is drawn, out of the sum.
WRITTEN: list[tuple[Callable[[Random], Glyph], float]] = [
    (_letter, 6), (_word, 2), (_scribble, 2.5), (_zigzag, 1), (_spiral, 0.7), (_tick, 0.6), (_cross, 0.8), (_arrow, 1),
    (_star, 0.7), (_face, 0.8), (_outline, 1.2), (_hatching, 1.2), (_bars, 0.8), (_corner, 1), (_dots, 0.6),
]  # fmt: skip
