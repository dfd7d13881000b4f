"""The leaderboard: rows of trainings, means over seeds, and which network validation chooses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from digits.learning.networks.registry import Origin
from digits.learning.shared.errors import RunError
from digits.learning.shared.tables import read_csv, write_csv

LEADERBOARD = "leaderboard.csv"


@dataclass(frozen=True)
class Row:
    """What one stage of one training came to; the fields are the leaderboard's columns, in their order.

    Attributes:
        no_camera: whether nothing rendered was trained on, to compare (`--no-camera`).
        with_val: whether val was trained on too, so that no accuracy on it is told.
        weights: what it started from.
        augmentation: what was made beside the tiles, in words.
        images: tiles of the train split.
        epochs: chosen by validation.
        val_accuracy, val_camera_accuracy, test_accuracy, own_test_accuracy: 0 to 1; None where there is none.
        latency_ms: of one tile through Keras.
        judged_on: what names the validation pictures; accuracies on others cannot be compared.
        network: what names the network as it was built, layer by layer; None in tables of earlier versions.
        superseded: whether the network was edited since: kept to compare, and chosen no more.
        remark: what a reader of the row must know, in words.
    """

    model: str
    stage: str
    seed: int
    no_camera: bool = False
    with_val: bool = False
    weights: Origin = Origin.RANDOM
    augmentation: str = "none"
    images: int = 0
    epochs: int = 0
    params: int | None = None
    train_seconds: float = 0.0
    val_accuracy: float | None = None
    val_camera_accuracy: float | None = None
    test_accuracy: float | None = None
    own_test_accuracy: float | None = None
    size_bytes: int | None = None
    latency_ms: float | None = None
    command: str = ""
    commit: str | None = None
    judged_on: str | None = None
    network: str | None = None
    superseded: bool = False
    remark: str = ""

    @classmethod
    def of(cls, values: dict) -> Row:
        """Return a row from a table's or a JSON file's dict; what other versions wrote besides is left out."""
        names = {field.name for field in fields(cls)}
        found = {name: value for name, value in values.items() if name in names}
        if "no_camera" not in found:  # as it was written before these were columns, such as "last_20+val"
            name, found["no_camera"] = found["stage"].removesuffix(", no camera"), ", no camera" in found["stage"]
            found["stage"], found["with_val"] = name.removesuffix("+val"), name.endswith("+val")
        for name in ("commit", "judged_on", "network"):  # checksums, of digits alone now and then
            found[name] = None if found.get(name) is None else str(found[name])
        return cls(**found | {"weights": Origin(found.get("weights", Origin.RANDOM))})

    @property
    def choice(self) -> float | None:
        """What models are chosen by: mean accuracy on clean and on camera-changed val; None if val was trained on."""
        return None if self.val_accuracy is None else (self.val_accuracy + self.val_camera_accuracy) / 2

    @property
    def title(self) -> str:
        """Model and stage in words, and what sets this row apart from others of the same model."""
        words = f"{self.model} {self.stage}{', with val' * self.with_val}{', no camera' * self.no_camera}"
        if self.weights is Origin.SHIPPED:
            words += ", starts from digits"
        return f"{words} ({self.version})" if self.superseded else words

    @property
    def version(self) -> str:
        """Which code trained it: the commit, or that it was edited, and four letters that tell networks apart."""
        clean = self.commit and not self.commit.endswith("+")
        return f"commit {self.commit}" if clean else f"edited, {str(self.network)[:4]}"

    @property
    def training(self) -> tuple:
        """What one training's rows share: a new training replaces them."""
        return self.model, self.weights, self.seed, self.no_camera


def read_leaderboard(path: Path) -> list[Row]:
    """Return all rows of a leaderboard; none if there is no such file.

    Raises:
        RunError: if the file is damaged.
    """
    try:
        return [Row.of(row) for row in read_csv(path)] if path.exists() else []
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is no leaderboard ({error}); move it away, then run this again") from error


def update_leaderboard(path: Path, rows: list[Row], keep_edited: bool = False) -> list[Row]:
    """Put the rows of new trainings into the file, in the place of all earlier ones; return all rows of the file.

    With `keep_edited` an earlier row whose network had other layers stays, marked as superseded: before and after.
    """
    earlier, renewed = read_leaderboard(path), {row.training: row.network for row in rows}
    order = list(dict.fromkeys(row.training for row in earlier + rows))
    kept = []
    for row in earlier:
        if row.training not in renewed:
            kept.append(row)
        elif keep_edited and row.network not in (None, renewed[row.training]):
            kept.append(replace(row, superseded=True))
    merged = sorted(kept + rows, key=lambda row: order.index(row.training))
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
    rivals = [row for row in table if row.choice is not None and not (row.no_camera or row.superseded)]
    choices = {row.model: row.choice for row in rivals if (row.seed, row.judged_on) == (seed, judged_on)}
    return winner(choices) if choices else None  # of each model the last stage that did not see val


def incomparable(table: list[Row], default: str | None, trained: Collection[str], seed: int, judged_on: str) -> bool:
    """Return whether the default, not among those just trained, was judged on other validation pictures than they."""
    judged = {row.judged_on for row in table if (row.model, row.seed, row.superseded) == (default, seed, False)}
    return default not in trained and bool(judged) and judged_on not in judged
