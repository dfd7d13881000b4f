"""Versions that are raised on purpose: where what they stand for has changed and the number did not, a test says so.

Kept in tests/versions.npz are small pictures of what fixed seeds give, made by

    python tests/test_versions.py

They are compared within what builds of OpenCV differ by. Between 4.10 and 5.0 letters and now and then a whole picture
differ, tiles by less than a level on average; a factor changed by 3 % moves most pictures by a third of a level.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest

from digits.learning.data.augmentation import AUGMENTATION_VERSION, geometric
from digits.learning.data.extras import Extras, enrich
from digits.learning.data.rendered_tiles import _MIXTURE_VERSION
from digits.reading.finding import FINDER_VERSION
from digits.reading.finding.one_digit import main_tile
from digits.reading.tile import TILE_RULE, normalise
from digits.rendering import RENDERING_VERSION
from digits.rendering.clips import clip
from digits.rendering.handwriting import draw_digit
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pages import photograph, photograph_held
from digits.rendering.photographs import photograph_one, scan_one
from digits.rendering.scenes import texture

KEPT = Path(__file__).parent / "versions.npz"
SIDE = 32  # px: kept pictures are brought to this
MOST = 0.15  # levels of 255 that each picture may be off on average, with the OpenCV that made the kept ones
MOST_ELSEWHERE = 1.0  # and with another one half of them

def inks():
    """Twelve drawn digits."""
    rng = np.random.default_rng(1)
    return [draw_digit(number % 10, rng) for number in range(12)]


def rendering(folder):
    """Drawings, photographs, pages, textures and a clip, each with a seed of its own: no change hides another."""
    labels = list(range(12))
    yield from inks()
    yield from (draw_non_digit(np.random.default_rng([2, seed])) for seed in range(12))
    yield from (photograph_one(ink, np.random.default_rng([3, i]))[0] for i, ink in enumerate(inks()))
    yield from (scan_one(ink, np.random.default_rng([4, i]))[0] for i, ink in enumerate(inks()[:4]))
    yield from (photograph(inks(), labels, np.random.default_rng([5, seed])).frame for seed in range(4))
    yield from (photograph_held(inks(), labels, np.random.default_rng([6, seed]), 20, 10).frame for seed in range(4))
    yield from (texture(np.random.default_rng([7, seed])) for seed in range(6))
    yield from (frame for frame, _ in clip(inks(), labels, np.random.default_rng(8), frames=2))


def finder(folder):
    """Tiles found in plain photographs, whose pixels other builds of OpenCV hardly change."""
    yield from (main_tile(photograph_one(ink, np.random.default_rng([9, i]), 0.3)[0]) for i, ink in enumerate(inks()))


def tile(folder):
    """Tiles of drawings."""
    return map(normalise, inks())


def augmentation(folder):
    """Tiles bent, turned and drawn with other pens."""
    return iter(geometric(np.stack([normalise(ink) for ink in inks()]), np.random.default_rng(10)))


def mixture(folder):
    """Extra tiles of each kind."""
    tiles = np.stack([normalise(ink) for ink in inks()])
    for kind in ("camera", "handwritten", "non_digits", "scraps", "textures"):
        extras = Extras(**({"camera": 0, "handwritten": 0, "non_digits": 0} | {kind: 4}))
        yield from enrich(tiles, np.arange(12) % 10, extras, 0, folder, workers=1)[0]


VERSIONS = {
    rendering: (RENDERING_VERSION, "RENDERING_VERSION in digits/rendering/__init__.py"),
    finder: (FINDER_VERSION, "FINDER_VERSION in digits/reading/finding/__init__.py"),
    tile: (TILE_RULE, "TILE_RULE in digits/reading/tile.py"),
    augmentation: (AUGMENTATION_VERSION, "AUGMENTATION_VERSION in digits/learning/data/augmentation.py"),
    mixture: (_MIXTURE_VERSION, "_MIXTURE_VERSION in digits/learning/data/rendered_tiles.py"),
}


def small(picture):
    """A picture as it is kept: uint8 (32, 32)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    return cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("maker", VERSIONS)
def test_what_changes_has_another_version(maker, tmp_path):
    (version, place), name = VERSIONS[maker], maker.__name__
    with np.load(KEPT) as kept:
        known, pictures, opencv = int(kept[f"{name}_version"]), kept[name].astype(int), str(kept["opencv"])
    assert known == version, f"{place} was raised: run python tests/test_versions.py, look at the pictures, commit them"
    made = np.stack([small(picture) for picture in maker(tmp_path)])
    off = np.abs(made - pictures).mean(axis=(1, 2))
    same = opencv.split(".")[:2] == cv2.__version__.split(".")[:2]
    worst = off.max() if same else np.median(off)
    assert worst <= (MOST if same else MOST_ELSEWHERE), (
        f"pictures {np.flatnonzero(off > MOST).tolist()} changed, by up to {off.max():.1f} levels: raise {place}, or "
        "undo the change"
    )


def renew():
    """Write what today's code makes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        pictures = {maker.__name__: np.stack([small(p) for p in maker(Path(folder))]) for maker in VERSIONS}
    versions = {f"{maker.__name__}_version": version for maker, (version, _) in VERSIONS.items()}
    np.savez_compressed(KEPT, opencv=cv2.__version__, **versions, **pictures)


if __name__ == "__main__":
    renew()
