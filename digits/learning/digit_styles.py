"""How people write the ten digits: each function gives one digit of one style as control points (see `pen`).

Numbers are positions in a box one unit tall, taken from how manuals and many hands form the digits;
the random ranges around them are wide on purpose: MNIST's American writers are only a part of the world.
"""

from collections.abc import Callable

import numpy as np

from digits.learning.pen import Glyph, arc

Random = np.random.Generator
Style = Callable[[Random], Glyph]


# 0 ------------------------------------------------------------------------------------------
def _ring(rng: Random, rx: float, points: int = 9, sweep: float | None = None) -> list[tuple[float, float]]:
    """A closed loop, seldom closed exactly: from 40 degrees short to 60 too far, drifting in or out."""
    start = rng.uniform(50, 140)
    sweep = 360 + rng.uniform(-38, 60) if sweep is None else sweep
    ring = np.array(arc(0, 0, rx, 0.5, start, start + sweep, points + int(sweep > 400)))
    drift = np.linspace(1, rng.uniform(0.86, 1.1), len(ring))
    return list(map(tuple, ring * drift[:, None]))


def _zero_plain(rng: Random) -> Glyph:
    return [[_ring(rng, rng.uniform(0.2, 0.46))]]


def _zero_narrow(rng: Random) -> Glyph:
    return [[_ring(rng, rng.uniform(0.11, 0.2))]]


def _zero_wide(rng: Random) -> Glyph:
    return [[_ring(rng, rng.uniform(0.5, 0.75))]]


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
    return [[[a, (0.54 * (a[0] + b[0]), 0.54 * (a[1] + b[1])), b] for a, b in zip(ring[:-1], ring[1:], strict=True)]]


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
def _stem(rng: Random) -> list[tuple[float, float]]:
    lean, bow = rng.uniform(-0.08, 0.08), 0.035 * rng.standard_normal()
    return [(0.0, 0.0), (lean / 2 + bow, 0.5), (lean, 1.0)]


def _base(rng: Random, foot: tuple[float, float]) -> list[tuple[float, float]]:
    """The serif of a 1: short or wider than the digit is tall, sloping, touching or a little below."""
    width = rng.uniform(0.15, 0.6) if rng.random() < 0.65 else rng.uniform(0.6, 1.4)
    left, slope = width * rng.uniform(0.3, 0.7), rng.uniform(-0.12, 0.12)
    x, y = foot[0], foot[1] + rng.uniform(-0.04, 0.07)
    return [(x - left, y - slope * left), (x, y + 0.02 * rng.standard_normal()),
            (x + width - left, y + slope * width / 2)]


def _flag(rng: Random, reach: tuple[float, float], drop: tuple[float, float]) -> list[tuple[float, float]]:
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
    """The continental 1: an upstroke nearly as long as the stem."""
    return [[_flag(rng, (0.15, 0.62), (0.35, 0.95)), _stem(rng)]]


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
def _swan_neck(rng: Random) -> list[tuple[float, float]]:
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
def _lower_bow(rng: Random, waist: tuple[float, float]) -> list[tuple[float, float]]:
    w, drop = rng.uniform(0.4, 0.68), rng.uniform(0.0, 0.06)
    end = [(rng.uniform(-0.1, 0.1), rng.uniform(0.8, 0.98))]
    if rng.random() < 0.12:
        end = [(0.02, 0.94), (-0.02, 0.84), (0.08, 0.8)]  # curls in again
    return [waist, (waist[0] * 0.4 + 0.6 * w, waist[1] + 0.06), (w, 0.7 + drop), (0.8 * w, 0.93), (0.4 * w, 1.0),
            *end]


def _upper_bow(rng: Random, waist: tuple[float, float]) -> list[tuple[float, float]]:
    w = rng.uniform(0.36, 0.56)
    start = (rng.uniform(-0.06, 0.1), rng.uniform(0.05, 0.2))
    return [start, (0.38 * w, 0.0), (0.85 * w, 0.06), (w, 0.2), (0.85 * w, 0.35), waist]


