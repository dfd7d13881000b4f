"""From what a run made of a network to its export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from digits.learning.data.mnist import load_mnist
from digits.learning.experiment.data import cache_dir, calibration_views
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks.registry import WITHOUT_EXTRAS

_REPRESENTATIVE = 500  # tiles that 8-bit quantisation measures ranges on


def without_tiles(run: Run) -> Run:
    """Return the run with as few of the tiles trained on as an export needs: converters want the room themselves."""
    data = run.data
    rng = np.random.default_rng(run.config.seed)
    shown = np.sort(rng.choice(data.fitted, min(_REPRESENTATIVE, data.fitted), replace=False))
    return replace(run, data=replace(data, tiles=data.tiles[shown], targets=data.targets[shown]))


def export_outcome(name: str, outcome: Outcome, run: Run) -> Path:
    """Export one network of a run `without_tiles` in every format; return its folder.

    Raises:
        ExportError: if a file does not say what the network says; the folder is then as it was.
    """
    from digits.learning.export.exporting import export_model
    from digits.learning.export.golden_pictures import golden_sources

    data = run.data
    card_info = {
        "metrics": outcome.scores,
        "choice": round(outcome.choice, 6),
        "rows": outcome.rows,
        "data": data_facts(name, outcome, run),
        "weights_origin": run.weights.origin if name == "mobilenet_v2" else "random",
        "command": run.command,
    }
    return export_model(
        outcome.model,
        name,
        run.config.exports_dir,
        card_info,
        golden_sources=golden_sources(load_mnist().test_images),
        calibration=calibration_views(data.calibration, cache_dir(run.config)),
        representative=data.tiles,
        report=run.report,
    )


def data_facts(name: str, outcome: Outcome, run: Run) -> dict:
    """Return what an export's card says about the images that its network was trained and judged on."""
    data, config = run.data, run.config
    rendered = 0 if name in WITHOUT_EXTRAS else data.extras
    return {
        "train": data.trained,
        "rendered": rendered,
        "val": len(data.val),
        "trained_on_val": "val" not in outcome.scores,
        "calibration": len(data.calibration),
        "test": len(data.test),
        "extras": {
            kind: getattr(config, kind) if rendered else 0
            for kind in ("camera", "handwritten", "non_digits", "scraps", "textures")
        },
        "key": data.key,
    }


def sample_photograph(samples: Path) -> tuple[str, np.ndarray]:
    """Return name and frame, uint8 (H, W, 3) BGR, of a sample picture that ships, or of one rendered now."""
    from digits.learning.export.golden_pictures import golden_sources
    from digits.reading.images import IMAGE_SUFFIXES, load_image

    for path in sorted(samples.glob("*")) if samples.is_dir() else ():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return str(path), load_image(path)
    return "a photograph rendered just now", golden_sources(load_mnist().test_images)[-1]
