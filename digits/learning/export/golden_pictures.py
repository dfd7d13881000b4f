"""The golden pictures of an export, made anew."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import keras
import numpy as np

from digits.reading.models.errors import ModelError
from digits.reading.models.golden import Golden, golden_tile
from digits.reading.tile import to_input

_TRIES = 20  # photographs of a digit before its plain picture stands in: a finder trained for minutes sees few


def golden_sources(digits: np.ndarray, count: int = 32, seed: int = 0) -> list[np.ndarray]:
    """Return golden pictures: half MNIST digits as they are, half rendered photographs of further ones.

    Args:
        digits: MNIST pictures, uint8 (N, 28, 28), N at least 1.
    Returns:
        `count` arrays: uint8 (28, 28), and uint8 (H, W, 3) BGR, where the finder sees digits.
    """
    from digits.rendering.photographs import photograph_one

    rng = np.random.default_rng(seed)
    chosen = digits[rng.choice(len(digits), count, replace=len(digits) < count)]
    sources = [np.ascontiguousarray(digit) for digit in chosen[: count // 2]]
    for digit in chosen[count // 2 :]:
        tries = (photograph_one(digit, rng)[0] for _ in range(_TRIES))  # a few come out too dark or cut
        sources.append(next(filter(_readable, tries), digit))
    return sources


def _readable(photograph: np.ndarray) -> bool:
    try:
        golden_tile(photograph)
    except ValueError:
        return False
    return True


def make_golden(model: keras.Model, sources: Sequence[np.ndarray], report: Callable[[str], None]) -> Golden:
    """Return golden pictures with the tiles they become now and what the network says of those.

    A photograph in which the finder finds nothing vouches for no tile: it is left out, and `report` is told.

    Raises:
        ModelError: if nothing is found in any picture.
    """
    kept, made = [], []
    for source in sources:
        with suppress(ValueError):
            made.append(golden_tile(source))
            kept.append(source)
    if not made:
        raise ModelError(f"the finder finds a digit in none of {len(sources)} golden pictures")
    if len(kept) < len(sources):
        missing = len(sources) - len(kept)
        report(f"{missing} of {len(sources)} golden pictures left out: the finder finds no digit there")
    tiles = np.stack([tile for tile, _ in made])
    answers = np.asarray(model(to_input(tiles), training=False), np.float32)
    return Golden(kept, tiles, [boxes for _, boxes in made], answers)