def _three_round(rng: Random) -> Glyph:
    waist = (rng.uniform(0.1, 0.34), rng.uniform(0.4, 0.5))
    return [[_upper_bow(rng, waist), _lower_bow(rng, waist)]]


def _three_tongue(rng: Random) -> Glyph:
    """The middle reaches as far left as the ends do."""
    waist = (rng.uniform(-0.06, 0.1), rng.uniform(0.42, 0.52))
    return [[_upper_bow(rng, waist), _lower_bow(rng, waist)]]


def _three_curl(rng: Random) -> Glyph:
    x, y, r = rng.uniform(0.1, 0.28), rng.uniform(0.42, 0.5), rng.uniform(0.03, 0.08)
    knot = [(x - r, y - 0.2 * r), (x - 2 * r, y + 0.5 * r), (x - r, y + 1.2 * r)]
    return [[_upper_bow(rng, (x, y)) + knot + _lower_bow(rng, (x, y))[1:]]]


def _three_flat_top(rng: Random) -> Glyph:
    corner, waist = ((rng.uniform(0.38, 0.58), rng.uniform(-0.04, 0.06)),
                     (rng.uniform(0.08, 0.3), rng.uniform(0.35, 0.46)))
    top = [(rng.uniform(-0.05, 0.08), rng.uniform(-0.02, 0.06)), corner]
    bow = _lower_bow(rng, waist)
    return [[top, [corner, waist], bow]] if rng.random() < 0.75 else [[top, [corner, waist] + bow[1:]]]


def _three_soft(rng: Random) -> Glyph:
    """Two shallow bows without a corner, open to the left."""
    waist = (rng.uniform(0.2, 0.34), rng.uniform(0.42, 0.5))
    return [[_upper_bow(rng, waist) + _lower_bow(rng, waist)[1:]]]


# 4 ------------------------------------------------------------------------------------------
def _four_bar(rng: Random, left: tuple[float, float]) -> list[tuple[float, float]]:
    return [left, (rng.uniform(0.48, 0.85), left[1] + rng.uniform(-0.14, 0.06))]


def _four_open(rng: Random) -> Glyph:
    left = (0.0, rng.uniform(0.4, 0.7))
    down = [(rng.uniform(0.0, 0.36), rng.uniform(-0.08, 0.1)), left]
    stem = [(rng.uniform(0.36, 0.55), rng.uniform(-0.1, 0.42)), (rng.uniform(0.32, 0.46), rng.uniform(0.85, 1.2))]
    return [[down, _four_bar(rng, left)], [stem]]


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


# 5 ------------------------------------------------------------------------------------------
def _five_belly(rng: Random, start: tuple[float, float]) -> list[tuple[float, float]]:
    w, rise = rng.uniform(0.44, 0.66), rng.uniform(0.0, 0.12)
    end = (rng.uniform(-0.14, 0.1), rng.uniform(0.84, 1.0))
    return [start, (0.5 * w, start[1] - rise), (0.9 * w, start[1] + 0.09), (w, 0.7), (0.8 * w, 0.92), (0.4 * w, 1.0),
            end]


def _five_body(rng: Random) -> list[list[tuple[float, float]]]:
    shoulder = (rng.uniform(-0.06, 0.06), rng.uniform(0.34, 0.52))
    return [[(rng.uniform(0.0, 0.16), 0.0), shoulder], _five_belly(rng, shoulder)]


def _five_bar(rng: Random, x: float, y: float) -> list[tuple[float, float]]:
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
    return [[[a, b] for a, b in zip(corners[:-1], corners[1:], strict=True)]]


def _five_slanted(rng: Random) -> Glyph:
    """Written fast: the stem leans, the bar is a dash going up, the belly is small."""
    shoulder = (rng.uniform(0.02, 0.12), rng.uniform(0.38, 0.55))
    top = (shoulder[0] + rng.uniform(0.08, 0.24), 0.0)
    bar = _five_bar(rng, top[0], top[1])
    belly = _five_belly(rng, shoulder)
    return [[bar[::-1], [top, shoulder] + belly[1:]]] if rng.random() < 0.6 else [[[top, shoulder], belly], [bar]]


