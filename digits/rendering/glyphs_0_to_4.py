"""How people write the digits 0 to 4: each style gives one digit as control points (see `pen`).

Numbers are positions in a box one unit tall, taken from how manuals and many hands form the digits;
the random ranges around them are wide on purpose: MNIST's American writers are only a part of the world.
"""

from functools import partial
from itertools import pairwise

import numpy as np

from digits.rendering.pen import Glyph, Piece, Point, Random, Style, arc


# 0 ------------------------------------------------------------------------------------------
def _ring(rng: Random, rx: float, points: int = 9, sweep: float | None = None) -> Piece:
    """A closed loop, seldom closed exactly: from 40 degrees short to 60 too far, drifting in or out."""
    start = rng.uniform(50, 140)
    sweep = 360 + rng.uniform(-38, 60) if sweep is None else sweep
    ring = np.array(arc(0, 0, rx, 0.5, start, start + sweep, points + int(sweep > 400)))
    drift = np.linspace(1, rng.uniform(0.86, 1.1), len(ring))
    return list(map(tuple, ring * drift[:, None]))


def _zero_ring(rng: Random, narrowest: float, widest: float) -> Glyph:
    return [[_ring(rng, rng.uniform(narrowest, widest))]]


def _zero_slashed(rng: Random) -> Glyph:
    rx, reach = rng.uniform(0.22, 0.42), rng.uniform(0.45, 1.25)
    lean = rng.uniform(0.5, 1.0)
    return [[_ring(rng, rx)], [[(-rx * reach, 0.5 * lean * reach), (rx * reach, -0.5 * lean * reach)]]]


def _zero_curl(rng: Random) -> Glyph:
    rx = rng.uniform(0.24, 0.45)
    start, turn = rng.uniform(70, 120), rng.uniform(60, 170)
    shrink = rng.uniform(0.25, 0.75)
    outer = arc(0, 0, rx, 0.5, start, start + 350, 9)
    return [[outer + arc(0, -0.5 + 0.5 * shrink, rx * shrink, 0.45 * shrink, start + 10, start + turn, 4)]]


def _zero_polygon(rng: Random) -> Glyph:
    corners = int(rng.integers(4, 9))
    ring = _ring(rng, rng.uniform(0.25, 0.45), corners + 1, 360.0)
    return [[[a, (0.54 * (a[0] + b[0]), 0.54 * (a[1] + b[1])), b] for a, b in pairwise(ring)]]


def _zero_tailed(rng: Random) -> Glyph:
    """Starts outside the ring, as a six or a nine does, but comes back to the top."""
    rx = rng.uniform(0.25, 0.42)
    tail = (rx * rng.uniform(0.2, 1.1), -0.5 - rng.uniform(0, 0.1))
    return [[[tail, *arc(0, 0, rx, 0.5, 100, 100 + rng.uniform(325, 375), 9)]]]


def _zero_looped(rng: Random) -> Glyph:
    """Starts at the left, goes over the top and round, and ends inside: a loop at the upper left."""
    rx = rng.uniform(0.28, 0.46)
    lead = [(-rx * rng.uniform(0.7, 1.25), -rng.uniform(0.0, 0.3)), (-rx * rng.uniform(0.5, 0.8), -0.4)]
    ring = arc(0, 0, rx, 0.5, 85, 85 - rng.uniform(340, 385), 9)
    return [[[*lead, *ring, (-rx * rng.uniform(-0.2, 0.5), -rng.uniform(0.2, 0.38))]]]


def _zero_two_strokes(rng: Random) -> Glyph:
    rx, gap = rng.uniform(0.22, 0.42), rng.uniform(-20, 12)
    left = arc(0, 0, rx, 0.5, 90 + gap / 2, 270 - gap / 2, 6)
    return [[left], [arc(rng.uniform(-0.04, 0.04), 0, rx, 0.5, 90 - gap / 2, -90 + gap / 2, 6)]]


