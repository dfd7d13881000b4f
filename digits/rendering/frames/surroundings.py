"""What is seen beside a held sheet or round a board, the view that shows it so, and the hands that hold it.

All is grey, float32 (H, W) reflectance in [0, 1].
"""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.rendering.frames.backgrounds import photograph
from digits.rendering.frames.canvas import Frame
from digits.rendering.paper import clouds, noise
from digits.rendering.pen import arc, spline

_SMALLEST, _LARGEST = 8.5, 200  # pixels: heights of digits on held sheets
_FORMATS = (0.707, 1.414, 1.0, 0.63, 1.6, 0.5, 2.0, 3.5)  # width to height: A4, square note, card, phone, screen, strip


def behind(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a room, a desk, a person or a photograph, float32 (H, W), for `size` (width, height), without digits."""
    if rng.random() < 0.6:
        scene = photograph(rng, size)
    else:
        painters = (_room, _person, _desk, _cloth, leaves, _plain)
        painter = painters[rng.choice(len(painters), p=(0.3, 0.25, 0.13, 0.12, 0.1, 0.1))]
        scene = np.clip(painter(rng, size), 0, 1).astype(np.float32)
    if rng.random() < 0.5:
        scene = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.6, 3)))
    return scene


@dataclass(frozen=True)
class Pose:
    """How large a sheet is seen: its longer side as a share of the frame; its canvas' width and height in pixels."""

    share: float
    canvas_size: tuple[int, int]


def random_pose(rng: np.random.Generator, size: tuple[int, int], ground: str | None) -> Pose:
    """Return how a sheet, board or screen is seen, and the size to paint it at so that little of it is lost."""
    share = float(np.exp(rng.uniform(np.log(0.25), np.log(1.2))))
    formats = _FORMATS[1:2] + _FORMATS[4:7] if ground in ("board", "whiteboard") else _FORMATS
    aspect = float(rng.choice(formats)) * float(np.exp(rng.uniform(-0.1, 0.1)))
    longer = max(96.0, share * min(size) * float(rng.uniform(1.0, 1.25)))
    w, h = (longer, longer / aspect) if aspect > 1 else (longer * aspect, longer)
    return Pose(share, (max(56, round(w)), max(56, round(h))))


def held_view(rng: np.random.Generator, pose: Pose, size: tuple[int, int],
              heights: tuple[float, float] | None = None) -> np.ndarray:
    """Return the 3x3 matrix that shows a sheet with all that is around it.

    Args:
        size: width and height of the frame.
        heights: of the smallest and largest digit on the sheet's canvas in pixels; they come out 8 to 200 pixels tall.
    """
    width, height = pose.canvas_size
    scale = pose.share * min(size) / max(width, height)
    if heights is not None:
        scale = max(min(scale, _LARGEST / heights[1]), _SMALLEST / heights[0])
    tilted = rng.random() < 0.6
    tilt = np.radians(rng.uniform(-50, 50, 2) * rng.random() if tilted else rng.normal(0, 3, 2))
    turn = np.radians(float(np.clip(rng.normal(0, 9), -25, 25)) if rng.random() < 0.85 else 0.0)
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    x, y = (corners @ rotation * np.cos(tilt)).T
    away = corners @ rotation @ np.sin(tilt)
    distance = max(width, height) * float(np.exp(rng.uniform(np.log(1.2), np.log(4))))
    points = scale * np.stack([x, y], 1) * (distance / (distance + away))[:, None]
    low, high = points.min(0), points.max(0)
    room = np.maximum(np.array(size) - (high - low), 0.25 * np.minimum(size, high - low))  # it may reach over the edge
    points += np.array(size) / 2 - (low + high) / 2 + room * rng.uniform(-0.5, 0.5, 2)
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return cv2.getPerspectiveTransform(source, points.astype(np.float32))


def through(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return where `matrix` shows points, float (n, 2)."""
    return cv2.perspectiveTransform(np.asarray(points, np.float32).reshape(-1, 1, 2), matrix).reshape(-1, 2)


def set_off(scene: np.ndarray, rng: np.random.Generator, matrix: np.ndarray, canvas_size: tuple[int, int],
            ground: str) -> None:
    """Draw onto what is behind a sheet, in place: the sheet's shadow, a screen's or board's frame, a clip board."""
    width, height = canvas_size
    side = max(canvas_size)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    outwards = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    if rng.random() < 0.7:
        offset, spread = side * rng.uniform(-0.05, 0.05, 2), float(rng.uniform(0.005, 0.06)) * side
        shadow = np.zeros(scene.shape, np.float32)
        _fill(shadow, through(matrix, corners + offset + outwards * spread), float(rng.uniform(0.2, 0.75)))
        scene *= 1 - cv2.GaussianBlur(shadow, (0, 0), float(np.clip(0.4 * spread, 0.6, 5)))
    framed = {"screen": 0.9, "whiteboard": 0.7, "board": 0.7}.get(ground, 0.08)
    if rng.random() < framed:
        wide = side * float(rng.uniform(0.01, 0.07))
        tall = wide * float(rng.choice([1.0, 1.0, rng.uniform(1, 4)]))
        tone = rng.uniform(0.02, 0.2) if ground == "screen" and rng.random() < 0.75 else rng.uniform(0.1, 0.9)
        _fill(scene, through(matrix, corners + outwards * (wide, tall)), float(tone))
        if rng.random() < 0.5:
            _fill(scene, through(matrix, corners + outwards * wide * 0.3), float(rng.uniform(0, 1)))


def curl(paper: np.ndarray, rng: np.random.Generator) -> None:
    """Shade paper, float32 (H, W), in place, as it bends: rolled, curled at an edge, or folded."""
    axis = int(rng.integers(2))
    along = np.linspace(0, 1, paper.shape[axis], dtype=np.float32)
    along = along if rng.random() < 0.5 else along[::-1]
    kind, depth = rng.integers(3), float(rng.uniform(0.05, 0.35))
    if kind == 0:
        shade = 1 + depth * (np.sin(np.pi * (along * rng.uniform(0.5, 1.5) + rng.random())) - 0.5)
    elif kind == 1:
        shade = 1 - depth * np.clip(1 - along / rng.uniform(0.08, 0.4), 0, 1) ** 1.5
    else:
        shade = 1 - depth * 0.7 * (along > rng.uniform(0.25, 0.75))
    paper *= shade.astype(np.float32)[:, None] if axis == 0 else shade.astype(np.float32)[None]


def add_hands(scene: np.ndarray, frame: Frame, corners: np.ndarray, rng: np.random.Generator) -> None:
    """Draw hands that hold a sheet at its edges onto a scene, in place; they never cover a digit's ink.

    Args:
        corners: float (4, 2), the sheet's corners in the scene, clockwise from the top left.
    """
    skin = float(rng.uniform(0.15, 0.8))
    guard = cv2.dilate((frame.ink > 20).astype(np.uint8), np.ones((5, 5), np.uint8))
    side = float(np.linalg.norm(corners - np.roll(corners, 1, 0), axis=1).max())
    thick = float(rng.uniform(0.05, 0.11)) * min(max(side, 90.0), 330.0)
    for edge in rng.permutation(4)[: int(rng.integers(1, 3))]:
        start, end = corners[edge], corners[(edge + 1) % 4]
        along = (end - start) / max(1.0, float(np.linalg.norm(end - start)))
        outwards = np.array([along[1], -along[0]])
        grip = start + (end - start) * rng.uniform(0.15, 0.85)
        for reach in (rng.uniform(0.6, 1.8), 0.4, 0.0):
            cover, light = _hand(rng, scene.shape, grip, along, outwards, thick, reach)
            if not np.any(guard[cover > 0.02]):
                scene += cover * (skin * light - scene)
                break


def _hand(rng, shape, grip, along, outwards, thick: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the cover and the light, float32 `shape`, of a hand whose fingers reach `reach` widths over the edge."""
    cover = np.zeros(shape, np.float32)
    count = int(rng.integers(1, 5))
    lean = rng.normal(0, 0.2)
    fingers = []
    for finger in range(count):
        tip = grip + along * (finger - count / 2) * thick * 1.05 - outwards * thick * (reach - 0.5 + 0.4 * rng.random())
        base = tip + (outwards + lean * along) * thick * rng.uniform(3.5, 5)
        fingers.append((tip, base))
        _stroke(cover, tip, base, thick)
    palm = grip + outwards * thick * (5.2 - reach) + along * lean * 4 * thick
    _stroke(cover, palm, palm + (outwards + lean * along) * 60 * thick, thick * (1.5 + 0.9 * count))
    light = cv2.GaussianBlur(cover, (0, 0), max(0.6, 0.22 * thick))
    light = 0.45 + 0.6 * light
    for tip, base in fingers:
        if rng.random() < 0.6:  # nails, as of fingers seen from behind
            shine = float(rng.uniform(1.05, 1.3))
            _stroke(light, tip + 0.05 * (base - tip), tip + 0.13 * (base - tip), 0.5 * thick, shine)
    return cover, light


def _stroke(scene: np.ndarray, start, end, thickness: float, tone: float = 1.0) -> None:
    points = np.rint(np.clip(np.array([start, end]), -2000, 2000) * 16).astype(int)
    cv2.line(scene, points[0].tolist(), points[1].tolist(), tone, max(1, round(thickness)), cv2.LINE_AA, 4)


def _fill(scene: np.ndarray, points: np.ndarray, tone: float) -> None:
    fixed = np.rint(np.clip(points, -4000, 4000) * 16).astype(np.int32)
    cv2.fillPoly(scene, [fixed], tone, cv2.LINE_AA, 4)


def _box(scene: np.ndarray, x: float, y: float, w: float, h: float, tone: float) -> None:
    cv2.rectangle(scene, (round(x), round(y)), (round(x + w), round(y + h)), tone, -1)


def _wall(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    level = float(rng.uniform(0.2, 0.9))
    return (level * (1 + 0.05 * clouds(rng, size[::-1], 3) + 0.01 * noise(rng, size[::-1]))).astype(np.float32)


def _room(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A wall with windows, shelves, screens, doors and lamps."""
    scene, side = _wall(rng, size), max(size)
    if rng.random() < 0.5:  # floor or table
        level = size[1] * rng.uniform(0.5, 0.95)
        _fill(scene, np.array([(0, level), (size[0], level + rng.normal(0, 0.1) * side), (size[0], 9999), (0, 9999)]),
              float(rng.uniform(0.1, 0.8)))
    things = (_window, _shelf, _screen, _door, _lamp, _box_thing)
    for _ in range(int(rng.integers(1, 6))):
        w, h = side * np.exp(rng.uniform(np.log(0.12), np.log(0.7), 2))
        x, y = rng.uniform(-0.2, 0.9, 2) * size
        things[rng.integers(len(things))](scene, rng, x, y, w, h)
    if rng.random() < 0.6:
        shape, turn = size, cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), float(rng.normal(0, 6)), 1.12)
        turn[:, 0] += rng.normal(0, 0.1, 2)
        scene = cv2.warpAffine(scene, turn, shape, borderMode=cv2.BORDER_REPLICATE)
    return scene


def _window(scene, rng, x, y, w, h) -> None:
    frame = float(rng.uniform(0.1, 0.95))
    _box(scene, x, y, w, h, frame)
    columns, rows, bar = int(rng.integers(2, 4)), int(rng.integers(1, 4)), float(rng.uniform(2, 7))
    for column in range(columns):
        for row in range(rows):
            _box(scene, x + bar + column * w / columns, y + bar + row * h / rows, w / columns - 2 * bar,
                 h / rows - 2 * bar, float(rng.uniform(0.7, 1.0)))


def _shelf(scene, rng, x, y, w, h) -> None:
    _box(scene, x, y, w, h, float(rng.uniform(0.05, 0.6)))
    row = float(rng.uniform(20, 60))
    for top in np.arange(y + 3, y + h - 0.6 * row, row):
        at = x + 2.0
        while at < x + w - 4:
            thick, tall = rng.uniform(2, 0.22 * row), row * rng.uniform(0.6, 0.9)
            _box(scene, at, top + row - 4 - tall, thick - 1, tall, float(rng.uniform(0.05, 0.95)))
            at += thick + (rng.uniform(4, 20) if rng.random() < 0.06 else 0.5)


def _screen(scene, rng, x, y, w, h) -> None:
    h = w * rng.uniform(0.5, 0.75)
    _box(scene, x + 0.42 * w, y + h, 0.16 * w, 0.25 * h, 0.12)
    _box(scene, x, y, w, h, float(rng.uniform(0.02, 0.25)))
    _box(scene, x + 0.03 * w, y + 0.04 * h, 0.94 * w, 0.88 * h, float(rng.uniform(0.0, 1.0)))


def _door(scene, rng, x, y, w, h) -> None:
    w = 0.5 * h + 20
    for inset in (0.0, 0.06, 0.16):
        _box(scene, x + inset * w, y + inset * w, w * (1 - 2 * inset), 9999, float(rng.uniform(0.2, 0.9)))


def _lamp(scene, rng, x, y, w, h) -> None:
    _fill(scene, np.array([(x - 0.2 * w, y), (x + 0.2 * w, y), (x + 0.4 * w, y + 0.4 * h), (x - 0.4 * w, y + 0.4 * h)]),
          float(rng.uniform(0.6, 1.0)))
    _stroke(scene, (x, y + 0.4 * h), (x, y + 2 * h), 3, 0.2)


def _box_thing(scene, rng, x, y, w, h) -> None:
    _box(scene, x, y, w, h, float(rng.uniform(0.05, 0.95)))
    _box(scene, x + 0.1 * w, y + 0.1 * h, 0.8 * w, 0.8 * h, float(rng.uniform(0.05, 0.95)))


def _person(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Head and shoulders before a wall, a room or a photograph."""
    scene = (_wall, _room, photograph)[rng.integers(3)](rng, size)
    neck = float(np.exp(rng.uniform(np.log(0.04), np.log(0.13)))) * size[0]
    add_person(scene, rng, size[0] * rng.uniform(0.1, 0.9), size[1] * rng.uniform(0.25, 0.7), neck)
    return scene


def add_person(scene: np.ndarray, rng: np.random.Generator, x: float, y: float, neck: float) -> None:
    """Paint head and shoulders onto a scene, in place: the neck at (x, y), half as wide as `neck` pixels."""
    skin, shirt, hair = float(rng.uniform(0.2, 0.85)), float(rng.uniform(0.05, 0.9)), float(rng.uniform(0.03, 0.6))
    left = spline(np.array([(-0.75, -0.6), (-1.0, -0.15), (-2.2, 0.35), (-3.6, 0.9), (-4.4, 2.4), (-4.9, 6), (-5, 14)]))
    middle = np.array([x, y])
    _fill(scene, np.array([(-0.8, -3), (0.8, -3), (1.0, 0.6), (-1.0, 0.6)]) * neck + middle, 0.8 * skin)
    _fill(scene, np.concatenate([left, left[::-1] * (-1, 1)]) * neck + middle, shirt)
    wide, long = rng.uniform(1.25, 1.5), rng.uniform(1.6, 1.95)
    head = middle + np.array((rng.normal(0, 0.15), -2.6)) * neck
    if rng.random() < 0.85:
        _fill(scene, np.array(arc(0, -0.35, wide * 1.2, long * 1.05, 0, 360, 24)) * neck + head, hair)
        if rng.random() < 0.4:
            long_hair = np.array([(-1.2 * wide, -0.5), (1.2 * wide, -0.5), (1.4 * wide, 2.6), (-1.4 * wide, 2.6)])
            _fill(scene, long_hair * neck + head, hair)
    _fill(scene, np.array(arc(0, 0, wide, long, 0, 360, 24)) * neck + head, skin)
    for eye in (-0.5, 0.5):
        _fill(scene, np.array(arc(eye, -0.2, 0.24, 0.13, 0, 360, 10)) * neck + head, 0.15)
        brow = np.array([(eye - 0.3, -0.5), (eye + 0.3, -0.5)]) * neck + head
        _stroke(scene, *brow, 0.12 * neck, hair)
    _stroke(scene, (0.05 * neck, -0.1 * neck) + head, (0.15 * neck, 0.5 * neck) + head, 0.1 * neck, 0.75 * skin)
    _stroke(scene, (-0.4 * neck, 0.95 * neck) + head, (0.4 * neck, 0.95 * neck) + head, 0.14 * neck, 0.55 * skin)


def _desk(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Wood: noise drawn out along the grain."""
    shape = size[::-1]
    grain = cv2.blur(np.ascontiguousarray(noise(rng, shape)), (81, 1)) * 4 + 0.6 * clouds(rng, shape, 3)
    scene = rng.uniform(0.15, 0.8) * (1 + 0.1 * grain)
    return scene if rng.random() < 0.6 else np.ascontiguousarray(np.rot90(scene)) if size[0] == size[1] else scene


def _cloth(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A table cloth or shirt: folds, a weave, now and then stripes or checks."""
    shape = size[::-1]
    folds = 0.18 * clouds(rng, shape, 4) + 0.05 * noise(rng, shape, 1.5)
    for _ in range(int(rng.integers(3))):
        pitch, angle = rng.uniform(8, 60), rng.uniform(0, np.pi)
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        waves = np.sin((x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * np.float32(2 * np.pi / pitch))
        folds += np.float32(rng.uniform(0.05, 0.3)) * (waves > 0)
    return rng.uniform(0.1, 0.8) * (1 + folds)


def leaves(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return dead leaves, float32 (H, W): shapes of all sizes that cover each other (Lee, Mumford, Huang 2001)."""
    scene = _wall(rng, size)
    for radius in 4 / rng.uniform(0.03, 0.6, int(rng.integers(20, 150))):
        corners = int(rng.integers(3, 12))
        around = np.array(arc(0, 0, radius, radius * rng.uniform(0.3, 1), 0, 360 - 360 / corners, corners))
        around *= np.exp(rng.uniform(0, 0.3) * rng.standard_normal((corners, 1)))
        _fill(scene, around + rng.uniform(-0.05, 1.05, 2) * size, float(rng.uniform(0.05, 0.95)))
    return scene * (1 + 0.1 * rng.random() * clouds(rng, size[::-1], 12))


def _plain(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    level = rng.uniform(0.02, 0.2) if rng.random() < 0.6 else rng.uniform(0.2, 1)
    return level * (1 + 0.3 * rng.random() * clouds(rng, size[::-1], 4))