def _five_no_bar(rng: Random) -> Glyph:
    """The bar is only a hook."""
    body = _five_body(rng)
    x, y = body[0][0]
    return [[[(x + rng.uniform(0.1, 0.22), y + rng.uniform(-0.06, 0.05)), (x, y)], *body]]


# 6 ------------------------------------------------------------------------------------------
def _six_loop(rng: Random, top: float, w: float) -> list[tuple[float, float]]:
    """From the lower left round to where the loop meets the stem, short of it or past it."""
    meet = rng.choice(3, p=[0.62, 0.22, 0.16])
    loop = [(0.08 * w, 0.9), (0.42 * w, 1.0), (0.88 * w, 0.92), (w, 0.5 * (top + 1)), (0.8 * w, top + 0.04),
            (0.45 * w, top)]
    if meet == 0:
        return [*loop, (rng.uniform(0.0, 0.12), top + rng.uniform(0.05, 0.16))]
    if meet == 1:  # open
        return loop[: int(rng.integers(5, 7))]
    return [*loop, (0.1 * w, top + 0.12), (rng.uniform(0.0, 0.12), 0.88)]  # an inner curl


def _six_curved(rng: Random) -> Glyph:
    w, top = rng.uniform(0.36, 0.66), rng.uniform(0.38, 0.66)
    stem = [(w * rng.uniform(0.5, 1.05), rng.uniform(-0.03, 0.04)), (0.45 * w, 0.09), (0.1 * w, 0.36), (0.0, 0.66)]
    return [[stem + _six_loop(rng, top, w)]]


def _six_hooked(rng: Random) -> Glyph:
    w, top = rng.uniform(0.38, 0.6), rng.uniform(0.42, 0.62)
    hook = [(w * rng.uniform(0.8, 1.2), rng.uniform(0.08, 0.22)), (w * 0.72, 0.0), (0.3 * w, 0.07), (0.04 * w, 0.36),
            (0.0, 0.68)]
    return [[hook + _six_loop(rng, top, w)]]


def _six_curled(rng: Random) -> Glyph:
    """The stem starts with a wide bow, nearly a C, and the loop is its lower end."""
    w, top = rng.uniform(0.4, 0.62), rng.uniform(0.55, 0.72)
    bow = [(w * rng.uniform(0.8, 1.05), rng.uniform(0.14, 0.3)), (w, 0.1), (0.7 * w, 0.0), (0.2 * w, 0.06),
           (0.0, 0.32), (0.03 * w, 0.68)]
    return [[bow + _six_loop(rng, top, w)]]


def _six_straight(rng: Random) -> Glyph:
    w, top = rng.uniform(0.32, 0.6), rng.uniform(0.45, 0.7)
    return [[[(w * rng.uniform(0.05, 0.9), 0.0), (0.16 * w, 0.42), (0.0, 0.72)] + _six_loop(rng, top, w)]]


def _six_swept(rng: Random) -> Glyph:
    """The stem comes from far to the right, nearly lying, as the tail of a sigma."""
    w, top = rng.uniform(0.45, 0.75), rng.uniform(0.25, 0.5)
    stem = [(w * rng.uniform(1.15, 2.1), rng.uniform(0.0, 0.3)), (0.75 * w, rng.uniform(0.02, 0.16)), (0.2 * w, 0.3),
            (0.0, 0.66)]
    return [[stem + _six_loop(rng, top, w)]]


def _six_tiny_loop(rng: Random) -> Glyph:
    w, top = rng.uniform(0.18, 0.32), rng.uniform(0.64, 0.8)
    return [[[(w * rng.uniform(0.5, 1.6), 0.0), (0.3 * w, 0.4), (0.0, 0.78)] + _six_loop(rng, top, w)]]


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
    return [[[a, b] for a, b in zip(corners[:-1], corners[1:], strict=True)]]


