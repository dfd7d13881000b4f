"""The leaderboard: rows of trainings, means over seeds, and which network validation chooses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from digits.learning.experiment.run import Outcome, Run
from digits.learning.experiment.train import NO_CAMERA
from digits.learning.shared.tables import read_csv, write_csv

LEADERBOARD = "leaderboard.csv"
COLUMNS = (
    "model", "stage", "weights", "augmentation", "seed", "images", "epochs", "params", "train_seconds", "val_accuracy",
    "val_camera_accuracy", "test_accuracy", "own_test_accuracy", "size_bytes", "latency_ms", "command", "commit",
    "judged_on",
)  # fmt: skip
_SAME = ("model", "weights", "seed")  # rows of these, with or without the camera, are replaced by a new training


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


def _training(row: dict) -> tuple:
    return (*(str(row.get(name)) for name in _SAME), row["stage"].endswith(NO_CAMERA))
