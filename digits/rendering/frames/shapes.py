"""Shapes of digits, letters and drawings, and the bank that keeps thousands of them.

A shape is kept as its signed distance field, so that one drawing serves for hair lines and fat markers, at 8 pixels and
at 500. Making one takes a millisecond or two, reading one from the bank microseconds; processes share one bank's file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from digits.rendering.handwriting import draw_digit
from digits.rendering.ink_masks import FAINTEST, ink_points, thin_whole
from digits.rendering.letters import HERSHEY_FONTS, LETTERS, cropped, draw_printed_letter, training_fonts
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pen import random_hand

WORK = 88  # pixels: longer side of a shape in the bank
MARGIN = 20  # around it: room for fat lines
_SIDE = WORK + 2 * MARGIN
_PER_PIXEL = 4  # levels of a stored distance for one pixel
_ZERO = 128  # the level of the outline
_LIKE_DIGITS = "QDijZzSsBqgby"  # letters that a person tells from a digit by more than the company they keep
# How many shapes of each group a full bank keeps; "people" and "drawn" ones for each digit.
FULL = {"people": 1500, "drawn": 500, "letter": 800, "like": 500, "drawing": 1500}


@dataclass(frozen=True)
class Inks:
    """Digits written by people to take shapes from: uint8 (N, h, w), white on black, and labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Shape:
    """A shape at the bank's size.

    Attributes:
        field: uint8 (h, w), signed distance to the outline in quarter pixels over 128, larger inside.
        stroke: mean width of its line in pixels.
        height, width: of its ink in pixels.
    """

    field: np.ndarray
    stroke: float
    height: float
    width: float

    def distance(self) -> np.ndarray:
        """Return the distance to the outline in pixels, float32 (h, w), positive inside."""
        return (self.field.astype(np.float32) - _ZERO) * np.float32(1 / _PER_PIXEL)


class Bank:
    """Shapes by group: ("people", digit), ("drawn", digit), "letter", "like" (letters like digits), "drawing"."""

    def __init__(self, fields: np.ndarray, sizes: np.ndarray, starts: Mapping[str, int]) -> None:
        """Take all shapes: uint8 (N, side, side), float32 (N, 3) stroke, height and width, and where groups begin."""
        self._fields, self._sizes = fields, sizes
        ends = [*list(starts.values())[1:], len(fields)]
        self._groups = {name: (start, end) for (name, start), end in zip(starts.items(), ends, strict=True)}

    def __contains__(self, group: str) -> bool:
        start, end = self._groups.get(group, (0, 0))
        return end > start

    def any(self, group: str, rng: np.random.Generator) -> Shape:
        """Return a random shape of a group."""
        index = int(rng.integers(*self._groups[group]))
        stroke, height, width = self._sizes[index].tolist()
        return Shape(self._fields[index], stroke, height, width)

    @classmethod
    def load(cls, path: Path) -> "Bank":
        """Open what `save_bank` wrote; its fields stay on disk, shared by all processes that read them."""
        with np.load(path.with_suffix(".npz")) as index:
            starts = dict(zip(index["groups"].tolist(), index["starts"].tolist(), strict=True))
            return cls(np.load(path, mmap_mode="r"), index["sizes"], starts)

    @classmethod
    def make(cls, inks: Inks | None, seed: int, counts: Mapping[str, int]) -> "Bank":
        """Return a bank in memory, with so many shapes a group; for tests and first looks."""
        groups = groups_of(counts, inks is not None)
        made = [make_shapes(group, count, inks, seed) for group, count in groups.items()]
        starts = np.cumsum([0, *groups.values()])[:-1].tolist()
        fields, sizes = (np.concatenate(parts) for parts in zip(*made, strict=True))
        return cls(fields, sizes, dict(zip(groups, starts, strict=True)))


def groups_of(counts: Mapping[str, int], people: bool) -> dict[str, int]:
    """Return the groups of a bank and their numbers of shapes; without people's digits more are drawn."""
    groups = {f"{source} {label}": counts[source] for source in (("people", "drawn") if people else ("drawn",))
              for label in range(10)}
    return groups | {name: counts[name] for name in ("letter", "like", "drawing")}


