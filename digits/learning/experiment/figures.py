"""The figures of a run, written as PNG."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from digits.files import replacing
from digits.learning.experiment import metrics, plots
from digits.learning.experiment.data import Data
from digits.learning.experiment.metrics import reliability
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.tables import read_csv
from digits.reading.models.temperature import scaled

_GALLERY = 64  # mistakes shown; a good network has fewer


def write_figures(
    folder: Path,
    data: Data,
    outcomes: dict[str, Outcome],
    histories: dict[str, list[dict]],
    best: str | None,
) -> None:
    """Write the figures of a run as PNG; those of the best network if it is one of `outcomes`, else None."""
    labels = data.test.labels
    figures = {
        "learning_curves": plots.learning_curves({name: _first_training(lines) for name, lines in histories.items()}),
    }
    if best is not None:
        found = outcomes[best].probabilities["test"]
        figures |= {
            "mistakes": _gallery(data, found, best),
            "reliability": _reliability(found, labels, outcomes[best].scores["temperature"], best),
            "rejection": plots.rejection_curve(*metrics.rejection_curve(found, labels), best),
        }
    for name, outcome in outcomes.items():
        counts = metrics.confusion(outcome.probabilities["test"], labels)
        figures[f"confusion_{name}"] = plots.confusion_matrix(counts, f"{name}, test")
    save_figures(folder, figures)


def save_figures(folder: Path, figures: dict[str, Figure]) -> None:
    """Write figures, by name, as PNG into a folder; it is made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        with replacing(folder / f"{name}.png") as beside:
            figure.savefig(beside, dpi=110)


def kept_histories(run: Run) -> dict[str, list[dict]]:
    """Return the histories of networks that earlier calls with the same preset left, by name."""
    found = {}
    for name in NETWORKS:
        try:
            settings = json.loads((run.folder(name) / "metrics.json").read_text(encoding="utf-8"))["config"]
            if all(settings[preset] == getattr(run.config, preset) for preset in ("quick", "release")):
                found[name] = read_csv(run.folder(name) / "history.csv")
        except (OSError, ValueError, KeyError):
            continue
    return found


def _first_training(history: list[dict]) -> list[dict]:
    return [line for line in history if not line.get("with_val")]


def _gallery(data: Data, probabilities: np.ndarray, name: str):
    worst = metrics.worst_mistakes(probabilities, data.test.labels, _GALLERY)
    wrong = int((probabilities.argmax(-1) != data.test.labels).sum())
    notes = [_what_people_say(path) for path in data.test.paths[worst]]
    doubted = sum("people" in note for note in notes)
    title = f"{name}: {len(worst)} of {wrong} mistakes in {len(data.test):,} test images, surest first"
    title += f"; {doubted} have a label that people doubt"
    return plots.mistakes_gallery(data.test.images[worst], data.test.labels[worst], probabilities[worst], title, notes)


def _what_people_say(path: str) -> str:
    """Return the number of an MNIST test tile, which ends its file's name, and what people see if not its label."""
    number = int(Path(path).stem.rsplit("_", 1)[-1])
    seen = metrics.DOUBTED.get(number)
    return f"no. {number}, people: {seen}" if seen else f"no. {number}"


def _reliability(probabilities: np.ndarray, labels: np.ndarray, temperature: float, name: str):
    curves = {
        "as trained": reliability(probabilities, labels),
        f"at temperature {temperature:.2f}": reliability(scaled(probabilities, temperature), labels),
    }
    return plots.reliability_diagram(curves, name)
