"""Rendered crops and what the finder is to answer for them: each batch depends on its seed and number alone."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from digits.learning.finder.maps import FINE, STRIDE
from digits.learning.finder.targets import PLANES, targets
from digits.learning.shared.keys import digest
from digits.learning.shared.workers import each_chunk, map_chunks
from digits.rendering.frames.scenes import render
from digits.rendering.frames.shapes import FULL, Bank, Inks, groups_of, make_shapes, save_bank
from digits.rendering.frames.writers import Shapes

CROP = 320  # pixels: side of a crop


def bank_file(inks: Inks | None, seed: int, folder: Path, workers: int, counts: Mapping[str, int] = FULL) -> Path:
    """Return the file of a bank of shapes (`shapes.Bank`), made once and kept in `folder`."""
    groups = groups_of(counts, inks is not None)
    named = digest(dict(groups), seed, *([] if inks is None else [inks.images, inks.labels]))
    path = folder / f"shapes-{named}.npy"
    if not path.with_suffix(".npz").exists():
        folder.mkdir(parents=True, exist_ok=True)
        own = {label: None if inks is None else Inks(inks.images[inks.labels == label],
                                                     inks.labels[inks.labels == label]) for label in range(10)}
        chunks = [(group, count, own.get(int(group.split()[1])) if " " in group else None, seed)
                  for group, count in groups.items()]
        save_bank(path, groups, map_chunks(make_shapes, chunks, workers))
    return path


def batch(bank: Path, seed: int, number: int, count: int, size: int = CROP) -> tuple[np.ndarray, np.ndarray]:
    """Return crops, uint8 (count, size, size, 1), and their targets, float16 (count, size / 4, size / 4, 8 + 16).

    Args:
        bank: file of a bank of shapes to write with.
    """
    cv2.setNumThreads(1)
    rng = np.random.default_rng([seed, number])
    shapes = _shapes(bank)
    crops = np.empty((count, size, size, 1), np.uint8)
    answers = np.empty((count, size // STRIDE, size // STRIDE, len(PLANES) + FINE * FINE), np.float16)
    for index in range(count):
        frame = render(rng, (size, size), shapes)
        crops[index, ..., 0] = frame.grey
        answers[index] = targets(frame)
    return crops, answers


def batches(bank: Path, seed: int, numbers: range, count: int, workers: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the batches of these numbers in order, rendered by so many processes ahead of their use."""
    ready: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    following = 0
    for position, made in each_chunk(batch, ((bank, seed, number, count) for number in numbers), workers):
        ready[position] = made
        while following in ready:
            yield ready.pop(following)
            following += 1


@lru_cache(maxsize=2)
def _shapes(bank: Path) -> Shapes:
    return Shapes(Bank.load(bank))
