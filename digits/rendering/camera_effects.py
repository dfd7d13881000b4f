"""Graded changes for the worse, one condition at a time, for benchmarks."""

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.camera import Shot, add_noise, develop, lamp, motion_kernel
from digits.rendering.paper import add_lines


def camera_effect(frame: np.ndarray, kind: str, strength: int, rng: np.random.Generator) -> np.ndarray:
    """Return a frame as it would look under one worse condition.

    Args:
        frame: uint8 (H, W, 3) BGR, dark ink on light paper.
        kind: one of EFFECTS.
        strength: 1 (hardly seen) to 5 (a person still reads it, with effort).
    Returns:
        uint8, the shape of `frame`.
    Raises:
        ValueError: if there is no such effect or strength.
    """
    if kind not in EFFECTS:
        raise ValueError(f"no camera effect is called {kind!r}; there are {', '.join(EFFECTS)}")
    if not 1 <= strength <= 5:
        raise ValueError(f"strength is {strength}, expected 1 to 5")
    return EFFECTS[kind](frame, strength / 5, rng)


def _worse_light(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    shot = Shot(gradient=0.7 * strength, vignette=0.4 * strength, shadow=0.6 * strength, shadow_softness=0.08)
    light = lamp(rng, frame.shape[:2], shot) * np.float32(1 - 0.3 * strength)
    return cv2.convertScaleAbs(frame * light[..., None])


def _blur(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    height = frame.shape[0]
    soft = cv2.GaussianBlur(frame, (0, 0), max(0.3, 0.011 * height * strength))
    return cv2.filter2D(soft, -1, motion_kernel(2 + 0.025 * height * strength, rng.uniform(0, 180)))


def _noise(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    noisy = frame.astype(np.float32) / 255
    add_noise(noisy, rng, 0.09 * strength, 0.3)
    return develop(noisy, Shot(quality=round(90 - 60 * strength)))


def _perspective(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Tilt by up to some 45 degrees and turn by up to 15; what comes into view has the paper's colour."""
    height, width = frame.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    squeeze = np.zeros((4, 2), np.float32)
    side = int(rng.integers(4))  # this edge lies farther away
    squeeze[side], squeeze[(side + 1) % 4] = 1, 1
    middle = corners.mean(0)
    tilted = corners + 0.3 * strength * squeeze * (middle - corners)
    turn = np.radians(15 * strength * rng.choice([-1, 1]) * rng.uniform(0.6, 1))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target = ((tilted - middle) @ rotation + middle).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(frame, matrix, (width, height), borderValue=paper_colour(frame))


def _ruled(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    planes = np.ones((3, *frame.shape[:2]), np.float32)
    pitch = frame.shape[0] * rng.uniform(0.06, 0.18)
    add_lines(planes, rng, pitch, rng.uniform(-4, 4), 0.2 + 0.8 * strength)
    return cv2.convertScaleAbs(frame * cv2.merge(list(planes)))


def _small(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    scale = 1 - 0.8 * strength
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    room = np.array(frame.shape[:2]) - small.shape[:2]
    top, left = (room * rng.uniform(0.3, 0.7, 2)).astype(int)
    out = np.empty_like(frame)
    out[:] = np.rint(paper_colour(frame)).astype(np.uint8)
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def _off_centre(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Shift the ink towards a corner, never out of the frame."""
    away = np.abs(frame.astype(np.int16) - np.array(paper_colour(frame), np.int16)).max(-1)
    ink = Box(*cv2.boundingRect((away > max(20, away.max() // 2)).astype(np.uint8)))
    height, width = frame.shape[:2]
    right, down = rng.random(2) < 0.5
    dx = (width - 3 - ink.right if right else 3 - ink.x) * strength
    dy = (height - 3 - ink.bottom if down else 3 - ink.y) * strength
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(frame, matrix, (width, height), borderValue=paper_colour(frame))


def _faint(frame: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    paper = cv2.medianBlur(frame, 2 * (min(frame.shape[:2]) // 8) + 1)
    return cv2.addWeighted(frame, 1 - 0.88 * strength, paper, 0.88 * strength, 0)


def paper_colour(frame: np.ndarray) -> tuple[float, float, float]:
    """Return the middle colour (blue, green, red) of the frame's border, uint8 range."""
    border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
    return tuple(float(value) for value in np.median(border, axis=0))


EFFECTS = {
    "light": _worse_light, "blur": _blur, "noise": _noise, "perspective": _perspective, "ruled": _ruled,
    "small": _small, "off_centre": _off_centre, "faint": _faint,
}  # fmt: skip
