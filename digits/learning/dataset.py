"""MNIST and the user's own images become one folder of tiles, data/merged/, with fixed splits and an index.

    python -m digits.learning.dataset [build] [--custom DIR] [--out DIR]     merge; only what changed is written
    python -m digits.learning.dataset audit [--page FILE]                    one HTML page about the own images

data/merged/ can be deleted at any time: everything in it is made from data/raw/ and data/custom/.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from digits import reading
from digits.learning import own_images
from digits.learning.config import CLASSES, CUSTOM_DIR, MERGED_DIR, RAW_DIR, SPLITS
from digits.learning.own_images import Facts, OwnImage
from digits.learning.sources import Mnist, Report, SourceError, load_mnist, quiet
from digits.learning.workers import Progress, ProgressLines, available_cores, map_chunks, progress_bar
from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise

INDEX_COLUMNS = ("path", "label", "source", "session", "split", "sha256", "reason", "original")
CALIBRATION_SHARE = 2000 / 60000  # of MNIST's training pictures
VAL_SHARE = 6000 / 60000
BUILD_COMMAND = "python -m digits.learning.dataset"

_STATE_FILE = "build.json"
_FACTS_RULE = 1  # version of what own_images.examine notes down
_OWN_MODULES = ("images", "ink", "lines", "locate", "reader", "tile")  # what turns a photograph into a tile
_MNIST_CHUNK = 1000  # tiles written per call of a worker: 0.4 s, a smooth bar
_OWN_CHUNK = 4  # a phone's photograph takes up to half a second
_WORTH_A_POOL_S = 1.5  # starting processes costs about half a second
_TILE_S, _PHOTO_S = 0.0004, 0.1  # seconds one takes


class DatasetError(Exception):
    """The folder of own images or the merged folder cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Summary:
    """What a build did.

    `counts` is tiles by split and source, `left_out` own images by kind of reason, `same_writer` whether own images
    of one session lie in several splits.
    """

    merged_dir: Path
    counts: dict[str, dict[str, int]]
    left_out: dict[str, int]
    same_writer: bool
    written: int
    removed: int
    seconds: float

    def line(self) -> str:
        """Return the build in one line."""
        parts = ", ".join(f"{split} {sum(self.counts[split].values()):,}" for split in SPLITS)
        own = sum(counts.get("custom", 0) for counts in self.counts.values())
        text = f"{self.merged_dir}: {parts}; {own:,} own images"
        if self.same_writer and own:
            text += " (fewer than five sessions: same writer in train and test)"
        elif own and not self.counts["test"].get("custom"):
            text += " (none in test: put some of a writer's own under test/<digit>/ to measure on them)"
        if self.left_out:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.left_out.items())
            text += f"; {sum(self.left_out.values()):,} left out, see index.csv: {kinds}"
        return f"{text}; {self.written:,} written, {self.removed:,} removed in {self.seconds:.1f} s."


