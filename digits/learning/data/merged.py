"""The merged dataset read back: its index, its tiles, what became of the own images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digits.learning.data.index import Source, read_index
from digits.learning.data.merged_state import MergedState
from digits.learning.data.own_image import Facts, OwnImage, WhyLeftOut
from digits.learning.data.splits import SPLITS, Split, given_split
from digits.learning.shared.workers import available_cores
from digits.paths import MERGED_DIR
from digits.reading.tile import TILE_SIZE

_CHUNK = 1000  # tiles that one thread reads in a row
BUILD_COMMAND = "python -m digits.learning.dataset"


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
    same_writer: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, which: np.ndarray) -> Tiles:
        """Return the tiles that `which` picks: bool (N,) or positions."""
        columns = (self.images, self.labels, self.sources, self.sessions, self.paths)
        return Tiles(*(column[which] for column in columns), same_writer=self.same_writer)


def load_index(merged_dir: Path = MERGED_DIR) -> list[dict]:
    """Return the rows of index.csv, all values as text.

    Raises:
        DatasetError: if nothing was merged yet, or merging was cut off.
    """
    merged_dir = Path(merged_dir)
    if not MergedState.load(merged_dir).saved.get("complete"):
        raise DatasetError(f"{merged_dir} was not built, or not to the end; run {BUILD_COMMAND} --out {merged_dir}.")
    return read_index(merged_dir)


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
    with ThreadPoolExecutor(2 * available_cores()) as pool:
        list(pool.map(read, range(0, len(rows), _CHUNK)))
    labels = np.array([int(row["label"]) for row in rows], np.uint8)
    columns = (np.array([row[name] for row in rows], dtype=str) for name in ("source", "session", "path"))
    return Tiles(images, labels, *columns, same_writer=MergedState.load(merged_dir).same_writer)


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
