"""Photographs of whole pages, rendered with the exact box of every digit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.camera import motion_kernel, random_shot, shoot
from digits.rendering.ink_masks import THINNEST, at_least_wide, change_pen, ink_points
from digits.rendering.paper import Pen, add_ink, add_lines, add_print_behind, blank_sheet, contrast, random_pen
from digits.rendering.photographs import MAX_NOISE
from digits.rendering.scenes import background, fingers

LAYOUTS = ("grid", "lines", "scatter")
SHEETS = ((640, 452), (420, 594), (560, 400), (480, 480))  # pixels: A4 both ways, a card, a square note
FOCAL = 0.95  # of a webcam, as a share of the frame's longer side: 55 degrees from left to right


@dataclass(frozen=True)
class Page:
    """A photographed page: uint8 (H, W, 3) BGR, boxes in pixels, labels; in reading order."""

    frame: np.ndarray
    boxes: list[Box]
    labels: list[int]


@dataclass(frozen=True)
class WrittenSheet:
    """A written sheet before the camera: planar float32 (3, H, W), and each digit's ink as points (n, 1, 2)."""

    image: np.ndarray
    inks: list[np.ndarray]
    contrast: float
    height: float  # of the digits, in pixels


def photograph(inks: Sequence[np.ndarray], labels: Sequence[int], rng: np.random.Generator,
               size: tuple[int, int] = (640, 480), strength: float = 1.0, layout: str | None = None,
               held: bool | None = None) -> Page:
    """Return a photograph of a page with several digits, with their exact boxes.

    Args:
        inks: uint8 (H, W) each, white on black, one to about forty, in reading order.
        labels: their digits.
        size: width and height of the frame.
        strength: 0 for a clean scan, 1 for what phones and webcams do.
        layout: "grid", "lines" (numbers) or "scatter" (any size, jittered); a random one if None.
        held: whether the sheet is held before a background; by chance if None.
    Raises:
        ValueError: if `layout` is none of LAYOUTS, an ink is blank, or `inks` and `labels` differ in number.
    """
    if len(inks) != len(labels):
        raise ValueError(f"{len(inks)} inks but {len(labels)} labels: expected one label an ink")
    held = rng.random() < 0.4 * strength if held is None else held
    sheet = write_sheet(inks, rng, size, strength, layout)
    matrix = random_view(rng, size, 0.86 if held else 1.02 + 0.05 * strength, strength)
    return _photographed(sheet, labels, matrix, background(rng, size[::-1]) if held else None, rng, strength)


def _photographed(sheet: WrittenSheet, labels: Sequence[int], matrix: np.ndarray, behind: np.ndarray | None,
                  rng: np.random.Generator, strength: float) -> Page:
    """Return the photograph of a sheet seen through `matrix`, held by fingers where there is something behind it."""
    scene = composed(sheet.image, matrix, behind)
    if behind is not None:
        add_fingers(scene, sheet, matrix, rng)
    shot = random_shot(rng, sheet.height, strength)
    shot = replace(shot, noise=min(shot.noise, MAX_NOISE * sheet.contrast * shot.exposure))
    return Page(shoot(scene, rng, shot), boxes_of(sheet, matrix), [int(label) for label in labels])


def photograph_held(inks: Sequence[np.ndarray], labels: Sequence[int], rng: np.random.Generator, tilt: float,
                    turn: float, size: tuple[int, int] = (640, 480), strength: float = 0.5,
                    layout: str | None = None) -> Page:
    """Return a photograph of a sheet that is held at an angle, all of it in sight before a background.

    Args:
        inks, labels, size, strength, layout: as for `photograph`.
        tilt: degrees that the sheet faces away from the camera, to a random side.
        turn: degrees that it is turned by, clockwise.
    """
    sheet = write_sheet(inks, rng, SHEETS[rng.integers(len(SHEETS))], strength, layout)
    matrix = _held_view(sheet.image.shape[:0:-1], size, tilt, turn, rng)
    return _photographed(sheet, labels, matrix, background(rng, size[::-1]), rng, strength)


