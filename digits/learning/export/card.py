"""The card of an export: what is in it, and each file's difference, temperature and threshold."""

import importlib.metadata
import json
import platform
import time
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from digits.learning.shared.calibration import CalibrationSet, acceptance_threshold, fit_temperature
from digits.learning.shared.provenance import git_commit
from digits.reading.finding import FINDER_VERSION
from digits.reading.models.card import CARD, sha256, write_sums
from digits.reading.models.contract import CLASSES, INPUT_SHAPE, LABELS
from digits.reading.models.golden import GOLDEN, Golden, machine
from digits.reading.models.loading import load_model
from digits.reading.models.temperature import scaled
from digits.reading.models.verify import compare
from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise
from digits.rendering.non_digits import draw_non_digit

STRICT = 0.98  # share of calibration digits that pass the stricter threshold, for --min-confidence
NON_DIGITS = 400  # drawings that a threshold is measured on


def make_card(name: str, info: dict, folder: Path, golden: Golden, calibration: CalibrationSet) -> dict:
    """Return the card of an export whose files lie in `folder`; `info` is what training knows and it should say."""
    card = {
        **info,
        "name": name,
        "version": importlib.metadata.version("digits"),
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "labels": LABELS,
        "input": {"shape": [None, *INPUT_SHAPE], "dtype": "float32", "range": [0, 1],
                  "meaning": "white ink on black, three equal channels"},
        "output": {"shape": [None, CLASSES], "dtype": "float32", "meaning": "probabilities, sum 1"},
        "tile": {"rule": TILE_RULE, "size": TILE_SIZE},
        "finder": {"version": FINDER_VERSION},
        "machine": machine(),
        "libraries": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__,
                      "numpy": np.__version__, "opencv": cv2.__version__},
        "commit": git_commit(),
        "files": {},
    }
    for path in sorted(folder.iterdir()):
        card["files"][path.name] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    _measure(card, folder, golden, calibration)
    return card


def _measure(card: dict, folder: Path, golden: Golden, calibration: CalibrationSet) -> None:
    """Add to each model file its difference on the golden tiles, its temperature and its threshold."""
    write_card(folder, card)
    tiles, labels = calibration
    rng = np.random.default_rng(0)
    others = np.stack([normalise(draw_non_digit(rng)) for _ in range(NON_DIGITS)])
    fitted: dict[bool, dict] = {}
    for file, entry in card["files"].items():
        if file == GOLDEN or file.endswith(".weights.h5"):
            continue
        model, int8 = load_model(folder / file), "int8" in file
        entry["max_difference"], _ = compare(model.predict(golden.tiles), golden.probabilities, int8)
        if int8 not in fitted:  # the float formats differ by 1e-4 at most: what is fitted for one holds for all
            quick = load_model(folder / ("model_int8.tflite" if int8 else "model.tflite"))
            fitted[int8] = _fit(quick.predict(tiles), labels, quick.predict(others))
        entry.update(fitted[int8])


def _fit(digits: np.ndarray, labels: np.ndarray, others: np.ndarray) -> dict:
    """Return temperature, threshold, and what the threshold lets through, from probabilities (N, 10)."""
    temperature = fit_temperature(digits, labels)
    digits, others = (scaled(each, temperature).max(axis=1) for each in (digits, others))
    threshold = acceptance_threshold(digits, others)
    return {"temperature": round(temperature, 4), **_let_through(threshold, digits, others),
            "strict": _let_through(float(np.quantile(digits, 1 - STRICT)), digits, others)}


def _let_through(threshold: float, digits: np.ndarray, others: np.ndarray) -> dict:
    """Return a threshold and the shares of digits and of other things whose confidence reaches it."""
    return {"threshold": round(threshold, 4),
            "accepted": {"digits": round(float((digits >= threshold).mean()), 4),
                         "non_digits": round(float((others >= threshold).mean()), 4)}}


def write_card(folder: Path, card: dict) -> None:
    """Write the card into its export folder, and the checksums of all that it names and of itself."""
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    write_sums(folder, [*card["files"], CARD])
