"""The tiles that all networks of a run share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from digits.files import replacing
from digits.learning.data.extras import Extras, enrich
from digits.learning.data.merge import build_merged
from digits.learning.data.merged_folder import Tiles, load_split
from digits.learning.data.rendered_tiles import camera_shift, rendered_by
from digits.learning.data.splits import RENDERED_SESSION, SPLITS, Source
from digits.learning.experiment.config import SEED, RunConfig
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.calibration import CalibrationSet
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import Report, titled
from digits.learning.training.feed import one_hot
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_RULE, TILE_SIZE

CAMERA_SEED = 20240  # of the camera changes that models are chosen by: the same for every run and every seed


@dataclass(frozen=True)
class Examples:
    """What is trained on: tiles uint8 (N, 96, 96) and targets float32 (N, 10)."""

    tiles: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: slice) -> Examples:
        return Examples(self.tiles[rows], self.targets[rows])


@dataclass(frozen=True)
class Data:
    """All tiles of a run. The first four share one memory: train, extras and val lie one after the other in it.

    Attributes:
        train: of the train split.
        extras: made beside it: camera, handwritten, no digits; may be empty.
        fitted: train and extras, which the networks learn from.
        everything: those and val, to train again on.
        val, calibration, own_test: of their splits; `own_test` of the user's images, may be empty.
        val_camera: uint8 (N, 96, 96), the val tiles after camera changes.
        test: MNIST's own.
        own_count: pictures of the user's own, without the rendered session, in train and val.
        key, plain_key: what names all of it, and what is no extra.
    """

    train: Examples
    extras: Examples
    fitted: Examples
    everything: Examples
    val: Tiles
    val_camera: np.ndarray
    calibration: Tiles
    test: Tiles
    own_test: Tiles
    own_count: int
    key: str
    plain_key: str

    def __reduce__(self) -> tuple:
        """Travel to other processes with the memory that is shared in it once, not four times."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del parts["train"], parts["extras"], parts["fitted"]
        return _split, (len(self.train), len(self.fitted), parts)

    @cached_property
    def judged_on(self) -> str:
        """What names the val pictures, clean and after the camera: accuracies on others cannot be compared."""
        return digest(self.val.images, self.val.labels, self.val_camera)[:8]

    @cached_property
    def own_test_key(self) -> str:
        """What names the user's own test pictures: no training depends on them."""
        return digest(self.own_test.images, self.own_test.labels)


def _split(train: int, fitted: int, parts: dict) -> Data:
    """Return the tiles of a run of the parts that lie in memory of their own."""
    whole = parts["everything"]
    return Data(train=whole[:train], extras=whole[train:fitted], fitted=whole[:fitted], **parts)


def load_data(config: RunConfig, report: Callable = Report(), models: Iterable[str] = NETWORKS) -> Data:  # noqa: B008
    """Merge and read the tiles; make the camera's view of val and, if one of `models` learns from them, the extras.

    Both are made once for the same tiles, and kept: runs with different seeds learn from the same pictures, so what
    lies between their results is the luck of weights, order and augmentation alone.
    """
    for line in build_merged(config.custom_dir, config.merged_dir, config.limit, report).lines():
        report(line)
    train, val, calibration, test = (load_split(config.merged_dir, split) for split in SPLITS)
    wanted = Extras(0, 0, 0)
    if any(NETWORKS[name].learns_from_rendered for name in models):
        camera = round(config.camera * len(train))
        wanted = Extras(camera, config.handwritten, config.non_digits, config.scraps, config.textures)
    fitted = len(train) + wanted.total
    # Filled part by part: in a release these are nearly two gigabytes, a copy is one too many.
    everything = Examples(np.empty((fitted + len(val), TILE_SIZE, TILE_SIZE), np.uint8),
                          np.empty((fitted + len(val), CLASSES), np.float32))  # fmt: skip
    first, beside, last = everything[: len(train)], everything[len(train) : fitted], everything[fitted:]
    for part, split in ((first, train), (last, val)):
        part.tiles[:], part.targets[:] = split.images, one_hot(split.labels)
    if wanted.total:
        beside.targets[:] = enrich(first.tiles, train.labels, wanted, SEED, config.cache_dir,
                                   done=titled(report, "camera tiles"), out=beside.tiles)[1]  # fmt: skip
    val_camera = camera_view(val.images, config.cache_dir, report)
    report(f"{len(train):,} tiles to train on and {wanted.total:,} made beside them, {len(val):,} val, "
           f"{len(calibration):,} calibration, {len(test):,} test")  # fmt: skip
    return Data(
        first,
        beside,
        everything[:fitted],
        everything,
        val,
        val_camera,
        calibration,
        test.select(test.sources == Source.MNIST),  # domains apart
        test.select(test.sources == Source.CUSTOM),
        sum(map(_own_count, (train, val))),
        key=digest(everything.tiles, everything.targets, val_camera, TILE_RULE),
        plain_key=digest(train.images, train.labels, val.labels, val_camera, TILE_RULE),
    )


def _own_count(tiles: Tiles) -> int:
    return int(((tiles.sources == Source.CUSTOM) & (tiles.sessions != RENDERED_SESSION)).sum())


def camera_view(tiles: np.ndarray, cache: Path, report: Callable | None = None) -> np.ndarray:
    """Return the tiles as a camera delivers them, uint8 (N, 96, 96), made once and kept in `cache`."""
    path = cache / f"camera-{digest(tiles, CAMERA_SEED, rendered_by())}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside, open(beside, "wb") as file:
            np.save(file, camera_shift(tiles, CAMERA_SEED, done=titled(report, "camera views")))
    return np.load(path)


def calibration_set(clean: Tiles, cache: Path, report: Callable | None = None) -> CalibrationSet:
    """Return calibration tiles, clean and then after the camera: what is fitted must hold for both."""
    views = np.concatenate([clean.images, camera_view(clean.images, cache, report)])
    return CalibrationSet(views, np.concatenate([clean.labels] * 2))
