"""What a head must not forget: features of old pictures, computed once for a release and kept."""

import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.files import replacing
from digits.learning.data.extras import Extras, enrich
from digits.learning.data.merged_folder import Tiles, load_split
from digits.learning.data.rendered_tiles import rendered_by
from digits.learning.data.splits import Source, Split
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import calibration_set
from digits.learning.shared.calibration import CalibrationSet
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import titled
from digits.learning.teaching.last_layers import CutNetwork, Trunk
from digits.learning.training.feed import one_hot
from digits.reading.models.contract import CLASSES

KEPT = 12_000  # MNIST tiles whose features are kept
_MADE = 6  # beside so many of them: one photographed, and half a drawn digit and half a drawing that is none
_REPRESENTATIVE = 400
_KEPT_RULE = 1  # version of what `KeptFeatures` holds
_SMOOTHING = 0.05  # of new targets, as in the training of the networks: confidences stay comparable
_SEED = 0  # of what is kept: the same for every run


@dataclass(frozen=True)
class KeptFeatures:
    """What the head must not forget: features float16, and what it is to say of them.

    `calibration` are those of the calibration tiles, clean and then after the camera; never fitted on.
    """

    features: np.ndarray  # (M, F)
    targets: np.ndarray  # float32 (M, 10)
    calibration: np.ndarray  # (2 C, F)
    calibration_labels: np.ndarray  # (2 C,)
    representative: np.ndarray  # uint8 (R, 96, 96): tiles that 8-bit quantisation measures ranges on


def kept_features(config: RunConfig, sha256: str, network: CutNetwork, report: Callable,
                  fresh: bool = False) -> tuple[KeptFeatures, Trunk]:  # fmt: skip
    """Return what is kept of the export whose model.keras has this checksum, and its trunk.

    The first time, or if `fresh`, it is computed, and what was kept of other exports is removed: features of a fixed
    part of the MNIST training tiles (own images come in anew each time), of made ones, and of calibration tiles.
    """
    folder = config.cache_dir / f"teach-{digest(sha256, rendered_by(), _KEPT_RULE)}"
    found = None if fresh else _load(folder)
    if found:
        return found
    began = time.monotonic()
    report("Once for this release: the features of what it learnt from, about a minute")
    for other in config.cache_dir.glob("teach-*"):
        shutil.rmtree(other, ignore_errors=True)
    made = _make(folder, network, load_split(config.merged_dir, Split.TRAIN), calibration_tiles(config), report)
    report(f"{len(made[0].features):,} features kept in {folder}, in {time.monotonic() - began:.0f} s")
    return made


def calibration_tiles(config: RunConfig) -> CalibrationSet:
    """Return the calibration tiles of the last merge, clean and then after the camera."""
    return calibration_set(load_split(config.merged_dir, Split.CALIBRATION), config.cache_dir)


def _load(folder: Path) -> tuple[KeptFeatures, Trunk] | None:
    """Return what `_make` wrote, or None if there is nothing whole."""
    try:
        with np.load(folder / "kept.npz") as file:
            kept = KeptFeatures(**{name: file[name] for name in KeptFeatures.__dataclass_fields__})
        return kept, Trunk(folder / "trunk.tflite")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _make(folder: Path, network: CutNetwork, train: Tiles, calibration: CalibrationSet,
          report: Callable) -> tuple[KeptFeatures, Trunk]:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    trunk = Trunk(folder / "trunk.tflite", network)
    mnist = train.select(train.sources == Source.MNIST)
    picked = np.sort(np.random.default_rng(_SEED).permutation(len(mnist))[:KEPT])
    mnist = mnist.select(picked)
    sixth = len(mnist) // _MADE
    extras = Extras(camera=sixth, handwritten=sixth // 2, non_digits=sixth // 2)
    made, labels = enrich(mnist.images, mnist.labels, extras, _SEED, folder.parent, done=titled(report, "made tiles"))
    tiles = np.concatenate([mnist.images, made])
    features = trunk.features(tiles, titled(report, "features"))
    labels = np.concatenate([one_hot(mnist.labels), labels])
    network.reset()
    shown = tiles[np.linspace(0, len(tiles) - 1, min(_REPRESENTATIVE, len(tiles))).astype(int)]
    targets = _targets(network.probabilities(features), labels)
    kept = KeptFeatures(features, targets, trunk.features(calibration.tiles), np.asarray(calibration.labels), shown)
    with replacing(folder / "kept.npz") as beside, open(beside, "wb") as file:
        np.savez(file, **vars(kept))
    return kept, trunk


def _targets(said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what the network said, float32 (M, 10); of digits that it misread, their smoothed label."""
    misread = (labels.max(axis=1) > 0.5) & (said.argmax(axis=1) != labels.argmax(axis=1))
    return np.where(misread[:, None], smooth(labels), said).astype(np.float32)


def smooth(targets: np.ndarray) -> np.ndarray:
    """Return targets (N, 10) with labels smoothed as in the training of the networks."""
    return (1 - _SMOOTHING) * targets + np.float32(_SMOOTHING / CLASSES)
