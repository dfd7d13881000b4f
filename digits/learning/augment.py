"""What pens, paper and a camera do to a digit, so that training sees it before the camera does."""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import cv2
import numpy as np

from digits.learning.atomic import replacing
from digits.learning.config import CLASSES
from digits.learning.non_digits import training_fonts
from digits.learning.pages import Page, photograph, photograph_one, scan_one
from digits.learning.provenance import code_of
from digits.learning.scenes import texture
from digits.learning.strokes import draw_digit, draw_non_digit
from digits.learning.workers import Progress, each_chunk, map_chunks
from digits.reading.ink import find_inks
from digits.reading.locate import MIN_SIDE, locate, merge, neighbours
from digits.reading.tile import TILE_SIZE, normalise

_CHUNK = 256  # photographs between two reports of a worker
_STORED = 4096  # tiles in one block of the kept file: read block by block, it needs no room for a copy
_DRAWING = 128  # px side of a drawn digit before it is photographed
_ON_A_PAGE = 24  # digits, at most
_SCRAPS_A_CHUNK = 200
_SCRAPS, _PAIRS = 8, 3  # taken from one page, at most
_UPRIGHT = 2.5  # height over width of what looks like a 1
_PER_TEXTURE = 6  # parts taken from one texture, at most
# Digits are drawn in this mixture: more of those whose shapes differ most between countries.
_DRAWN_LABELS = np.array([0, 1, 1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 9])
_SCANNED = 0.2  # share of all three kinds that are scanned small instead of photographed
# A photographed digit counts as found when what was found shares this much with where it is (intersection over union).
_WHOLE = 0.55
# And what was found teaches something where most of it lies this close to the digit's own tile, and most of the digit
# this close to it: the rest is a ruled line that crossed the digit's place, print, or half a digit.
_NEAR = 9  # px
_OWN_INK, _INK_SEEN = 0.78, 0.85


def rendered_by() -> str:
    """Return what names the code that renders, and that finds the digits in what was rendered."""
    return code_of(__name__)


def camera_tiles(
    inks: Sequence[np.ndarray],
    seed: int,
    strength: float = 1.0,
    workers: int | None = None,
    done: Progress | None = None,
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
    _photograph_all(inks, made, seed, strength, workers, done, scanned)
    return made


def _photograph_all(inks: Iterable[np.ndarray], made: np.ndarray, seed: int, strength: float, workers: int | None,
                    done: Progress | None, scanned: np.ndarray, alike: bool = False) -> None:
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
    tiles: np.ndarray, seed: int, workers: int | None = None, done: Progress | None = None
) -> np.ndarray:
    """Return the same tiles as a camera would have delivered them, to choose a model by.

    Args:
        tiles: uint8 (N, 96, 96).
        seed: fixed by the caller, so that all models are judged on the same pictures.
    Returns:
        uint8 (N, 96, 96), same order.
    """
    return camera_tiles(tiles, seed, 1.0, workers, done=done)


@dataclass(frozen=True)
class Extras:
    """How many tiles to make beside the ones that are there.

    Attributes:
        camera: photographs of the given digits.
        handwritten: photographs of digits drawn by `strokes.draw_digit`, in styles that MNIST lacks.
        non_digits: photographs of letters, scribbles and the like; their target is 0.1 for every class.
        scraps: what the reader finds on whole pages beside the digits, with the same target.
        textures: what it finds where there is no page at all, with the same target.
    """

    camera: int
    handwritten: int
    non_digits: int
    scraps: int = 0
    textures: int = 0

    @property
    def total(self) -> int:
        """How many tiles in all."""
        return self.camera + self.handwritten + self.non_digits + self.scraps + self.textures


