"""The tiles that all networks of a run share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from digits.files import replacing
from digits.learning.data.extras import Extras, enrich
from digits.learning.data.index import Source
from digits.learning.data.merge import build_merged
from digits.learning.data.merged import Tiles, load_split
from digits.learning.data.rendered_tiles import camera_shift, rendered_by
from digits.learning.data.splits import SPLITS
from digits.learning.experiment.config import SEED, RunConfig
from digits.learning.networks.registry import MODELS, WITHOUT_EXTRAS
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import Report, titled
from digits.learning.training.feed import one_hot
from digits.reading.tile import TILE_RULE, TILE_SIZE

CAMERA_SEED = 20240  # of the camera changes that models are chosen by: the same for every run and every seed


@dataclass(frozen=True)
class Data:
    """All tiles of a run.

    `tiles` uint8 (M, 96, 96) and `targets` float32 (M, 10) hold train, extras and val, one after the other,
    so that training again on train + val needs no copy; `key` names all of it, `plain_key` what is no extra.
    """

    tiles: np.ndarray
    targets: np.ndarray
    trained: int  # tiles of the train split
    extras: int  # tiles made beside it: camera, handwritten, no digits
    val: Tiles
    val_camera: np.ndarray  # uint8, the val tiles after camera changes
    calibration: Tiles
    test: Tiles  # MNIST's own
    own_test: Tiles  # of the user's images; may be empty
    key: str
    plain_key: str

    @property
    def fitted(self) -> int:
        """How many of `tiles` are trained on before val is added: train and extras."""
        return self.trained + self.extras

    @cached_property
    def judged_on(self) -> str:
        """What names the val pictures, clean and after the camera: accuracies on others cannot be compared."""
        return digest(self.val.images, self.val.labels, self.val_camera)[:8]

    @cached_property
    def own_test_key(self) -> str:
        """What names the user's own test pictures: no training depends on them."""
        return digest(self.own_test.images, self.own_test.labels)


def load_data(config: RunConfig, report: Callable = Report(), models: Sequence[str] = MODELS) -> Data:  # noqa: B008
    """Merge and read the tiles; make the camera's view of val and, if one of `models` learns from them, the extras.

    Both are made once for the same tiles, and kept: runs with different seeds learn from the same pictures, so what
    lies between their results is the luck of weights, order and augmentation alone.
    """
    summary = build_merged(config.custom_dir, config.merged_dir, config.limit, report)
    report(summary.line())
    train, val, calibration, test = (load_split(config.merged_dir, split) for split in SPLITS)
    cache, extras = cache_dir(config), Extras(0, 0, 0)
    if not WITHOUT_EXTRAS.issuperset(models):
        extras = Extras(round(config.camera * len(train)), config.handwritten, config.non_digits, config.scraps,
                        config.textures)
    fitted = len(train) + extras.total
    # Filled part by part: in a release these are nearly two gigabytes, and a second copy is one too many.
    tiles = np.empty((fitted + len(val), TILE_SIZE, TILE_SIZE), np.uint8)
    tiles[: len(train)], tiles[fitted:] = train.images, val.images
    train = replace(train, images=tiles[: len(train)])
    targets = [one_hot(train.labels)]
    if extras.total:
        made = tiles[len(train) : fitted]
        targets.append(enrich(train.images, train.labels, extras, SEED, cache,
                              done=titled(report, "camera tiles"), out=made)[1])  # fmt: skip
    targets = np.concatenate([*targets, one_hot(val.labels)])
    val_camera = camera_view(val.images, cache, report)
    report(
        f"{len(train):,} tiles to train on and {extras.total:,} made beside them, {len(val):,} val, "
        f"{len(calibration):,} calibration, {len(test):,} test"
    )
    mnist, own = test.select(test.sources == Source.MNIST), test.select(test.sources == Source.CUSTOM)  # domains apart
    key = digest(tiles, targets, val_camera, TILE_RULE)
    plain_key = digest(train.images, train.labels, val.labels, val_camera, TILE_RULE)
    return Data(tiles, targets, len(train), extras.total, val, val_camera, calibration, mnist, own, key, plain_key)


def cache_dir(config: RunConfig) -> Path:
    """Return where a run keeps what is computed once: extras, camera views, features."""
    return config.models_dir / "cache"


def camera_view(tiles: np.ndarray, cache: Path, report: Callable | None = None) -> np.ndarray:
    """Return the tiles as a camera delivers them, uint8 (N, 96, 96), made once and kept in `cache`."""
    path = cache / f"camera-{digest(tiles, CAMERA_SEED, rendered_by())}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside, open(beside, "wb") as file:
            np.save(file, camera_shift(tiles, CAMERA_SEED, done=titled(report, "camera views")))
    return np.load(path)


def calibration_views(clean: Tiles, cache: Path, report: Callable | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return calibration tiles and labels, clean and then after the camera: what is fitted must hold for both."""
    views = np.concatenate([clean.images, camera_view(clean.images, cache, report)])
    return views, np.concatenate([clean.labels] * 2)
