"""Photographs of handwriting, rendered: one digit cheaply by the ten thousand, whole pages, and clips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.learning.camera import Shot, camera_effect, lamp, motion_kernel, random_shot, shoot
from digits.learning.paper import (
    THINNEST,
    Pen,
    add_ink,
    add_lines,
    add_print_behind,
    at_least_wide,
    blank_sheet,
    change_pen,
    contrast,
    ink_points,
    random_pen,
    thin_whole,
)
from digits.learning.scenes import background, fingers

__all__ = ["LAYOUTS", "Motion", "Page", "camera_effect", "clip", "photograph", "photograph_held", "photograph_one",
           "scan_one"]

Box = tuple[int, int, int, int]
DIGITAL = 0.06  # share of drawings on a screen among single digits
LAYOUTS = ("grid", "lines", "scatter")
SHEETS = ((640, 452), (420, 594), (560, 400), (480, 480))  # pixels: A4 both ways, a card, a square note
FOCAL = 0.95  # of a webcam, as a share of the frame's longer side: 55 degrees from left to right
MAX_NOISE = 0.3  # noise above this share of the ink's contrast would hide thin strokes from people as well


def photograph_one(ink: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> tuple[np.ndarray, Box]:
    """Return a small photograph of one digit and where it is: about 2 ms, for training data.

    Args:
        ink: uint8 (H, W), white on black, any size: an MNIST picture, a tile, or `strokes.draw_digit`.
        strength: 0 for clean paper under even light, 1 for what phones and webcams do.
    Returns:
        uint8 (h, w, 3) BGR, sides 60 to 320 pixels, and the box (x, y, w, h) of the ink in pixels.
    Raises:
        ValueError: if `ink` is blank.
    """
    if rng.random() < DIGITAL * strength:
        return _drawn_on_screen(ink, rng)
    strength = strength * float(rng.uniform(0.3, 1.0))
    height = float(np.exp(rng.uniform(np.log(72), np.log(320))))
    shape = (int(height), int(np.clip(height * np.exp(rng.uniform(-0.4, 0.4)), 60, 320)))
    detail = max(16.0, rng.uniform(0.3, 0.92) * min(shape))
    angle = 4 * strength * rng.standard_normal()
    mask, box = _place(change_pen(ink, rng), rng, shape, detail, angle, strength)
    board = rng.random() < 0.1 * strength
    sheet = blank_sheet(rng, shape, board, strength)
    pen = random_pen(rng, board)
    stands_out = contrast(sheet, pen)
    _furnish(sheet, rng, mask, box, angle, strength, pen, board)
    shot = random_shot(rng, detail, strength)
    quiet = min(shot.noise, MAX_NOISE * stands_out * shot.exposure)
    exposure = max(shot.exposure, 0.8) if board else shot.exposure  # cameras open up for dark scenes
    return shoot(sheet, rng, replace(shot, noise=quiet, exposure=exposure)), box


def scan_one(ink: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Box]:
    """Return a small scan of one digit and where it is: thin grey strokes of few pixels on clean paper.

    Args:
        ink: uint8 (H, W), white on black, any size.
    Returns:
        uint8 (side, side, 3) BGR, side 28 to 64 pixels, and the box (x, y, w, h) of the ink in pixels.
    Raises:
        ValueError: if `ink` is blank.
    """
    side = int(rng.integers(28, 65))
    mask, _ = _place(_thin_line(ink, rng), rng, (4 * side,) * 2, 4 * side * rng.uniform(0.35, 0.9), 0.0, 0.2)
    # Some programs take every fourth pixel: lines become steps and dashes.
    small = mask[::4, ::4] if rng.random() < 0.3 else cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    cover = small / np.float32(max(1, small.max())) * rng.uniform(0.5, 1.0)
    if rng.random() < 0.4:  # the pen was pressed unevenly
        pressed = cv2.resize(rng.random((4, 4), np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        cover *= 1 - rng.uniform(0.2, 0.9) * np.clip(pressed, 0, 1)
    cover += rng.uniform(0, 0.03) * rng.standard_normal(small.shape, np.float32)
    grey = np.clip(rng.uniform(235, 256) * (1 - 0.9 * cover), 0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), cv2.boundingRect(ink_points(small))


def _thin_line(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    thin = change_pen(ink, rng)
    return thin_whole(thin, rng.uniform(0.5, 0.9)) if rng.random() < 0.6 else thin


def _drawn_on_screen(ink: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Box]:
    """A mouse or tablet drawing: even colours, no camera."""
    side = int(rng.integers(72, 300))
    mask, box = _place(change_pen(ink, rng), rng, (side, side), max(20.0, rng.uniform(0.3, 0.9) * side), 0.0, 0.0)
    dark = rng.random() < 0.4
    colours = rng.integers(0, 60, 3), rng.integers(200, 256, 3)
    back, front = colours if dark else colours[::-1]
    if rng.random() < 0.6:
        back, front = np.full((2, 3), 255) * [[not dark], [dark]]
    cover = (mask / np.float32(255))[..., None]
    return np.rint(back + cover * (front - back)).astype(np.uint8), box


def _place(mask: np.ndarray, rng: np.random.Generator, shape: tuple[int, int], detail: float, angle: float,
           strength: float) -> tuple[np.ndarray, Box]:
    """Return the mask scaled, turned and put somewhere into uint8 `shape`, and its box."""
    x, y, w, h = cv2.boundingRect(ink_points(mask))
    scale = detail / max(w, h)
    mask = at_least_wide(mask, THINNEST / scale)
    if scale < 0.7:  # warping alone would skip pixels
        mask = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y, w, h, scale = x * scale, y * scale, w * scale, h * scale, 1.0
    corners = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = (corners - corners.mean(0)) * scale @ rotation
    target += 0.04 * strength * detail * rng.uniform(-1, 1, (4, 2))
    low, high = target.min(0), target.max(0)
    room = np.array(shape[::-1]) - 4 - (high - low)
    where = rng.uniform(0, 1, 2) if rng.random() < 0.6 else rng.uniform(0.35, 0.65, 2)
    target += 2 - low + where * room
    matrix = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    placed = cv2.warpPerspective(mask, matrix, shape[::-1], flags=cv2.INTER_LINEAR)
    return placed, cv2.boundingRect(ink_points(placed))


def _furnish(sheet, rng, mask, box, angle, strength, pen, board) -> None:
    """Put lines, print, the digit and whatever else is about it onto the sheet, in place."""
    tall = max(box[2:])
    if not board and rng.random() < 0.4 * strength:
        pitch = max(5.0, tall * float(np.exp(rng.uniform(np.log(0.2), np.log(2.2)))))
        add_lines(sheet, rng, pitch, angle + rng.uniform(-2, 2), min(rng.uniform(0.1, 1), 3 * contrast(sheet, pen)))
    if not board and rng.random() < 0.18 * strength:
        add_print_behind(sheet, rng, rng.uniform(0.03, 0.14))
    if rng.random() < 0.25 * strength:
        mask = np.maximum(mask, _neighbour(rng, mask.shape, box))
    add_ink(sheet, mask, pen, rng)
    if rng.random() < 0.15 * strength:
        _add_desk(sheet, rng, box)


def _neighbour(rng: np.random.Generator, shape: tuple[int, int], box: Box) -> np.ndarray:
    """Return uint8 `shape`: a part of another stroke that is cut by the frame's border and keeps off the box."""
    layer = np.zeros(shape, np.uint8)
    x, y, w, h = box
    room = {"left": x, "right": shape[1] - x - w, "top": y, "bottom": shape[0] - y - h}
    side = max(room, key=room.get)
    gap = room[side] - 4 - max(w, h) // 6
    if gap < 6:
        return layer
    reach = rng.uniform(0.3, 1.0) * gap
    t = np.linspace(-1, 1, 12)
    bow, tall = rng.uniform(-1, 1), rng.uniform(0.3, 0.8) * max(w, h)
    across = reach * (1 - t * t) if rng.random() < 0.5 else reach * (0.5 + 0.5 * t)
    along = (y + h / 2 if side in ("left", "right") else x + w / 2) + tall * (0.6 * t + 0.3 * bow)
    across = across if side in ("left", "top") else shape[1 if side == "right" else 0] - across
    line = np.column_stack([across, along] if side in ("left", "right") else [along, across])
    cv2.polylines(layer, [np.rint(line * 16).astype(np.int32)], False, 255, max(1, round(max(w, h) * 0.05)),
                  cv2.LINE_AA, 4)
    return layer


