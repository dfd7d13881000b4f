"""A printed sheet with boxes for the ten digits, and what people wrote into it as labelled own images.

    python -m digits.learning.worksheet print [--session NAME ...] [--page N] [--paper a4|letter] [--out FILE]
    python -m digits.learning.worksheet scan PHOTO [PHOTO ...] [--session NAME]

Exit status: 0 done, 1 a photograph was refused, 2 bad arguments, a missing file, or something cannot be written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from digits.learning.config import CLASSES, CUSTOM_DIR
from digits.learning.own_images import SET_ASIDE, fingerprint
from digits.learning.worksheet_page import PAPERS, Code, pages_as_pdf
from digits.learning.worksheet_photo import DOUBTFUL, WRITTEN, Cut, SheetError, cut_boxes, straighten
from digits.reading.card import ModelError
from digits.reading.collecting import safe_name, write_new
from digits.reading.formats import load_model
from digits.reading.images import IMAGE_SUFFIXES, ImageError, load_image
from digits.reading.reader import Classifier, main_tile, sharpened

DONE, REFUSED, BAD_ARGUMENTS = 0, 1, 2
COMMAND = "python -m digits.learning.worksheet"

# The model contradicts a label when it reads another digit with this confidence, or gives the label almost nothing.
_CONTRADICTED = 0.95
_ALMOST_NOTHING = 0.01
# A sheet of which so much is contradicted was filled in another order. Of sheets filled in order it is 0 to 3 %.
_MOST_CONTRADICTED = 0.35
_FEWEST_TO_JUDGE = 6
# Two photographs show the same filled sheet when so many of the boxes they share look alike: nine in ten do, of tilted
# and of blurred photographs too; of two sheets by the same (rendered) hand none does.
_SAME_SHEET = 0.5
_SAME_DRAWING = 0.2  # distance of fingerprints, as own_images.NEAR: 0 the same, 1.4 nothing in common
_LOOKED_AT = 24  # shared boxes compared at most


@dataclass(frozen=True)
class Picture:
    """The picture of one box: its tile, if strokes are found in it, and why it is set aside ("" if it is not)."""

    cut: Cut
    tile: np.ndarray | None
    doubt: str = ""


@dataclass(frozen=True)
class Scan:
    """What a photographed sheet holds: pictures to keep, boxes by state, and its code if that can be read."""

    pictures: list[Picture]
    states: Counter
    code: Code | None


@dataclass
class Filed:
    """What was filed from one photograph, and where.

    Attributes:
        folder: of the session.
        counts: pictures filed, by digit.
        set_aside: how many wait for somebody to look at them.
        known: how many boxes an earlier photograph of the same sheet had filed.
        states: boxes by state: empty, crossed out, hidden, ...
        before: name of the record if this very photograph was scanned before; then nothing was done.
    """

    folder: Path
    counts: Counter = field(default_factory=Counter)
    set_aside: int = 0
    known: int = 0
    states: Counter = field(default_factory=Counter)
    before: str = ""


# ---------------------------------------------------------------- reading a sheet


def read_sheet(photo: np.ndarray, model: Classifier | None) -> Scan:
    """Return what is written in the boxes of a photographed worksheet.

    Args:
        photo: uint8 (H, W, 3) BGR.
        model: contradicts labels that are wrong; None believes them all.
    Raises:
        SheetError: if the photograph cannot be trusted.
    """
    straight = straighten(photo)
    cuts = cut_boxes(straight)
    written = [cut for cut in cuts if cut.picture is not None]
    if not written:
        raise SheetError("all its boxes are empty; photograph a sheet that somebody has filled in.")
    pictures = [_with_tile(cut) for cut in written]
    if model is not None:
        pictures = _judged(pictures, model)
    return Scan(pictures, Counter(cut.state for cut in cuts), straight.code)


def _with_tile(cut: Cut) -> Picture:
    doubt = "runs-out" if cut.state == DOUBTFUL else ""
    try:
        return Picture(cut, main_tile(cut.picture), doubt)
    except ValueError:
        return Picture(cut, None, "no-strokes")


def _judged(pictures: list[Picture], model: Classifier) -> list[Picture]:
    """Return the pictures with the model's doubts.

    Raises:
        SheetError: if it contradicts so many that rows and digits cannot belong together.
    """
    with_tile = [position for position, picture in enumerate(pictures) if picture.tile is not None]
    if not with_tile:
        return pictures
    tiles = np.stack([pictures[position].tile for position in with_tile])
    probabilities = sharpened(model.predict(tiles), model.temperature)
    judged = list(pictures)
    for position, row in zip(with_tile, probabilities, strict=True):
        doubt = _contradiction(pictures[position].cut.box.label, row)
        if doubt and not pictures[position].doubt:
            judged[position] = replace(pictures[position], doubt=doubt)
    whole = [picture for picture in judged if picture.tile is not None and picture.cut.state == WRITTEN]
    contradicted = sum(bool(picture.doubt) for picture in whole)
    if len(whole) >= _FEWEST_TO_JUDGE and contradicted > _MOST_CONTRADICTED * len(whole):
        raise SheetError(
            f"{contradicted} of its {len(whole)} digits are read as others than their rows ask for;"
            " was it filled in another order? --model none files them as they stand."
        )
    return judged


def _contradiction(label: int, probabilities: np.ndarray) -> str:
    """Return what the model says against a label, as part of a file's name; "" for nothing."""
    read = int(probabilities.argmax())
    if read != label and probabilities[read] >= _CONTRADICTED:
        return f"looks-like-{read}"
    return "looks-like-none" if probabilities[label] < _ALMOST_NOTHING else ""


