"""How people write the digits 5 to 9, as `glyphs_0_to_4` has the others."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from digits.rendering.pen import Glyph, Piece, Point, Random, Style, arc


# 5 ------------------------------------------------------------------------------------------
def _five_belly(rng: Random, start: Point) -> Piece:
    w, rise = rng.uniform(0.44, 0.66), rng.uniform(0.0, 0.12)
    end = (rng.uniform(-0.14, 0.1), rng.uniform(0.84, 1.0))
    return [start, (0.5 * w, start[1] - rise), (0.9 * w, start[1] + 0.09), (w, 0.7), (0.8 * w, 0.92), (0.4 * w, 1.0),
            end]


def _five_body(rng: Random) -> list[Piece]:
    shoulder = (rng.uniform(-0.06, 0.06), rng.uniform(0.34, 0.52))
    return [[(rng.uniform(0.0, 0.16), 0.0), shoulder], _five_belly(rng, shoulder)]


def _five_bar(rng: Random, x: float, y: float) -> Piece:
    length, rise = rng.uniform(0.25, 0.62), rng.uniform(-0.16, 0.06)
    return [(x, y), (x + length / 2, y + rise / 2 + 0.02 * rng.standard_normal()), (x + length, y + rise)]


def _five_two_strokes(rng: Random) -> Glyph:
    body = _five_body(rng)
    x, y = body[0][0]
    return [body, [_five_bar(rng, x + rng.uniform(-0.05, 0.04), y + rng.uniform(-0.03, 0.06))]]


def _five_detached(rng: Random) -> Glyph:
    body = _five_body(rng)
    x, y = body[0][0]
    return [body, [_five_bar(rng, x + rng.uniform(0.02, 0.16), y - rng.uniform(-0.03, 0.1))]]


def _five_one_stroke(rng: Random) -> Glyph:
    body = _five_body(rng)
    return [[_five_bar(rng, *body[0][0])[::-1], *body]]


def _five_s(rng: Random) -> Glyph:
    w = rng.uniform(0.4, 0.6)
    head = [(w, rng.uniform(0.0, 0.06)), (0.5 * w, 0.0), (0.14, 0.04), (0.05, 0.24), (0.1, 0.4)]
    return [[[*head, *_five_belly(rng, (0.24, 0.42))[1:]]]]


def _five_square(rng: Random) -> Glyph:
    w, middle, end = rng.uniform(0.36, 0.58), rng.uniform(0.38, 0.52), rng.uniform(-0.08, 0.12)
    corners = [(w, 0.0), (0.04, 0.0), (0.0, middle), (w, middle), (w + rng.uniform(-0.06, 0.04), 1.0), (end, 1.0)]
    return [[[a, b] for a, b in pairwise(corners)]]


def _five_slanted(rng: Random) -> Glyph:
    """Written fast: the stem leans, the bar is a dash going up, the belly is small."""
    shoulder = (rng.uniform(0.02, 0.12), rng.uniform(0.38, 0.55))
    top = (shoulder[0] + rng.uniform(0.08, 0.24), 0.0)
    bar = _five_bar(rng, top[0], top[1])
    belly = _five_belly(rng, shoulder)
    return [[bar[::-1], [top, shoulder] + belly[1:]]] if rng.random() < 0.6 else [[[top, shoulder], belly], [bar]]


def _five_tick(rng: Random) -> Glyph:
    """A long bar, a stem, and only a hook for a belly: nearly a root sign."""
    top, w = (rng.uniform(0.0, 0.12), 0.0), rng.uniform(0.45, 0.9)
    bar = [(top[0] + w, rng.uniform(-0.14, 0.06)), top]
    foot = (top[0] - rng.uniform(-0.06, 0.14), rng.uniform(0.8, 1.0))
    turn = [(foot[0] + rng.uniform(0.02, 0.14), 0.5 * foot[1] + rng.uniform(0.0, 0.2))]
    hook = (foot[0] - rng.uniform(0.1, 0.32), foot[1] - rng.uniform(0.0, 0.3))
    if rng.random() < 0.5:
        return [[bar, [top, *turn, foot], [foot, hook]]]
    return [[bar, [top, *turn, foot, hook]]]


def _five_no_bar(rng: Random) -> Glyph:
    """The bar is only a hook."""
    body = _five_body(rng)
    x, y = body[0][0]
    return [[[(x + rng.uniform(0.1, 0.22), y + rng.uniform(-0.06, 0.05)), (x, y)], *body]]


# 6 ------------------------------------------------------------------------------------------
def _six_loop(rng: Random, top: float, w: float) -> Piece:
    """From the lower left round to where the loop meets the stem, short of it or past it."""
    meet = rng.choice(3, p=[0.62, 0.22, 0.16])
    loop = [(0.08 * w, 0.9), (0.42 * w, 1.0), (0.88 * w, 0.92), (w, 0.5 * (top + 1)), (0.8 * w, top + 0.04),
            (0.45 * w, top)]
    if meet == 0:
        return [*loop, (rng.uniform(0.0, 0.12), top + rng.uniform(0.05, 0.16))]
    if meet == 1:  # open
        return loop[: int(rng.integers(5, 7))]
    return [*loop, (0.1 * w, top + 0.12), (rng.uniform(0.0, 0.12), 0.88)]  # an inner curl


def _six(rng: Random, width: tuple, top: tuple, stem: Callable[[Random, float], Piece]) -> Glyph:
    """A loop between the least and the greatest width and top, and the stem above it, which is given its width."""
    w, y = rng.uniform(*width), rng.uniform(*top)
    return [[stem(rng, w) + _six_loop(rng, y, w)]]


_six_curved = partial(_six, width=(0.36, 0.66), top=(0.38, 0.66), stem=lambda rng, w: [
    (w * rng.uniform(0.5, 1.05), rng.uniform(-0.03, 0.04)), (0.45 * w, 0.09), (0.1 * w, 0.36), (0.0, 0.66)])
_six_hooked = partial(_six, width=(0.38, 0.6), top=(0.42, 0.62), stem=lambda rng, w: [
    (w * rng.uniform(0.8, 1.2), rng.uniform(0.08, 0.22)), (w * 0.72, 0.0), (0.3 * w, 0.07), (0.04 * w, 0.36),
    (0.0, 0.68)])
# The stem starts with a wide bow, nearly a C, and the loop is its lower end.
_six_curled = partial(_six, width=(0.4, 0.62), top=(0.55, 0.72), stem=lambda rng, w: [
    (w * rng.uniform(0.8, 1.05), rng.uniform(0.14, 0.3)), (w, 0.1), (0.7 * w, 0.0), (0.2 * w, 0.06), (0.0, 0.32),
    (0.03 * w, 0.68)])
_six_straight = partial(_six, width=(0.32, 0.6), top=(0.45, 0.7), stem=lambda rng, w: [
    (w * rng.uniform(0.05, 0.9), 0.0), (0.16 * w, 0.42), (0.0, 0.72)])
# The stem comes from far to the right, nearly lying, as the tail of a sigma.
_six_swept = partial(_six, width=(0.45, 0.75), top=(0.25, 0.5), stem=lambda rng, w: [
    (w * rng.uniform(1.15, 2.1), rng.uniform(0.0, 0.3)), (0.75 * w, rng.uniform(0.02, 0.16)), (0.2 * w, 0.3),
    (0.0, 0.66)])
_six_tiny_loop = partial(_six, width=(0.18, 0.32), top=(0.64, 0.8), stem=lambda rng, w: [
    (w * rng.uniform(0.5, 1.6), 0.0), (0.3 * w, 0.4), (0.0, 0.78)])


def _six_flat_loop(rng: Random) -> Glyph:
    """Half the loop leaves the stem on the left again, as a tail."""
    w, top = rng.uniform(0.45, 0.75), rng.uniform(0.45, 0.66)
    stem = [(w * rng.uniform(0.4, 0.9), 0.0), (0.2 * w, 0.22), (0.0, 0.62)]
    loop = _six_loop(rng, top, w)[:6]
    return [[stem + [*loop, (-rng.uniform(0.02, 0.2), top + rng.uniform(0.08, 0.26))]]]


def _six_square(rng: Random) -> Glyph:
    """Corners all round: a bar, a straight stem, and a box for a loop, as on a display; close to a 5."""
    w, top = rng.uniform(0.36, 0.6), rng.uniform(0.4, 0.58)
    start, upper, lower = (w * rng.uniform(0.6, 1.1), rng.uniform(-0.05, 0.06)), (rng.uniform(0, 0.08), 0.0), (0.0, 1.0)
    outer, inner = (w, rng.uniform(0.94, 1.04)), (w * rng.uniform(0.85, 1.05), top + rng.uniform(-0.05, 0.05))
    corners = [start, upper, lower, outer, inner, (rng.uniform(0.0, 0.05), top + rng.uniform(-0.02, 0.1))]
    return [[[a, b] for a, b in pairwise(corners)]]


# 7 ------------------------------------------------------------------------------------------
def _seven(rng: Random, top: Piece) -> list[Piece]:
    corner = (rng.uniform(0.4, 0.64), rng.uniform(-0.05, 0.06))
    foot = (corner[0] - rng.uniform(0.02, 0.5), 1.0)
    bow = rng.uniform(-0.02, 0.12)
    stem = [corner, ((corner[0] + foot[0]) / 2 - bow * 0.8, 0.48), foot]
    return [[*top, corner], stem]


def _cross(rng: Random, stem: Piece) -> Piece:
    y, width, slope = rng.uniform(0.36, 0.64), rng.uniform(0.22, 0.68), rng.uniform(-0.1, 0.06)
    x = float(np.interp(y, [0, stem[1][1], 1], [point[0] for point in stem])) + 0.06 * rng.standard_normal()
    return [(x - width / 2, y - slope / 2), (x + width / 2, y + slope / 2)]


def _with_cross(rng: Random, pieces: list, share: float) -> Glyph:
    return [pieces, [_cross(rng, pieces[-1])]] if rng.random() < share else [pieces]


def _seven_plain(rng: Random) -> Glyph:
    return _with_cross(rng, _seven(rng, [(0.0, rng.uniform(-0.05, 0.09))]), 0.55)


def _seven_wavy(rng: Random) -> Glyph:
    top = [(0.0, rng.uniform(0.08, 0.16)), (0.12, rng.uniform(-0.02, 0.04)), (0.3, rng.uniform(0.04, 0.1))]
    return _with_cross(rng, _seven(rng, top), 0.55)


def _seven_serif(rng: Random) -> Glyph:
    start = (rng.uniform(-0.04, 0.02), rng.uniform(-0.02, 0.06))
    serif = [(start[0] + rng.uniform(-0.06, 0.05), start[1] + rng.uniform(0.08, 0.26)), start]
    if rng.random() < 0.25:  # the serif rises above the bar instead
        serif = [(start[0] + rng.uniform(-0.04, 0.06), start[1] - rng.uniform(0.05, 0.14)), start]
    return _with_cross(rng, [serif, *_seven(rng, [start])], 0.55)


def _seven_curved(rng: Random) -> Glyph:
    """No corner: a cane."""
    top, stem = _seven(rng, [(0.0, rng.uniform(0.02, 0.18)), (0.2, rng.uniform(-0.03, 0.03))])
    if rng.random() < 0.5:
        return _with_cross(rng, [top + [(stem[0][0], 0.14)] + stem[1:]], 0.0)
    return [[top + stem[1:]], [_cross(rng, stem)]]


def _seven_cup(rng: Random) -> Glyph:
    """The bar hangs like a cup from its left end; a loop may turn it into the stem. Always crossed."""
    w, depth = rng.uniform(0.42, 0.7), rng.uniform(0.1, 0.3)
    cup = [(0.0, rng.uniform(-0.06, 0.08)), (0.12 * w, 0.7 * depth), (0.45 * w, depth), (0.8 * w, 0.6 * depth)]
    corner = (w, rng.uniform(-0.08, 0.04))
    foot = (w * rng.uniform(0.15, 0.95), 1.0)
    stem = [corner, ((corner[0] + foot[0]) / 2, 0.5), foot]
    if rng.random() < 0.4:
        cup += [(1.02 * w, 0.05), (1.0 * w, -0.08), (0.88 * w, -0.04)]
        return [[[*cup, *stem[1:]]], [_cross(rng, stem)]]
    return [[[*cup, corner], stem], [_cross(rng, stem)]]


def _seven_double(rng: Random) -> Glyph:
    """A hooked start, a bar that waves, a long slanted cross."""
    top = [(rng.uniform(-0.03, 0.1), rng.uniform(0.2, 0.34)), (0.0, 0.04), (0.2, 0.1), (0.36, 0.06)]
    pieces = _seven(rng, top)
    x, y = pieces[1][1]
    reach, rise = rng.uniform(0.25, 0.5), rng.uniform(-0.05, 0.2)
    return [pieces, [[(x - reach, y + rise / 2), (x + reach, y - rise / 2)]]]


def _seven_sharp(rng: Random) -> Glyph:
    corner, foot = (rng.uniform(0.45, 0.7), rng.uniform(-0.04, 0.1)), (rng.uniform(-0.2, 0.1), 1.0)
    stem = [corner, ((corner[0] + foot[0]) / 2, 0.5), foot]
    crossed = rng.random() < 0.4
    low = corner[1] + rng.uniform(-0.08, 0.16 if crossed else 0.09)  # an uncrossed one with a steep bar is a 1
    return _with_cross(rng, [[(0.0, low), corner], stem], float(crossed))


def _seven_footed(rng: Random) -> Glyph:
    pieces = _seven(rng, [(0.0, rng.uniform(-0.03, 0.1))])
    x, y = pieces[1][-1]
    pieces[1] = [*pieces[1], (x + rng.uniform(-0.14, -0.04), y + rng.uniform(-0.03, 0.04))]
    return _with_cross(rng, [pieces[0], pieces[1][:3]], 1.0) if rng.random() < 0.5 else [pieces]


# 8 ------------------------------------------------------------------------------------------
def _eight(rng: Random) -> Piece:
    """One line with a crossing, from the top right over the left of the upper loop, and back up."""
    u, v, y = rng.uniform(0.15, 0.3), rng.uniform(0.18, 0.36), rng.uniform(0.36, 0.54)
    skew = rng.uniform(-0.05, 0.05)
    upper = [(0.6 * u, 0.06), (-0.1 * u, 0.0), (-u, 0.45 * y), (skew, y)]
    lower = [(v, 0.55 * y + 0.45), (0.5 * v, 0.96), (-0.2 * v, 1.0), (-v, 0.5 * y + 0.48), (skew, y)]
    return [*upper, *lower, (u, 0.45 * y)]


def _eight_crossing(rng: Random) -> Glyph:
    line = _eight(rng)
    x, y = line[0]
    return [[[*line, (x + rng.uniform(-0.12, 0.1), y + rng.uniform(-0.05, 0.06))]]]


def _eight_open_top(rng: Random) -> Glyph:
    line = _eight(rng)
    shift = rng.uniform(-0.02, 0.14)
    return [[[*line[:-1], (line[-1][0] + shift, line[-1][1] * 0.8),
              (rng.uniform(0.18, 0.4), rng.uniform(-0.12, 0.05))][int(rng.random() < 0.5) :]]]


def _eight_mirrored(rng: Random) -> Glyph:
    """The same line the other way round, from the top left."""
    line = [(-x, y) for x, y in _eight(rng)]
    return [[[*line, (line[0][0] + rng.uniform(-0.1, 0.1), line[0][1] + rng.uniform(-0.04, 0.05))]]]


def _eight_stacked(rng: Random) -> Glyph:
    r, w = rng.uniform(0.19, 0.26), rng.uniform(0.7, 1.15)
    low = 0.5 - r
    gap, dx = rng.uniform(-0.05, 0.02), 0.04 * rng.standard_normal()
    start = rng.uniform(-150, 120)
    upper = arc(dx, r, r * w, r, start, start + 360 + rng.uniform(-25, 30), 8)
    start = rng.uniform(60, 120)
    return [[upper], [arc(0, 2 * r + low + gap, low * w * rng.uniform(0.9, 1.35), low, start,
                          start + 360 + rng.uniform(-25, 30), 8)]]


def _eight_lying(rng: Random) -> Glyph:
    angle = np.radians(rng.uniform(35, 88)) * rng.choice([-1, 1], p=[0.85, 0.15])
    c, s = np.cos(angle), np.sin(angle)
    return [[[(x * c - (y - 0.5) * s, x * s + (y - 0.5) * c) for x, y in _eight_crossing(rng)[0][0]]]]


def _eight_hooked(rng: Random) -> Glyph:
    """Begun as a 2 and closed below only: a hook over a triangle or a drop."""
    u, v, y = rng.uniform(0.14, 0.26), rng.uniform(0.2, 0.36), rng.uniform(0.34, 0.46)
    hook = [(-0.5 * u, rng.uniform(0.14, 0.26)), (-0.8 * u, 0.08), (0.1, 0.0), (u, 0.14), (0.3 * u, y)]
    left, right = (-v, rng.uniform(0.8, 0.98)), (v, rng.uniform(0.9, 1.02))
    end = (rng.uniform(-0.02, 0.08), y - rng.uniform(-0.02, 0.08))
    if rng.random() < 0.5:
        return [[[*hook, left], [left, right], [right, end]]]
    return [[[*hook, left, (0.0, 1.0), right, end]]]


def _eight_angular(rng: Random) -> Glyph:
    """An hourglass with corners."""
    u, v = rng.uniform(0.14, 0.3), rng.uniform(0.16, 0.34)
    points = [(u, 0.02), (-u, 0.06), (v, 0.92), (-v, 1.0), (u * 1.05, rng.uniform(0.0, 0.08))]
    return [[[a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + rng.uniform(-0.05, 0.05)), b] for a, b in pairwise(points)]]


# 9 ------------------------------------------------------------------------------------------
def _nine_loop(rng: Random, sweep: Point) -> tuple[Piece, float, float]:
    w, h = rng.uniform(0.34, 0.6), rng.uniform(0.2, 0.34)
    start = rng.uniform(5, 60)
    return arc(w / 2, h, w / 2, h, start, start + rng.uniform(*sweep), 8), w, h


def _nine_tail(rng: Random, w: float, h: float, kind: int) -> Piece:
    """0: straight, 1: curved to the left, 2: hooked as a g."""
    if kind == 0:
        return [(w, h), (w - rng.uniform(-0.04, 0.18), 0.66), (w - rng.uniform(-0.06, 0.4), 1.0)]
    if kind == 1:
        return [(w, h), (0.97 * w, 0.62), (0.74 * w, 0.86), (rng.uniform(-0.05, 0.5) * w, rng.uniform(0.92, 1.02))]
    end = [(0.68 * w, 0.98), (0.3 * w, 1.0), (rng.uniform(-0.2, 0.1), rng.uniform(0.8, 0.96))]
    return [(w, h), (1.02 * w, 0.62), (0.95 * w, 0.86), *end]


def _nine_closed(rng: Random) -> Glyph:
    loop, w, h = _nine_loop(rng, (300, 355))
    kind = int(rng.integers(3))
    if rng.random() < 0.6:
        return [[loop + [(w, h * 0.8)], _nine_tail(rng, w, h * 0.8, kind)]]
    return [[[*loop, (w, h * 0.5)] + _nine_tail(rng, w, h, kind)[1:]]]


def _nine_open(rng: Random) -> Glyph:
    loop, w, h = _nine_loop(rng, (215, 300))
    stem = [(w + rng.uniform(-0.03, 0.06), h * rng.uniform(-0.1, 0.7)),
            *_nine_tail(rng, w, h * 1.2, int(rng.integers(3)))]
    return [[loop], [stem]]


def _nine_stick(rng: Random) -> Glyph:
    """As a printed q: a loop and a straight stick, which may rise above it."""
    loop, w, h = _nine_loop(rng, (290, 370))
    x = w + rng.uniform(-0.05, 0.05)
    return [[loop], [[(x, rng.uniform(-0.1, 0.15)), (x - rng.uniform(-0.06, 0.14), rng.uniform(0.9, 1.1))]]]


def _nine_swing(rng: Random) -> Glyph:
    """One line without a corner: the loop runs over into the tail at its right, as an inverted 6."""
    w, low = rng.uniform(0.36, 0.62), rng.uniform(0.36, 0.6)
    loop = [(w, low - rng.uniform(0.02, 0.18)), (0.6 * w, low), (0.15 * w, low - 0.06), (0.0, 0.5 * low),
            (0.16 * w, 0.07), (0.58 * w, 0.0), (w, 0.2)]
    return [[loop + _nine_tail(rng, w, 0.4, int(rng.integers(2)))]]


def _nine_flat(rng: Random) -> Glyph:
    """A shallow loop with a corner at its start, and a tail that turns far to the left."""
    loop, w, h = _nine_loop(rng, (310, 350))
    tail = [(w, 0.7 * h), (w, 0.7), (w * rng.uniform(0.85, 1.0), 0.97)]
    corner = tail[-1]
    return [[[*loop, tail[0]], tail, [corner, (rng.uniform(-0.15, 0.2), rng.uniform(0.88, 1.04))]]]


# The second number is how often a style is drawn, out of the label's sum.
STYLES_5_TO_9: dict[int, list[tuple[Style, float]]] = {
    5: [(_five_two_strokes, 3), (_five_detached, 1.8), (_five_one_stroke, 2.5), (_five_s, 1), (_five_square, 0.8),
        (_five_slanted, 1.5), (_five_no_bar, 0.5), (_five_tick, 1)],
    6: [(_six_curved, 4), (_six_hooked, 2), (_six_curled, 0.8), (_six_straight, 2), (_six_tiny_loop, 0.8),
        (_six_flat_loop, 1), (_six_swept, 1), (_six_square, 0.8)],
    7: [(_seven_plain, 4), (_seven_wavy, 1.5), (_seven_serif, 1.5), (_seven_curved, 1.2), (_seven_cup, 1.5),
        (_seven_double, 0.7), (_seven_sharp, 1), (_seven_footed, 0.5)],
    8: [(_eight_crossing, 4), (_eight_open_top, 1.2), (_eight_mirrored, 1.5), (_eight_stacked, 2),
        (_eight_lying, 0.6), (_eight_hooked, 0.4), (_eight_angular, 0.4)],
    9: [(_nine_closed, 4), (_nine_open, 1.5), (_nine_stick, 1.2), (_nine_swing, 1.5), (_nine_flat, 1)],
}
