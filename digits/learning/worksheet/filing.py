"""What a photographed worksheet holds, filed as own images: doubts set aside, nothing twice, nothing overwritten."""

import hashlib
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from digits.files import write_new
from digits.learning.data.near_duplicates import fingerprint
from digits.learning.data.own_image import SET_ASIDE
from digits.learning.worksheet.box_contents import Cut, State, cut_boxes
from digits.learning.worksheet.page import Code
from digits.learning.worksheet.straighten import SheetError, straighten
from digits.reading.finding.one_digit import main_tile
from digits.reading.images import load_image
from digits.reading.live.collecting import safe_name
from digits.reading.models.contract import CLASSES
from digits.reading.models.temperature import scaled
from digits.reading.reader import Classifier

# Two photographs show the same filled sheet when so many of the boxes they share look alike: nine in ten do, of tilted
# and of blurred photographs too; of two sheets by the same (rendered) hand none does.
_SAME_SHEET = 0.5
_SAME_DRAWING = 0.2  # distance of fingerprints, as near_duplicates.NEAR: 0 the same, 1.4 nothing in common
_LOOKED_AT = 24  # shared boxes compared at most
# The model contradicts a label when it reads another digit with this confidence, or gives the label almost nothing.
_CONTRADICTED = 0.95
_ALMOST_NOTHING = 0.01
# A sheet of which so much is contradicted was filled in another order. Of sheets filled in order it is 0 to 3 %.
_MOST_CONTRADICTED = 0.35
_FEWEST_TO_JUDGE = 6


@dataclass
class Filed:
    """What was filed from one photograph, and where.

    Attributes:
        folder: of the session.
        counts: pictures filed, by digit.
        set_aside: how many wait for somebody to look at them.
        known: how many boxes an earlier photograph of the same sheet had filed.
        states: boxes by state.
        before: name of the record if this very photograph was scanned before; then nothing was done.
    """

    folder: Path
    counts: Counter = field(default_factory=Counter)
    set_aside: int = 0
    known: int = 0
    states: Counter[State] = field(default_factory=Counter)
    before: str = ""


def file_photo(path: Path, custom_dir: Path, session: str | None, model: Classifier | None) -> Filed:
    """Read a photographed worksheet and file its boxes as <session>/<digit>/*.png; nothing is ever overwritten.

    Args:
        path: the photograph.
        custom_dir: data/custom.
        session: name of the session; None for the one in the sheet's code, or else today's date.
        model: contradicts labels that are wrong; None believes them all.
    Raises:
        SheetError: if the photograph cannot be trusted; then nothing was filed.
        ImageError: if it is no picture.
        OSError: if something cannot be written; what was filed stays, and the same call goes on from there.
    """
    photo = load_image(path)
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    record = next(iter(sorted(Path(custom_dir).glob(f"*/sheet-{sha256[:16]}.json"))), None)
    if record is not None:
        return Filed(record.parent, before=record.name)
    straight = straighten(photo)
    cuts = cut_boxes(straight)
    code = straight.code
    written = _written(cuts, model)
    folder = Path(custom_dir) / safe_name(session or (code.session if code else "") or today())
    filed = Filed(folder, states=Counter(cut.state for cut in cuts))
    known = _known_boxes(folder, written, sha256[:8])
    for cut in written:
        if (cut.box.label, cut.box.column) in known:
            filed.known += 1
            continue
        _keep(cut, folder, sha256[:8], code)
        filed.set_aside += bool(cut.doubt)
        filed.counts[cut.box.label] += not cut.doubt
    # Last of all: where it is missing, the photograph was not filed to the end.
    note = {
        "photo": Path(path).name, "sha256": sha256, "scanned": time.strftime("%Y-%m-%d %H:%M:%S"),
        "page": code.page if code else None, "filed": {str(d): filed.counts[d] for d in range(CLASSES)},
        "set_aside": filed.set_aside, "boxes": dict(filed.states),
    }  # fmt: skip
    write_once(folder / f"sheet-{sha256[:16]}.json", json.dumps(note, indent=1, ensure_ascii=False).encode())
    return filed