# ---------------------------------------------------------------- filing


def file_photo(path: Path, custom_dir: Path, session: str | None, model: Classifier | None) -> Filed:
    """Read a photographed worksheet and file its boxes as <session>/<digit>/*.png; nothing is ever overwritten.

    Args:
        path: the photograph.
        custom_dir: data/custom.
        session: name of the session; None for the one in the sheet's code, or else today's date.
        model: as for `read_sheet`.
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
    scan = read_sheet(photo, model)
    folder = Path(custom_dir) / safe_name(session or (scan.code.session if scan.code else "") or _today())
    filed = Filed(folder, states=scan.states)
    known = _known_boxes(folder, scan, sha256[:8])
    for picture in scan.pictures:
        box = picture.cut.box
        if (box.label, box.column) in known:
            filed.known += 1
            continue
        _keep(picture, folder, sha256[:8], scan.code)
        filed.set_aside += bool(picture.doubt)
        filed.counts[box.label] += not picture.doubt
    # Last of all: where it is missing, the photograph was not filed to the end.
    note = {
        "photo": Path(path).name, "sha256": sha256, "scanned": time.strftime("%Y-%m-%d %H:%M:%S"),
        "page": scan.code.page if scan.code else None, "filed": {str(d): filed.counts[d] for d in range(CLASSES)},
        "set_aside": filed.set_aside, "boxes": dict(scan.states),
    }  # fmt: skip
    _write_once(folder / f"sheet-{sha256[:16]}.json", json.dumps(note, indent=1, ensure_ascii=False).encode())
    return filed


def _keep(picture: Picture, folder: Path, mark: str, code: Code | None) -> None:
    """Write one picture; its name is always the same, so that a scan that was cut off goes on where it stopped."""
    box = picture.cut.box
    name = f"sheet{code.page if code else ''}-{box.column + 1:02d}-{mark}"
    place = folder / SET_ASIDE / str(box.label) if picture.doubt else folder / str(box.label)
    place.mkdir(parents=True, exist_ok=True)
    name += f"-{picture.doubt}.png" if picture.doubt else ".png"
    _write_once(place / name, cv2.imencode(".png", picture.cut.picture)[1].tobytes())


def _write_once(path: Path, data: bytes) -> None:
    """Write a file unless it is there already."""
    if not path.exists():
        write_new(path, data)


def _known_boxes(folder: Path, scan: Scan, mark: str) -> set[tuple[int, int]]:
    """Return the (digit, column) of boxes that earlier photographs of this very sheet have filed in the session."""
    earlier: dict[str, dict[tuple[int, int], Path]] = {}
    for path in [*folder.glob("?/sheet*-*-*.png"), *folder.glob(f"{SET_ASIDE}/?/sheet*-*-*.png")]:
        _, column, other = path.stem.split("-")[:3]
        if other != mark and column.isdecimal() and path.parent.name.isdecimal():
            earlier.setdefault(other, {})[int(path.parent.name), int(column) - 1] = path
    tiles = {(p.cut.box.label, p.cut.box.column): p.tile for p in scan.pictures if p.tile is not None}
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


def _today() -> str:
    return time.strftime("%Y-%m-%d")


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None) -> int:
    """Print a worksheet or scan photographs of filled ones; return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a cp1252 console cannot write every name
    options = _parse(arguments)
    try:
        return _print_sheet(options) if options.command == "print" else _scan_photos(options)
    except ModelError as error:
        return _complain(error, BAD_ARGUMENTS)
    except OSError as error:
        return _complain(f"{error.filename or 'A file'} cannot be written: {error.strerror or error}.", BAD_ARGUMENTS)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("print", help="write the sheet as a PDF, one page a session", allow_abbrev=False)
    whose = "whose sheet it is; several names give a page each (default: the date)"
    sheet.add_argument("--session", nargs="+", default=[_today()], metavar="NAME", help=whose)
    sheet.add_argument("--page", type=_page, default=1, metavar="N", help="number of the page (default: 1)")
    sheet.add_argument("--paper", choices=PAPERS, default="a4", help="paper size (default: a4)")
    sheet.add_argument("--out", type=Path, metavar="FILE", help="the PDF (default: worksheet-<session>-<page>.pdf)")
    scan = commands.add_parser("scan", help="file what photographs of filled sheets hold", allow_abbrev=False)
    scan.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photographs, or folders of them")
    scan.add_argument("--session", metavar="NAME", help="whose digits (default: what the sheet's code says)")
    scan.add_argument("--custom", type=Path, default=CUSTOM_DIR, metavar="DIR", help="where to file (data/custom)")
    scan.add_argument("--model", metavar="FILE|FOLDER|none", help="what contradicts labels (default: the released one)")
    return parser.parse_args(arguments)


