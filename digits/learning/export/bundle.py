"""One file to carry: the camera script, what it needs of this package, the finder and the 8-bit model.

    python -m digits.learning.export.bundle exports/mobilenet_v2
    python digits_webcam.pyz                (on any computer with opencv-python and ai-edge-litert)
"""

import argparse
import sys
import zipfile
from pathlib import Path

from digits.files import in_words, printable, replacing
from digits.outputs import say
from digits.paths import ROOT
from digits.reading.models.card import CARD, SUMS, read_card
from digits.reading.models.default import BUNDLED, BUNDLED_FINDER, FINDER
from digits.reading.models.errors import ModelError
from digits.reading.models.finder import default_finder

BUNDLE = "digits_webcam.pyz"
SCRIPT = "realtime_multiformat.py"
MODEL = "model_int8.tflite"
FINDER_MODEL = "finder.tflite"
DEMO = "data/samples/demo.mp4"
MOST_BYTES = 4_000_000  # small enough for a mail
_MAIN = "import sys\n\nfrom realtime_multiformat import main\n\nsys.exit(main())\n"
# Always the same date, so that the same files make the same bundle.
_DATE = (1980, 1, 1, 0, 0, 0)


def write_bundle(folder: Path, root: Path = ROOT) -> Path:
    """Write `digits_webcam.pyz` into an export folder and return its path.

    The finder is the one beside the export, else the project's own.

    Args:
        folder: an export with its card and `model_int8.tflite`.
        root: the checkout that holds the script and the package.
    Raises:
        ModelError: if one of them is missing, or the bundle comes out over 4 MB.
    """
    card = read_card(folder)
    if card is None or not (folder / MODEL).is_file():
        raise ModelError(f"{folder} lacks {CARD} or {MODEL}, expected an export folder with both.")
    contents = {"__main__.py": _MAIN.encode(), SCRIPT: (root / SCRIPT).read_bytes()}
    package = root / "digits"
    for path in [*sorted(package.glob("*.py")), *sorted((package / "reading").rglob("*.py"))]:
        contents[path.relative_to(root).as_posix()] = path.read_bytes()
    if (root / DEMO).is_file():  # what the script's advice names where there is no camera
        contents[DEMO] = (root / DEMO).read_bytes()
    carried = [name for name in (CARD, MODEL, SUMS) if (folder / name).is_file()]
    contents |= {BUNDLED + name: (folder / name).read_bytes() for name in carried}
    finder = folder.parent / FINDER if (folder.parent / FINDER).is_dir() else default_finder()
    if not (finder / FINDER_MODEL).is_file():
        raise ModelError(f"{finder} lacks {FINDER_MODEL}; get the release's, or run python train_all.py --finder.")
    contents |= {BUNDLED_FINDER + name: (finder / name).read_bytes() for name in (CARD, FINDER_MODEL)}
    place = folder / BUNDLE
    with replacing(place) as beside:
        _write(beside, contents)
        if beside.stat().st_size > MOST_BYTES:
            raise ModelError(f"{place} would take {beside.stat().st_size} bytes, expected at most {MOST_BYTES}.")
    return place


def _write(path: Path, contents: dict[str, bytes]) -> None:
    with path.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                entry = zipfile.ZipInfo(name, _DATE)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, data)
    path.chmod(0o755)


def main(arguments: list[str] | None = None) -> int:
    """Bundle the export named on the command line."""
    command = "python -m digits.learning.export.bundle"
    parser = argparse.ArgumentParser(prog=command, description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an export folder, such as exports/mobilenet_v2")
    options = parser.parse_args(arguments)
    sys.stdout.reconfigure(errors="backslashreplace")  # a cp1252 console cannot write every path
    try:
        path = write_bundle(options.folder)
    except (ModelError, OSError) as error:
        say(in_words(error))
        return 1
    print(f"{printable(path)} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
