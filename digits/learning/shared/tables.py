"""Tables as CSV: rows as dicts, numbers as numbers, yes and no as such."""

import csv
import re
from pathlib import Path

from digits.files import replacing


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write dicts as CSV, columns in order of first appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as beside, open(beside, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict]:
    """Return the rows of a CSV as dicts, numbers as numbers, empty cells left out.

    Raises:
        ValueError: if it is no text, or a row is longer or shorter than the head.
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if any(None in row or None in row.values() for row in rows):
        raise ValueError("a row is longer or shorter than the head")
    return [{k: _cell(v) for k, v in row.items() if v != ""} for row in rows]


def _cell(text: str) -> str | int | float | bool:
    """Return what a cell holds; a checksum such as 1234e567 or 0123 is text, not a number."""
    if text in ("True", "False"):
        return text == "True"
    if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
        return int(text)
    return float(text) if re.fullmatch(r"nan|-?(inf|[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?)", text) else text