@dataclass(frozen=True)
class Tiles:
    """Tiles of one split, in the order of index.csv.

    images uint8 (N, 96, 96), labels uint8 (N,); sources ("mnist" or "custom"), sessions and paths are str (N,).
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


# ---------------------------------------------------------------- building


def build_merged(
    custom_dir: Path = CUSTOM_DIR,
    merged_dir: Path = MERGED_DIR,
    limit: int | None = None,
    report: Report = quiet,
    mnist: Mnist | None = None,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Summary:
    """Merge MNIST and the own images into `merged_dir`; write only what is missing or changed.

    Splits do not depend on a seed: they follow from the pictures and the sessions' names.

    Args:
        custom_dir: <session>/<digit>/<picture>, {train,test}/<digit>/<picture> and exclude.txt.
        merged_dir: made if missing; only files this function wrote are ever removed from it.
        limit: about how many MNIST pictures, of all splits together; None for all 70,000.
        report: takes lines of text.
        mnist: as `load_mnist` returns; None to call it.
        progress: takes (done, total) tiles; None for plain lines to `report`.
        workers: processes; None for one a core.
    Raises:
        DatasetError: if one folder lies in the other, or `custom_dir` is missing.
        SourceError: if MNIST cannot be had.
    """
    began = time.monotonic()
    custom_dir, merged_dir = Path(custom_dir), Path(merged_dir)
    _check_folders(custom_dir, merged_dir)
    source = _MnistRows(mnist or load_mnist(RAW_DIR, report), limit)
    state = _State.load(merged_dir)
    state.discard_outdated(merged_dir, source.key)
    work = _Work(custom_dir, merged_dir, progress or ProgressLines("Tiles", report), workers)

    images = _with_facts(own_images.find_own_images(custom_dir), state, work)
    images = own_images.decide(images, source.names, state.splits_before)
    rows = [*source.rows, *map(_own_row, images)]
    removed, written = _write_tiles(source, images, state, work)
    _write_if_changed(merged_dir / "index.csv", _csv_text(rows))
    state.finish(merged_dir, custom_dir, images)
    seconds = time.monotonic() - began
    left_out = own_images.reasons(images)
    return Summary(merged_dir, _counts(rows), left_out, state.same_writer, written, removed, seconds)


@dataclass(frozen=True)
class _Work:
    """Where a build reads and writes, and how."""

    custom_dir: Path
    merged_dir: Path
    progress: Progress
    workers: int | None

    def map(self, function: Callable, chunks: list[tuple], sizes: list[int], seconds_each: float) -> list:
        """Call `function` on all chunks, in processes where that is worth starting them."""
        total, finished = sum(sizes), []

        def done(position: int) -> None:
            finished.append(sizes[position])
            self.progress(sum(finished), total)

        return map_chunks(function, chunks, self.workers if total * seconds_each > _WORTH_A_POOL_S else 1, done)


def _check_folders(custom_dir: Path, merged_dir: Path) -> None:
    own, merged = custom_dir.resolve(), merged_dir.resolve()
    if own.is_relative_to(merged) or merged.is_relative_to(own):
        raise DatasetError(f"{merged_dir} and {custom_dir} lie in each other; give --out a folder of its own.")
    if not custom_dir.is_dir() and custom_dir != CUSTOM_DIR:
        raise DatasetError(f"there is no folder {custom_dir}; expected one with <session>/<digit>/<picture>.")


class _MnistRows:
    """MNIST as rows of the index: membership of a split by the rank of a picture's sha256.

    `rows` has those used (after `limit`), `pictures` uint8 (28, 28) by path, `names` every picture's name by sha256.
    """

    def __init__(self, mnist: Mnist, limit: int | None):
        train_images, train_labels, test_images, test_labels = mnist
        self.names: dict[str, str] = {}
        test = self._named("test", test_images)
        train = self._named("train", train_images)  # after test: of two equal ones, test keeps its own
        splits = {"test": test} | _split_by_rank(train)
        self.key = hashlib.sha256("".join(self.names).encode()).hexdigest()
        self.rows: list[dict] = []
        self.pictures: dict[str, np.ndarray] = {}
        for split in SPLITS:
            images, labels = (test_images, test_labels) if split == "test" else (train_images, train_labels)
            for sha256, position in _thinned(splits[split], limit, len(self.names)):
                self._add(split, sha256, position, images[position], int(labels[position]))

    def _named(self, origin: str, images: np.ndarray) -> list[tuple[str, int]]:
        """Return (sha256, position) of the pictures that are not there yet."""
        found = []
        for position, image in enumerate(images):
            sha256 = hashlib.sha256(np.ascontiguousarray(image)).hexdigest()
            if sha256 not in self.names:
                self.names[sha256] = f"{origin} picture {position}"
                found.append((sha256, position))
        return found

    def _add(self, split: str, sha256: str, position: int, image: np.ndarray, label: int) -> None:
        session = "test" if split == "test" else "train"
        path = f"{split}/{label}/mnist_{session}_{position:05d}.png"
        values = (path, label, "mnist", session, split, sha256, "", "")
        self.rows.append(dict(zip(INDEX_COLUMNS, values, strict=True)))
        self.pictures[path] = image


def _split_by_rank(train: list[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    ranked = sorted(train)
    calibration = round(len(train) * CALIBRATION_SHARE)
    val = calibration + round(len(train) * VAL_SHARE)
    return {"calibration": ranked[:calibration], "val": ranked[calibration:val], "train": ranked[val:]}


def _thinned(pictures: list[tuple[str, int]], limit: int | None, total: int) -> list[tuple[str, int]]:
    """Return a share limit/total of the pictures in order of position; a larger limit only adds to a smaller one's."""
    if limit is not None and limit < total:
        # Ranked from the other end of the hash, which has nothing to do with the split.
        pictures = sorted(pictures, key=lambda picture: picture[0][::-1])[: round(len(pictures) * limit / total)]
    return sorted(pictures, key=lambda picture: picture[1])


