"""index.csv, the list of all pictures in data/merged/: its columns, its text, and where a picture comes from."""

from __future__ import annotations

import csv
import io
from enum import StrEnum
from pathlib import Path

INDEX_COLUMNS = ("path", "label", "source", "session", "split", "sha256", "reason", "original")


class Source(StrEnum):
    """Where a picture comes from; the name of its tile begins with this word."""

    MNIST = "mnist"
    CUSTOM = "custom"


def row_of(*values: object) -> dict:
    """Return a row of the index, its values given in the order of the columns."""
    return dict(zip(INDEX_COLUMNS, values, strict=True))


def index_text(rows: list[dict]) -> str:
    """Return the rows as the text of index.csv."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, INDEX_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def read_index(folder: Path) -> list[dict]:
    """Return the rows of a folder's index.csv, all values as text."""
    with open(folder / "index.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
