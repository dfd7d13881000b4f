"""What the reader makes of rendered photographs of given digits."""

import itertools
from collections.abc import Iterable, Sequence
from functools import reduce

import cv2
import numpy as np

from digits.learning.shared.progress import Advance
from digits.learning.shared.provenance import code_of
from digits.learning.shared.workers import each_chunk
from digits.reading.finding.ink import find_inks
from digits.reading.finding.locate import locate, merge
from digits.reading.tile import TILE_SIZE, normalise
from digits.rendering.photographs import photograph_one, scan_one

_CHUNK = 256  # photographs between two reports of a worker
# A photographed digit counts as found when what was found shares this much with where it is (intersection over union).
WHOLE = 0.55
# And what was found teaches something where most of it lies this close to the digit's own tile, and most of the digit
# this close to it: the rest is a ruled line that crossed the digit's place, print, or half a digit.
_NEAR = 9  # px
_OWN_INK, _INK_SEEN = 0.78, 0.85


def rendered_by() -> str:
    """Return what names the code that renders, and that finds the digits in what was rendered."""
    return code_of("digits.learning.data.extras")


def camera_tiles(
    inks: Sequence[np.ndarray],
    seed: int,
    strength: float = 1.0,
    workers: int | None = None,
    done: Advance | None = None,
    scanned: np.ndarray | None = None,
) -> np.ndarray:
    """Return what the reader makes of photographs of the given digits.

    Each is written on rendered paper with a rendered pen, photographed by `pages.photograph_one`, and found again by
    the very code that runs at the camera.

    Args:
        inks: N of uint8 (h, w), white on black: MNIST pictures, tiles or drawings.
        seed: the same seed gives the same tiles, whatever the number of workers.
        strength: 0 for clean paper under even light, 1 for what phones and webcams do.
        scanned: bool (N,), which are scanned (`pages.scan_one`) instead; None: none.
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


def camera_shift(
    tiles: np.ndarray, seed: int, workers: int | None = None, done: Advance | None = None
) -> np.ndarray:
    """Return the same tiles as a camera would have delivered them, to choose a model by.

    Args:
        tiles: uint8 (N, 96, 96).
        seed: fixed by the caller, so that all models are judged on the same pictures.
    Returns:
        uint8 (N, 96, 96), same order.
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


def found_tile(frame: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray | None:
    """Return the tile of what the reader finds at a known place, or None if it does not find all of it.

    Args:
        frame: uint8 (H, W, 3) BGR.
        box: true (x, y, w, h) of the digit in pixels.
    """
    for ink in find_inks(frame):
        place = tuple(length / ink.scale for length in box)  # parts are in work pixels
        here = [part for part in locate(ink) if _lies_in(part.box, place)]
        if here:
            whole = reduce(merge, here)
            if overlap(whole.box, place) > WHOLE:
                return normalise(whole.ink)
    return None


def overlap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Return the intersection over the union of two boxes."""
    across = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    down = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    both = max(0, across) * max(0, down)
    return both / (first[2] * first[3] + second[2] * second[3] - both)


def _lies_in(part: tuple[float, ...], box: tuple[float, ...]) -> bool:
    middle = part[0] + part[2] / 2 - box[0], part[1] + part[3] / 2 - box[1]
    slack = 0.05 * max(box[2:])
    return -slack <= middle[0] <= box[2] + slack and -slack <= middle[1] <= box[3] + slack