def _own_row(image: OwnImage) -> dict:
    label = "" if image.label is None else image.label
    path, split = (image.original, "") if image.reason else (image.tile_path, image.split)
    values = (path, label, "custom", image.session, split, image.facts.sha256, image.reason, image.original)
    return dict(zip(INDEX_COLUMNS, values, strict=True))


def _with_facts(images: list[OwnImage], state: _State, work: _Work) -> list[OwnImage]:
    """Return the images with what is in them; a file that has not changed since the last build is not opened."""
    images, unknown = list(images), []
    for position, image in enumerate(images):
        if image.reason:
            continue
        facts = state.known_facts(image.original, work.custom_dir)
        if facts is None:
            unknown.append(position)
        else:
            images[position] = replace(image, facts=facts)
    for position, facts in zip(unknown, _examine([images[p] for p in unknown], work), strict=True):
        images[position] = replace(images[position], facts=facts)
    return images


def _examine(images: list[OwnImage], work: _Work) -> list[Facts]:
    paths = [str(work.custom_dir / image.original) for image in images]
    chunks = [(paths[start : start + _OWN_CHUNK],) for start in range(0, len(paths), _OWN_CHUNK)]
    results = work.map(own_images.examine, chunks, [len(chunk[0]) for chunk in chunks], _PHOTO_S)
    return [facts for result in results for facts in result]


# ---------------------------------------------------------------- writing


def _write_tiles(source: _MnistRows, images: list[OwnImage], state: _State, work: _Work) -> tuple[int, int]:
    """Bring the folder to what `source` and `images` ask for; return how many files were removed and written."""
    folder = work.merged_dir
    present, broken = _tiles_in(folder)
    kept = [image for image in images if not image.reason]
    new = [image for image in kept if image.tile_path not in present]
    missing = [row["path"] for row in source.rows if row["path"] not in present]
    outdated = present - source.pictures.keys() - {image.tile_path for image in kept}
    if not (new or missing or outdated or broken):
        return 0, 0
    state.begin(folder)
    for split in SPLITS:
        for digit in range(CLASSES):  # all ten, or Keras' readers would number the classes differently
            (folder / split / str(digit)).mkdir(parents=True, exist_ok=True)
    for path in broken:
        (folder / path).unlink(missing_ok=True)
    _write_own(new, present, state, work)
    chunks = []
    for start in range(0, len(missing), _MNIST_CHUNK):
        paths = missing[start : start + _MNIST_CHUNK]
        chunks.append((str(folder), paths, np.stack([source.pictures[path] for path in paths])))
    work.map(write_mnist_tiles, chunks, [len(chunk[1]) for chunk in chunks], _TILE_S)
    for path in outdated:  # last, because a tile that changed its split is copied from there
        (folder / path).unlink(missing_ok=True)
    return len(outdated), len(new) + len(missing)


