"""What is behind and around a held sheet: desks, cloth, rooms, a person's shirt, and fingers at the edge.

All are planar float32 (3, H, W) reflectance in [0, 1], as sheets are (see `paper`).
"""

import cv2
import numpy as np

from digits.rendering.camera import random_shot, shoot
from digits.rendering.paper import clouds, noise
from digits.rendering.pen import arc, spline

SKINS = np.array([[0.5, 0.58, 0.85], [0.42, 0.52, 0.78], [0.3, 0.4, 0.62], [0.2, 0.28, 0.45]])  # blue, green, red
KINDS = ("desk", "cloth", "room", "person", "dark")


def background(rng: np.random.Generator, shape: tuple[int, int], kind: str | None = None) -> np.ndarray:
    """Return a background of one of KINDS (a random one if None), softened as it lies out of focus."""
    kind = str(rng.choice(KINDS)) if kind is None else kind
    scene = {"desk": _desk, "cloth": _cloth, "room": _room, "person": _person, "dark": _dark}[kind](rng, shape)
    softness = rng.uniform(0.5, 3)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), softness) for plane in np.clip(scene, 0, 1)])


def texture(rng: np.random.Generator, shape: tuple[int, int] = (240, 320)) -> np.ndarray:
    """Return a picture of nothing in particular, with the statistics of natural ones, uint8 (H, W, 3) BGR.

    Half of them are dead leaves (Lee, Mumford, Huang 2001): shapes of all sizes, each covering those before; the others
    a background of KINDS, noise with a spectrum that falls as the frequency, or parallel bars; then a camera.
    """
    kind = rng.random()
    if kind < 0.5:
        scene = _dead_leaves(rng, shape)
    elif kind < 0.7:
        scene = background(rng, shape)
    elif kind < 0.9:
        scene = _tinted(rng, tuple(rng.uniform(0.2, 0.8, 3)), rng.uniform(0.1, 0.5) * fractal(rng, shape))
    else:
        scene = _cloth(rng, shape) * (1 + 0.3 * fractal(rng, shape))
    return shoot(np.clip(scene, 0, 1).astype(np.float32), rng, random_shot(rng, 60, rng.uniform(0.2, 1)))


def fractal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return float32 `shape`: hills on hills on hills, deviation about 1."""
    falling = rng.uniform(0.4, 0.9)
    return sum(falling**octave * clouds(rng, shape, 3 * 2**octave) for octave in range(6)) * np.float32(1 - falling)


def _dead_leaves(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    scene = _tinted(rng, tuple(rng.uniform(0.1, 0.9, 3)), 0.1 * fractal(rng, shape))
    relief = 1 + rng.uniform(0, 0.35) * fractal(rng, shape)
    for _ in range(int(rng.integers(6, 120))):
        radius = 4 / rng.uniform(0.03, 0.6)  # few large, many small
        middle = rng.uniform(-0.05, 1.05, 2) * shape[::-1]
        corners = int(rng.integers(3, 16))
        around = np.array(arc(0, 0, radius, radius * rng.uniform(0.3, 1), 0, 360 - 360 / corners, corners))
        around *= np.exp(rng.uniform(0, 0.3) * rng.standard_normal((corners, 1)))
        turn = rng.uniform(0, 2 * np.pi)
        around = around @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + middle
        points = np.rint((spline(np.vstack([around, around[:1]])) if corners > 5 else around) * 16).astype(np.int32)
        cover = cv2.fillPoly(np.zeros(shape, np.float32), [points], 1.0, cv2.LINE_AA, 4)
        scene += cover * (rng.uniform(0.05, 0.95, (3, 1, 1)).astype(np.float32) * relief - scene)
    return scene


def _tinted(rng: np.random.Generator, colour: tuple[float, float, float], relief: np.ndarray) -> np.ndarray:
    shade = np.array(colour, np.float32) * np.float32(rng.uniform(0.6, 1.2))
    return (shade[:, None, None] * (1 + relief)).astype(np.float32)


def _desk(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Wood: noise drawn out along the grain."""
    grain = cv2.blur(np.ascontiguousarray(noise(rng, shape)), (81, 1)) * 4 + 0.6 * clouds(rng, shape, 3)
    colours = ((0.2, 0.35, 0.55), (0.12, 0.22, 0.36), (0.45, 0.6, 0.72), (0.55, 0.55, 0.55))
    return _tinted(rng, colours[rng.integers(len(colours))], 0.1 * grain)


