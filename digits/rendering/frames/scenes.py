"""Frames of every kind that people hold up, photograph or forget in front of a camera, each with its truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.rendering.frames import boards, fields, grids, writing
from digits.rendering.frames.canvas import Frame, view
from digits.rendering.frames.lens import random_grey_shot, shoot_grey
from digits.rendering.frames.sheet import Sheet, new_sheet
from digits.rendering.frames.writers import Shapes


@dataclass(frozen=True)
class Kind:
    """A kind of frame: what paints it, how often it comes, on which ground (None: any), held up or not."""

    paint: Callable[[Sheet], None]
    share: float
    ground: str | None = None
    held: float = 0.0


KINDS: dict[str, Kind] = {
    "one": Kind(writing.one_digit, 0.24, held=0.25),
    "rows": Kind(writing.rows, 0.22, held=0.25),
    "scattered": Kind(writing.scattered, 0.1, held=0.25),
    "sums": Kind(writing.sums, 0.07, held=0.2),
    "words": Kind(writing.words, 0.08, held=0.2),
    "table": Kind(grids.table, 0.08),
    "sudoku": Kind(grids.sudoku, 0.06),
    "form": Kind(fields.form, 0.05, "paper"),
    "boxes": Kind(fields.boxes, 0.05),
    "squared": Kind(fields.squared, 0.05, "paper"),
    "whiteboard": Kind(boards.whiteboard, 0.06, "whiteboard"),
    "chalkboard": Kind(boards.chalkboard, 0.03, "board"),
}


def render(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, kind: str | None = None) -> Frame:
    """Return a frame of `size` (width, height) pixels of one of KINDS, a random one if None.

    Raises:
        KeyError: if there is no such kind.
    """
    names = list(KINDS)
    shares = np.array([KINDS[name].share for name in names])
    kind = str(rng.choice(names, p=shares / shares.sum())) if kind is None else kind
    sheet = new_sheet(rng, size, shapes, KINDS[kind].ground)
    KINDS[kind].paint(sheet)
    scene, frame = view(sheet.canvas, _mild_view(rng, size), size)
    grey = shoot_grey(scene, rng, random_grey_shot(rng, sheet.detail, sheet.contrast, float(rng.uniform(0.2, 1.0))))
    return replace(frame, grey=grey)


def _mild_view(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return the 3x3 matrix of a camera nearly straight above."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = np.radians(float(np.clip(2.5 * rng.standard_normal(), -8, 8)))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = (corners - corners.mean(0)) @ rotation + corners.mean(0) + 0.04 * rng.uniform(-1, 1, (4, 2)) * size
    return cv2.getPerspectiveTransform(corners, target.astype(np.float32))