def _add_desk(sheet: np.ndarray, rng: np.random.Generator, box: Box) -> None:
    """Let the sheet end beside the digit: beyond its edge lies something darker or another colour, in place."""
    height, width = sheet.shape[1:]
    x, y, w, h = box
    side = int(rng.integers(4))
    room = (x, width - x - w, y, height - y - h)[side]
    if room < 10:
        return
    depth, lean = rng.uniform(0.15, 0.75) * room, rng.uniform(-0.2, 0.2) * room
    length = height if side < 2 else width
    edge = np.array([[0, 0], [depth + lean, 0], [depth - lean, length], [0, length]])
    if side in (1, 3):
        edge[:, 0] = (width if side == 1 else height) - edge[:, 0]
    if side >= 2:
        edge = edge[:, ::-1]
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.rint(edge).astype(np.int32)], 1.0, cv2.LINE_AA)
    colour = rng.uniform(0.03, 0.7, 3) * (0.5 if rng.random() < 0.5 else 1)
    sheet += mask * (colour.astype(np.float32)[:, None, None] - sheet)


# Whole pages -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Page:
    """A photographed page: uint8 (H, W, 3) BGR, boxes (x, y, w, h) in pixels, labels; in reading order."""

    frame: np.ndarray
    boxes: list[Box]
    labels: list[int]


