"""Photographs and scans of one digit, rendered cheaply by the ten thousand."""

from dataclasses import replace

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.camera import random_shot, shoot
from digits.rendering.ink_masks import THINNEST, at_least_wide, change_pen, ink_points, thin_whole
from digits.rendering.paper import add_ink, add_lines, add_print_behind, blank_sheet, contrast, random_pen

DIGITAL = 0.06  # share of drawings on a screen among single digits
MAX_NOISE = 0.3  # noise above this share of the ink's contrast would hide thin strokes from people as well


def photograph_one(ink: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> tuple[np.ndarray, Box]:
    """Return a small photograph of one digit and where it is: about 2 ms, for training data.

    Args:
        ink: uint8 (H, W), white on black, any size: an MNIST picture, a tile, or `handwriting.draw_digit`.
        strength: 0 for clean paper under even light, 1 for what phones and webcams do.
    Returns:
        uint8 (h, w, 3) BGR, sides 60 to 320 pixels, and the box of the ink in pixels.
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
        uint8 (side, side, 3) BGR, side 28 to 64 pixels, and the box of the ink in pixels.
    Raises:
        ValueError: if `ink` is blank.
    """
    side = int(rng.integers(28, 65))
    thin = change_pen(ink, rng)
    if rng.random() < 0.6:
        thin = thin_whole(thin, rng.uniform(0.5, 0.9))
    mask, _ = _place(thin, rng, (4 * side,) * 2, 4 * side * rng.uniform(0.35, 0.9), 0.0, 0.2)
    # Some programs take every fourth pixel: lines become steps and dashes.
    small = mask[::4, ::4]
    if rng.random() >= 0.3 or not small.any():  # a thin line may lie between all of them
        small = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    cover = small / np.float32(max(1, small.max())) * rng.uniform(0.5, 1.0)
    if rng.random() < 0.4:  # the pen was pressed unevenly
        pressed = cv2.resize(rng.random((4, 4), np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
        cover *= 1 - rng.uniform(0.2, 0.9) * np.clip(pressed, 0, 1)
    cover += rng.uniform(0, 0.03) * rng.standard_normal(small.shape, np.float32)
    grey = np.clip(rng.uniform(235, 256) * (1 - 0.9 * cover), 0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), Box(*cv2.boundingRect(ink_points(small)))


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
    return placed, Box(*cv2.boundingRect(ink_points(placed)))


def _furnish(sheet, rng, mask, box, angle, strength, pen, board) -> None:
    """Put lines, print, the digit and whatever else is about it onto the sheet, in place."""
    tall = box.side
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
    room = {"left": box.x, "right": shape[1] - box.right, "top": box.y, "bottom": shape[0] - box.bottom}
    side = max(room, key=room.get)
    gap = room[side] - 4 - box.side // 6
    if gap < 6:
        return layer
    reach = rng.uniform(0.3, 1.0) * gap
    t = np.linspace(-1, 1, 12)
    bow, tall = rng.uniform(-1, 1), rng.uniform(0.3, 0.8) * box.side
    across = reach * (1 - t * t) if rng.random() < 0.5 else reach * (0.5 + 0.5 * t)
    along = box.centre[1 if side in ("left", "right") else 0] + tall * (0.6 * t + 0.3 * bow)
    across = across if side in ("left", "top") else shape[1 if side == "right" else 0] - across
    line = np.column_stack([across, along] if side in ("left", "right") else [along, across])
    cv2.polylines(layer, [np.rint(line * 16).astype(np.int32)], False, 255, max(1, round(box.side * 0.05)),
                  cv2.LINE_AA, 4)
    return layer


def _add_desk(sheet: np.ndarray, rng: np.random.Generator, box: Box) -> None:
    """Let the sheet end beside the digit: beyond its edge lies something darker or another colour, in place."""
    height, width = sheet.shape[1:]
    side = int(rng.integers(4))
    room = (box.x, width - box.right, box.y, height - box.bottom)[side]
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