def _page(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 999):
        raise argparse.ArgumentTypeError(f"{text} was given, a whole number from 1 to 999 was expected")
    return int(text)


def _print_sheet(options: argparse.Namespace) -> int:
    sessions = list(dict.fromkeys(map(safe_name, options.session)))
    others = f"-and-{len(sessions) - 1}-more" if len(sessions) > 1 else ""
    path = options.out or Path(f"worksheet-{sessions[0]}{others}-{options.page}.pdf")
    if path.suffix.lower() != ".pdf":
        return _complain(f"--out {path} must end in .pdf.", BAD_ARGUMENTS)
    data = pages_as_pdf(options.paper, [Code(session, options.page) for session in sessions])
    if path.exists() and (path.is_dir() or path.read_bytes() != data):
        return _complain(f"{path} is there already and is not this sheet; name another file with --out.", BAD_ARGUMENTS)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_once(path, data)
    print(f"{path}: print it at 100 % or fitted to the page, have it filled in, then: {COMMAND} scan PHOTO [PHOTO ...]")
    return DONE


def _scan_photos(options: argparse.Namespace) -> int:
    photos = _listed(options.photos)
    missing = next((path for path in photos if not path.is_file()), None)
    if missing is not None or not photos:
        what = f"{missing} does not exist" if missing else f"{options.photos[0]} holds no pictures"
        return _complain(f"{what}; name photographs of filled worksheets.", BAD_ARGUMENTS)
    model = None if options.model == "none" else load_model(options.model)
    status = DONE
    for path in photos:
        try:
            filed = file_photo(path, options.custom, options.session, model)
        except SheetError as error:
            status = _complain(f"{path} is refused: {error}", REFUSED)
        except ImageError as error:
            status = _complain(error, REFUSED)
        else:
            print("\n".join(summary(path, filed)), flush=True)
    return status


def _listed(paths: list[Path]) -> list[Path]:
    """Return the photographs, with folders replaced by the pictures in them, in order of name."""
    listed = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        listed += [one for one in inside if one.suffix.lower() in IMAGE_SUFFIXES] if path.is_dir() else inside
    return listed


def summary(path: Path, filed: Filed) -> list[str]:
    """Return what was done with a photograph, as lines for the user."""
    if filed.before:
        return [f"{path}: was scanned before, nothing filed anew (see {filed.folder / filed.before})"]
    digits = "  ".join(f"{digit}: {filed.counts[digit]}" for digit in range(CLASSES))
    lines = [f"{path}: {filed.counts.total()} pictures filed under {filed.folder}", f"  {digits}"]
    other = [f"{count} {state}" for state, count in sorted(filed.states.items()) if state not in (WRITTEN, DOUBTFUL)]
    if filed.known:
        other.append(f"{filed.known} filed before, from another photograph of this sheet")
    if other:
        lines.append(f"  {', '.join(other)}")
    if filed.set_aside:
        where = filed.folder / SET_ASIDE
        lines.append(f"  {filed.set_aside} set aside in {where}: look; move each to its digit's folder or delete it")
    return lines


def _complain(sentence: object, status: int) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
