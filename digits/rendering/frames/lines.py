"""Lines of tables, boxes and squared paper: printed or drawn by hand, whole, dashed or double, bent with the paper."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.rendering.frames.canvas import Mark, cover_paper
from digits.rendering.frames.sheet import Sheet
from digits.rendering.frames.writing import log_uniform

Segment = tuple[tuple[float, float], tuple[float, float]]
_STEP = 24  # pixels between the points of a bent or wobbly line


@dataclass(frozen=True)
class Lines:
    """How lines are drawn; all lengths are in pixels.

    Attributes:
        wobble: deviation of a hand's line from a straight one.
        overshoot: deviation of a line's ends from where they should be.
        double: distance between two strands of a double line, 0 for a single line.
        dash: length of a dash and of the gap after it, 0 for a whole line.
        missing: share of the lines that are left out.
        bend: from the points of flat paper, float (n, 2), to those of the bent paper; None for flat paper.
    """

    mark: Mark
    thickness: float
    wobble: float = 0.0
    overshoot: float = 0.0
    double: float = 0.0
    dash: float = 0.0
    missing: float = 0.0
    bend: Callable[[np.ndarray], np.ndarray] | None = None


def line_mark(sheet: Sheet) -> Mark:
    """Return a mark for lines, from hardly seen to black; to white on dark grounds."""
    rng = sheet.rng
    tone = float(rng.uniform(0.05, 0.6)) if sheet.tone > 0.45 else float(rng.uniform(0.5, 0.95))
    return Mark(tone, log_uniform(rng, 0.15, 1.0), 0.3 * float(rng.random()) if rng.random() < 0.3 else 0.0)


def printed_lines(sheet: Sheet, tall: float) -> Lines:
    """Return straight lines, hair lines to thick ones, for a print whose digits are `tall` pixels."""
    rng = sheet.rng
    thickness = float(np.clip(tall * log_uniform(rng, 0.015, 0.14), 0.5, 7))
    double = thickness + max(2.0, rng.uniform(0.05, 0.15) * tall) if rng.random() < 0.08 else 0.0
    return Lines(line_mark(sheet), thickness, double=double)


def drawn_lines(sheet: Sheet, tall: float, mark: Mark | None = None) -> Lines:
    """Return lines drawn by hand, with the pen of the writing (`mark`) or another one."""
    rng = sheet.rng
    mark = line_mark(sheet) if mark is None or rng.random() < 0.3 else mark
    thickness = float(np.clip(tall * log_uniform(rng, 0.03, 0.16), 0.8, 9))
    return Lines(mark, thickness, tall * log_uniform(rng, 0.008, 0.07), tall * log_uniform(rng, 0.03, 0.4),
                 double=thickness + rng.uniform(0.03, 0.12) * tall if rng.random() < 0.06 else 0.0,
                 missing=rng.uniform(0, 0.2) if rng.random() < 0.25 else 0.0)


def random_bend(rng: np.random.Generator, size: tuple[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    """Return how paper that does not lie flat moves points, float (n, 2), of a picture of `size`."""
    reach = rng.uniform(0, 0.02, 2) * max(size)
    waves = rng.uniform(1.5, 5, 2) / max(size)
    phases = rng.uniform(0, 6.3, 2)
    return lambda points: points + reach * np.sin(points[:, ::-1] * waves + phases)


def draw(sheet: Sheet, lines: Lines, segments: Iterable[Segment]) -> None:
    """Draw straight segments ((x, y), (x, y)) as `lines` says. Lines are neither digits nor other writing."""
    strands: list[np.ndarray] = []
    for start, end in segments:
        if sheet.rng.random() >= lines.missing:
            strands += _strands(sheet, lines, np.asarray(start, float), np.asarray(end, float))
    cover(sheet, strands, lines.thickness, lines.mark)


def box_sides(left: float, top: float, right: float, bottom: float) -> list[Segment]:
    """Return the four sides of a box."""
    return [((left, top), (right, top)), ((right, top), (right, bottom)), ((right, bottom), (left, bottom)),
            ((left, bottom), (left, top))]


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> np.ndarray:
    """Return the outline of a box with rounded corners, float (n, 2); with the largest radius an ellipse."""
    across, down = min(radius, (right - left) / 2), min(radius, (bottom - top) / 2)
    if radius >= max(right - left, bottom - top) / 2:
        across, down = (right - left) / 2, (bottom - top) / 2
    points = []
    for turn, x, y in ((0, right - across, bottom - down), (1, left + across, bottom - down),
                       (2, left + across, top + down), (3, right - across, top + down)):
        angles = np.pi / 2 * (turn + np.linspace(0, 1, 7))
        points.append(np.column_stack([x + across * np.cos(angles), y + down * np.sin(angles)]))
    return np.concatenate([*points, points[0][:1]])


def cover(sheet: Sheet, strands: list[np.ndarray], thickness: float, mark: Mark) -> None:
    """Draw polylines, float (n, 2) each, onto the paper at once, so that crossings are no darker than the lines."""
    if not strands:
        return
    points = np.concatenate(strands)
    low = np.maximum(np.floor(points.min(0) - thickness - 2).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0) + thickness + 2).astype(int), sheet.size)
    if np.any(high <= low):
        return
    mask = np.zeros((high - low)[::-1], np.uint8)
    fixed = [np.rint(np.clip(strand - low, -4000, 4000) * 16).astype(np.int32) for strand in strands]
    cv2.polylines(mask, fixed, False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
    if thickness < 1:
        mask = cv2.convertScaleAbs(mask, alpha=float(thickness))
    cover_paper(sheet.canvas.paper[low[1] : high[1], low[0] : high[0]], mask, mark, sheet.rng)


def stroke_mask(strands: list[np.ndarray], thickness: float) -> tuple[np.ndarray, float, float]:
    """Return the ink of polylines, float (n, 2) each: uint8 (h, w), and the x and y of its middle."""
    points = np.concatenate(strands)
    low = np.floor(points.min(0) - thickness - 2)
    size = np.maximum(np.ceil(points.max(0) + thickness + 2) - low, 1).astype(int)
    mask = np.zeros(size[::-1], np.uint8)
    fixed = [np.rint((strand - low) * 16).astype(np.int32) for strand in strands]
    cv2.polylines(mask, fixed, False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
    return mask, *(low + size / 2).tolist()


def shade_box(sheet: Sheet, left: float, top: float, right: float, bottom: float, factor: float) -> None:
    """Darken or lighten a box by a factor."""
    rows = slice(max(0, round(top)), max(0, round(bottom)))
    columns = slice(max(0, round(left)), max(0, round(right)))
    sheet.canvas.paper[rows, columns] *= np.float32(factor)


def thicker(lines: Lines, factor: float) -> Lines:
    """Return the same lines, thicker by a factor, and none of them missing."""
    return replace(lines, thickness=lines.thickness * factor, missing=0.0, double=0.0)


def _strands(sheet: Sheet, lines: Lines, start: np.ndarray, end: np.ndarray) -> list[np.ndarray]:
    rng = sheet.rng
    length = float(np.hypot(*(end - start)))
    if length < 1:
        return []
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    if lines.overshoot:
        ends = lines.overshoot * rng.standard_normal(2)
        start, end = start - ends[0] * along, end + ends[1] * along
    count = 2 + int(length // _STEP) if lines.wobble or lines.bend else 2
    points = start + np.linspace(0, 1, count)[:, None] * (end - start)
    if lines.wobble:
        drift = np.cumsum(rng.standard_normal(count)) / np.sqrt(count) + rng.standard_normal()
        points = points + (lines.wobble * drift)[:, None] * across
    if lines.bend:
        points = lines.bend(points)
    strands = [points + side * lines.double / 2 * across for side in ((-1, 1) if lines.double else (0,))]
    return [piece for strand in strands for piece in _dashes(strand, lines.dash)] if lines.dash else strands


def _dashes(points: np.ndarray, dash: float) -> list[np.ndarray]:
    start, end = points[0], points[-1]
    length = float(np.hypot(*(end - start)))
    places = np.arange(0, length, 2 * dash) / max(length, 1e-6)
    share = min(dash / max(length, 1e-6), 1.0)
    return [np.array([start + a * (end - start), start + min(1.0, a + share) * (end - start)]) for a in places]
