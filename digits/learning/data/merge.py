"""MNIST and the user's own images become one folder of tiles, data/merged/, with fixed splits and an index.

data/merged/ can be deleted at any time: everything in it is made from data/raw/ and data/custom/.
"""

from __future__ import annotations

import csv
import hashlib
import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digits.files import write_whole
from digits.learning.data.find_own_images import encode_tile, examine, find_own_images
from digits.learning.data.left_out import left_out_lines
from digits.learning.data.merged_folder import INDEX_FILE, DatasetError, MergedState, tiles_in, write_if_changed
from digits.learning.data.mnist import Mnist, load_mnist
from digits.learning.data.own_image import Facts, LeftOut, OwnImage
from digits.learning.data.own_splits import decide
from digits.learning.data.splits import SPLITS, Source, Split
from digits.learning.shared.lock import run_lock
from digits.learning.shared.progress import SILENT, Advance, Lines, titled
from digits.learning.shared.workers import map_chunks
from digits.paths import CUSTOM_DIR, MERGED_DIR, RAW_DIR
from digits.reading.models.contract import CLASSES
from digits.reading.tile import normalise

INDEX_COLUMNS = ("path", "label", "source", "session", "split", "sha256", "reason", "original")
CALIBRATION_SHARE = 2000 / 60000  # of MNIST's training pictures
VAL_SHARE = 6000 / 60000
MNIST_CHUNK = 1000  # tiles written per call of a worker: 0.4 s, a smooth bar
_OWN_CHUNK = 4  # a phone's photograph takes up to half a second
_WORTH_A_POOL_S = 1.5  # starting processes costs about half a second
_TILE_S, _PHOTO_S = 0.0004, 0.1  # seconds one takes


@dataclass(frozen=True)
class Summary:
    """What a build did.

    `counts` is tiles by split and source, `left_out` own images by kind of reason, most first, `left_out_lines` which
    they are, `same_writer` whether own images of one session lie in several splits.
    """

    merged_dir: Path
    counts: dict[Split, dict[Source, int]]
    left_out: dict[LeftOut, int]
    left_out_lines: list[str]
    same_writer: bool
    written: int
    removed: int
    seconds: float

    def lines(self) -> list[str]:
        """Return the build in one line, and one for each picture that is left out, or the first of them."""
        return [self.line(), *(f"  {line}" for line in self.left_out_lines)]

    def line(self) -> str:
        """Return the build in one line."""
        parts = ", ".join(f"{split} {sum(self.counts[split].values()):,}" for split in SPLITS)
        own = sum(counts.get(Source.CUSTOM, 0) for counts in self.counts.values())
        text = f"{self.merged_dir}: {parts}; {own:,} own images"
        if self.same_writer and own:
            text += " (fewer than five sessions: same writer in train and test)"
        elif own and not self.counts[Split.TEST].get(Source.CUSTOM):
            text += " (none in test: put some of a writer's own under test/<digit>/ to measure on them)"
        if self.left_out:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.left_out.items())
            text += f"; {sum(self.left_out.values()):,} left out, see index.csv: {kinds}"
        return f"{text}; {self.written:,} written, {self.removed:,} removed in {self.seconds:.1f} s."


def build_merged(custom_dir: Path = CUSTOM_DIR, merged_dir: Path = MERGED_DIR, limit: int | None = None,
                 report: Callable[[str], None] = SILENT, mnist: Mnist | None = None, workers: int | None = None
                 ) -> Summary:
    """Merge MNIST and the own images into `merged_dir`; write only what is missing or changed.

    Splits do not depend on a seed: they follow from the pictures and the sessions' names.

    Args:
        custom_dir: <session>/<digit>/<picture>, {train,test}/<digit>/<picture> and exclude.txt.
        merged_dir: made if missing; only files this function wrote are ever removed from it.
        limit: about how many MNIST pictures, of all splits together; None for all 70,000.
        report: takes lines of text; a `Report` also how far the tiles are, any other callable as lines.
        mnist: as `load_mnist` returns; None to call it.
        workers: processes; None for one a core.
    Raises:
        DatasetError: if one folder lies in the other, or `custom_dir` is missing.
        DownloadError: if MNIST cannot be had.
        RunError: if another process is merging into the same folder.
    """
    began = time.monotonic()
    custom_dir, merged_dir = Path(custom_dir), Path(merged_dir)
    _check_folders(custom_dir, merged_dir)
    source = _MnistRows(mnist or load_mnist(RAW_DIR, report), limit)
    progress = titled(report, "Tiles") or titled(Lines(report), "Tiles")
    with run_lock(merged_dir):
        return _build(source, _Work(custom_dir, merged_dir, progress, workers), began)


def _build(source: _MnistRows, work: _Work, began: float) -> Summary:
    custom_dir, merged_dir = work.custom_dir, work.merged_dir
    state = MergedState.load(merged_dir)
    state.discard_outdated(merged_dir, source.key)
    images = _with_facts(find_own_images(custom_dir), state, work)
    images = decide(images, source.names, state.splits_before)
    rows = [*source.rows, *map(_own_row, images)]
    removed, written = _write_tiles(source, images, state, work)
    write_if_changed(merged_dir / INDEX_FILE, _index_text(rows))
    state.finish(merged_dir, custom_dir, images)
    left_out = dict(Counter(image.reason.kind for image in images if image.reason).most_common())
    seconds = time.monotonic() - began
    lines = left_out_lines(images, str(merged_dir / INDEX_FILE))
    return Summary(merged_dir, _counts(rows), left_out, lines, state.same_writer, written, removed, seconds)


