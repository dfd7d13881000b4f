"""What the reader makes of rendered photographs of given digits."""

import itertools
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from digits.learning.shared.progress import Advance
from digits.learning.shared.workers import each_chunk
from digits.reading.finding import FINDER_VERSION
from digits.reading.finding.one_digit import found_tile
from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise
from digits.rendering import RENDERING_VERSION
from digits.rendering.photographs import photograph_one, scan_one

# Raised on purpose, whenever this module or `extras` makes other tiles of the same renderings.
_MIXTURE_VERSION = 1
_CHUNK = 256  # photographs between two reports of a worker
# What was found of a photographed digit teaches something where most of it lies this close to the digit's own tile, and
# most of the digit this close to it: the rest is a ruled line that crossed the digit's place, print, or half a digit.
_NEAR = 9  # px
_OWN_INK, _INK_SEEN = 0.78, 0.85


def rendered_by() -> tuple[int, ...]:
    """Return the versions of all that decides what is rendered and what is found in it: part of every key."""
    return RENDERING_VERSION, FINDER_VERSION, TILE_RULE, _MIXTURE_VERSION


def camera_tiles(inks: Sequence[np.ndarray], seed: int, strength: float = 1.0, workers: int | None = None,
                 done: Advance | None = None, scanned: np.ndarray | None = None) -> np.ndarray:
    """Return what the reader makes of photographs of the given digits.

    Each is written on rendered paper with a rendered pen, photographed by `photograph_one`, and found again by
    the very code that runs at the camera.

    Args:
        inks: N of uint8 (h, w), white on black: MNIST pictures, tiles or drawings.
        seed: the same seed gives the same tiles, whatever the number of workers.
        strength: 0 for clean paper under even light, 1 for what phones and webcams do.
        scanned: bool (N,), which are scanned (`scan_one`) instead; None: none.
    Returns:
        uint8 (N, 96, 96) in the same order. A digit that cannot be found again is photographed under better
        conditions, in the end on plain paper.
    """
    scanned = np.zeros(len(inks), bool) if scanned is None else scanned
    made = np.empty((len(inks), TILE_SIZE, TILE_SIZE), np.uint8)
    photograph_all(inks, made, seed, strength, workers, done, scanned)
    return made


def photograph_all(inks: Iterable[np.ndarray], made: np.ndarray, seed: int, strength: float, workers: int | None,
                    done: Advance | None, scanned: np.ndarray, alike: bool = False) -> None:
    """Write the tiles of all inks, which may be drawn as they are needed, to `made`.

    With `alike` a tile that is not like its ink is photographed again, under better conditions.
    """
    waiting = iter(inks)
    starts = range(0, len(made), _CHUNK)
    chunks = ((list(itertools.islice(waiting, _CHUNK)), [seed, start], strength, scanned[start : start + _CHUNK], alike)
              for start in starts)
    finished = itertools.count(1)
    for position, tiles in each_chunk(_photographed, chunks, workers if len(starts) > 1 else 1):
        made[starts[position] :][: len(tiles)] = tiles
        if done:
            done(next(finished), len(starts))


def camera_shift(tiles: np.ndarray, seed: int, workers: int | None = None, done: Advance | None = None) -> np.ndarray:
    """Return tiles uint8 (N, 96, 96) as a camera would have delivered them, to choose a model by.

    The caller fixes the seed, so that all models are judged on the same pictures.
    """
    return camera_tiles(tiles, seed, 1.0, workers, done=done)


def _photographed(inks: list[np.ndarray], seed: list[int], strength: float, scanned: np.ndarray, alike: bool
                  ) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([_photograph_until_found(ink, rng, strength, bool(scan), alike)
                     for ink, scan in zip(inks, scanned, strict=True)])


def _photograph_until_found(ink: np.ndarray, rng: np.random.Generator, strength: float, scanned: bool, alike: bool
                            ) -> np.ndarray:
    for share in (1.0, 0.8, 0.4, 0.0):
        frame, box = scan_one(ink, rng) if scanned else photograph_one(ink, rng, strength * share)
        tile = found_tile(frame, box)
        if tile is not None and not (alike and _strays(tile, normalise(ink))):
            return tile
    return normalise(ink)


def _strays(tile: np.ndarray, own: np.ndarray) -> bool:
    """Return whether much of a tile lies far from the ink of the digit's own tile, or much of that far from it."""
    found, wanted = tile > 127, own > 127
    return _share_near(found, wanted) < _OWN_INK or _share_near(wanted, found) < _INK_SEEN


def _share_near(ink: np.ndarray, other: np.ndarray) -> float:
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 3)
    return float((distance[ink] <= _NEAR).mean())
