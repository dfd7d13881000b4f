"""Tiles to train on beside MNIST's: photographed, in styles that MNIST lacks, and things that are no digits."""

import itertools
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from digits.files import replacing
from digits.learning.data.rendered_tiles import photograph_all, rendered_by
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import Advance
from digits.learning.shared.workers import map_chunks
from digits.reading.finding.decode import Found
from digits.reading.finding.one_digit import guessed_in
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_SIZE, normalise
from digits.rendering.handwriting import draw_digit
from digits.rendering.letters import training_fonts
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pages import Page, photograph
from digits.rendering.scenes import texture

_STORED = 4096  # tiles in one block of the kept file: read block by block, it needs no room for a copy
_DRAWING = 128  # px side of a drawn digit before it is photographed
_ON_A_PAGE = 24  # digits, at most
_SCRAPS_A_CHUNK = 200
_SCRAPS = 8  # taken from one page, at most
_UPRIGHT = 2.5  # height over width of what looks like a 1
_PER_TEXTURE = 6  # parts taken from one texture, at most
# Digits are drawn in this mixture: more of those whose shapes differ most between countries.
_DRAWN_LABELS = np.array([0, 1, 1, 1, 2, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 9])
_SCANNED = 0.2  # share of all three kinds that are scanned small instead of photographed


@dataclass(frozen=True)
class Extras:
    """How many tiles to make beside the ones that are there.

    Attributes:
        camera: photographs of the given digits.
        handwritten: photographs of digits drawn by `draw_digit`, in styles that MNIST lacks.
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
        return sum(astuple(self))


def enrich(tiles: np.ndarray, labels: np.ndarray, extras: Extras, seed: int, cache_dir: Path,
           workers: int | None = None, done: Advance | None = None, out: np.ndarray | None = None
           ) -> tuple[np.ndarray, np.ndarray]:
    """Return tiles to train on beside the given ones. Made once for the same arguments, then kept in `cache_dir`.

    Args:
        tiles: uint8 (N, 96, 96) of the train split.
        labels: (N,) 0 to 9.
        out: uint8 (M, 96, 96) that the result is written to, where there is no room for a copy.
    Returns:
        uint8 (M, 96, 96) and float32 (M, 10) targets, M the sum of `extras`, in its order.
    """
    path = Path(cache_dir) / f"extras-{digest(rendered_by(), extras, seed, tiles)}.npz"
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
    writing, scribbling = np.random.default_rng([seed, 2]), np.random.default_rng([seed, 3])
    inks = itertools.chain(
        (tiles[i] for i in picked),
        (draw_digit(int(label), writing, _DRAWING) for label in drawn),
        (draw_non_digit(scribbling, _DRAWING, training_fonts()) for _ in range(extras.non_digits)),
    )
    photograph_all(inks, made[:alone], seed, 1.0, workers, done, scanned, alike=True)
    if extras.scraps:
        made[alone : alone + extras.scraps] = _page_scraps(tiles, extras.scraps, seed, workers)
    if extras.textures:
        made[alone + extras.scraps :] = _texture_parts(extras.textures, seed, workers)
    targets = np.full((len(made), CLASSES), 1 / CLASSES, np.float32)
    digits = np.concatenate([labels[picked], drawn]).astype(np.int64)
    targets[: len(digits)] = np.eye(CLASSES, dtype=np.float32)[digits]
    blocks = {f"tiles_{start}": made[start : start + _STORED] for start in range(0, len(made), _STORED)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, targets=targets, **blocks)
    return made, targets


def _page_scraps(tiles: np.ndarray, count: int, seed: int, workers: int | None) -> np.ndarray:
    """Return uint8 (count, 96, 96): rims, fingers and remains of lines from rendered pages."""
    rng = np.random.default_rng([seed, 4])
    chunks = [(tiles[rng.choice(len(tiles), _ON_A_PAGE)], [seed, 5, i], min(_SCRAPS_A_CHUNK, count - start))
              for i, start in enumerate(range(0, count, _SCRAPS_A_CHUNK))]
    return np.concatenate(map_chunks(_scraps, chunks, workers))


def _texture_parts(count: int, seed: int, workers: int | None) -> np.ndarray:
    """Return uint8 (count, 96, 96): what the reader finds in pictures of nothing in particular."""
    chunks = [([seed, 7, start], min(_SCRAPS_A_CHUNK, count - start)) for start in range(0, count, _SCRAPS_A_CHUNK)]
    return np.concatenate(map_chunks(_parts_of_textures, chunks, workers))


def _parts_of_textures(seed: list[int], count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    found: list[np.ndarray] = []
    while len(found) < count:
        parts = [part for part in guessed_in(texture(rng)) if not _upright(part)]
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
    """Return tiles of what the finder might take for a digit on a page and is none."""
    # A remaining bit of an upright line is a 1 to look at: to teach otherwise would cost the real ones.
    scraps = [part for part in guessed_in(page.frame)
              if not _upright(part) and not any(part.box.shared(box) for box in page.boxes)]
    return [normalise(part.ink) for part in scraps[:_SCRAPS]]


def _upright(part: Found) -> bool:
    return part.box.h >= _UPRIGHT * part.box.w
