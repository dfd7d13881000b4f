"""What a run leaves behind for people: the leaderboard, the figures, the choice of the winner, and its export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from digits.learning import evaluation, plots
from digits.learning.atomic import replacing
from digits.learning.experiment import (
    MODELS,
    NO_CAMERA,
    WITHOUT_EXTRAS,
    Data,
    Outcome,
    Run,
    cache_dir,
    calibration_views,
    read_csv,
    write_csv,
)
from digits.learning.sources import load_mnist

LEADERBOARD = "leaderboard.csv"
COLUMNS = (
    "model", "stage", "weights", "augmentation", "seed", "images", "epochs", "params", "train_seconds", "val_accuracy",
    "val_camera_accuracy", "test_accuracy", "own_test_accuracy", "size_bytes", "latency_ms", "command", "commit",
    "judged_on",
)  # fmt: skip
_SAME = ("model", "weights", "seed")  # rows of these, with or without the camera, are replaced by a new training
_GALLERY = 64  # mistakes shown; a good network has fewer
_REPRESENTATIVE = 500  # tiles that 8-bit quantisation measures ranges on


def update_leaderboard(path: Path, rows: list[dict]) -> list[dict]:
    """Put the rows of new trainings into the file, in the place of all earlier ones; return all rows of the file."""
    trained: dict[tuple, list[dict]] = {}
    for row in read_csv(path) if path.exists() else []:
        trained.setdefault(_training(row), []).append(row)
    renewed: dict[tuple, list[dict]] = {}
    for row in rows:
        renewed.setdefault(_training(row), []).append(row)
    merged = [{column: row.get(column) for column in COLUMNS} for same in (trained | renewed).values() for row in same]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, merged)
    return merged


def over_seeds(rows: list[dict], column: str) -> dict[str, tuple[float, float, float, int]]:
    """Return mean, least and greatest of a column and the number of seeds, by "model stage"."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row.get(column) is not None:
            groups.setdefault(f"{row['model']} {row['stage']}", []).append(float(row[column]))
    return {name: (float(np.mean(v)), min(v), max(v), len(v)) for name, v in groups.items()}


def winner(choices: dict[str, float]) -> str:
    """Return the model with the highest mean of accuracy on clean and on camera-changed val; of equals the first."""
    return max(choices, key=choices.get)


def chosen(table: list[dict], seed: int, judged_on: str) -> str | None:
    """Return the model that validation chooses among a leaderboard's rows; None if there are none to choose from.

    Args:
        table: rows, in the order of their stages.
        seed: whose rows count.
        judged_on: the validation pictures that count; accuracies on others cannot be compared.
    """
    choices = {}
    for row in table:  # of each model the last stage that did not see val
        judged = row.get("val_accuracy") is not None and not row["stage"].endswith(NO_CAMERA)
        if judged and row["seed"] == seed and row.get("judged_on") == judged_on:
            choices[row["model"]] = (row["val_accuracy"] + row["val_camera_accuracy"]) / 2
    return winner(choices) if choices else None


def incomparable(table: list[dict], default: str | None, outcomes: dict[str, Outcome], run: Run) -> bool:
    """Return whether the default, not trained in this run, was judged on other validation pictures than this run's."""
    judged = {row.get("judged_on") for row in table if (row["model"], row["seed"]) == (default, run.config.seed)}
    return default not in outcomes and bool(judged) and run.data.judged_on not in judged


def tabulate(run: Run, outcomes: dict[str, Outcome], place: Path) -> list[dict]:
    """Put the rows of a run into the leaderboard and its bars below `place`, say them, return all rows of the file."""
    rows = [row for outcome in outcomes.values() for row in outcome.rows]
    table = update_leaderboard(place / LEADERBOARD, rows)
    _save(place / "figures", {
        "leaderboard_test": plots.leaderboard_bars(table, "test_accuracy", "MNIST test"),
        "leaderboard_val": plots.leaderboard_bars(table, "val_accuracy", "Validation"),
        "leaderboard_camera": plots.leaderboard_bars(table, "val_camera_accuracy", "Validation after camera changes"),
    })
    for row in rows:
        val = "seen" if row["val_accuracy"] is None else f"{row['val_accuracy']:.4f}, {row['val_camera_accuracy']:.4f}"
        run.report(f"{row['model']:14} {row['stage']:14} val (clean, camera) {val:14}  test {row['test_accuracy']:.4f}")
    return table