@dataclass(frozen=True)
class _Work:
    """Where a build reads and writes, and how."""

    custom_dir: Path
    merged_dir: Path
    progress: Advance
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
        self.names: dict[str, str] = {}
        test = self._named(Split.TEST, mnist.test_images)
        ranked = sorted(self._named(Split.TRAIN, mnist.train_images))  # after test, which keeps what both have
        calibration = round(len(ranked) * CALIBRATION_SHARE)
        val = calibration + round(len(ranked) * VAL_SHARE)
        splits = {Split.TRAIN: ranked[val:], Split.VAL: ranked[calibration:val],
                  Split.CALIBRATION: ranked[:calibration], Split.TEST: test}  # fmt: skip
        self.key = hashlib.sha256("".join(self.names).encode()).hexdigest()
        self.rows: list[dict] = []
        self.pictures: dict[str, np.ndarray] = {}
        for split, pictures in splits.items():
            origin, images, labels = Split.TRAIN, mnist.train_images, mnist.train_labels
            if split is Split.TEST:
                origin, images, labels = Split.TEST, mnist.test_images, mnist.test_labels
            for sha256, position in _thinned(pictures, limit, len(self.names)):
                path = f"{split}/{labels[position]}/{Source.MNIST}_{origin}_{position:05d}.png"
                row = path, int(labels[position]), Source.MNIST, origin, split, sha256, "", ""
                self.rows.append(dict(zip(INDEX_COLUMNS, row, strict=True)))
                self.pictures[path] = images[position]

    def _named(self, origin: Split, images: np.ndarray) -> list[tuple[str, int]]:
        """Return (sha256, position) of the pictures that are not there yet."""
        found = []
        for position, image in enumerate(images):
            sha256 = hashlib.sha256(np.ascontiguousarray(image)).hexdigest()
            if sha256 not in self.names:
                self.names[sha256] = f"{origin} picture {position}"
                found.append((sha256, position))
        return found


def _thinned(pictures: list[tuple[str, int]], limit: int | None, total: int) -> list[tuple[str, int]]:
    """Return a share limit/total of the pictures in order of position; a larger limit only adds to a smaller one's."""
    if limit is not None and limit < total:
        # Ranked from the other end of the hash, which has nothing to do with the split.
        pictures = sorted(pictures, key=lambda picture: picture[0][::-1])[: round(len(pictures) * limit / total)]
    return sorted(pictures, key=lambda picture: picture[1])


def _own_row(image: OwnImage) -> dict:
    label = "" if image.label is None else image.label
    path, split = (image.original, "") if image.reason else (image.tile_path, image.split)
    reason = str(image.reason or "")
    row = path, label, Source.CUSTOM, image.session, split, image.facts.sha256, reason, image.original
    return dict(zip(INDEX_COLUMNS, row, strict=True))


def _with_facts(images: list[OwnImage], state: MergedState, work: _Work) -> list[OwnImage]:
    """Return the images with what is in them; a file that has not changed since the last build is not opened."""
    usable = [image for image in images if not image.reason]
    known = {image: state.known_facts(image.original, work.custom_dir) for image in usable}
    unknown = [image for image in usable if known[image] is None]
    known |= zip(unknown, _examine(unknown, work), strict=True)
    return [replace(image, facts=known.get(image, image.facts)) for image in images]


def _examine(images: list[OwnImage], work: _Work) -> list[Facts]:
    paths = [str(work.custom_dir / image.original) for image in images]
    chunks = [(paths[start : start + _OWN_CHUNK],) for start in range(0, len(paths), _OWN_CHUNK)]
    return sum(work.map(examine, chunks, [len(part) for (part,) in chunks], _PHOTO_S), [])


def _write_tiles(source: _MnistRows, images: list[OwnImage], state: MergedState, work: _Work) -> tuple[int, int]:
    """Bring the folder to what `source` and `images` ask for; return how many files were removed and written."""
    folder = work.merged_dir
    present, broken = tiles_in(folder)
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
    parts = [missing[start : start + MNIST_CHUNK] for start in range(0, len(missing), MNIST_CHUNK)]
    chunks = [(str(folder), paths, np.stack([source.pictures[path] for path in paths])) for paths in parts]
    work.map(write_mnist_tiles, chunks, [len(paths) for paths in parts], _TILE_S)
    for path in outdated:  # last, because a tile that changed its split is copied from there
        (folder / path).unlink(missing_ok=True)
    return len(outdated), len(new) + len(missing)


def _write_own(new: list[OwnImage], present: set[str], state: MergedState, work: _Work) -> None:
    forgotten = []
    for image in new:
        before = state.tiles.get(image.original, "")
        if image.facts.png:
            write_whole(work.merged_dir / image.tile_path, image.facts.png)
        elif before in present and Path(before).name == Path(image.tile_path).name:
            write_whole(work.merged_dir / image.tile_path, (work.merged_dir / before).read_bytes())
        else:
            forgotten.append(image)  # a duplicate until now, so that no tile of it was kept
    for image, facts in zip(forgotten, _examine(forgotten, work), strict=True):
        write_whole(work.merged_dir / image.tile_path, facts.png)


def write_mnist_tiles(folder: str, paths: list[str], pictures: np.ndarray) -> None:
    """Write the tiles of MNIST pictures uint8 (N, 28, 28) to `paths` below `folder`; runs in a worker."""
    for path, picture in zip(paths, pictures, strict=True):
        write_whole(Path(folder, path), encode_tile(normalise(picture)))


def _index_text(rows: list[dict]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, INDEX_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _counts(rows: list[dict]) -> dict[Split, dict[Source, int]]:
    used = [row for row in rows if not row["reason"]]
    return {split: dict(Counter(row["source"] for row in used if row["split"] == split)) for split in SPLITS}