def enrich(
    tiles: np.ndarray,
    labels: np.ndarray,
    extras: Extras,
    seed: int,
    cache_dir: Path,
    workers: int | None = None,
    done: Progress | None = None,
    out: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return tiles to train on beside the given ones. Made once for the same arguments, then kept in `cache_dir`.

    Args:
        tiles: uint8 (N, 96, 96) of the train split.
        labels: (N,) 0 to 9.
        out: uint8 (M, 96, 96) that the result is written to, where there is no room for a copy.
    Returns:
        uint8 (M, 96, 96) and float32 (M, 10) targets, M the sum of `extras`, in its order.
    """
    key = hashlib.sha256(repr((rendered_by(), extras, seed, len(tiles))).encode())
    key.update(np.ascontiguousarray(tiles).data)
    path = Path(cache_dir) / f"extras-{key.hexdigest()[:16]}.npz"
    made = np.empty((extras.total, TILE_SIZE, TILE_SIZE), np.uint8) if out is None else out
    if path.exists():
        with np.load(path) as kept:
            for start in range(0, len(made), _STORED):
                made[start : start + _STORED] = kept[f"tiles_{start}"]
            return made, kept["targets"]
    rng = np.random.default_rng([seed, 1])
    picked = rng.choice(len(tiles), extras.camera, replace=extras.camera > len(tiles))
    drawn = np.resize(_DRAWN_LABELS, extras.handwritten)
    alone = extras.camera + extras.handwritten + extras.non_digits
    scanned = np.random.default_rng([seed, 6]).random(alone) < _SCANNED
    inks = itertools.chain((tiles[i] for i in picked), _drawn(drawn, seed), _not_digits(extras.non_digits, seed))
    _photograph_all(inks, made[:alone], seed, 1.0, workers, done, scanned, alike=True)
    made[alone : alone + extras.scraps] = _page_scraps(tiles, extras.scraps, seed, workers)
    made[alone + extras.scraps :] = _texture_parts(extras.textures, seed, workers)
    targets = np.full((len(made), CLASSES), 1 / CLASSES, np.float32)
    digits = np.concatenate([labels[picked], drawn]).astype(np.int64)
    targets[: len(digits)] = np.eye(CLASSES, dtype=np.float32)[digits]
    blocks = {f"tiles_{start}": made[start : start + _STORED] for start in range(0, len(made), _STORED)}
    _store(path, targets=targets, **blocks)
    return made, targets


def _drawn(labels: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng([seed, 2])
    return (draw_digit(int(label), rng, _DRAWING) for label in labels)


def _not_digits(count: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng([seed, 3])
    return (draw_non_digit(rng, _DRAWING, training_fonts()) for _ in range(count))


def _page_scraps(tiles: np.ndarray, count: int, seed: int, workers: int | None) -> np.ndarray:
    """Return uint8 (count, 96, 96): rims, fingers, remains of lines and pairs of digits, from rendered pages."""
    if count == 0:
        return np.empty((0, TILE_SIZE, TILE_SIZE), np.uint8)
    rng = np.random.default_rng([seed, 4])
    inks = [tiles[rng.choice(len(tiles), _ON_A_PAGE)] for _ in range(-(-count // _SCRAPS_A_CHUNK))]
    chunks = [(page_inks, [seed, 5, i], min(_SCRAPS_A_CHUNK, count - i * _SCRAPS_A_CHUNK))
              for i, page_inks in enumerate(inks)]
    return np.concatenate(map_chunks(_scraps, chunks, workers))


def _texture_parts(count: int, seed: int, workers: int | None) -> np.ndarray:
    """Return uint8 (count, 96, 96): what the reader finds in pictures of nothing in particular."""
    if count == 0:
        return np.empty((0, TILE_SIZE, TILE_SIZE), np.uint8)
    chunks = [([seed, 7, start], min(_SCRAPS_A_CHUNK, count - start)) for start in range(0, count, _SCRAPS_A_CHUNK)]
    return np.concatenate(map_chunks(_parts_of_textures, chunks, workers))


def _parts_of_textures(seed: list[int], count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < count:
        frame = texture(rng)
        parts = [part for ink in find_inks(frame) for part in locate(ink)
                 if part.side >= MIN_SIDE and part.box[3] < _UPRIGHT * part.box[2]]
        found += [normalise(parts[i].ink) for i in rng.permutation(len(parts))[:_PER_TEXTURE]]
    return np.stack(found[:count])


def _scraps(inks: np.ndarray, seed: list[int], count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < count:
        some = inks[rng.permutation(len(inks))[: int(rng.integers(2, _ON_A_PAGE + 1))]]
        found += _scraps_of(photograph(some, [0] * len(some), rng))
    return np.stack(found[:count])


def _scraps_of(page: Page) -> list[np.ndarray]:
    """Return tiles of what lies on a page and is no digit, and of neighbouring digits taken for one."""
    ink = next(iter(find_inks(page.frame)))
    parts = [part for part in locate(ink) if part.side >= MIN_SIDE]
    on_digit = [any(overlap(part.box, box) > 0 for box in page.boxes) for part in parts]
    # A remaining bit of an upright line is a 1 to look at: to teach otherwise would cost the real ones.
    scraps = [part for part, on in zip(parts, on_digit, strict=True) if not on and part.box[3] < _UPRIGHT * part.box[2]]
    digits = [part for part in parts if any(overlap(part.box, box) > _WHOLE for box in page.boxes)]
    pairs = [merge(digits[i], digits[j]) for i, j in neighbours(digits)[:_PAIRS]]
    return [normalise(part.ink) for part in scraps[:_SCRAPS] + pairs]


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
            if overlap(whole.box, place) > _WHOLE:
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


def _store(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **arrays)