def report(run: Run, outcomes: dict[str, Outcome], place: Path, default: str | None) -> str:
    """Write leaderboard and figures below `place`, say what came out, and return the winner's name.

    The figures of the winner are those of the default from now on: none where `default` stays as it is.
    """
    table = tabulate(run, outcomes, place)
    best = winner({name: outcome.choice for name, outcome in outcomes.items()})
    run.report(f"Winner by validation, clean and camera: {best} ({outcomes[best].choice:.4f})")
    histories = _kept_histories(run) | {name: outcome.history for name, outcome in outcomes.items()}
    stays = incomparable(table, default, outcomes, run)
    shown = best if best == chosen(table, run.config.seed, run.data.judged_on) and not stays else None
    write_figures(place / "figures", run.data, outcomes, histories, shown)
    run.report(f"Leaderboard and figures: {place}")
    return best


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
            "precision_recall": plots.precision_and_recall(*evaluation.precision_and_recall(found, labels), best),
            "reliability": _reliability(found, labels, outcomes[best].scores["temperature"], best),
            "rejection": plots.rejection_curve(*evaluation.rejection_curve(found, labels), best),
        }
    for name, outcome in outcomes.items():
        counts = evaluation.confusion(outcome.probabilities["test"], labels)
        figures[f"confusion_{name}"] = plots.confusion_matrix(counts, f"{name}, test")
    _save(folder, figures)


def _save(folder: Path, figures: dict[str, Figure]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        with replacing(folder / f"{name}.png") as beside:
            figure.savefig(beside, dpi=110)


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
    from digits.learning.export import export_model, golden_sources

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
        golden_sources=golden_sources(load_mnist()[2]),
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
    from digits.learning.export import golden_sources
    from digits.reading.images import IMAGE_SUFFIXES, load_image

    for path in sorted(samples.glob("*")) if samples.is_dir() else ():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            return str(path), load_image(path)
    return "a photograph rendered just now", golden_sources(load_mnist()[2])[-1]


def _kept_histories(run: Run) -> dict[str, list[dict]]:
    """Return the histories of networks that earlier calls with the same preset left, by name."""
    found = {}
    for name in MODELS:
        try:
            settings = json.loads((run.folder(name) / "metrics.json").read_text(encoding="utf-8"))["config"]
            if all(settings[preset] == getattr(run.config, preset) for preset in ("quick", "release")):
                found[name] = read_csv(run.folder(name) / "history.csv")
        except (OSError, ValueError, KeyError):
            continue
    return found


def _first_training(history: list[dict]) -> list[dict]:
    return [line for line in history if not line["stage"].endswith("+val")]


def _gallery(data: Data, probabilities: np.ndarray, name: str):
    worst = evaluation.worst_mistakes(probabilities, data.test.labels, _GALLERY)
    wrong = int((probabilities.argmax(-1) != data.test.labels).sum())
    notes = [_what_people_say(path) for path in data.test.paths[worst]]
    doubted = sum("people" in note for note in notes)
    title = f"{name}: {len(worst)} of {wrong} mistakes in {len(data.test):,} test images, surest first"
    title += f"; {doubted} have a label that people doubt"
    return plots.mistakes_gallery(data.test.images[worst], data.test.labels[worst], probabilities[worst], title, notes)


def _what_people_say(path: str) -> str:
    """Return the number of an MNIST test tile, which ends its file's name, and what people see if not its label."""
    number = int(Path(path).stem.rsplit("_", 1)[-1])
    seen = evaluation.DOUBTED.get(number)
    return f"no. {number}, people: {seen}" if seen else f"no. {number}"


def _reliability(probabilities: np.ndarray, labels: np.ndarray, temperature: float, name: str):
    scaled = evaluation.scale(probabilities, temperature)
    curves = {
        "as trained": evaluation.reliability(probabilities, labels),
        f"at temperature {temperature:.2f}": evaluation.reliability(scaled, labels),
    }
    return plots.reliability_diagram(curves, name)


def _training(row: dict) -> tuple:
    return (*(str(row.get(name)) for name in _SAME), row["stage"].endswith(NO_CAMERA))