# 1 ------------------------------------------------------------------------------------------
def _stem(rng: Random) -> Piece:
    lean, bow = rng.uniform(-0.08, 0.08), 0.035 * rng.standard_normal()
    return [(0.0, 0.0), (lean / 2 + bow, 0.5), (lean, 1.0)]


def _base(rng: Random, foot: Point) -> Piece:
    """The serif of a 1: short or wider than the digit is tall, sloping, touching or a little below."""
    width = rng.uniform(0.15, 0.6) if rng.random() < 0.65 else rng.uniform(0.6, 1.4)
    left, slope = width * rng.uniform(0.3, 0.7), rng.uniform(-0.12, 0.12)
    x, y = foot[0], foot[1] + rng.uniform(-0.04, 0.07)
    return [(x - left, y - slope * left), (x, y + 0.02 * rng.standard_normal()),
            (x + width - left, y + slope * width / 2)]


def _flag(rng: Random, reach: Point, drop: Point) -> Piece:
    """The upstroke; never so flat (under 25 degrees) that the 1 would be a 7."""
    x, y = -rng.uniform(*reach), rng.uniform(*drop)
    y = max(y, -0.47 * x)
    bow = rng.uniform(-0.04, 0.09)
    return [(x, y), (x * 0.45, y * 0.45 + bow), (0.0, 0.0)]


def _one_bare(rng: Random) -> Glyph:
    return [[_stem(rng)]]


def _one_flag(rng: Random) -> Glyph:
    flag, stem = _flag(rng, (0.06, 0.42), (0.02, 0.4)), _stem(rng)
    return [[flag, stem]] if rng.random() < 0.85 else [[flag], [stem]]


def _one_caret(rng: Random) -> Glyph:
    """The continental 1: an upstroke nearly as long as the stem, or just as long."""
    return [[_flag(rng, (0.15, 0.62), (0.35, 1.05)), _stem(rng)]]


def _one_long_flag(rng: Random) -> Glyph:
    """A straight upstroke as steep as a roof, half as long as the stem or longer, in one line with it."""
    steep, reach = np.radians(rng.uniform(36, 68)), rng.uniform(0.35, 0.8)
    flag = [(-reach * np.cos(steep), reach * np.sin(steep)), (0.0, 0.0)]
    stem = _stem(rng)
    pieces = [flag, stem] if rng.random() < 0.8 else [[*flag, *stem[1:]]]
    return [pieces] if rng.random() < 0.75 else [pieces, [_base(rng, stem[-1])]]


def _one_serif(rng: Random) -> Glyph:
    stem = _stem(rng)
    return [[_flag(rng, (0.08, 0.42), (0.06, 0.45)), stem], [_base(rng, stem[-1])]]


def _one_underlined(rng: Random) -> Glyph:
    stem = _stem(rng)
    return [[stem], [_base(rng, stem[-1])]]


# 2 ------------------------------------------------------------------------------------------
def _swan_neck(rng: Random) -> Piece:
    """The head and neck of a 2, down to just before its foot."""
    w, h = rng.uniform(0.42, 0.62), rng.uniform(0.0, 0.1)
    start = [(0.0, rng.uniform(0.12, 0.33))]
    if rng.random() < 0.2:  # a curled start
        start = [(0.17, 0.27), (0.07, 0.32), (0.0, 0.2)]
    belly = rng.uniform(0.22, 0.4)
    return [*start, (0.09, 0.07), (0.52 * w, 0.0), (0.93 * w, 0.12), (w, belly), (0.72 * w, 0.55 + h),
            (0.3 * w, 0.8 + h / 2)]


def _two_flat(rng: Random) -> Glyph:
    foot = (rng.uniform(-0.12, 0.08), 1.0)
    end = (rng.uniform(0.38, 0.7), 1.0 + rng.uniform(-0.1, 0.07))
    return [[[*_swan_neck(rng), foot], [foot, ((foot[0] + end[0]) / 2, 1.0 + rng.uniform(-0.05, 0.03)), end]]]


