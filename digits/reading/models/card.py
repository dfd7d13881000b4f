"""What vouches for a model file: the `card.json` beside it, and the SHA256SUMS beside both.

The card says what a file is for, how sure it may be of its answers, and which checksum it has. SHA256SUMS covers the
card as well, and `sha256sum -c SHA256SUMS` reads it: without it a changed number in the card would go unnoticed.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from digits.files import write_whole
from digits.reading.models.contract import CLASSES, INPUT_SHAPE, LABELS
from digits.reading.models.errors import EXPORT_AGAIN, ModelError, brief
from digits.reading.models.temperature import WARMEST
from digits.reading.tile import TILE_RULE, TILE_SIZE

CARD = "card.json"
SUMS = "SHA256SUMS"
_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\]+)")
_LARGEST = 10**10  # bytes of a file: no number of a card is larger
_LARGEST_CARD, _LONGEST_NAME = 10_000_000, 100  # bytes and letters: more is damaged or hostile
# What the numbers of a card can be, wherever in an entry they stand. The most probable of ten has a tenth at least.
_RANGES = {"temperature": (1 / WARMEST, WARMEST), "threshold": (1 / CLASSES, 1.0), "max_difference": (0.0, 1.0),
           "bytes": (1, _LARGEST), "digits": (0.0, 1.0), "non_digits": (0.0, 1.0)}  # fmt: skip


def read_card(folder: Path) -> dict | None:
    """Return the card of a folder, checked against what this program does; None if there is none.

    Raises:
        ModelError: if the card cannot be read, names other labels, sizes, another tile rule, files outside its folder
            or numbers that cannot be, or is not the card that SHA256SUMS names.
    """
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_CARD + 1)
        if len(text) > _LARGEST_CARD:
            raise ValueError(f"it is larger than {_LARGEST_CARD} bytes")
        card = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({brief(error)}); {EXPORT_AGAIN}.") from error
    _check_contract(path, card)
    for name, entry in card["files"].items():
        _check_entry(path, name, entry)
    vouches(SUMS, read_sums(folder), [path])
    return card


def read_sums(folder: Path) -> dict[str, str]:
    """Return the checksums that the SHA256SUMS of a folder names, by file; none if there is no such file.

    Raises:
        ModelError: if it holds anything but checksums and names of files.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({brief(error)}); {EXPORT_AGAIN}.") from error
    found = [_SUM_LINE.fullmatch(line) for line in lines]
    if not found or None in found:
        raise ModelError(f"{path} holds something else than checksums; {EXPORT_AGAIN}.")
    return {line[2]: line[1] for line in found}


def write_sums(folder: Path, names: Iterable[str]) -> None:
    """Write the SHA256SUMS of an export folder; `names` are its files, the card among them."""
    lines = [f"{sha256(folder / name)}  {name}\n" for name in sorted(names)]
    write_whole(folder / SUMS, "".join(lines).encode())


def card_sums(card: dict | None) -> dict[str, str]:
    """Return the checksums that a card names, by file."""
    return {name: entry["sha256"] for name, entry in card["files"].items()} if card else {}


def vouches(witness: str, sums: dict[str, str], parts: list[Path]) -> bool:
    """Return True if all these files are known and their checksums hold, False if one is not known.

    Args:
        witness: name of the file that names the checksums.
        sums: checksums by file.
        parts: files, all in one folder.
    Raises:
        ModelError: if a file that is known has another checksum.
    """
    if any(part.name not in sums for part in parts):
        return False
    for part in parts:
        if sha256(part) != sums[part.name]:
            raise ModelError(f"{part} has not the checksum that {witness} names; {EXPORT_AGAIN}.")
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
        named = isinstance(name, str) and len(name) <= _LONGEST_NAME and isinstance(card["files"], dict)
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
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise ModelError(f"{path} names a file {name!r} outside its folder; {EXPORT_AGAIN}.")
    _check_numbers(path, name, entry)


def _check_numbers(path: Path, name: str, entry: dict) -> None:
    for key, value in entry.items():
        if key in ("strict", "accepted") and isinstance(value, dict):
            _check_numbers(path, name, value)
        elif key in _RANGES:
            low, high = _RANGES[key]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ModelError(f"{path} gives {name} {key} {value}, expected {low} to {high}; {EXPORT_AGAIN}.")
