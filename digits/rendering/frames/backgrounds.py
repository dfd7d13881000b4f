"""Photographs of everyday things, to lie behind sheets and to be frames without a digit (credits: backgrounds.md)."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

_PACK = Path(__file__).with_name("backgrounds.npz")


@cache
def photographs() -> list[np.ndarray]:
    """Return all photographs of the pack, uint8 (h, w) grey, at most 400 pixels a side; none holds a digit."""
    with np.load(_PACK) as pack:
        packed = np.split(pack["jpegs"], pack["ends"][:-1])
    return [cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE) for jpeg in packed]


def photograph(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Return a random cut of a random photograph, float32 (H, W) in [0, 1], for `size` (width, height) pixels.

    It is enlarged or reduced 0.5 to 3 times, half of the time mirrored, now and then rotated, and its brightness and
    contrast vary. Where the picture ends before the frame, it goes on as its own mirror image.
    """
    width, height = size
    picture = photographs()[int(rng.integers(len(photographs())))]
    rows, columns = picture.shape
    zoom = float(np.exp(rng.uniform(np.log(0.5), np.log(3.0)))) * max(width / columns, height / rows) ** 0.5
    turn = np.radians(float(rng.normal(0, 25) if rng.random() < 0.15 else 0.0))
    if rng.random() < 0.05:
        turn += np.pi / 2
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    if rng.random() < 0.5:
        linear = linear @ np.diag([-1, 1])
    room = np.maximum(0, 0.5 - 0.5 * np.array([width / columns, height / rows]) / zoom)
    focus = (0.5 + room * rng.uniform(-1, 1, 2)) * (columns, rows)
    matrix = np.column_stack([linear, np.array(size) / 2 - linear @ focus])
    flags = cv2.INTER_LINEAR if zoom > 0.7 else cv2.INTER_AREA
    cut = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    tones = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.25))
    middle, contrast = rng.uniform(0.35, 0.65), rng.uniform(0.55, 1.25)
    tones = np.clip(middle + contrast * (tones - middle) + rng.normal(0, 0.08), 0, 1)
    return cv2.LUT(cut, tones.astype(np.float32))
