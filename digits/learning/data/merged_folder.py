"""data/merged/ as it lies on disk: its tiles, its index, and build.json, from which a build sees what has changed."""

from __future__ import annotations

import csv
import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digits.files import left_behind, write_whole
from digits.learning.data.own_image import Facts, LeftOut, OwnImage, WhyLeftOut
from digits.learning.data.own_splits import by_session
from digits.learning.data.splits import SPLITS, Source, Split, given_split
from digits.learning.shared.workers import available_cores
from digits.paths import MERGED_DIR
from digits.reading.decoders import quiet_decoders
from digits.reading.finding import FINDER_VERSION
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_RULE, TILE_SIZE

_CHUNK = 1000  # tiles that one thread reads in a row
BUILD_COMMAND = "python -m digits.learning.dataset"
INDEX_FILE = "index.csv"
_STATE_FILE = "build.json"
_OURS = tuple(f"{source}_" for source in Source)  # how the names of tiles begin
_FACTS_RULE = 2  # version of what find_own_images.examine notes down


class DatasetError(Exception):
    """The folder of own images or the merged folder cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Tiles:
    """Tiles of one split, in the order of index.csv.

    images uint8 (N, 96, 96), labels uint8 (N,); sources (words of `Source`), sessions and paths are str (N,).
    """

    images: np.ndarray
    labels: np.ndarray
    sources: np.ndarray
    sessions: np.ndarray
    paths: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, which: np.ndarray) -> Tiles:
        """Return the tiles that `which` picks: bool (N,) or positions."""
        return Tiles(*(column[which] for column in vars(self).values()))


def load_index(merged_dir: Path = MERGED_DIR) -> list[dict]:
    """Return the rows of index.csv, all values as text.

    Raises:
        DatasetError: if nothing was merged yet, or merging was cut off.
    """
    merged_dir = Path(merged_dir)
    if not MergedState.load(merged_dir).saved.get("complete"):
        raise DatasetError(f"{merged_dir} was not built, or not to the end; run {BUILD_COMMAND} --out {merged_dir}.")
    with open(merged_dir / INDEX_FILE, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_own_images(merged_dir: Path = MERGED_DIR) -> list[OwnImage]:
    """Return all own images of the last build, with what is in them and why some are left out.

    Raises:
        DatasetError: as `load_index`.
    """
    rows = [row for row in load_index(merged_dir) if row["source"] == Source.CUSTOM]
    files = MergedState.load(Path(merged_dir)).files
    images = []
    for row in rows:
        label = int(row["label"]) if row["label"] else None
        facts = Facts.from_note(files[row["original"]]["facts"]) if row["original"] in files else Facts()
        split = Split(row["split"]) if row["split"] else None
        given, reason = given_split(row["session"]), WhyLeftOut.parse(row["reason"])
        images.append(OwnImage(row["original"], label, row["session"], given, facts, split, reason))
    return images


def load_split(merged_dir: Path = MERGED_DIR, split: Split = Split.TRAIN) -> Tiles:
    """Return all tiles of one split, in the order of index.csv.

    Raises:
        DatasetError: if nothing was merged yet, merging was cut off, or a tile is missing or damaged.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    merged_dir = Path(merged_dir)
    rows = [row for row in load_index(merged_dir) if row["split"] == split and not row["reason"]]
    images = np.empty((len(rows), TILE_SIZE, TILE_SIZE), np.uint8)

    def read(start: int) -> None:
        for position in range(start, min(start + _CHUNK, len(rows))):
            images[position] = read_tile(merged_dir / rows[position]["path"])

    # Threads are enough: opening and decoding both run outside Python's lock.
    with quiet_decoders(), ThreadPoolExecutor(2 * available_cores()) as pool:
        list(pool.map(read, range(0, len(rows), _CHUNK)))
    labels = np.array([int(row["label"]) for row in rows], np.uint8)
    columns = (np.array([row[name] for row in rows], dtype=str) for name in ("source", "session", "path"))
    return Tiles(images, labels, *columns)


