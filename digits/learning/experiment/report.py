"""What a run says of itself when its networks are trained: leaderboard, figures as PNG, winner."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from digits.files import replacing
from digits.learning.experiment import metrics, plots
from digits.learning.experiment.data import Data
from digits.learning.experiment.leaderboard import LEADERBOARD, Row, chosen, incomparable, update_leaderboard, winner
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.tables import read_csv
from digits.reading.models.temperature import scaled

_GALLERY = 64  # mistakes shown; a good network has fewer


def tabulate(run: Run, outcomes: dict[str, Outcome], place: Path, further: Sequence[Row] = ()) -> list[Row]:
    """Put the rows of a run into the leaderboard and its bars below `place`, say them, return all rows of the file.

    `further` are those of more seeds.
    """
    rows = [*(row for outcome in outcomes.values() for row in outcome.rows), *further]
    table = update_leaderboard(place / LEADERBOARD, rows, keep_edited=not run.config.release)
    save_figures(place / "figures", {
        "leaderboard_test": plots.leaderboard_bars(table, "test_accuracy", "MNIST test"),
        "leaderboard_val": plots.leaderboard_bars(table, "val_accuracy", "Validation"),
        "leaderboard_camera": plots.leaderboard_bars(table, "val_camera_accuracy", "Validation after camera changes"),
    })
    trainings = {row.training for row in rows}
    for row in table:
        if row.training in trainings:
            val = "seen" if row.with_val else f"{row.val_accuracy:.4f}, {row.val_camera_accuracy:.4f}"
            seed = f"seed {row.seed}" if further else ""
            remarks = filter(None, [seed, row.superseded and f"before, {row.version}", row.remark])
            line = f"{row.model:14} {row.stage:14} val (clean, camera) {val:14}  test {row.test_accuracy:.4f}"
            run.report("  ".join([line, *remarks]))
    return table


def report_run(run: Run, outcomes: dict[str, Outcome], place: Path, default: str | None,
               further: Sequence[Row] = ()) -> str:  # fmt: skip
    """Write leaderboard and figures below `place`, say what came out, and return the winner's name.

    The figures of the winner are those of the default from now on: none where `default` stays as it is.
    """
    table = tabulate(run, outcomes, place, further)
    best = winner({name: outcome.choice for name, outcome in outcomes.items()})
    run.report(f"Winner by validation, clean and camera: {best} ({outcomes[best].choice:.4f}){_doubt(outcomes, best)}")
    histories = kept_histories(run) | {name: outcome.history for name, outcome in outcomes.items()}
    among = run.config.seed, run.data.judged_on
    stays = incomparable(table, default, outcomes, *among)
    shown = best if best == chosen(table, *among) and not stays else None
    write_figures(place / "figures", run.data, outcomes, histories, shown)
    run.report(f"Leaderboard and figures: {place}")
    return best


def _doubt(outcomes: dict[str, Outcome], best: str) -> str:
    """Return what a reader must know of a winner that started from digits, and which is the best that did not."""
    remark = outcomes[best].rows[0].remark
    others = {name: outcome.choice for name, outcome in outcomes.items() if not outcome.rows[0].remark}
    if not remark or not others:
        return f", which {remark}" if remark else ""
    second = winner(others)
    return f", which {remark}; the best that learnt digits here alone: {second} ({others[second]:.4f})"


def write_figures(folder: Path, data: Data, outcomes: dict[str, Outcome], histories: dict[str, list[dict]],
                  best: str | None) -> None:  # fmt: skip
    """Write the figures of a run as PNG; those of the best network if it is one of `outcomes`, else None."""
    labels = data.test.labels
    first = {name: [line for line in lines if not line.get("with_val")] for name, lines in histories.items()}
    figures = {"learning_curves": plots.learning_curves(first)}
    if best is not None:
        found = outcomes[best].probabilities["test"]
        temperature = outcomes[best].scores["temperature"]
        curves = {
            "as trained": metrics.reliability(found, labels),
            f"at temperature {temperature:.2f}": metrics.reliability(scaled(found, temperature), labels),
        }
        figures |= {
            "mistakes": _gallery(data, found, best),
            "reliability": plots.reliability_diagram(curves, best),
            "rejection": plots.rejection_figure(*metrics.rejection_curve(found, labels), best),
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
        folder = run.config.model_folder(name)
        try:
            settings = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["config"]
            if all(settings[preset] == getattr(run.config, preset) for preset in ("quick", "release")):
                found[name] = read_csv(folder / "history.csv")
        except (OSError, ValueError, KeyError):
            continue
    return found


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
