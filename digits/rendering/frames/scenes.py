"""Frames of every kind that people hold up, photograph or forget in front of a camera, each with its truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.frames import boards, empty, fields, grids, writing
from digits.rendering.frames.canvas import Frame, view
from digits.rendering.frames.lens import enlarged, random_grey_shot, shoot_grey
from digits.rendering.frames.packing import packed, random_window, with_bars
from digits.rendering.frames.sheet import GROUNDS, Sheet, new_sheet
from digits.rendering.frames.surroundings import add_hands, behind, curl, held_view, random_pose, set_off, through
from digits.rendering.frames.writers import Shapes

_SOLID = 150  # of 255: pixels that a stroke covers for the most part
_SEEN_FROM = 5.0  # grey levels between a stroke and its paper below which people see nothing
_HARDLY = 0.6  # share seen that counts neither as a digit nor as none
_ENLARGED = 0.25  # share of frames that come from a smaller picture
_SPLIT, _BARS = 0.15, 0.08  # shares of frames made of two pictures, and of those with bars at two sides
_HELD_GROUNDS = (0.62, 0.14, 0.08, 0.16)  # of what is held or hangs in a room: shares of GROUNDS


@dataclass(frozen=True)
class Kind:
    """A kind of frame: what paints it, how often it comes, on which ground (None: any), held up or not."""

    paint: Callable[[Sheet], None]
    share: float
    ground: str | None = None
    held: float = 0.0


KINDS: dict[str, Kind] = {
    "one": Kind(writing.one_digit, 0.45, held=0.25),
    "rows": Kind(writing.rows, 0.2, held=0.25),
    "scattered": Kind(writing.scattered, 0.1, held=0.25),
    "sums": Kind(writing.sums, 0.08, held=0.2),
    "words": Kind(writing.words, 0.04, held=0.2),
    "table": Kind(grids.table, 0.08, held=0.2),
    "sudoku": Kind(grids.sudoku, 0.06, held=0.1),
    "form": Kind(fields.form, 0.05, "paper"),
    "boxes": Kind(fields.boxes, 0.06, held=0.15),
    "squared": Kind(fields.squared, 0.05, "paper"),
    "whiteboard": Kind(boards.whiteboard, 0.08, "whiteboard", held=0.4),
    "chalkboard": Kind(boards.chalkboard, 0.03, "board"),
    "empty_photo": Kind(empty.empty_photo, 0.12),
    "empty_drawn": Kind(empty.empty_drawn, 0.06, held=0.1),
    "empty_text": Kind(empty.empty_text, 0.04, held=0.2),
}


def render(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, kind: str | None = None) -> Frame:
    """Return a frame of `size` (width, height) pixels of one of KINDS, a random one if None.

    Raises:
        KeyError: if there is no such kind.
    """
    frame = _one(rng, size, shapes, kind)
    if rng.random() < _SPLIT:  # two pictures share the frame, as where the finder packs them side by side
        frame = packed(frame, _one(rng, size, shapes, None), random_window(rng, *size, 0.15, 0.7))
    if rng.random() < _BARS:
        frame = with_bars(rng, frame)
    return frame


def _one(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, kind: str | None) -> Frame:
    names = list(KINDS)
    shares = np.array([KINDS[name].share for name in names])
    chosen = KINDS[str(rng.choice(names, p=shares / shares.sum())) if kind is None else kind]
    sheet, scene, frame, zoom = (_held if rng.random() < chosen.held else _close)(rng, size, shapes, chosen)
    shot = random_grey_shot(rng, sheet.detail * zoom, sheet.contrast, float(rng.uniform(0.2, 1.0)))
    grey = shoot_grey(scene, rng, shot)
    if rng.random() < _ENLARGED:
        grey = enlarged(grey, float(rng.uniform(1.3, max(1.4, min(4.5, sheet.detail * zoom / 14)))), rng)
    return _seen_only(replace(frame, grey=grey))


def _seen_only(frame: Frame) -> Frame:
    """Return the frame without the truth of digits that nobody could see: whether they are found does not matter."""
    everything = Box(0, 0, *frame.grey.shape[::-1])
    seen = list(frame.seen)
    for index, box in enumerate(frame.boxes):
        window = box.grown(4).within(everything).window
        own, grey = frame.owner[window] == index + 1, frame.grey[window]
        stroke, paper = grey[own & (frame.ink[window] > _SOLID)], grey[frame.ink[window] == 0]
        if len(stroke) and len(paper) and abs(float(stroke.mean()) - float(paper.mean())) < _SEEN_FROM:
            seen[index] = min(seen[index], _HARDLY)
            frame.ink[window][own] = 0
            frame.owner[window][own] = 0
    return replace(frame, seen=seen)


def _close(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, kind: Kind):
    """Return a sheet that fills the frame, its scene, its truth and how much it is enlarged."""
    sheet = new_sheet(rng, size, shapes, kind.ground)
    blank = sheet.canvas.paper.copy()
    kind.paint(sheet)
    matrix, written = _mild_view(rng, size), sheet.canvas.labels or sheet.canvas.others
    beside = cv2.warpPerspective(blank, matrix, size, borderMode=cv2.BORDER_REPLICATE) if written else None
    return sheet, *view(sheet.canvas, matrix, size, beside), 1.0  # ink at the sheet's edge is not drawn out beyond it


def _held(rng: np.random.Generator, size: tuple[int, int], shapes: Shapes, kind: Kind):
    """Return a sheet, board or screen seen with all that is around it, as `_close` does."""
    ground = str(rng.choice(GROUNDS, p=_HELD_GROUNDS)) if kind.ground is None else kind.ground
    pose = random_pose(rng, size, ground)
    sheet = new_sheet(rng, pose.canvas_size, shapes, ground)
    kind.paint(sheet)
    width, height = pose.canvas_size
    low, high = np.zeros(4), np.array([width, height, width, height], float)
    others = [np.clip(box, low, high) for box in sheet.canvas.others]  # what lies over the sheet's edge is not there
    sheet.canvas.others = [tuple(box.tolist()) for box in others if np.all(box[2:] - box[:2] >= 2)]
    if ground == "paper" and rng.random() < 0.5:
        curl(sheet.canvas.paper, rng)
    heights = [max(box[3] - box[1], box[2] - box[0], 4.0) for box in sheet.canvas.boxes]
    matrix = held_view(rng, pose, size, (min(heights), max(heights)) if heights else None)
    around = behind(rng, size)
    set_off(around, rng, matrix, pose.canvas_size, ground)
    scene, frame = view(sheet.canvas, matrix, size, around)
    corners = through(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)]))
    if rng.random() < (0.5 if ground in ("paper", "screen") else 0.1):
        add_hands(scene, frame, corners, rng)
    zoom = np.sqrt(cv2.contourArea(corners) / (width * height))
    return sheet, scene, frame, float(zoom)


def _mild_view(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return the 3x3 matrix of a camera nearly straight above."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = np.radians(float(np.clip(2.5 * rng.standard_normal(), -8, 8)))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = (corners - corners.mean(0)) @ rotation + corners.mean(0) + 0.04 * rng.uniform(-1, 1, (4, 2)) * size
    return cv2.getPerspectiveTransform(corners, target.astype(np.float32))