@dataclass(frozen=True)
class Sheet:
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
    matrix = _view(rng, size, 0.86 if held else 1.02 + 0.05 * strength, strength)
    return _photographed(sheet, labels, matrix, background(rng, size[::-1]) if held else None, rng, strength)


def _photographed(sheet: "Sheet", labels: Sequence[int], matrix: np.ndarray, behind: np.ndarray | None,
                  rng: np.random.Generator, strength: float) -> Page:
    """Return the photograph of a sheet seen through `matrix`, held by fingers where there is something behind it."""
    scene = _composed(sheet.image, matrix, behind)
    size = scene.shape[:0:-1]
    if behind is not None:
        height, width = sheet.image.shape[1:]
        corners = _moved(np.array([[0, 0], [width, 0], [width, height], [0, height]]), matrix)
        skin, cover = fingers(rng, corners, size[::-1])
        cover *= ~_ink_mask(sheet, matrix, size)
        scene += cover * (skin - scene)
    shot = random_shot(rng, sheet.height, strength)
    shot = replace(shot, noise=min(shot.noise, MAX_NOISE * sheet.contrast * shot.exposure))
    return Page(shoot(scene, rng, shot), _boxes(sheet, matrix), [int(label) for label in labels])


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
        seen = _moved(corners, matrix)
        if np.all(np.ptp(seen, axis=0) < 0.92 * np.array(size)):
            break
    shift = np.eye(3)
    shift[:2, 2] = size - np.ptp(seen, axis=0)  # the room left
    shift[:2, 2] = rng.uniform(0.3, 0.7, 2) * shift[:2, 2] - seen.min(0)
    return shift @ matrix


def write_sheet(inks: Sequence[np.ndarray], rng: np.random.Generator, size: tuple[int, int],
                strength: float = 1.0, layout: str | None = None, pens: Sequence[Pen] = ()) -> Sheet:
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
    return Sheet(image, outlines, stands_out, tall)


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


def _view(rng: np.random.Generator, size: tuple[int, int], zoom: float, strength: float) -> np.ndarray:
    """Return the 3x3 matrix that takes the sheet's pixels to the frame's: zoom, a little turn and perspective."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = corners.mean(0)
    turn = np.radians(strength * float(np.clip(2.5 * rng.standard_normal(), -5, 5))) * (0.6 if zoom > 1 else 1)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = (corners - middle) * zoom @ rotation + middle
    target += strength * 0.03 * rng.uniform(-1, 1, (4, 2)) * (width, height) * (0.5 if zoom > 1 else 1)
    return cv2.getPerspectiveTransform(corners, target.astype(np.float32))


def _composed(image: np.ndarray, matrix: np.ndarray, behind: np.ndarray | None, step=(0.0, 0.0)) -> np.ndarray:
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


def _moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(np.asarray(points, np.float32).reshape(-1, 1, 2), matrix).reshape(-1, 2)


def _boxes(sheet: Sheet, matrix: np.ndarray) -> list[Box]:
    boxes = []
    for ink in sheet.inks:
        points = _moved(ink, matrix)
        low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
        boxes.append((int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])))
    return boxes


def _ink_mask(sheet: Sheet, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return bool (H, W), true on and around the digits: fingers keep off them."""
    mask = np.zeros(size[::-1], np.uint8)
    for x, y, w, h in _boxes(sheet, matrix):
        cv2.rectangle(mask, (x - 6, y - 6), (x + w + 6, y + h + 6), 1, -1)
    return mask > 0


