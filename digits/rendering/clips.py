"""Clips of a sheet that a hand holds up, rendered with the exact boxes of every frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from digits.box import Box
from digits.rendering.camera import Shot, lamp, random_shot, shoot
from digits.rendering.pages import WrittenSheet, add_fingers, boxes_of, composed, corners_of, random_view, write_sheet
from digits.rendering.photographs import MAX_NOISE
from digits.rendering.scenes import background


@dataclass(frozen=True)
class Motion:
    """How a held sheet moves: amplitudes in pixels of a 640 wide frame and degrees, frequencies in hertz."""

    tremor: tuple[float, float, float] = (5.0, 1.5, 0.4)  # amplitudes of slow swaying, hand tremor, fine shaking
    frequencies: tuple[float, float, float] = (0.25, 1.3, 8.0)  # of the three
    sway: float = 1.2  # turning to and fro, degrees
    entrance: int = 0  # frames during which the sheet is raised into view; 0 if it is there from the start
    frame_rate: float = 25.0  # frames a second


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


def film(sheet: WrittenSheet, labels: Sequence[int], behind: np.ndarray, rng: np.random.Generator, frames: int,
         motion: Motion, shot: Shot) -> Iterator[tuple[np.ndarray, list[tuple[Box, int]]]]:
    """Yield what `clip` does, of a given sheet before a given background."""
    size = sheet.image.shape[2], sheet.image.shape[1]
    base, light = random_view(rng, size, 0.84, 0.5), lamp(rng, size[::-1], shot)
    phases, hands = rng.uniform(0, 2 * np.pi, (3, 3)), int(rng.integers(2**31))
    last = None
    for index in range(frames):
        matrix = _hand_position(index, motion, phases, size) @ base
        middle = corners_of(sheet, matrix).mean(0)
        step = middle - last if last is not None else np.zeros(2)
        last = middle
        scene = composed(sheet.image, matrix, behind, 0.5 * step)
        add_fingers(scene, sheet, matrix, np.random.default_rng(hands))
        frame = shoot(scene, rng, shot, light)
        yield frame, [(box, int(label)) for box, label in zip(boxes_of(sheet, matrix), labels, strict=True)
                      if Box(0, 0, *size).contains(box)]


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