def _write_own(new: list[OwnImage], present: set[str], state: _State, work: _Work) -> None:
    forgotten = []
    for image in new:
        before = state.tiles.get(image.original, "")
        if image.facts.png:
            _write_file(work.merged_dir / image.tile_path, image.facts.png)
        elif before in present and Path(before).name == Path(image.tile_path).name:
            _write_file(work.merged_dir / image.tile_path, (work.merged_dir / before).read_bytes())
        else:
            forgotten.append(image)  # a duplicate until now, so that no tile of it was kept
    for image, facts in zip(forgotten, _examine(forgotten, work), strict=True):
        _write_file(work.merged_dir / image.tile_path, facts.png)


def write_mnist_tiles(folder: str, paths: list[str], pictures: np.ndarray) -> None:
    """Write the tiles of MNIST pictures uint8 (N, 28, 28) to `paths` below `folder`; runs in a worker."""
    for path, picture in zip(paths, pictures, strict=True):
        _write_file(Path(folder, path), own_images.encode_tile(normalise(picture)))


def _write_file(path: Path, content: bytes) -> None:
    beside = f"{path}.tmp-{os.getpid()}"
    with open(beside, "wb") as file:
        file.write(content)
    os.replace(beside, path)


def _write_if_changed(path: Path, text: str) -> None:
    content = text.encode()
    if not path.exists() or path.read_bytes() != content:
        _write_file(path, content)


def _tiles_in(folder: Path) -> tuple[set[str], set[str]]:
    """Return the paths of the tiles below `folder`, and of what a build that was cut off left behind."""
    whole, broken = set(), set()
    for split in SPLITS:
        for digit in range(CLASSES):
            inside = f"{split}/{digit}"
            if not (folder / inside).is_dir():
                continue
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if entry.name.startswith(("mnist_", "custom_")):
                        good = entry.name.endswith(".png") and entry.stat().st_size > 0
                        (whole if good else broken).add(f"{inside}/{entry.name}")
    return whole, broken - whole