def save_bank(path: Path, groups: Mapping[str, int], made: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Write a bank of the shapes that `make_shapes` made of each group: `path`, a .npy, and an .npz beside it."""
    fields, sizes = (np.concatenate(parts) for parts in zip(*made, strict=True))
    np.save(path, fields)
    np.savez(path.with_suffix(".npz"), groups=list(groups), starts=np.cumsum([0, *groups.values()])[:-1], sizes=sizes)


def make_shapes(group: str, count: int, inks: Inks | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` shapes of a group: fields, uint8 (count, side, side), and float32 (count, 3) of their sizes."""
    rng = np.random.default_rng([seed, *group.encode()])
    source, _, label = group.partition(" ")
    make = _makers(rng, inks, int(label or 0))[source]
    fields, sizes = np.zeros((count, _SIDE, _SIDE), np.uint8), np.zeros((count, 3), np.float32)
    for index in range(count):
        shape = make()
        h, w = shape.field.shape
        fields[index, :h, :w] = shape.field
        sizes[index] = shape.stroke, shape.height, shape.width
    return fields, sizes


def _makers(rng: np.random.Generator, inks: Inks | None, label: int) -> dict[str, Callable[[], Shape]]:
    own = np.flatnonzero(inks.labels == label) if inks is not None else []
    return {"people": lambda: _shape(inks.images[rng.choice(own)], thin=True), "drawn": lambda: _drawn(label, rng),
            "letter": lambda: _letter(rng, LETTERS), "like": lambda: _letter(rng, _LIKE_DIGITS),
            "drawing": lambda: _drawing(rng)}  # fmt: skip


def _shape(ink: np.ndarray, thin: bool) -> Shape:
    """Return the shape of an ink, uint8 (H, W), white on black; small soft pictures get the edges of a pen again."""
    ink = cropped(ink)
    zoom = WORK / max(ink.shape)
    big = cv2.resize(ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
    big = cv2.copyMakeBorder(big, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
    if zoom > 1.5:
        big = cv2.GaussianBlur(big, (0, 0), 0.4 * zoom)
    big = np.where(big > 0.4 * int(big.max()), 255, 0).astype(np.uint8)
    if thin:
        big = np.where(thin_whole(big, 0.88) > 100, 255, 0).astype(np.uint8)
    return _field(big, line=thin)


def _field(ink: np.ndarray, line: bool) -> Shape:
    """Return the shape of an ink with its margin; of a line only its course counts, so that it never falls apart."""
    solid = (ink > 127).astype(np.uint8)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    distance = cv2.blur(0.9 * solid - outside if line else inside - outside, (3, 3))
    stroke = 4 * float(inside.sum()) / max(1, int(np.count_nonzero(solid)))
    _, _, w, h = cv2.boundingRect(solid)
    levels = np.clip(np.rint(distance * _PER_PIXEL) + _ZERO, 0, 255).astype(np.uint8)
    return Shape(levels, stroke, float(h), float(w))


def _drawn(label: int, rng: np.random.Generator) -> Shape:
    hand = random_hand(rng)
    hand = type(hand)(**{**vars(hand), "width": 0.035, "slant": hand.slant * 0.7, "pressure": 0.0})
    return _shape(draw_digit(label, rng, WORK, hand), thin=True)


def _letter(rng: np.random.Generator, letters: str) -> Shape:
    ink = draw_printed_letter(rng, WORK, training_fonts(), letters)
    return _shape(ink, thin=rng.random() < 0.7)


def _drawing(rng: np.random.Generator) -> Shape:
    for _ in range(20):
        ink = draw_non_digit(rng, WORK, pairs=False)
        if ink.max() >= FAINTEST and len(ink_points(ink)) > 8:
            break
    return _shape(ink, thin=rng.random() < 0.5)


@lru_cache(maxsize=3000)
def printed(text: str, font: int) -> Shape:
    """Return text in one of the training fonts, or, for the higher numbers, in one of OpenCV's."""
    fonts = training_fonts()
    if font < 2 or not fonts:
        face = HERSHEY_FONTS[(0, 2)[font % 2]]
        canvas = np.zeros((160, 100 + 90 * len(text)), np.uint8)
        cv2.putText(canvas, text, (30, 120), face, 3.2, 255, 4 + 3 * (font % 2), cv2.LINE_AA)
        return _line(canvas)
    from PIL import Image, ImageDraw, ImageFont  # only here: Pillow comes with matplotlib

    page = Image.new("L", (100 + 110 * len(text), 200))
    ImageDraw.Draw(page).text((40, 30), text, fill=255, font=ImageFont.truetype(fonts[font % len(fonts)], 110))
    return _line(np.array(page))


def _line(ink: np.ndarray) -> Shape:
    """Return text as a shape whose height, not longer side, has the working size."""
    ink = cropped(ink)
    scale = WORK / ink.shape[0]
    if ink.shape[1] > ink.shape[0]:
        ink = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        big = cv2.copyMakeBorder(ink, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=0)
        return _field(big, line=False)
    return _shape(ink, thin=False)