def read_tile(path: Path) -> np.ndarray:
    """Return one merged tile, uint8 (96, 96); raise DatasetError if it is missing or damaged."""
    try:
        with open(path, "rb") as file:
            tile = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        tile = None
    if tile is None or tile.shape[:2] != (TILE_SIZE, TILE_SIZE):
        raise DatasetError(f"{path} is missing or damaged; delete it if it is there and run {BUILD_COMMAND}.")
    return tile.reshape(TILE_SIZE, TILE_SIZE)


def write_if_changed(path: Path, text: str) -> None:
    """Write a text file unless it says just that already."""
    content = text.encode()
    if not path.exists() or path.read_bytes() != content:
        write_whole(path, content)


def tiles_in(folder: Path) -> tuple[set[str], set[str]]:
    """Return the paths of the tiles below `folder`, and of what a build that was cut off left behind."""
    whole, broken = set(), set()
    for split, digit in itertools.product(SPLITS, range(CLASSES)):
        inside = f"{split}/{digit}"
        if not (folder / inside).is_dir():
            continue
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                if entry.name.startswith(_OURS) and entry.name.endswith(".png") and entry.stat().st_size > 0:
                    whole.add(f"{inside}/{entry.name}")
                elif entry.name.startswith(_OURS) or left_behind(entry.name):
                    broken.add(f"{inside}/{entry.name}")
    return whole, broken


class MergedState:
    """What the last build knew, kept as build.json beside the index: which rules made the tiles, and of which files."""

    def __init__(self, saved: dict):
        self.saved = saved
        self.same_writer = bool(saved.get("same_writer"))
        self.files: dict[str, dict] = saved.get("files", {})
        self.tiles = {original: file["tile"] for original, file in self.files.items()}
        self.splits_before: dict[str, Split] = {}
        if not saved.get("by_session"):
            tiles = ((file["facts"]["sha256"], file["tile"]) for file in self.files.values() if file["tile"])
            self.splits_before = {sha256: Split(tile.split("/")[0]) for sha256, tile in tiles}

    @classmethod
    def load(cls, folder: Path) -> MergedState:
        """Return the state of the last build; that of an empty folder where there is none or it is damaged."""
        try:
            return cls(json.loads((folder / _STATE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls({})

    def discard_outdated(self, folder: Path, mnist_key: str) -> None:
        """Remove the tiles that other rules made."""
        rules = {"mnist": f"{TILE_RULE} {mnist_key}", "custom": f"{TILE_RULE} {FINDER_VERSION} {_FACTS_RULE}"}
        outdated = {kind for kind in rules if self.saved.get("rules", {}).get(kind) != rules[kind]}
        if not outdated:
            return
        if "custom" in outdated:
            self.files = {}
        for path in tiles_in(folder)[0]:
            if path.split("/")[2].split("_")[0] in outdated:
                (folder / path).unlink()
        self.saved["rules"] = rules
        self.begin(folder)

    def begin(self, folder: Path) -> None:
        """Note that the folder is being changed, until `finish`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.saved.update(complete=False, files=self.files)
        write_whole(folder / _STATE_FILE, json.dumps(self.saved).encode())

    def known_facts(self, original: str, custom_dir: Path) -> Facts | None:
        """Return what was found in a file, or None if it is new, has changed since, or could not be read."""
        known = self.files.get(original)
        if not known or known["stamp"] != _stamp(custom_dir / original):
            return None
        facts = Facts.from_note(known["facts"])
        # What reads it may have been installed meanwhile.
        return None if facts.reason and facts.reason.kind is LeftOut.UNREADABLE else facts

    def finish(self, folder: Path, custom_dir: Path, images: list[OwnImage]) -> None:
        """Note what the folder now holds."""
        whole_sessions = by_session(images)
        own = [image for image in images if not image.reason and image.given is None]
        self.same_writer = bool(own) and not whole_sessions
        files = {image.original: {"stamp": _stamp(custom_dir / image.original), "facts": image.facts.noted(),
                                  "tile": image.tile_path} for image in images if image.facts != Facts()}  # fmt: skip
        self.saved.update(complete=True, by_session=whole_sessions, same_writer=self.same_writer, files=files)
        write_if_changed(folder / _STATE_FILE, json.dumps(self.saved))


def _stamp(path: Path) -> list[int]:
    """Return what changes whenever a file does, without opening it."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