def _two_wavy(rng: Random) -> Glyph:
    foot, wave = (rng.uniform(-0.1, 0.08), 1.0), rng.uniform(0.03, 0.1)
    base = [foot, (0.14, 1.0 - wave), (0.36, 1.0 + wave / 2), (rng.uniform(0.5, 0.75), 1.0 - rng.uniform(0, 0.16))]
    return [[[*_swan_neck(rng), foot], base]]


def _two_looped(rng: Random) -> Glyph:
    size = rng.uniform(0.5, 1.5)
    loop = [(0.06, 0.97), (-0.05 * size, 0.99 - 0.04 * size), (-0.03, 0.97 - 0.13 * size), (0.1, 0.97 - 0.12 * size)]
    tail = [(0.3, 0.97), (rng.uniform(0.45, 0.62), 1.02), (rng.uniform(0.6, 0.95), rng.uniform(0.88, 1.0))]
    return [[[*_swan_neck(rng), *loop, *tail]]]


def _two_knotted(rng: Random) -> Glyph:
    """A large loop at the foot; the head may start so low that it closes as well."""
    w, loop = rng.uniform(0.4, 0.6), rng.uniform(0.12, 0.3)
    head = [(rng.uniform(-0.05, 0.15), rng.uniform(0.15, 0.5)), (0.1 * w, 0.08), (0.55 * w, 0.0), (w, 0.14),
            (0.95 * w, 0.38), (0.55 * w, 0.72)]
    foot = [(0.1, 0.97), (-0.6 * loop, 1.0), (-loop, 1.0 - 0.5 * loop), (-0.3 * loop, 1.0 - loop), (0.3, 0.9)]
    return [[[*head, *foot, (rng.uniform(0.5, 0.75), 1.03), (rng.uniform(0.65, 0.95), rng.uniform(0.82, 1.0))]]]


def _two_upright(rng: Random) -> Glyph:
    """A small hook, a straight neck down, a loop or a corner, and a foot: close to a decorated L."""
    hook, foot = rng.uniform(0.08, 0.25), (rng.uniform(-0.02, 0.06), 1.0)
    neck = [(-hook * rng.uniform(0.5, 1), rng.uniform(0.1, 0.25)), (0.0, 0.02), (0.16, 0.03), (0.22, 0.2), (0.14, 0.6)]
    loop = [(-0.08, 0.98), (-0.14, 0.88), (0.0, 0.84)] if rng.random() < 0.5 else [foot]
    return [[[*neck, *loop, (0.25, 0.98), (rng.uniform(0.4, 0.7), rng.uniform(0.85, 1.02))]]]


def _two_z(rng: Random) -> Glyph:
    right = (rng.uniform(0.4, 0.6), rng.uniform(-0.03, 0.1))
    foot = (rng.uniform(-0.08, 0.08), 1.0)
    top = [(0.0, rng.uniform(0.02, 0.2)), (0.25, rng.uniform(-0.06, 0.02)), right]
    return [[top, [right, (0.3, 0.5 + rng.uniform(-0.05, 0.08)), foot],
             [foot, (rng.uniform(0.4, 0.8), 1.0 + rng.uniform(-0.1, 0.05))]]]


def _two_long_tail(rng: Random) -> Glyph:
    foot = (rng.uniform(-0.06, 0.06), 1.0)
    tail = [foot, (0.4, 1.0 + rng.uniform(-0.08, 0.06)), (rng.uniform(0.75, 1.15), 1.0 + rng.uniform(-0.16, 0.12))]
    return [[[*_swan_neck(rng), foot], tail]]


def _two_swan(rng: Random) -> Glyph:
    """No corner at all: the foot is a soft turn."""
    return [[[*_swan_neck(rng), (0.02, 0.97), (0.12, 1.0), (0.36, 0.98),
              (rng.uniform(0.5, 0.75), rng.uniform(0.88, 1.03))]]]


