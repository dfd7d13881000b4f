"""The user's own images: which files count, what is wrong with the others, which split each belongs to."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from digits.learning.data.digit_folders import digit_of, nearest
from digits.learning.data.near_duplicates import fingerprint
from digits.learning.data.own_image import SET_ASIDE, Facts, LeftOut, OwnImage, WhyLeftOut
from digits.learning.data.splits import given_split
from digits.reading.finding.one_digit import main_tile
from digits.reading.images import IMAGE_SUFFIXES, load_image

EXCLUDE_FILE = "exclude.txt"
_DEEPEST = 6  # folders below custom/ looked into: a school, its classes, their pupils; finite if links go round
_SIDE_FILES = (".txt", ".md", ".json", ".jsonl", ".csv", ".ini", ".db")  # notes beside pictures, no mistake


def find_own_images(custom_dir: Path) -> list[OwnImage]:
    """Return every picture under `custom_dir` by path; a misplaced or excluded one has its reason."""
    excluded = read_excluded(custom_dir)
    return [_placed(path, excluded) for path in sorted(_walk(Path(custom_dir)))]


def read_excluded(custom_dir: Path) -> set[str]:
    """Return the paths below `custom_dir` (files or whole folders) that its exclude.txt lists, one a line."""
    try:
        text = (Path(custom_dir) / EXCLUDE_FILE).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return set()
    lines = (line.strip().replace("\\", "/").strip("/") for line in text.splitlines())
    return {unicodedata.normalize("NFC", line) for line in lines if line and not line.startswith("#")}


def _walk(custom_dir: Path) -> Iterable[str]:
    for folder, subfolders, files in os.walk(custom_dir, followlinks=True):
        inside = Path(folder).relative_to(custom_dir)
        subfolders[:] = [name for name in subfolders if not name.startswith((".", "__"))]
        if len(inside.parts) >= _DEEPEST:
            subfolders.clear()
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() not in _SIDE_FILES:
                yield (inside / name).as_posix()


def _placed(original: str, excluded: set[str]) -> OwnImage:
    *folders, _ = original.split("/")
    digit = digit_of(folders[-1]) if len(folders) > 1 else None
    session = "/".join(folders if digit is None else folders[:-1])
    image = OwnImage(original, digit, session, given_split(session))
    place = PurePosixPath(unicodedata.normalize("NFC", original))
    if any(str(path) in excluded for path in (place, *place.parents[:-1])):
        return image.without(LeftOut.EXCLUDED, f"named in {EXCLUDE_FILE}")
    if SET_ASIDE in folders[1:]:
        owner = "/".join(folders[: folders.index(SET_ASIDE, 1)])
        return image.without(LeftOut.SET_ASIDE, f"look at it, then move it to {owner}/<digit 0 to 9> or delete it")
    if Path(original).suffix.lower() == ".zip":
        return image.without(LeftOut.UNSUPPORTED, "unpack it here, or name it with --custom")
    if digit is None:
        return image.without(LeftOut.MISPLACED, _wrong_place(folders))
    if Path(original).suffix.lower() not in IMAGE_SUFFIXES:
        return image.without(LeftOut.UNSUPPORTED, f"expected one of {' '.join(IMAGE_SUFFIXES)}")
    return image


def _wrong_place(folders: list[str]) -> str:
    """Return what is wrong with where a picture lies: what was found, what was expected, what was probably meant."""
    expected = "expected <session>/<digit 0 to 9>/<picture>"
    if not folders:
        return f"it lies in no folder; {expected}"
    last = folders[-1]
    if digit_of(last) is not None:
        return f"the folder {last} lies in no session; {expected}, such as Ana/{last}"
    meant = nearest(last)
    return f"the folder {last} names no digit; {expected}" + f"; is {meant} meant?" * (meant is not None)


def examine(paths: list[str]) -> list[Facts]:
    """Return what each file holds; nothing that is wrong with a picture stops the others."""
    return [_examine(Path(path)) for path in paths]


def _examine(path: Path) -> Facts:
    try:
        content = path.read_bytes()
    except OSError as error:
        return Facts(reason=WhyLeftOut(LeftOut.UNREADABLE, error.strerror or str(error)))
    if not content:
        return Facts(reason=WhyLeftOut(LeftOut.EMPTY, "the file has no bytes"))
    facts = Facts(sha256=hashlib.sha256(content).hexdigest())
    try:
        frame = load_image(path)
        pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).tobytes()  # of 28 x 28: what MNIST's pictures are known by
        facts = replace(facts, pixels=hashlib.sha256(pixels).hexdigest())
        tile = main_tile(frame)
    except (ValueError, OSError, MemoryError, cv2.error) as error:
        detail = f"{error}".strip().rstrip(".") or type(error).__name__
        if facts.pixels:
            return replace(facts, reason=WhyLeftOut(LeftOut.BLANK, detail.removeprefix("blank: ")))
        return replace(facts, reason=WhyLeftOut(LeftOut.UNREADABLE, detail.replace(str(path), "it")))
    return replace(facts, near=fingerprint(tile).hex(), png=encode_tile(tile))


def encode_tile(tile: np.ndarray) -> bytes:
    """Return a uint8 (96, 96) tile as PNG; run-length coding is the quickest here and the smallest too."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", tile, options)[1].tobytes()
