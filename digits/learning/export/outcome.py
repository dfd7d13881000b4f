"""From what a run made of a network to its export."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from digits.learning.data.mnist import load_mnist
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import calibration_set
from digits.learning.experiment.run import Outcome, Run
from digits.learning.export.exporting import export_model
from digits.learning.export.golden_pictures import golden_sources
from digits.learning.networks.registry import NETWORKS, TRANSFER, Origin
from digits.learning.shared.calibration import CalibrationSet
from digits.reading.images import IMAGE_SUFFIXES, load_image

_REPRESENTATIVE = 500  # tiles that 8-bit quantisation measures ranges on


@dataclass(frozen=True)
class Material:
    """What exports need of a run; small, so that its tiles can go before converters want the room themselves.

    `representative` uint8 (N, 96, 96) are some of the tiles trained on; `images` counts pictures by what they were for.
    """

    config: RunConfig
    command: str
    origin: Origin
    report: Callable
    calibration: CalibrationSet
    representative: np.ndarray
    images: dict[str, int]
    key: str
    judged_on: str


def material_of(run: Run) -> Material:
    """Return what exports need of a run."""
    data, config = run.data, run.config
    count = len(data.fitted)
    picked = np.random.default_rng(config.seed).choice(count, min(_REPRESENTATIVE, count), replace=False)
    return Material(
        config,
        run.command,
        run.weights.origin,
        run.report,
        calibration_set(data.calibration, config.cache_dir),
        data.fitted.tiles[np.sort(picked)],
        {"train": len(data.train), "own": data.own_count, "rendered": len(data.extras), "val": len(data.val),
         "calibration": len(data.calibration), "test": len(data.test)},
        data.key,
        data.judged_on,
    )  # fmt: skip


def export_outcome(name: str, outcome: Outcome, material: Material) -> Path:
    """Export one network of a run in every format; return its folder.

    Raises:
        ExportError: if a file does not say what the network says; the folder is then as it was.
    """
    kinds = "camera", "handwritten", "non_digits", "scraps", "textures"
    extras = {kind: getattr(material.config, kind) for kind in kinds}
    data = {**material.images, "trained_on_val": "val" not in outcome.scores, "extras": extras, "key": material.key}
    if not (NETWORKS[name].learns_from_rendered and material.images["rendered"]):
        data |= {"rendered": 0, "extras": dict.fromkeys(extras, 0)}
    card_info = {
        "metrics": outcome.scores,
        "choice": round(outcome.choice, 6),
        "rows": [asdict(row) for row in outcome.rows],
        "data": data,
        "weights_origin": material.origin if name == TRANSFER else Origin.RANDOM,
        "command": material.command,
    }
    return export_model(
        outcome.model, name, material.config.exports_dir, card_info, golden_sources(load_mnist().test_images),
        material.calibration, material.representative, material.report,
    )  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A picture of one known digit: where it is from, its pixels, uint8 (H, W, 3) BGR, and the digit."""

    name: str
    frame: np.ndarray
    digit: int


def sample_photograph(samples: Path) -> Sample:
    """Return a sample picture that ships, digit_<digit>.*, or one rendered now."""
    for path in sorted(samples.glob("digit_[0-9].*")) if samples.is_dir() else ():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return Sample(str(path), load_image(path), int(path.stem[-1]))
    mnist = load_mnist()
    photograph = golden_sources(mnist.test_images[:1], count=2)[-1]
    return Sample("a photograph rendered just now", photograph, int(mnist.test_labels[0]))
