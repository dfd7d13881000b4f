"""The leaderboard: rows of trainings, means over seeds, and which network validation chooses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from digits.learning.experiment.rows import Row
from digits.learning.shared.tables import read_csv, write_csv

LEADERBOARD = "leaderboard.csv"
COLUMNS = tuple(field.name for field in fields(Row))


def read_leaderboard(path: Path) -> list[Row]:
    """Return all rows of a leaderboard; none if there is no such file."""
    return [Row.of(row) for row in read_csv(path)] if path.exists() else []


def update_leaderboard(path: Path, rows: list[Row]) -> list[Row]:
    """Put the rows of new trainings into the file, in the place of all earlier ones; return all rows of the file."""
    trained: dict[tuple, list[Row]] = {}
    for row in read_leaderboard(path):
        trained.setdefault(row.training, []).append(row)
    renewed: dict[tuple, list[Row]] = {}
    for row in rows:
        renewed.setdefault(row.training, []).append(row)
    merged = [row for same in (trained | renewed).values() for row in same]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, [asdict(row) for row in merged])
    return merged


def over_seeds(rows: list[Row], column: str) -> dict[str, tuple[float, float, float, int]]:
    """Return mean, least and greatest of a column and the number of seeds, by the rows' titles."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if getattr(row, column) is not None:
            groups.setdefault(row.title, []).append(getattr(row, column))
    return {name: (float(np.mean(v)), min(v), max(v), len(v)) for name, v in groups.items()}


def winner(choices: dict[str, float]) -> str:
    """Return the model with the highest mean of accuracy on clean and on camera-changed val; of equals the first."""
    return max(choices, key=choices.get)


def chosen(table: list[Row], seed: int, judged_on: str) -> str | None:
    """Return the model that validation chooses among a leaderboard's rows; None if there are none to choose from.

    Args:
        table: rows, in the order of their stages.
        seed: whose rows count.
        judged_on: the validation pictures that count; accuracies on others cannot be compared.
    """
    rivals = [row for row in table if row.choice is not None and not row.no_camera]
    choices = {row.model: row.choice for row in rivals if (row.seed, row.judged_on) == (seed, judged_on)}
    return winner(choices) if choices else None  # of each model the last stage that did not see val


def incomparable(table: list[Row], default: str | None, trained: Collection[str], seed: int, judged_on: str) -> bool:
    """Return whether the default, not among those just trained, was judged on other validation pictures than they."""
    judged = {row.judged_on for row in table if (row.model, row.seed) == (default, seed)}
    return default not in trained and bool(judged) and judged_on not in judged