# 3 ------------------------------------------------------------------------------------------
def _lower_bow(rng: Random, waist: Point) -> Piece:
    w, drop = rng.uniform(0.4, 0.68), rng.uniform(0.0, 0.06)
    end = [(rng.uniform(-0.1, 0.1), rng.uniform(0.8, 0.98))]
    if rng.random() < 0.12:
        end = [(0.02, 0.94), (-0.02, 0.84), (0.08, 0.8)]  # curls in again
    return [waist, (waist[0] * 0.4 + 0.6 * w, waist[1] + 0.06), (w, 0.7 + drop), (0.8 * w, 0.93), (0.4 * w, 1.0), *end]


def _upper_bow(rng: Random, waist: Point) -> Piece:
    w = rng.uniform(0.36, 0.56)
    start = (rng.uniform(-0.06, 0.1), rng.uniform(0.05, 0.2))
    return [start, (0.38 * w, 0.0), (0.85 * w, 0.06), (w, 0.2), (0.85 * w, 0.35), waist]


def _three_round(rng: Random, x: tuple = (0.1, 0.34), y: tuple = (0.4, 0.5)) -> Glyph:
    """Two bows that meet in a corner between the least and the greatest x and y."""
    waist = (rng.uniform(*x), rng.uniform(*y))
    return [[_upper_bow(rng, waist), _lower_bow(rng, waist)]]


def _three_tongue(rng: Random) -> Glyph:
    """The middle reaches as far left as the ends do."""
    return _three_round(rng, (-0.06, 0.1), (0.42, 0.52))


def _three_curl(rng: Random) -> Glyph:
    x, y, r = rng.uniform(0.1, 0.28), rng.uniform(0.42, 0.5), rng.uniform(0.03, 0.08)
    knot = [(x - r, y - 0.2 * r), (x - 2 * r, y + 0.5 * r), (x - r, y + 1.2 * r)]
    return [[_upper_bow(rng, (x, y)) + knot + _lower_bow(rng, (x, y))[1:]]]


def _three_flat_top(rng: Random) -> Glyph:
    corner = (rng.uniform(0.38, 0.58), rng.uniform(-0.04, 0.06))
    waist = (rng.uniform(0.08, 0.3), rng.uniform(0.35, 0.46))
    top = [(rng.uniform(-0.05, 0.08), rng.uniform(-0.02, 0.06)), corner]
    bow = _lower_bow(rng, waist)
    return [[top, [corner, waist], bow]] if rng.random() < 0.75 else [[top, [corner, waist] + bow[1:]]]


def _three_soft(rng: Random) -> Glyph:
    """Two shallow bows without a corner, open to the left."""
    waist = (rng.uniform(0.2, 0.34), rng.uniform(0.42, 0.5))
    return [[_upper_bow(rng, waist) + _lower_bow(rng, waist)[1:]]]


# 4 ------------------------------------------------------------------------------------------
def _four_bar(rng: Random, left: Point) -> Piece:
    return [left, (rng.uniform(0.48, 0.85), left[1] + rng.uniform(-0.14, 0.06))]


def _four_open(rng: Random) -> Glyph:
    left = (0.0, rng.uniform(0.4, 0.7))
    down = [(rng.uniform(0.0, 0.36), rng.uniform(-0.08, 0.1)), left]
    stem = [(rng.uniform(0.36, 0.55), rng.uniform(-0.1, 0.42)), (rng.uniform(0.32, 0.46), rng.uniform(0.85, 1.2))]
    return [[down, _four_bar(rng, left)], [stem]]