def _written(cuts: list[Cut], model: Classifier | None) -> list[Cut]:
    """Return the boxes that are written in, with their tiles, and what speaks against a label.

    Raises:
        SheetError: if there are none, or the model contradicts so many that rows and digits cannot belong together.
    """
    written = [_with_tile(cut) for cut in cuts if cut.picture is not None]
    if not written:
        raise SheetError("all its boxes are empty; photograph a sheet that somebody has filled in.")
    with_tile = [position for position, cut in enumerate(written) if cut.tile is not None]
    if model is None or not with_tile:
        return written
    tiles = np.stack([written[position].tile for position in with_tile])
    for position, row in zip(with_tile, scaled(model.predict(tiles), model.temperature), strict=True):
        cut = written[position]
        written[position] = replace(cut, doubt=cut.doubt or _contradiction(cut.box.label, row))
    whole = [cut for cut in written if cut.tile is not None and cut.state is State.WRITTEN]
    contradicted = sum(bool(cut.doubt) for cut in whole)
    if len(whole) >= _FEWEST_TO_JUDGE and contradicted > _MOST_CONTRADICTED * len(whole):
        raise SheetError(
            f"{contradicted} of its {len(whole)} digits are read as others than their rows ask for;"
            " was it filled in another order? --model none files them as they stand."
        )
    return written


def _with_tile(cut: Cut) -> Cut:
    try:
        return replace(cut, tile=main_tile(cut.picture), doubt="runs-out" if cut.state is State.DOUBTFUL else "")
    except ValueError:
        return replace(cut, doubt="no-strokes")


def _contradiction(label: int, probabilities: np.ndarray) -> str:
    """Return what the model says against a label, as part of a file's name; "" for nothing."""
    read = int(probabilities.argmax())
    if read != label and probabilities[read] >= _CONTRADICTED:
        return f"looks-like-{read}"
    return "looks-like-none" if probabilities[label] < _ALMOST_NOTHING else ""


def _keep(cut: Cut, folder: Path, mark: str, code: Code | None) -> None:
    """Write one picture; its name is always the same, so that a scan that was cut off goes on where it stopped."""
    place = (folder / SET_ASIDE if cut.doubt else folder) / str(cut.box.label)
    place.mkdir(parents=True, exist_ok=True)
    doubt = f"-{cut.doubt}" if cut.doubt else ""
    name = f"sheet{code.page if code else ''}-{cut.box.column + 1:02d}-{mark}{doubt}.png"
    write_once(place / name, cv2.imencode(".png", cut.picture)[1].tobytes())


def write_once(path: Path, data: bytes) -> None:
    """Write a file unless it is there already."""
    if not path.exists():
        with suppress(FileExistsError):  # another scan of the same sheet was quicker
            write_new(path, data)


def _known_boxes(folder: Path, written: list[Cut], mark: str) -> set[tuple[int, int]]:
    """Return the (digit, column) of boxes that earlier photographs of this very sheet have filed in the session."""
    earlier: dict[str, dict[tuple[int, int], Path]] = {}
    for path in [*folder.glob("?/sheet*-*-*.png"), *folder.glob(f"{SET_ASIDE}/?/sheet*-*-*.png")]:
        _, column, other = path.stem.split("-")[:3]
        if other != mark and column.isdecimal() and path.parent.name.isdecimal():
            earlier.setdefault(other, {})[int(path.parent.name), int(column) - 1] = path
    tiles = {(cut.box.label, cut.box.column): cut.tile for cut in written if cut.tile is not None}
    known: set[tuple[int, int]] = set()
    for boxes in earlier.values():
        shared = sorted(tiles.keys() & boxes.keys())
        shared = shared[:: max(1, len(shared) // _LOOKED_AT)]
        alike = sum(_alike(tiles[key], boxes[key]) for key in shared)
        if shared and alike > _SAME_SHEET * len(shared):
            known |= boxes.keys()
    return known


def _alike(tile: np.ndarray, path: Path) -> bool:
    """Return whether a picture on disk shows the drawing of a tile."""
    try:
        other = main_tile(load_image(path))
    except ValueError:
        return False
    prints = (np.frombuffer(fingerprint(each), np.uint8).astype(np.float32) for each in (tile, other))
    first, second = (values / np.linalg.norm(values) for values in prints)
    return float(np.linalg.norm(first - second)) < _SAME_DRAWING


def today() -> str:
    """Return today's date as the name of a session."""
    return time.strftime("%Y-%m-%d")
