"""What vouches for a model file: the checksums, labels and sizes of the `card.json` beside it."""

import hashlib
import json
from pathlib import Path

from digits.reading.models.contract import INPUT_SHAPE, LABELS
from digits.reading.models.errors import EXPORT_AGAIN, ModelError, brief
from digits.reading.models.temperature import WARMEST
from digits.reading.tile import TILE_RULE, TILE_SIZE

CARD = "card.json"


def read_card(folder: Path) -> dict | None:
    """Return the card of a folder, checked against what this program does; None if there is none.

    Raises:
        ModelError: if the card cannot be read or names other labels, sizes or another tile rule.
    """
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({brief(error)}); {EXPORT_AGAIN}.") from error
    _check_contract(path, card)
    for name, entry in card["files"].items():
        _check_entry(path, name, entry)
    return card


def vouches(card: dict, parts: list[Path]) -> bool:
    """Return True if the card knows all these files and their checksums hold, False if it does not know one.

    Raises:
        ModelError: if a file that the card knows has another checksum.
    """
    if any(part.name not in card["files"] for part in parts):
        return False
    for part in parts:
        if sha256(part) != card["files"][part.name]["sha256"]:
            raise ModelError(f"{part} has not the checksum that {CARD} names; {EXPORT_AGAIN}.")
    return True


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check_contract(path: Path, card: object) -> None:
    try:
        rule, name = card["tile"]["rule"], card["name"]
        promised = {
            "labels": (card["labels"], LABELS),
            "tile rule": (rule, TILE_RULE),
            "tile size": (card["tile"]["size"], TILE_SIZE),
            "input shape": (card["input"]["shape"], [None, *INPUT_SHAPE]),
            "input dtype": (card["input"]["dtype"], "float32"),
        }
        named = isinstance(name, str) and isinstance(card["files"], dict)
    except (KeyError, TypeError, IndexError) as error:
        raise ModelError(f"{path} is no card of an export (no {brief(error)}); {EXPORT_AGAIN}.") from error
    if not named:
        raise ModelError(f"{path} is no card of an export (no name or no files); {EXPORT_AGAIN}.")
    if isinstance(rule, int) and rule > TILE_RULE:
        raise ModelError(f"{path} has tile rule {rule}, newer than this program's {TILE_RULE}; update it.")
    for what, (found, wanted) in promised.items():
        if found != wanted:
            raise ModelError(f"{path} names {what} {str(found)[:80]}, expected {wanted}; {EXPORT_AGAIN}.")


def _check_entry(path: Path, name: str, entry: object) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
        raise ModelError(f"{path} gives {name} no checksum; {EXPORT_AGAIN}.")
    for key, low, high in (("temperature", 1 / WARMEST, WARMEST), ("threshold", 0.0, 1.0)):
        value = entry.get(key, low)  # parts such as weights have neither
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ModelError(f"{path} gives {name} {key} {value}, expected {low} to {high}; {EXPORT_AGAIN}.")