def _four_wide(rng: Random) -> Glyph:
    """A slanting arm, a long bar, and a stem across or at its very end."""
    left, x = (0.0, rng.uniform(0.5, 0.72)), rng.uniform(0.6, 0.9)
    down = [(rng.uniform(0.2, 0.55), rng.uniform(-0.08, 0.1)), left]
    bar = [left, (x + rng.uniform(-0.04, 0.25), left[1] + rng.uniform(-0.14, 0.06))]
    stem = [(x + rng.uniform(-0.02, 0.06), left[1] - rng.uniform(0.15, 0.45)), (x, left[1] + rng.uniform(0.2, 0.5))]
    return [[down, bar], [stem]]


def _four_l(rng: Random) -> Glyph:
    """An L with a low foot, which a short stem crosses."""
    left, x = (0.0, rng.uniform(0.55, 0.9)), rng.uniform(0.22, 0.5)
    down = [(rng.uniform(-0.06, 0.08), 0.0), left]
    bar = [left, (x + rng.uniform(0.1, 0.4), left[1] + rng.uniform(-0.22, 0.04))]
    stem = [(x + rng.uniform(-0.06, 0.06), left[1] - rng.uniform(0.15, 0.5)),
            (x + rng.uniform(-0.06, 0.12), left[1] + rng.uniform(0.1, 0.45))]
    return [[down, bar], [stem]]


def _four_closed(rng: Random) -> Glyph:
    left, top = (0.0, rng.uniform(0.5, 0.75)), (rng.uniform(0.36, 0.5), 0.0)
    stem = [(top[0] + rng.uniform(-0.04, 0.04), rng.uniform(-0.06, 0.05)),
            (top[0] + rng.uniform(-0.1, 0.06), rng.uniform(0.9, 1.15))]
    return [[[top, left], _four_bar(rng, left)], [stem]]


def _four_one_stroke(rng: Random) -> Glyph:
    """Up the stem, down to the left, across."""
    left, top = (0.0, rng.uniform(0.5, 0.72)), (rng.uniform(0.38, 0.5), 0.0)
    stem = [(top[0] + rng.uniform(-0.12, 0.04), 1.0), top]
    return [[stem[::-1]], [[top, left], _four_bar(rng, left)]]


def _four_lightning(rng: Random) -> Glyph:
    left, right = (0.0, rng.uniform(0.42, 0.62)), (rng.uniform(0.38, 0.6), rng.uniform(0.34, 0.55))
    down = [(rng.uniform(0.16, 0.42), 0.0), left]
    foot = (rng.uniform(0.08, 0.4), rng.uniform(0.95, 1.1))
    if rng.random() < 0.5:
        return [[down, [left, right], [right, foot]]]
    rise = rng.uniform(0.05, 0.22)
    return [[down, _four_bar(rng, left)], [[(right[0], right[1] - rise), foot]]]


def _four_looped(rng: Random) -> Glyph:
    left = (0.0, rng.uniform(0.45, 0.6))
    down = [(rng.uniform(0.15, 0.4), 0.0), left]
    loop = [left, (0.22, left[1] + 0.06), (0.46, left[1] - 0.08), (0.52, left[1] - 0.25), (0.45, left[1] - 0.2)]
    return [[down, [*loop, (0.4, 0.62), (rng.uniform(0.3, 0.44), 1.0)]]]


def _four_round(rng: Random) -> Glyph:
    """A u with a stem."""
    depth, w = rng.uniform(0.4, 0.62), rng.uniform(0.36, 0.52)
    cup = [(rng.uniform(-0.03, 0.12), 0.0), (0.0, depth - 0.14), (0.14, depth), (w * 0.75, depth - 0.03),
           (w + rng.uniform(-0.02, 0.2), depth - rng.uniform(0.04, 0.16))]
    return [[cup], [[(w + rng.uniform(-0.02, 0.07), rng.uniform(-0.12, 0.25)),
                     (w - rng.uniform(0.0, 0.1), rng.uniform(0.9, 1.1))]]]