# Clips -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Motion:
    """How a held sheet moves: amplitudes in pixels of a 640 wide frame and degrees, frequencies in hertz.

    Attributes:
        tremor: slow swaying, hand tremor and fine shaking, one amplitude each.
        sway: turning to and fro, degrees.
        entrance: frames during which the sheet is raised into view; 0 if it is there from the start.
        frame_rate: frames a second.
    """

    tremor: tuple[float, float, float] = (5.0, 1.5, 0.4)
    frequencies: tuple[float, float, float] = (0.25, 1.3, 8.0)
    sway: float = 1.2
    entrance: int = 0
    frame_rate: float = 25.0


def clip(inks: Sequence[np.ndarray], labels: Sequence[int], rng: np.random.Generator, frames: int = 50,
         size: tuple[int, int] = (640, 480), motion: Motion | None = None, strength: float = 0.5,
         layout: str = "grid") -> Iterator[tuple[np.ndarray, list[tuple[Box, int]]]]:
    """Yield the frames of a sheet held up to a camera by a hand that is never quite still.

    Args:
        inks, labels: the digits on the sheet, in reading order.
        strength: of light and camera, as for `photograph`.
    Yields:
        uint8 (H, W, 3) BGR, and (box, label) of each digit that lies wholly inside the frame.
    """
    sheet = write_sheet(inks, rng, size, strength, layout)
    shot = random_shot(rng, sheet.height, strength)
    shot = replace(shot, motion=0.0, glare=0.0, noise=min(shot.noise, MAX_NOISE * sheet.contrast * shot.exposure))
    yield from film(sheet, labels, background(rng, size[::-1]), rng, frames, motion or Motion(), shot)


def film(sheet: Sheet, labels: Sequence[int], behind: np.ndarray, rng: np.random.Generator, frames: int,
         motion: Motion, shot: Shot) -> Iterator[tuple[np.ndarray, list[tuple[Box, int]]]]:
    """Yield what `clip` does, of a given sheet before a given background."""
    size = sheet.image.shape[2], sheet.image.shape[1]
    base, light = _view(rng, size, 0.84, 0.5), lamp(rng, size[::-1], shot)
    phases, hands = rng.uniform(0, 2 * np.pi, (3, 3)), int(rng.integers(2**31))
    last = None
    for index in range(frames):
        matrix = _hand_position(index, motion, phases, size) @ base
        corners = _moved([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], matrix)
        step = corners.mean(0) - last if last is not None else np.zeros(2)
        last = corners.mean(0)
        scene = _composed(sheet.image, matrix, behind, 0.5 * step)
        skin, cover = fingers(np.random.default_rng(hands), corners, size[::-1])
        cover *= ~_ink_mask(sheet, matrix, size)
        scene += cover * (skin - scene)
        frame = shoot(scene, rng, shot, light)
        yield frame, [(box, int(label)) for box, label in zip(_boxes(sheet, matrix), labels, strict=True)
                      if box[0] >= 0 and box[1] >= 0 and box[0] + box[2] <= size[0] and box[1] + box[3] <= size[1]]


def _hand_position(index: int, motion: Motion, phases: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the 3x3 matrix by which the hand has moved the sheet at one frame."""
    waves = 2 * np.pi * np.array(motion.frequencies) * index / motion.frame_rate
    amplitudes = np.array(motion.tremor) * size[0] / 640
    dx, dy = (float((amplitudes * np.sin(waves * (1 + 0.13 * k) + phases[k])).sum()) for k in range(2))
    turn = np.radians(motion.sway) * np.sin(waves[0] * 1.3 + phases[2, 0])
    zoom = 1 + 0.02 * np.sin(waves[0] * 0.8 + phases[2, 1])
    if index < motion.entrance:
        left = 1 - index / motion.entrance
        dy += 1.1 * size[1] * left**2.2
        turn += 0.12 * left
    cx, cy = size[0] / 2, size[1] / 2
    c, s = zoom * np.cos(turn), zoom * np.sin(turn)
    return np.array([[c, s, cx + dx - c * cx - s * cy], [-s, c, cy + dy + s * cx - c * cy], [0, 0, 1]])


if __name__ == "__main__":
    from digits.learning.samples import main

    main()