def _held_view(sheet: tuple[int, int], size: tuple[int, int], tilt: float, turn: float,
               rng: np.random.Generator) -> np.ndarray:
    """Return the 3x3 matrix from a sheet's pixels to those of the frame that it fills for the most part."""
    axis, roll = rng.uniform(0, 2 * np.pi), np.radians(turn)
    tipped, _ = cv2.Rodrigues(np.radians(tilt) * np.array([np.cos(axis), np.sin(axis), 0.0]))
    turned = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    pose, focal = tipped @ turned, FOCAL * max(size)
    lens = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    corners = np.array([[0, 0], [sheet[0], 0], [sheet[0], sheet[1]], [0, sheet[1]]], float)
    centred = np.array([[1, 0, -sheet[0] / 2], [0, 1, -sheet[1] / 2], [0, 0, 1]])
    for distance in focal * np.arange(0.7, 5, 0.05):  # comes no nearer than all of it is in sight
        matrix = lens @ np.column_stack([pose[:, :2], [0, 0, distance]]) @ centred
        seen = transformed(corners, matrix)
        if np.all(np.ptp(seen, axis=0) < 0.92 * np.array(size)):
            break
    shift = np.eye(3)
    shift[:2, 2] = size - np.ptp(seen, axis=0)  # the room left
    shift[:2, 2] = rng.uniform(0.3, 0.7, 2) * shift[:2, 2] - seen.min(0)
    return shift @ matrix


def write_sheet(inks: Sequence[np.ndarray], rng: np.random.Generator, size: tuple[int, int],
                strength: float = 1.0, layout: str | None = None, pens: Sequence[Pen] = ()) -> WrittenSheet:
    """Return a sheet of `size` (width, height) with the digits on it, written with `pens` in turn or a random one."""
    layout = str(rng.choice(LAYOUTS)) if layout is None else layout
    if layout not in LAYOUTS:
        raise ValueError(f"no layout is called {layout!r}; there are {', '.join(LAYOUTS)}")
    image = blank_sheet(rng, size[::-1], False, strength)
    pens = list(pens) or [random_pen(rng) for _ in range(1 if rng.random() < 0.7 else 3)]
    cells = _cells(len(inks), size, layout, rng)
    stands_out = min(contrast(image, pen) for pen in pens)
    tall = float(np.median([cell[3] for cell in cells]))
    if rng.random() < 0.35 * strength:
        pitch, strong = max(6, tall * rng.uniform(0.3, 2)), min(rng.uniform(0.1, 1), 3 * stands_out)
        add_lines(image, rng, pitch, rng.uniform(-1, 1), strong)
    if rng.random() < 0.2 * strength:
        add_print_behind(image, rng, min(rng.uniform(0.03, 0.12), 0.35 * stands_out))
    layers = [np.zeros(size[::-1], np.uint8) for _ in pens]
    writer, outlines = int(rng.integers(2**31)), []
    for index, (ink, cell) in enumerate(zip(inks, cells, strict=True)):
        mask = change_pen(ink, np.random.default_rng(writer))  # the same pen for the whole page
        outlines.append(_write_in(layers[index % len(pens)], mask, cell, 3 * strength * rng.standard_normal()))
    for pen, layer in zip(pens, layers, strict=True):
        add_ink(image, layer, pen, rng)
    return WrittenSheet(image, outlines, stands_out, tall)


