"""What is behind and around a held sheet: desks, cloth, rooms, a person's shirt, and fingers at the edge.

All are planar float32 (3, H, W) reflectance in [0, 1], as sheets are (see `paper`).
"""

import cv2
import numpy as np

from digits.learning.paper import clouds, noise

SKINS = np.array([[0.5, 0.58, 0.85], [0.42, 0.52, 0.78], [0.3, 0.4, 0.62], [0.2, 0.28, 0.45]])  # blue, green, red
KINDS = ("desk", "cloth", "room", "person", "dark")


def background(rng: np.random.Generator, shape: tuple[int, int], kind: str | None = None) -> np.ndarray:
    """Return a background of one of KINDS (a random one if None), softened as it lies out of focus."""
    kind = str(rng.choice(KINDS)) if kind is None else kind
    scene = {"desk": _desk, "cloth": _cloth, "room": _room, "person": _person, "dark": _dark}[kind](rng, shape)
    softness = rng.uniform(0.5, 3)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), softness) for plane in np.clip(scene, 0, 1)])


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
    scene = _tinted(rng, tuple(rng.uniform(0.25, 0.6) * np.array([0.9, 1.0, 1.05])), 0.06 * clouds(rng, shape, 3))
    shirt = _tinted(rng, tuple(rng.uniform(0.1, 0.85, 3)), 0.1 * clouds(rng, shape, 6))
    middle, top = width * rng.uniform(0.42, 0.58), height * rng.uniform(0.1, 0.35)
    neck = width * 0.09
    skin = np.zeros(shape, np.float32)
    cv2.ellipse(skin, ((middle, top - 0.1 * height), (2.4 * neck, 0.6 * height), 0), 1.0, -1, cv2.LINE_AA)
    body = np.zeros(shape, np.float32)
    outline = [(-3.6, 9), (-3.4, 1.2), (-2.6, 0.5), (-1, 0), (0, 0.3), (1, 0), (2.6, 0.5), (3.4, 1.2), (3.6, 9)]
    points = [(middle + x * neck, top + y * neck) for x, y in outline]
    cv2.fillPoly(body, [np.rint(points).astype(np.int32)], 1.0, cv2.LINE_AA)
    scene += skin * (SKINS[rng.integers(len(SKINS))].astype(np.float32)[:, None, None] - scene)
    return scene + body * (shirt - scene)


def _dark(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return _tinted(rng, (0.08, 0.09, 0.1), 0.4 * clouds(rng, shape, 4))


def fingers(rng: np.random.Generator, corners: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return hands that hold a sheet at its left and right edge.

    Args:
        corners: float (4, 2), the sheet's corners in the frame, clockwise from the top left.
        shape: height and width of the frame.
    Returns:
        skin, float32 (3, 1, 1); cover, float32 `shape`, shaded to look round.
    """
    skin = SKINS[rng.integers(len(SKINS))].astype(np.float32)[:, None, None]
    cover = np.zeros(shape, np.float32)
    length = 0.075 * float(np.linalg.norm(corners[1] - corners[0]))
    for top, bottom, outwards in ((corners[0], corners[3], -1), (corners[1], corners[2], 1)):
        grip = top + rng.uniform(0.45, 0.75) * (bottom - top)
        for finger in range(int(rng.integers(1, 4))):
            tip = grip + (-outwards * 0.3 * length, finger * 0.75 * length)
            base = tip + outwards * length * np.array([3.5, 0.5])
            ends = np.rint(np.array([tip, base]) * 16).astype(np.int32)
            cv2.line(cover, ends[0].tolist(), ends[1].tolist(), 1.0, max(2, round(0.7 * length)), cv2.LINE_AA, 4)
    return skin, cover