# 7 ------------------------------------------------------------------------------------------
def _seven(rng: Random, top: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    corner = (rng.uniform(0.4, 0.64), rng.uniform(-0.05, 0.06))
    foot = (corner[0] - rng.uniform(0.02, 0.5), 1.0)
    bow = rng.uniform(-0.02, 0.12)
    stem = [corner, ((corner[0] + foot[0]) / 2 - bow * 0.8, 0.48), foot]
    return [[*top, corner], stem]


def _cross(rng: Random, stem: list[tuple[float, float]]) -> list[tuple[float, float]]:
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
    return _with_cross(rng, [top + [(stem[0][0], 0.14)] + stem[1:]],
                       0.0) if rng.random() < 0.5 else [[top + stem[1:]], [_cross(rng, stem)]]


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
def _eight(rng: Random) -> list[tuple[float, float]]:
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
    line = _eight_crossing(rng)[0][0]
    turned = [(x * np.cos(angle) - (y - 0.5) * np.sin(angle), x * np.sin(angle) + (y - 0.5) * np.cos(angle)) for x,
              y in line]
    return [[turned]]


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
    return [[[a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + rng.uniform(-0.05, 0.05)), b] for a,
             b in zip(points[:-1], points[1:], strict=True)]]


# 9 ------------------------------------------------------------------------------------------
def _nine_loop(rng: Random, sweep: tuple[float, float]) -> tuple[list[tuple[float, float]], float, float]:
    w, h = rng.uniform(0.34, 0.6), rng.uniform(0.2, 0.34)
    start = rng.uniform(5, 60)
    return arc(w / 2, h, w / 2, h, start, start + rng.uniform(*sweep), 8), w, h


def _nine_tail(rng: Random, w: float, h: float, kind: int) -> list[tuple[float, float]]:
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
STYLES: dict[int, list[tuple[Style, float]]] = {
    0: [(_zero_plain, 5), (_zero_narrow, 1), (_zero_wide, 1), (_zero_slashed, 0.8), (_zero_curl, 1),
        (_zero_polygon, 1), (_zero_tailed, 1), (_zero_looped, 0.8), (_zero_two_strokes, 0.7)],
    1: [(_one_bare, 1.5), (_one_flag, 3), (_one_caret, 2), (_one_long_flag, 3), (_one_serif, 2),
        (_one_underlined, 1.5)],
    2: [(_two_flat, 3), (_two_wavy, 2), (_two_looped, 2), (_two_knotted, 1.2),
        (_two_upright, 0.6), (_two_z, 1.5), (_two_long_tail, 1.2), (_two_swan, 1)],
    3: [(_three_round, 4), (_three_tongue, 1.3), (_three_curl, 1.2), (_three_flat_top, 2), (_three_soft, 1)],
    4: [(_four_open, 4), (_four_closed, 2.5), (_four_one_stroke, 1), (_four_lightning, 2), (_four_looped, 1),
        (_four_round, 1.5), (_four_y, 1.5), (_four_crossed_low, 1), (_four_fish, 1)],
    5: [(_five_two_strokes, 3), (_five_detached, 1.8), (_five_one_stroke, 2.5), (_five_s, 1), (_five_square, 0.8),
        (_five_slanted, 1.5), (_five_no_bar, 0.5)],
    6: [(_six_curved, 4), (_six_hooked, 2), (_six_curled, 0.8), (_six_straight, 2), (_six_tiny_loop, 0.8),
        (_six_flat_loop, 1), (_six_swept, 0.7), (_six_square, 0.8)],
    7: [(_seven_plain, 4), (_seven_wavy, 1.5), (_seven_serif, 1.5), (_seven_curved, 1.2), (_seven_cup, 1.5),
        (_seven_double, 0.7), (_seven_sharp, 1),
        (_seven_footed, 0.5)],
    8: [(_eight_crossing, 4), (_eight_open_top, 1.2), (_eight_mirrored, 1.5), (_eight_stacked, 2),
        (_eight_lying, 0.6), (_eight_hooked, 0.4), (_eight_angular, 0.4)],
    9: [(_nine_closed, 4), (_nine_open, 1.5), (_nine_stick, 1.2), (_nine_swing, 1.5), (_nine_flat, 1)],
}


def digit_glyph(label: int, rng: Random) -> Glyph:
    """Return control points of one digit in a style drawn by its share."""
    styles = STYLES[label]
    shares = np.cumsum([share for _, share in styles])
    return styles[int(np.searchsorted(shares, rng.uniform(0, shares[-1])))][0](rng)
