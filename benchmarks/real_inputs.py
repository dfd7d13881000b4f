"""The real photographs, scans, drawings, pages and clip that DIGITS_REAL_* name: what they show, and what is read."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from digits.reading.images import load_image
from digits.reading.live.tracking import Tracker
from digits.reading.reader import Reader

SHEETS = {"scan_12": "123456789309", "photo_5": "13540", "photo_ones": "1" * 20, "photo_threes": "3" * 20}
CLIP = Counter("0001112233455677889")
FIRST_STEADY, LAST_MOVING = 14, 9  # frames of the clip, of 0 to 20


def main_digit(reader: Reader, frame: np.ndarray) -> int | None:
    """Return the most prominent digit of a frame, or None."""
    reading = reader.read(frame)
    return None if reading.main is None else reading.digits[reading.main].digit


def one_each(reader: Reader, folder: Path) -> dict[Path, bool]:
    """Return whether each picture <folder>/<digit>/* is read right."""
    files = sorted(folder.glob("[0-9]/*"))
    return {file: main_digit(reader, load_image(file)) == int(file.parent.name) for file in files}


def accuracy(right: dict[Path, bool]) -> dict:
    """Return the number of pictures of `one_each` and the share read right."""
    return {"images": len(right), "accuracy": sum(right.values()) / len(right)}


def by_writer(right: dict[Path, bool]) -> dict:
    """Return `accuracy`, and that of each writer: files are named writer<letter>_<number>."""
    writers: dict[str, list[bool]] = {}
    for file, good in right.items():
        writers.setdefault(file.stem.split("_")[0], []).append(good)
    return accuracy(right) | {"writers": {name: sum(goods) / len(goods) for name, goods in sorted(writers.items())}}


def sheets(reader: Reader, folder: Path) -> dict:
    """Return F1 over all pages, by their digits as multisets, and the pages read without a mistake."""
    true_positive = total = 0
    perfect = []
    for name, truth in SHEETS.items():
        found = "".join(str(digit.digit) for digit in reader.read(load_image(folder / f"{name}.jpg")).digits)
        true_positive += (Counter(found) & Counter(truth)).total()
        total += len(found) + len(truth)
        perfect += [name] if found == truth else []
    return {"f1": 2 * true_positive / total, "perfect": perfect}


def pages(reader: Reader, folder: Path) -> dict:
    """Return how well pages by other people are read, their digits in reading order, as truth.json has them.

    F1 counts the digits of the longest common subsequence as right: 1 less the edit distance, in insertions and
    deletions, over the digits of both. Half of the pages, every second by name, may be looked at to find out what is
    missed; the other half is only counted.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    scores, unordered = {}, []
    for name in sorted(truth):
        found = [digit.digit for digit in reader.read(load_image(folder / name)).digits]
        scores[name] = 2 * _in_common(found, truth[name]), len(found) + len(truth[name])
        unordered.append((2 * (Counter(found) & Counter(truth[name])).total(), len(found) + len(truth[name])))
    parts = {"all": list(scores), "without_sudoku": [name for name in scores if not name.startswith("sudoku")],
             "looked_at": list(scores)[::2], "counted_only": list(scores)[1::2]}  # fmt: skip
    f1 = {part: _f1([scores[name] for name in names]) for part, names in parts.items()} | {"any_order": _f1(unordered)}
    each = {name: _f1([score]) for name, score in scores.items()}
    return {"f1": f1, "mean": float(np.mean(list(each.values()))), "worst": min(each, key=each.get), "pages": each}


def _in_common(found: Sequence[int], truth: Sequence[int]) -> int:
    """Return the length of the longest common subsequence."""
    best = [0] * (len(truth) + 1)
    for digit in found:
        before = best[:]
        for place, true in enumerate(truth):
            best[place + 1] = before[place] + 1 if digit == true else max(before[place + 1], best[place])
    return best[-1]


def _f1(scores: list[tuple[int, int]]) -> float:
    right, total = map(sum, zip(*scores, strict=True))
    return right / total


def no_digits(reader: Reader, folder: Path) -> dict:
    """Return how many pictures without a digit there are, and what is read in some of them all the same."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".jpg", ".png"))
    found = {file.name: [digit.digit for digit in reader.read(load_image(file)).digits] for file in files}
    return {"pictures": len(files), "read": {name: digits for name, digits in found.items() if digits}}


def clip_file(path: Path) -> Path:
    """Return the clip that DIGITS_REAL_VIDEO names: a file, or the one in a folder."""
    return next(path.glob("*.avi")) if path.is_dir() else path


def clip(reader: Reader, path: Path) -> dict:
    """Return digits missed and added in each steady frame, as the live loop with its tracking shows them."""
    capture, tracker = cv2.VideoCapture(str(clip_file(path))), Tracker()
    missed, added, moving, number = [], [], 0, 0
    while (frame := capture.read()[1]) is not None:
        found = Counter(str(digit.digit) for digit in tracker.update(reader.read(frame), frame).digits)
        if number >= FIRST_STEADY:
            missed.append((CLIP - found).total())
            added.append((found - CLIP).total())
        elif number <= LAST_MOVING:
            moving += (found - CLIP).total()
        number += 1
    return {"steady_missed": missed, "steady_added": added, "moving_added": moving}
