"""A pen and the hand that moves it: control points in, antialiased ink out (numpy and OpenCV only).

A *glyph* is a list of strokes, a stroke is a list of pieces, a piece is a list of (x, y) control points.
Pieces are smooth inside and meet in corners; strokes are separate pen movements. Coordinates are free (y is
down, a digit is about one unit tall): `write` brings every glyph to the size asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

SAMPLES = 8  # points a Catmull-Rom span is cut into: at 128 px, chords of about 3 px, below the pen's width
FILL = 0.84  # share of the picture that the longer side of a glyph spans, pen width included
SUPERSAMPLING = 2  # OpenCV pens have whole widths; drawn twice as large and averaged, halves are possible
SHIFT = 4  # fractional bits of the coordinates given to OpenCV
Random = np.random.Generator
Point = tuple[float, float]
Piece = list[Point]
Glyph = list[list[Piece]]
Style = Callable[[Random], Glyph]


T = np.arange(SAMPLES)[:, None] / SAMPLES
BASIS = 0.5 * np.hstack([-T + 2 * T**2 - T**3, 2 - 5 * T**2 + 3 * T**3, T + 4 * T**2 - 3 * T**3, -(T**2) + T**3])


@dataclass(frozen=True)
class Hand:
    """One writer's habits at one moment; lengths are fractions of the digit's height."""

    slant: float = 0.0  # shear, positive leans to the right
    aspect: float = 1.0  # factor on the width
    angle: float = 0.0  # rotation in degrees
    jitter: float = 0.0  # standard deviation of the control points
    tremor: float = 0.0  # standard deviation of the fine shaking along the line
    bend: float = 0.0  # amplitude of the smooth warp of the whole glyph
    taper: float = 0.0  # how much narrower the top is than the bottom
    width: float = 0.08  # pen width
    pressure: float = 0.0  # relative change of the pen's width along a stroke
    rounding: int = 1  # points the line is averaged over, so that corners get as round as a fast hand makes them


def random_hand(rng: np.random.Generator, wildness: float = 1.0) -> Hand:
    """Return a writer with a pen: thin ballpoints (1/80 of the height) to fat markers (1/5).

    Args:
        wildness: 1 for the whole range of handwriting, 0 for a ruler's straightness.
    """
    slant, stretch, angle, bend, taper = rng.standard_normal(5)
    careless = wildness * rng.uniform(0.2, 1.3)
    width = np.exp(rng.uniform(np.log(1 / 80), np.log(1 / 6 if rng.random() < 0.85 else 1 / 4.8)))
    return Hand(
        slant=wildness * (0.07 + 0.15 * slant),
        aspect=float(np.exp(np.clip(0.19 * wildness * stretch, -0.5, 0.45))),
        angle=wildness * float(np.clip(5 * angle, -12, 12)),
        jitter=0.017 * careless,
        tremor=0.004 * careless if rng.random() < 0.5 else 0.0,
        bend=0.022 * careless * bend,
        taper=0.09 * wildness * taper,
        width=float(width),
        pressure=rng.uniform(0.1, 0.45) if rng.random() < 0.4 else 0.0,
        rounding=int(rng.integers(1, 7)),
    )


def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float, points: int) -> Piece:
    """Return points on an ellipse from angle `start` to `end` (degrees, 0 is right, 90 is up)."""
    angles = np.radians(np.linspace(start, end, points))
    return list(zip((cx + rx * np.cos(angles)).tolist(), (cy - ry * np.sin(angles)).tolist(), strict=True))


def spline(points: np.ndarray) -> np.ndarray:
    """Return the smooth line through `points`, float (n, 2), sampled SAMPLES times a span (Catmull-Rom)."""
    if len(points) < 3:
        steps = np.arange(2 * SAMPLES + 1)[:, None] / (2 * SAMPLES)
        return points[:1] + steps * (points[-1:] - points[:1])
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    windows = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)  # (n - 1, 4, 2)
    return np.concatenate([(BASIS @ windows).reshape(-1, 2), points[-1:]])


def trace(glyph: Glyph, hand: Hand, rng: np.random.Generator) -> list[np.ndarray]:
    """Return one float line (n, 2) a stroke: the glyph as this hand draws it, in the glyph's own units."""
    lines = []
    for stroke in glyph:
        pieces = []
        for piece in stroke:
            points = np.asarray(piece, np.float64)
            jittered = points + hand.jitter * rng.standard_normal(points.shape)
            if pieces:
                jittered[0] = pieces[-1][-1]  # where pieces meet they share the same jittered point
            pieces.append(spline(jittered))
        lines.append(_round_corners(np.concatenate(pieces), hand.rounding))
    return _deform(lines, hand, rng)


