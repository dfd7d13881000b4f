"""What a training is worth on the user's own pictures: a table by session and digit, and a sheet of those misread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.learning.data.merged_folder import load_own_images, read_tile
from digits.learning.data.splits import RENDERED_SESSION, Split
from digits.learning.experiment.plots import mistakes_gallery
from digits.learning.experiment.report import save_figures
from digits.reading.models.contract import CLASSES
from digits.reading.models.loading import load_model
from digits.reading.models.temperature import scaled

OWN_MISTAKES = "own_mistakes"  # the sheet's name, below runs/: models/figures is published, handwriting must not be
_NAMED = 20  # misread pictures named on screen
_SHOWN = 64  # and shown on the sheet
_NAME = 24  # letters that fit below a tile
_WIDTH = 7  # of a column of the table


@dataclass(frozen=True)
class OwnTiles:
    """The user's own pictures that are used, without the rendered session.

    tiles uint8 (N, 96, 96), labels int (N,); sessions, names (below data/custom) and splits are str (N,).
    """

    tiles: np.ndarray
    labels: np.ndarray
    sessions: np.ndarray
    names: np.ndarray
    splits: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def load_own(merged_dir: Path) -> OwnTiles | None:
    """Return the own pictures of a merged folder; None if there are none."""
    images = [image for image in load_own_images(merged_dir) if not image.reason and image.session != RENDERED_SESSION]
    if not images:
        return None
    return OwnTiles(
        np.stack([read_tile(merged_dir / image.tile_path) for image in images]),
        np.array([image.label for image in images]),
        np.array([image.session_key for image in images]),
        np.array([image.original for image in images]),
        np.array([str(image.split) for image in images]),
    )


def read_own(export: Path, own: OwnTiles) -> np.ndarray:
    """Return what an export says of the own tiles: float32 (N, 10).

    Raises:
        ModelError: if it cannot be loaded.
    """
    model = load_model(export)
    return scaled(model.predict(own.tiles), model.temperature)


def report_own(own: OwnTiles, before: np.ndarray | None, after: np.ndarray, folder: Path, report: Callable,
               unseen: np.ndarray | None = None) -> None:  # fmt: skip
    """Say how many of the own pictures are read, and which are not; write those into a sheet, folder/own_mistakes.png.

    Args:
        before: float (N, 10), what was said of them before the training, None if nothing; `after`, what is said now.
        unseen: bool (N,), which are read by a network that did not learn from them; None to leave that out.
    """
    read = after.argmax(axis=1)
    right_before = None if before is None else before.argmax(axis=1) == own.labels
    for line in own_table(own, right_before, read == own.labels, unseen):
        report(line)
    wrong = np.flatnonzero(read != own.labels)
    if not len(wrong):
        (folder / f"{OWN_MISTAKES}.png").unlink(missing_ok=True)
        return
    wrong = wrong[np.argsort(-after[wrong].max(axis=1))]  # surest first
    named = ", ".join(f"{own.names[place]} as {read[place]}" for place in wrong[:_NAMED])
    rest = f" and {len(wrong) - _NAMED:,} more" * (len(wrong) > _NAMED)
    shown = wrong[:_SHOWN]
    title = f"{len(shown)} of {len(wrong)} own pictures that are misread, surest first"
    names = [name if len(name) <= _NAME else f"..{name[2 - _NAME :]}" for name in own.names[shown]]
    figure = mistakes_gallery(own.tiles[shown], own.labels[shown], after[shown], title, names)
    save_figures(folder, {OWN_MISTAKES: figure})
    report(f"Misread now: {named}{rest}; see {folder / OWN_MISTAKES}.png")


def own_table(own: OwnTiles, before: np.ndarray | None, after: np.ndarray, unseen: np.ndarray | None = None
              ) -> list[str]:  # fmt: skip
    """Return one line in words, then a table: a session a line, a digit a column, `2>3/3` for 2 before, 3 now, of 3.

    Args:
        before, after, unseen: bool (N,), as for `report_own`.
    """
    seen = (own.splits == Split.TRAIN).sum()
    then = f"{before.sum():,} were read before, " if before is not None else ""
    before = after if before is None else before
    lines = [f"Of your {len(own):,} pictures {then}{after.sum():,} are read now; {seen:,} of them were learnt from. "
             "Right before > now / pictures, by session and digit:"]  # fmt: skip
    sessions = list(dict.fromkeys(sorted(own.sessions)))
    first = min(max(len("session"), *map(len, sessions)), 30)
    head = ["all", *["unseen"] * (unseen is not None), *map(str, range(CLASSES))]
    lines.append("  ".join([f"{'session':{first}}", "in   ", *(f"{name:>{_WIDTH}}" for name in head)]))
    for session in sessions:
        which = own.sessions == session
        splits = sorted(set(own.splits[which]))
        cells = [_cell(which, before, after)]
        if unseen is not None:
            cells.append(str(int(unseen[which].sum())))
        cells += [_cell(which & (own.labels == digit), before, after) for digit in range(CLASSES)]
        place = splits[0] if len(splits) == 1 else "mixed"
        lines.append("  ".join([f"{session[:first]:{first}}", f"{place:5}", *(f"{cell:>{_WIDTH}}" for cell in cells)]))
    return lines


def _cell(which: np.ndarray, before: np.ndarray, after: np.ndarray) -> str:
    count, old, new = int(which.sum()), int(before[which].sum()), int(after[which].sum())
    return "" if not count else f"{new}/{count}" if old == new else f"{old}>{new}/{count}"