def _four_y(rng: Random) -> Glyph:
    """An arm that bends into the middle of a long stem, as in a y; the arm may start with a hook."""
    depth, w = rng.uniform(0.38, 0.62), rng.uniform(0.3, 0.5)
    start = (rng.uniform(-0.06, 0.08), rng.uniform(-0.05, 0.14))
    hook = [(start[0] - rng.uniform(0.04, 0.14), start[1] + rng.uniform(0.04, 0.14))] if rng.random() < 0.25 else []
    arm = [*hook, start, (rng.uniform(-0.02, 0.08), 0.65 * depth), (0.45 * w, depth),
           (w + rng.uniform(-0.03, 0.06), depth - rng.uniform(0.02, 0.16))]
    stem = [(w + rng.uniform(0.0, 0.16), rng.uniform(-0.1, 0.16)),
            (w - rng.uniform(-0.02, 0.16), rng.uniform(0.95, 1.25))]
    return [[arm], [stem]]


def _four_crossed_low(rng: Random) -> Glyph:
    """A short stem crossing the bar far out, the triangle open at the top."""
    left = (0.0, rng.uniform(0.55, 0.78))
    down = [(rng.uniform(0.15, 0.45), 0.0), left]
    x = rng.uniform(0.28, 0.45)
    return [[down, _four_bar(rng, left)], [[(x, left[1] - rng.uniform(0.12, 0.3)),
                                            (x - rng.uniform(-0.02, 0.08), left[1] + rng.uniform(0.2, 0.42))]]]


def _four_fish(rng: Random) -> Glyph:
    """The arm turns below and crosses itself on the way to the bar: a fish, or an alpha, with a stem."""
    low, w = rng.uniform(0.42, 0.66), rng.uniform(0.55, 0.85)
    high = low - rng.uniform(0.16, 0.34)
    arm = [(w * rng.uniform(0.5, 0.85), rng.uniform(-0.08, 0.12)), (0.42 * w, low - 0.08), (0.2 * w, low),
           (0.0, (low + high) / 2), (0.16 * w, high), (0.45 * w, low - rng.uniform(0.08, 0.16)),
           (w * rng.uniform(1.0, 1.2), low - rng.uniform(0.0, 0.16))]
    stem = [(w * rng.uniform(0.78, 0.95), rng.uniform(0.0, 0.25)), (w * rng.uniform(0.7, 0.9), rng.uniform(0.9, 1.15))]
    return [[arm], [stem]]


# The second number is how often a style is drawn, out of the label's sum.
STYLES_0_TO_4: dict[int, list[tuple[Style, float]]] = {
    0: [(partial(_zero_ring, narrowest=0.2, widest=0.46), 5), (partial(_zero_ring, narrowest=0.11, widest=0.2), 1),
        (partial(_zero_ring, narrowest=0.5, widest=0.75), 1), (_zero_slashed, 0.8), (_zero_curl, 1),
        (_zero_polygon, 1), (_zero_tailed, 1), (_zero_looped, 0.8), (_zero_two_strokes, 0.7)],
    1: [(_one_bare, 1.5), (_one_flag, 3), (_one_caret, 2.5), (_one_long_flag, 3), (_one_serif, 2),
        (_one_underlined, 1.5)],
    2: [(_two_flat, 3), (_two_wavy, 2), (_two_looped, 2), (_two_knotted, 1.2),
        (_two_upright, 0.6), (_two_z, 1.5), (_two_long_tail, 1.2), (_two_swan, 1)],
    3: [(_three_round, 4), (_three_tongue, 1.3), (_three_curl, 1.2), (_three_flat_top, 2), (_three_soft, 1)],
    4: [(_four_open, 4), (_four_closed, 2.5), (_four_one_stroke, 1), (_four_lightning, 2), (_four_looped, 1),
        (_four_round, 1.5), (_four_y, 1.5), (_four_crossed_low, 1), (_four_fish, 1), (_four_wide, 1),
        (_four_l, 1.5)],
}
