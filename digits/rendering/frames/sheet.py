"""Sheets, boards and screens to write on, and the marks that pens, chalk and printers leave on them."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from digits.rendering.frames.canvas import Canvas, Mark, cover_paper, tone
from digits.rendering.frames.writers import Shapes, Writer, random_writer
from digits.rendering.paper import (
    BOARDS,
    INK_SHARES,
    INKS,
    PAPER_SHARES,
    PAPERS,
    add_lines,
    add_print_behind,
    clouds,
    noise,
)

GROUNDS = ("paper", "whiteboard", "board", "screen")
FAINTEST = 0.07  # contrast of ink to paper that a person can just follow


@dataclass
class Sheet:
    """A canvas, who writes on it with what, and what the camera must still resolve of it.

    Attributes:
        ground: one of GROUNDS.
        detail: height in pixels of the smallest digit written.
        contrast: of the faintest mark used to the ground.
    """

    canvas: Canvas
    shapes: Shapes
    rng: np.random.Generator
    ground: str
    tone: float
    detail: float = 400.0
    contrast: float = 1.0
    marks: list[Mark] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.canvas.size

    def random_mark(self, faintest: float = FAINTEST) -> Mark:
        """Return a pen, pencil, marker or chalk that can be seen on this ground; one in eight can hardly be seen."""
        mark = _mark(self.rng, self.ground)
        contrast = abs(mark.tone - self.tone) * mark.opacity * (1 - 0.4 * mark.grain)
        if contrast < faintest:
            mark = Mark(0.1 if self.tone > 0.45 else 0.95, max(mark.opacity, 0.5), mark.grain)
            contrast = abs(mark.tone - self.tone) * mark.opacity
        self.contrast = min(self.contrast, contrast)
        return mark

    def write(self, label: int, x: float, y: float, height: float, writer: Writer, mark: Mark) -> np.ndarray:
        """Write a digit with its middle at (x, y), in pixels; return its ink, uint8 (h, w)."""
        mask = self.shapes.digit(label, height, writer, self.rng)
        self.detail = min(self.detail, height)
        self.canvas.digit(mask, label, round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2), mark, self.rng)
        return mask

    def put_digit(self, mask: np.ndarray, label: int, x: float, y: float, height: float, mark: Mark) -> None:
        """Write a digit whose ink, uint8 (h, w), was made before, with its left upper corner at (x, y)."""
        self.detail = min(self.detail, height)
        self.canvas.digit(mask, label, round(x), round(y), mark, self.rng)

    def put_other(self, mask: np.ndarray, x: float, y: float, mark: Mark) -> None:
        """Write something that is no digit, uint8 (h, w), with its middle at (x, y)."""
        self.canvas.other(mask, round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2), mark, self.rng)

    def line(self, points: np.ndarray, thickness: float, mark: Mark) -> None:
        """Draw a line through points, float (n, 2), of `thickness` pixels: part of a table, a box, a fraction bar.

        Lines are neither digits nor other writing.
        """
        low = np.floor(points.min(0) - thickness - 2).astype(int)
        high = np.ceil(points.max(0) + thickness + 2).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, self.size)
        if np.any(high <= low):
            return
        mask = np.zeros((high - low)[::-1], np.uint8)
        fixed = np.rint((points - low) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(mask, [fixed], False, 255, max(1, round(thickness)), cv2.LINE_AA, 4)
        if thickness < 1:
            mask = cv2.convertScaleAbs(mask, alpha=float(thickness))
        cover_paper(self.canvas.paper[low[1] : high[1], low[0] : high[0]], mask, mark, self.rng)

    def shade(self, corners: np.ndarray, factor: float) -> None:
        """Darken or lighten a polygon, float (n, 2), by a factor."""
        mask = np.zeros(self.canvas.paper.shape, np.float32)
        cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        self.canvas.paper *= 1 + (np.float32(factor) - 1) * mask


def new_sheet(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, ground: str | None = None) -> Sheet:
    """Return an empty sheet of `size` (width, height) pixels on a ground, mostly paper where none is given."""
    ground = str(rng.choice(GROUNDS, p=(0.78, 0.08, 0.08, 0.06))) if ground is None else ground
    level, paper = _ground(rng, size[::-1], ground)
    sheet = Sheet(Canvas(paper), shapes, rng, ground, level)
    if ground == "paper" and rng.random() < 0.18:
        add_print_behind(paper[None], rng, rng.uniform(0.02, 0.12))
    return sheet


def rule(sheet: Sheet, height: float, share: float = 0.35) -> None:
    """Rule or square the paper, with the chance `share`, for digits `height` pixels tall."""
    rng = sheet.rng
    if sheet.ground != "paper" or rng.random() > share:
        return
    pitch = max(5.0, height * float(np.exp(rng.uniform(np.log(0.2), np.log(2.2)))))
    planes = np.repeat(sheet.canvas.paper[None], 3, axis=0)
    add_lines(planes, rng, pitch, float(np.clip(rng.standard_normal(), -2, 2)), rng.uniform(0.1, 1.0))
    sheet.canvas.paper[...] = planes[int(rng.integers(3))]


def _ground(rng: np.random.Generator, shape: tuple[int, int], ground: str) -> tuple[float, np.ndarray]:
    if ground == "screen":  # even colours, light on dark as often as not
        level = float(rng.choice([0.0, 1.0, rng.uniform(0, 0.35), rng.uniform(0.6, 1)]))
        return level, np.full(shape, level, np.float32)
    if ground == "board":
        level = tone(BOARDS[rng.integers(len(BOARDS))]) * float(rng.uniform(0.8, 1.3))
        grain = 0.02 * rng.random() * noise(rng, shape) + 0.08 * rng.random() * np.abs(clouds(rng, shape, 5))
        return level, np.clip(level + grain, 0, 1).astype(np.float32)
    base = PAPERS[rng.choice(len(PAPERS), p=PAPER_SHARES)] if ground == "paper" else np.full(3, 0.92)
    level = tone(base) * float(rng.uniform(0.85, 1.05))
    fine, blotchy, wavy = rng.uniform(0, 1, 3) ** 2 * (0.025, 0.03, 0.05)
    grain = fine * noise(rng, shape) + blotchy * noise(rng, shape, 1.5 if rng.random() < 0.6 else 5)
    grain += wavy * clouds(rng, shape, int(rng.integers(2, 8)))
    return level, (level * (1 + grain)).astype(np.float32)


def _mark(rng: np.random.Generator, ground: str) -> Mark:
    if ground == "board":
        return Mark(float(rng.uniform(0.7, 0.97)), float(rng.uniform(0.55, 1.0)), float(rng.uniform(0, 0.7)))
    if ground == "screen":
        return Mark(float(rng.choice([0.0, 1.0, rng.uniform(0, 1)])))
    if ground == "whiteboard":
        return Mark(tone(INKS[rng.choice(len(INKS), p=INK_SHARES)]), float(rng.uniform(0.35, 1.0)),
                    float(rng.uniform(0, 0.4)))
    ink = float(np.clip(tone(INKS[rng.choice(len(INKS), p=INK_SHARES)]) * rng.uniform(0.6, 1.3), 0, 1))
    faint = rng.random() < 0.17
    opacity = float(rng.uniform(0.12, 0.45) if faint else rng.uniform(0.65, 1.0))
    return Mark(ink, opacity, float(0.6 * rng.random() ** 1.7) if rng.random() < 0.45 else 0.05)


def random_pens(sheet: Sheet, printed: float = 0.04) -> list[tuple[Writer, Mark]]:
    """Return who writes on a sheet with what: mostly one, now and then two or three."""
    count = 1 if sheet.rng.random() < 0.8 else int(sheet.rng.integers(2, 4))
    return [(random_writer(sheet.rng, printed), sheet.random_mark()) for _ in range(count)]
