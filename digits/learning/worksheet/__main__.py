"""A printed sheet with boxes for the ten digits, and what people wrote into it as labelled own images.

    python -m digits.learning.worksheet print [--session NAME ...] [--page N] [--paper a4|letter] [--out FILE]
    python -m digits.learning.worksheet scan PHOTO [PHOTO ...] [--session NAME]

Exit status: 0 done, 1 a photograph was refused, 2 bad arguments, a missing file, or something cannot be written.
"""

import argparse
import sys
from pathlib import Path

from digits.files import clear_abandoned, drop_stdout, printable
from digits.learning.data.own_image import SET_ASIDE
from digits.learning.worksheet.box_contents import State
from digits.learning.worksheet.filing import Filed, file_photo, today, write_once
from digits.learning.worksheet.page import PAPERS, Code, pages_as_pdf
from digits.learning.worksheet.straighten import SheetError
from digits.outputs import say
from digits.paths import CUSTOM_DIR
from digits.reading.images import IMAGE_SUFFIXES, ImageError
from digits.reading.live.collecting import safe_name
from digits.reading.models.contract import CLASSES
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model

DONE, REFUSED, BAD_ARGUMENTS = 0, 1, 2
COMMAND = "python -m digits.learning.worksheet"
_MOST_PAGE = 999  # what the sheet's code has room for


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
        if not error.filename:  # of files all errors have one
            drop_stdout()
        where = error.filename or "Standard output"
        return _complain(f"{where} cannot be written: {error.strerror or error}.", BAD_ARGUMENTS)
    except KeyboardInterrupt:
        return _complain("Stopped. The same command goes on from here.", 130)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__.splitlines()[0], allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("print", help="write the sheet as a PDF, one page a session", allow_abbrev=False)
    whose = "whose sheet it is; several names give a page each (default: the date)"
    sheet.add_argument("--session", nargs="+", default=[today()], metavar="NAME", help=whose)
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
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_PAGE):
        raise argparse.ArgumentTypeError(f"{text} was given, a whole number from 1 to {_MOST_PAGE} was expected")
    return int(text)


def _print_sheet(options: argparse.Namespace) -> int:
    sessions = list(map(safe_name, options.session))
    # Of a name that is there twice the second page is its next one: no two pages have the same code.
    codes = [Code(name, options.page + sessions[:place].count(name)) for place, name in enumerate(sessions)]
    others = f"-and-{len(codes) - 1}-more" if len(codes) > 1 else ""
    path = options.out or Path(f"worksheet-{sessions[0]}{others}-{options.page}.pdf")
    if path.suffix.lower() != ".pdf":
        return _complain(f"--out {path} must end in .pdf.", BAD_ARGUMENTS)
    if max(code.page for code in codes) > _MOST_PAGE:
        return _complain(f"There are more pages of one session than {_MOST_PAGE}; name fewer.", BAD_ARGUMENTS)
    data = pages_as_pdf(options.paper, codes)
    if path.exists() and (path.is_dir() or path.read_bytes() != data):
        return _complain(f"{path} is there already and is not this sheet; name another file with --out.", BAD_ARGUMENTS)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_once(path, data)
    for name in dict.fromkeys(name for name in sessions if sessions.count(name) > 1):
        pages = ", ".join(str(code.page) for code in codes if code.session == name)
        print(printable(f"{name} is named more than once: pages {pages} of one session. Two people with one name want "
                        f"two sessions, such as {name}-1 and {name}-2."))  # fmt: skip
    how = "print it at 100 % or fitted to the page, have it filled in, then"
    print(f"{printable(path)}: {how}: {COMMAND} scan PHOTO [PHOTO ...]", flush=True)
    return DONE


def _scan_photos(options: argparse.Namespace) -> int:
    photos = _listed(options.photos)
    missing = next((path for path in photos if not path.is_file()), None)
    if missing is not None or not photos:
        what = f"{missing} does not exist" if missing else f"{options.photos[0]} holds no pictures"
        return _complain(f"{what}; name photographs of filled worksheets.", BAD_ARGUMENTS)
    model = None if options.model == "none" else load_model(options.model)
    clear_abandoned(options.custom, below=True)
    status = DONE
    for path in photos:
        try:
            filed = file_photo(path, options.custom, options.session, model)
        except SheetError as error:
            status = _complain(f"{path} is refused: {error}", REFUSED)
        except ImageError as error:
            status = _complain(error, REFUSED)
        else:
            print("\n".join(map(printable, summary(path, filed))), flush=True)
    return status


def _listed(paths: list[Path]) -> list[Path]:
    """Return the photographs, with folders replaced by the pictures in them, in order of name."""
    return [
        photo for path in paths
        for photo in (sorted(path.iterdir()) if path.is_dir() else [path])
        if photo is path or photo.suffix.lower() in IMAGE_SUFFIXES
    ]  # fmt: skip


def summary(path: Path, filed: Filed) -> list[str]:
    """Return what was done with a photograph, as lines for the user."""
    if filed.before:
        return [f"{path}: was scanned before, nothing filed anew (see {filed.folder / filed.before})"]
    digits = "  ".join(f"{digit}: {filed.counts[digit]}" for digit in range(CLASSES))
    lines = [f"{path}: {filed.counts.total()} pictures filed under {filed.folder}", f"  {digits}"]
    unfiled = sorted(filed.states.keys() - {State.WRITTEN, State.DOUBTFUL})
    other = [f"{filed.states[state]} {state}" for state in unfiled]
    if filed.known:
        other.append(f"{filed.known} filed before, from another photograph of this sheet")
    if other:
        lines.append(f"  {', '.join(other)}")
    if filed.set_aside:
        where = filed.folder / SET_ASIDE
        lines.append(f"  {filed.set_aside} set aside in {where}: look; move each to its digit's folder or delete it")
    return lines


def _complain(sentence: object, status: int) -> int:
    say(sentence)
    return status


if __name__ == "__main__":
    sys.exit(main())
