"""Rendered crops and what the finder is to answer for them: each batch depends on its seed and number alone."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from digits.learning.finder.maps import FINE, STRIDE
from digits.learning.finder.targets import PLANES, targets
from digits.learning.shared.workers import each_chunk
from digits.rendering.frames.scenes import render
from digits.rendering.frames.writers import Inks, Shapes

CROP = 320  # pixels: side of a crop


def batch(inks: Path, seed: int, number: int, count: int, size: int = CROP) -> tuple[np.ndarray, np.ndarray]:
    """Return crops, uint8 (count, size, size, 1), and their targets, float16 (count, size / 4, size / 4, 8 + 16).

    Args:
        inks: npz file with `images`, uint8 (N, h, w), and `labels`, of people's digits to write with.
    """
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, number])
    shapes = Shapes(_inks(inks))
    crops = np.empty((count, size, size, 1), np.uint8)
    answers = np.empty((count, size // STRIDE, size // STRIDE, len(PLANES) + FINE * FINE), np.float16)
    for index in range(count):
        frame = render(rng, (size, size), shapes)
        crops[index, ..., 0] = frame.grey
        answers[index] = targets(frame)
    return crops, answers


def batches(inks: Path, seed: int, numbers: range, count: int, workers: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the batches of these numbers in order, rendered by so many processes ahead of their use."""
    ready: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    following = 0
    for position, made in each_chunk(batch, ((inks, seed, number, count) for number in numbers), workers):
        ready[position] = made
        while following in ready:
            yield ready.pop(following)
            following += 1


@lru_cache(maxsize=2)
def _inks(path: Path) -> Inks:
    with np.load(path) as stored:
        return Inks(stored["images"], stored["labels"])