def _csv_text(rows: list[dict]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, INDEX_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _counts(rows: list[dict]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter] = {split: Counter() for split in SPLITS}
    for row in rows:
        if not row["reason"]:
            counts[row["split"]][row["source"]] += 1
    return {split: dict(counter) for split, counter in counts.items()}


class _State:
    """What the last build knew, kept as build.json beside the index: which rules made the tiles, and of which files."""

    def __init__(self, saved: dict):
        self.saved = saved
        self.same_writer = bool(saved.get("same_writer"))
        self.files: dict[str, dict] = saved.get("files", {})
        self.tiles = {original: file["tile"] for original, file in self.files.items()}
        self.splits_before: dict[str, str] = {}
        if not saved.get("by_session"):
            tiles = ((file["facts"]["sha256"], file["tile"]) for file in self.files.values() if file["tile"])
            self.splits_before = {sha256: tile.split("/")[0] for sha256, tile in tiles}

    @classmethod
    def load(cls, folder: Path) -> _State:
        """Return the state of the last build; that of an empty folder where there is none or it is damaged."""
        try:
            return cls(json.loads((folder / _STATE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls({})

    def discard_outdated(self, folder: Path, mnist_key: str) -> None:
        """Remove the tiles that other rules made."""
        rules = {"mnist": f"{TILE_RULE} {mnist_key} {_code_of('tile')}"}
        rules["custom"] = f"{TILE_RULE} {_FACTS_RULE} {_code_of(*_OWN_MODULES)}"
        outdated = {kind for kind in rules if self.saved.get("rules", {}).get(kind) != rules[kind]}
        if not outdated:
            return
        if "custom" in outdated:
            self.files = {}
        for path in _tiles_in(folder)[0]:
            if path.split("/")[2].split("_")[0] in outdated:
                (folder / path).unlink()
        self.saved["rules"] = rules
        self.begin(folder)

    def begin(self, folder: Path) -> None:
        """Note that the folder is being changed, until `finish`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.saved.update(complete=False, files=self.files)
        _write_file(folder / _STATE_FILE, json.dumps(self.saved).encode())

    def known_facts(self, original: str, custom_dir: Path) -> Facts | None:
        """Return what was found in a file, or None if it is new or has changed since."""
        known = self.files.get(original)
        if known and known["stamp"] == _stamp(custom_dir / original):
            return Facts(**known["facts"])
        return None

    def finish(self, folder: Path, custom_dir: Path, images: list[OwnImage]) -> None:
        """Note what the folder now holds."""
        by_session = own_images.by_session(images)
        own = [image for image in images if not image.reason and image.given is None]
        self.same_writer = bool(own) and not by_session
        files = {}
        for image in images:
            if image.facts != Facts():
                facts = asdict(image.facts) | {"png": ""}
                stamp = _stamp(custom_dir / image.original)
                files[image.original] = {"stamp": stamp, "facts": facts, "tile": image.tile_path}
        self.saved.update(complete=True, by_session=by_session, same_writer=self.same_writer, files=files)
        _write_if_changed(folder / _STATE_FILE, json.dumps(self.saved))


def _stamp(path: Path) -> list[int]:
    """Return what changes whenever a file does, without opening it."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _code_of(*modules: str) -> str:
    """Return a hash of modules of digits.reading: tiles made before a change there are not mixed with later ones."""
    digest = hashlib.sha256()
    for name in modules:
        digest.update((Path(reading.__file__).with_name(f"{name}.py")).read_bytes())
    return digest.hexdigest()[:16]


# ---------------------------------------------------------------- reading back


def load_index(merged_dir: Path = MERGED_DIR) -> list[dict]:
    """Return the rows of index.csv, all values as text.

    Raises:
        DatasetError: if nothing was merged yet, or merging was cut off.
    """
    merged_dir = Path(merged_dir)
    if not _State.load(merged_dir).saved.get("complete"):
        raise DatasetError(f"{merged_dir} was not built, or not to the end; run {BUILD_COMMAND} --out {merged_dir}.")
    with open(merged_dir / "index.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_split(merged_dir: Path = MERGED_DIR, split: str = "train") -> Tiles:
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
        for position in range(start, min(start + _MNIST_CHUNK, len(rows))):
            images[position] = _read_tile(merged_dir / rows[position]["path"])

    # Threads are enough: opening and decoding both run outside Python's lock.
    with ThreadPoolExecutor(2 * available_cores()) as pool:
        list(pool.map(read, range(0, len(rows), _MNIST_CHUNK)))
    labels = np.array([int(row["label"]) for row in rows], np.uint8)
    columns = (np.array([row[name] for row in rows], dtype=str) for name in ("source", "session", "path"))
    return Tiles(images, labels, *columns, same_writer=_State.load(merged_dir).same_writer)


def _read_tile(path: Path) -> np.ndarray:
    try:
        with open(path, "rb") as file:
            tile = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        tile = None
    if tile is None or tile.shape[:2] != (TILE_SIZE, TILE_SIZE):
        raise DatasetError(f"{path} is missing or damaged; delete it if it is there and run {BUILD_COMMAND}.")
    return tile.reshape(TILE_SIZE, TILE_SIZE)


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None) -> int:
    """Build the merged dataset, or write the audit page; return the exit status."""
    parser = argparse.ArgumentParser(prog=BUILD_COMMAND, description=__doc__.split("\n")[0])
    parser.add_argument("command", nargs="?", choices=("build", "audit"), default="build")
    parser.add_argument("--custom", type=Path, default=CUSTOM_DIR, metavar="DIR", help="the own images")
    parser.add_argument("--out", type=Path, default=MERGED_DIR, metavar="DIR", help="the merged folder")
    parser.add_argument("--limit", type=int, metavar="N", help="use about N pictures of MNIST")
    options = parser.parse_args(arguments)
    try:
        with progress_bar("Tiles") as progress:
            summary = build_merged(options.custom, options.out, options.limit, _to_stderr, progress=progress)
        print(summary.line())
    except (DatasetError, SourceError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.out} cannot be written: {error}.", file=sys.stderr)
        return 2
    return 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    from digits.learning.dataset import (
        main as start,  # workers must find the functions under the module's own name
    )

    sys.exit(start())