def _cells(count: int, size: tuple[int, int], layout: str, rng: np.random.Generator) -> list[tuple[float, ...]]:
    """Return the middle x, y and the width and height allowed of each digit, in reading order."""
    width, height = size
    columns = int(np.ceil(np.sqrt(count * width / height * (2.2 if layout == "lines" else 1.2))))
    columns = min(columns, count)
    rows = -(-count // columns)
    columns = -(-count // rows)
    step = width * 0.84 / columns, height * 0.84 / rows
    tall = min(step[1] * rng.uniform(0.45, 0.75), step[0] * (1.15 if layout == "lines" else 0.9), 0.5 * height)
    if layout == "lines":
        step = min(step[0], tall * rng.uniform(0.85, 1.2)), step[1]
    left, top = (width - step[0] * columns) / 2, (height - step[1] * rows) / 2
    cells = []
    for index in range(count):
        x, y = left + (index % columns + 0.5) * step[0], top + (index // columns + 0.5) * step[1]
        grow = rng.uniform(0.55, 1.1) if layout == "scatter" else rng.uniform(0.9, 1.08)
        room = np.maximum(0, np.array(step) - tall * grow) * (0.45 if layout == "scatter" else 0.12)
        dx, dy = rng.uniform(-1, 1, 2) * room
        reach = 0.55 * tall * grow  # keeps whole digits on the sheet
        x = np.clip(x + dx, 0.04 * width + reach, 0.96 * width - reach)
        y = np.clip(y + dy, 0.05 * height + reach, 0.95 * height - reach)
        cells.append((float(x), float(y), min(step[0] * 0.86, tall * grow), tall * grow))
    return cells


def _write_in(layer: np.ndarray, mask: np.ndarray, cell: tuple[float, ...], angle: float) -> np.ndarray:
    """Write a digit into its cell of the layer, in place; return its ink's points, float32 (n, 1, 2)."""
    x, y, width, height = cell
    left, top, w, h = cv2.boundingRect(ink_points(mask))
    scale = min(height / h, width / w)
    mask = at_least_wide(mask, THINNEST / scale)
    small = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    matrix = cv2.getRotationMatrix2D(((left + w / 2) * scale, (top + h / 2) * scale), angle, 1.0)
    matrix[:, 2] += x - (left + w / 2) * scale, y - (top + h / 2) * scale
    written = cv2.warpAffine(small, matrix, layer.shape[::-1])
    np.maximum(layer, written, out=layer)
    return ink_points(written).astype(np.float32)


def random_view(rng: np.random.Generator, size: tuple[int, int], zoom: float, strength: float) -> np.ndarray:
    """Return the 3x3 matrix that takes the sheet's pixels to the frame's: zoom, a little turn and perspective."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = corners.mean(0)
    turn = np.radians(strength * float(np.clip(2.5 * rng.standard_normal(), -5, 5))) * (0.6 if zoom > 1 else 1)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = (corners - middle) * zoom @ rotation + middle
    target += strength * 0.03 * rng.uniform(-1, 1, (4, 2)) * (width, height) * (0.5 if zoom > 1 else 1)
    return cv2.getPerspectiveTransform(corners, target.astype(np.float32))


def composed(image: np.ndarray, matrix: np.ndarray, behind: np.ndarray | None, step=(0.0, 0.0)) -> np.ndarray:
    """Return the sheet seen through `matrix` before a background (None: the paper goes on).

    Args:
        step: how far (x, y) the sheet moves while the shutter is open, in pixels: it is smeared, its background is not.
    """
    height, width = image.shape[1:] if behind is None else behind.shape[1:]
    pixels = cv2.warpPerspective(cv2.merge(list(image)), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if behind is None:
        return np.stack(cv2.split(pixels))
    cover = cv2.warpPerspective(np.ones(image.shape[1:], np.float32), matrix, (width, height))
    length = float(np.hypot(*step))
    if length > 1.5:
        kernel = motion_kernel(min(length, 40), float(np.degrees(np.arctan2(step[1], step[0]))))
        pixels = cv2.filter2D(pixels, -1, kernel, borderType=cv2.BORDER_REPLICATE)
        cover = cv2.filter2D(cover, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return behind + cover * (np.stack(cv2.split(pixels)) - behind)


def transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return points (n, 2) after a 3x3 matrix."""
    return cv2.perspectiveTransform(np.asarray(points, np.float32).reshape(-1, 1, 2), matrix).reshape(-1, 2)


def boxes_of(sheet: WrittenSheet, matrix: np.ndarray) -> list[Box]:
    """Return the box of each digit's ink on a sheet that is seen through `matrix`."""
    boxes = []
    for ink in sheet.inks:
        points = transformed(ink, matrix)
        low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
        boxes.append(Box.between(*low.tolist(), *high.tolist()))
    return boxes


def corners_of(sheet: WrittenSheet, matrix: np.ndarray) -> np.ndarray:
    """Return the corners, float (4, 2), clockwise from the top left, of a sheet that is seen through `matrix`."""
    height, width = sheet.image.shape[1:]
    return transformed(np.array([[0, 0], [width, 0], [width, height], [0, height]]), matrix)


def add_fingers(scene: np.ndarray, sheet: WrittenSheet, matrix: np.ndarray, rng: np.random.Generator) -> None:
    """Let hands hold the sheet in a scene, in place; they keep off the digits."""
    skin, cover = fingers(rng, corners_of(sheet, matrix), scene.shape[1:])
    for box in (box.grown(6) for box in boxes_of(sheet, matrix)):
        cv2.rectangle(cover, (box.x, box.y), (box.right, box.bottom), 0, -1)
    scene += cover * (skin - scene)