def _round_corners(line: np.ndarray, window: int) -> np.ndarray:
    if window < 2 or len(line) < 2 * window:
        return line
    padded = np.concatenate([np.repeat(line[:1], window, 0), line, np.repeat(line[-1:], window, 0)])
    sums = np.cumsum(padded, axis=0)
    return (sums[window:] - sums[:-window]) / window


def _deform(lines: list[np.ndarray], hand: Hand, rng: np.random.Generator) -> list[np.ndarray]:
    """Bend, taper, slant, stretch, turn and shake all strokes together."""
    points = np.concatenate(lines)
    centre = (points.min(0) + points.max(0)) / 2
    x, y = (points - centre).T
    if hand.bend:
        phase = rng.uniform(0, 2 * np.pi, 2)
        rate = rng.uniform(3, 8, 2)
        x, y = x + hand.bend * np.sin(rate[0] * y + phase[0]), y + hand.bend * np.sin(rate[1] * x + phase[1])
    x = x * (1 + hand.taper * y)
    written = turned(np.stack([x, y]), hand).T
    if hand.tremor:
        written += hand.tremor * cv2.blur(rng.standard_normal(written.shape), (1, 3)) * 1.7
    return np.split(written, np.cumsum([len(line) for line in lines])[:-1])


def turned(points: np.ndarray, hand: Hand) -> np.ndarray:
    """Return points or directions (2, ...) as this hand stretches, slants and turns them."""
    x, y = points
    x = x * hand.aspect - hand.slant * y
    turn = np.radians(hand.angle)
    return np.stack([np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x])


def write(glyph: Glyph, hand: Hand, rng: np.random.Generator, size: int = 128) -> np.ndarray:
    """Return the ink of one glyph, uint8 (size, size), white on black, centred."""
    lines = trace(glyph, hand, rng)
    points = np.concatenate(lines)
    low, high = points.min(0), points.max(0)
    extent = max(float((high - low).max()), 1e-3)
    scale = FILL * size / (extent * (1 + hand.width))
    offset = size / 2 - scale * (low + high) / 2
    return ink_lines([line * scale + offset for line in lines], hand.width * extent * scale, size, hand.pressure, rng)


def ink_lines(lines: list[np.ndarray], width: float, size: int, pressure: float,
              rng: np.random.Generator) -> np.ndarray:
    """Draw lines (n, 2) in pixels with a round pen of `width` pixels; return uint8 (size, size)."""
    factor = SUPERSAMPLING if size <= 256 else 1
    canvas = np.zeros((size * factor, size * factor), np.uint8)
    for line in lines:
        fixed = np.rint((line * factor + (factor - 1) / 2) * (1 << SHIFT)).astype(np.int32).reshape(-1, 1, 2)
        for part, thickness in _pressed(fixed, width * factor, pressure, rng):
            cv2.polylines(canvas, [part], False, 255, thickness, cv2.LINE_AA, SHIFT)
    return cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA) if factor > 1 else canvas


def _pressed(line: np.ndarray, width: float, pressure: float, rng: np.random.Generator):
    """Yield (part of the line, whole thickness): one part at even pressure, several where it changes."""
    parts = min(10, len(line) // 4) if pressure else 1
    if parts < 2:
        yield line, max(1, round(width))
        return
    course = np.sin(rng.uniform(0, 6.3) + rng.uniform(2, 6) * np.arange(parts) / parts)
    edges = np.linspace(0, len(line), parts + 1).astype(int)
    for start, end, push in zip(edges[:-1], edges[1:], course, strict=True):
        yield line[max(0, start - 1) : end], max(1, round(width * (1 + 0.5 * pressure * push)))