def _cloth(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A table cloth or shirt: folds, a weave, now and then stripes."""
    folds = 0.18 * clouds(rng, shape, 4) + 0.05 * noise(rng, shape, 1.5)
    if rng.random() < 0.5:
        pitch, angle = rng.uniform(12, 60), rng.uniform(0, np.pi)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        folds += rng.uniform(0.05, 0.3) * (np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch) > 0)
    return _tinted(rng, tuple(rng.uniform(0.1, 0.8, 3)), folds)


def _room(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A wall with things on it, far behind."""
    scene = _tinted(rng, (0.55, 0.62, 0.66), 0.08 * clouds(rng, shape, 3))
    for _ in range(int(rng.integers(3, 9))):
        corner, extent = rng.uniform(-0.1, 0.9, 2) * shape[::-1], rng.uniform(0.08, 0.5, 2) * shape[::-1]
        low, high = corner.astype(int).tolist(), (corner + extent).astype(int).tolist()
        mask = cv2.rectangle(np.zeros(shape, np.float32), low, high, 1.0, -1)
        scene += mask * (rng.uniform(0.05, 0.8, (3, 1, 1)).astype(np.float32) - scene)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), 4) for plane in scene])


def _person(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Shoulders in a shirt before a wall."""
    height, width = shape
    scene = _room(rng, shape) if rng.random() < 0.5 else _tinted(rng, (0.45, 0.5, 0.53), 0.06 * clouds(rng, shape, 3))
    shirt = _tinted(rng, tuple(rng.uniform(0.08, 0.8, 3)), 0.1 * clouds(rng, shape, 6))
    middle, top = width * rng.uniform(0.44, 0.56), height * rng.uniform(0.12, 0.3)
    neck = width * rng.uniform(0.07, 0.09)
    skin = SKINS[rng.integers(len(SKINS))].astype(np.float32)[:, None, None]
    left = np.array([(-0.75, -0.6), (-1.0, -0.15), (-2.2, 0.35), (-3.6, 0.9), (-4.4, 2.4), (-4.9, 6), (-5, 14)])
    shoulders = np.concatenate([spline(left), spline(left)[::-1] * (-1, 1)])
    throat = np.array([(-0.8, -3), *arc(0, -0.5, 0.8, 1.05, 180, 360, 12), (0.8, -3)])
    chin = np.array(arc(0, -2.5, 1.35, 1.75, 0, 360, 24))
    for outline, colour in ((shoulders, shirt), (throat, 0.85 * skin), (chin, skin)):
        points = np.rint((outline * neck + (middle, top)) * 16).astype(np.int32)
        cover = cv2.fillPoly(np.zeros(shape, np.float32), [points], 1.0, cv2.LINE_AA, 4)
        shade = 0.75 + 0.25 * cv2.GaussianBlur(cover, (0, 0), 0.3 * neck)
        scene += cover * (shade * colour - scene)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), 1.5) for plane in scene])


def _dark(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return _tinted(rng, (0.08, 0.09, 0.1), 0.4 * clouds(rng, shape, 4))


def fingers(rng: np.random.Generator, corners: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return hands that hold a sheet at its left and right edge.

    Args:
        corners: float (4, 2), the sheet's corners in the frame, clockwise from the top left.
        shape: height and width of the frame.
    Returns:
        skin, float32 (3, H, W), shaded to look round; cover, float32 `shape`.
    """
    skin = SKINS[rng.integers(len(SKINS))].astype(np.float32)[:, None, None]
    cover = np.zeros(shape, np.float32)
    length = 0.075 * float(np.linalg.norm(corners[1] - corners[0]))
    for top, bottom, outwards in ((corners[0], corners[3], -1), (corners[1], corners[2], 1)):
        grip = top + rng.uniform(0.45, 0.75) * (bottom - top)
        for finger in range(int(rng.integers(1, 4))):
            tip = grip + (-outwards * (0.3 - 0.08 * finger) * length, finger * 0.66 * length)
            base = tip + outwards * length * np.array([3.5, 0.5])
            ends = np.rint(np.array([tip, base]) * 16).astype(np.int32)
            cv2.line(cover, ends[0].tolist(), ends[1].tolist(), 1.0, max(2, round(0.7 * length)), cv2.LINE_AA, 4)
    shade = 0.7 + 0.3 * cv2.GaussianBlur(cover, (0, 0), 0.2 * length)
    return skin * shade, cover
