"""Does an export folder still say what it said when it was made? `python -m digits.reading.verify exports/<name>`.

Checked with what the camera script itself needs: the checksums of the card and of the files, the way from golden source
pictures to tiles, and from tiles to probabilities in every format that can run here; of the finder, what it finds in
its golden frames. Exit 0: all well; 1: something differs, and the table says which file and why; 2: bad arguments.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digits.files import printable
from digits.outputs import say
from digits.reading.finding import FINDER_VERSION
from digits.reading.finding.decode import decode
from digits.reading.finding.looks import look_at
from digits.reading.models.card import CARD, SUMS, card_sums, read_card, read_sums, sha256
from digits.reading.models.errors import MissingRuntimeError, ModelError
from digits.reading.models.finder import is_finder, load_finder, read_finder_card
from digits.reading.models.golden import GOLDEN, Golden, golden_tile, load_golden, load_golden_frames, machine
from digits.reading.models.loading import FORMATS, load_model

# Float formats compute the same sums in another order: a probability may move in its fifth digit.
FLOAT_DIFFERENCE = 1e-4
# An 8-bit file may take another winner only where Keras itself hardly prefers one.
INT8_MARGIN = 0.2
# Another processor or OpenCV version rounds edges differently, by a level or two on few pixels.
TILE_LEVELS, TILE_SHARE, BOX_PIXELS = 2, 0.99, 1
SURE = 0.5  # probability of a centre from which the finder finds it on every machine


@dataclass(frozen=True)
class Check:
    """One row of the table: a file, whether it is as it should be (None: not checked here), and what was seen."""

    file: str
    ok: bool | None
    note: str


def verify(folder: Path, only: set[str] | None = None) -> list[Check]:
    """Check an export folder, of a model or of the finder, and return what was found, one row a file or step.

    Args:
        folder: an export folder with its card.
        only: formats to check ("tflite", ...); None: every file that the card names.
    """
    if is_finder(folder):
        return _verify_finder(folder)
    try:
        card = read_card(folder)
        if card is None:
            raise ModelError(f"{folder} holds no {CARD}, expected an export folder.")
        sums = read_sums(folder)
        checks = [_sums_of_card(sums)]
        checks += [_checksum(folder, name, card_sums(card), sums) for name in card["files"] if _wanted(name, only)]
        golden = load_golden(folder / GOLDEN)
    except ModelError as error:
        return [Check(CARD, False, str(error))]
    checks += [_tiles(golden, card), _finder(card)]
    damaged = {check.file for check in checks if check.ok is False}
    for kind in FORMATS:
        for name in card["files"]:
            path = folder / name
            if name.endswith(kind.suffix) and not name.endswith(".weights.h5") and _wanted(name, only):
                if not damaged.intersection(part.name for part in kind.parts(path)):
                    checks.append(_probabilities(path, golden))
    return checks


def _verify_finder(folder: Path) -> list[Check]:
    try:
        card, sums = read_finder_card(folder), read_sums(folder)
    except ModelError as error:
        return [Check(CARD, False, str(error))]
    checks = [_sums_of_card(sums)]
    checks += [_checksum(folder, name, card_sums(card), sums) for name in [*card["files"], GOLDEN]]
    if any(check.ok is False for check in checks):
        return checks
    try:
        golden = load_golden_frames(folder / GOLDEN)
    except ModelError as error:
        return [*checks, Check(GOLDEN, False, str(error))]
    return checks + [_golden_frames(folder / name, golden) for name in card["files"]]


def _golden_frames(path: Path, golden: dict[str, np.ndarray]) -> Check:
    """Return whether a file of the finder finds in its golden frames what it found when it was made."""
    try:
        finder = load_finder(path)
    except MissingRuntimeError as error:
        return Check(path.name, None, f"not checked: {error}")
    except ModelError as error:
        return Check(path.name, False, str(error))
    missed = count = 0
    for name in (name for name in golden if name.startswith("frame_")):
        number = name.removeprefix("frame_")
        boxes = [digit.box for digit in decode(look_at(golden[name], finder), finder.decoding)]
        here = np.array(boxes, np.int32).reshape(-1, 4)
        sure = golden[f"boxes_{number}"][golden[f"centres_{number}"] >= SURE]
        count += len(sure)
        missed += sum(not (np.abs(here - box).max(axis=1, initial=0) <= BOX_PIXELS).any() for box in sure)
    note = f"{count} digits in golden frames, boxes within {BOX_PIXELS} pixel"
    return Check(path.name, not missed, note + (f"; {missed} are not found so" if missed else ""))


def _wanted(name: str, only: set[str] | None) -> bool:
    kinds = ["json"] if name.endswith(".weights.h5") else [k.format for k in FORMATS if name.endswith(k.suffix)]
    return only is None or not kinds or bool(only.intersection(kinds))


def _sums_of_card(sums: dict[str, str]) -> Check:
    """Return the row of the card, which `read_card` has compared with the checksum that there is."""
    if CARD in sums:
        return Check(CARD, True, "checksum")
    return Check(CARD, None, f"unverified: no {SUMS} names its checksum, so that a changed number would not be seen")


def _checksum(folder: Path, name: str, of_card: dict[str, str], sums: dict[str, str]) -> Check:
    path = folder / name
    if not path.is_file():
        return Check(name, False, "is missing")
    found = sha256(path)
    for witness, known in ((CARD, of_card), (SUMS, sums)):
        if found != known.get(name, found):
            return Check(name, False, f"has another checksum than {witness} names ({path.stat().st_size} bytes)")
    return Check(name, True, "checksum")


def _tiles(golden: Golden, card: dict) -> Check:
    try:
        made = [golden_tile(source) for source in golden.sources]
    except ValueError as error:  # nothing is found in a photograph any more
        return Check("tiles", False, f"{len(golden.tiles)} pictures to tiles; {error}")
    tiles = np.stack([tile for tile, _ in made])
    here = card.get("machine") == machine()
    pixels = 0 if here else BOX_PIXELS
    moved = [i for i, (_, boxes) in enumerate(made) if not _same_boxes(boxes, golden.boxes[i], pixels)]
    off = np.abs(tiles.astype(int) - golden.tiles)
    share = (off <= (0 if here else TILE_LEVELS)).mean(axis=(1, 2))
    ok = not moved and bool((share >= (1 if here else TILE_SHARE)).all())
    rule = "bit for bit" if here else f"{TILE_SHARE:.0%} of pixels within {TILE_LEVELS} levels: another machine"
    note = f"{len(tiles)} pictures to tiles, {rule}"
    if moved:
        note += f"; boxes of picture {moved[0]} differ"
    if not ok:
        note += f"; picture {int(share.argmin())} agrees on {share.min():.1%} of pixels"
    return Check("tiles", ok, note)


def _finder(card: dict) -> Check:
    """Return whether the network learnt from the tiles of the finder that is here."""
    learnt = card.get("finder", {}).get("version", 1)  # cards of the first one do not name it
    if learnt == FINDER_VERSION:
        return Check("finder", True, f"version {learnt}")
    note = f"learnt from tiles of finder {learnt}, this is {FINDER_VERSION}; train_all.py trains it again"
    return Check("finder", None, note)


def _same_boxes(found: np.ndarray, expected: np.ndarray, pixels: int) -> bool:
    return found.shape == expected.shape and (not found.size or int(np.abs(found - expected).max()) <= pixels)


def _probabilities(path: Path, golden: Golden) -> Check:
    try:
        found = load_model(path).predict(golden.tiles)
    except MissingRuntimeError as error:
        return Check(path.name, None, f"not checked: {error}")
    except ModelError as error:
        return Check(path.name, False, str(error))
    difference, wrong = compare(found, golden.probabilities, quantised(path))
    note = f"largest difference {difference:.1e}"
    too_far = difference > FLOAT_DIFFERENCE and not quantised(path)
    if too_far:
        note += f", at most {FLOAT_DIFFERENCE:.0e} expected"
    if wrong:
        note += f"; {wrong} other winners"
    return Check(path.name, not (too_far or wrong), note)


def quantised(path: Path) -> bool:
    """Return whether a file of an export holds 8-bit weights."""
    return "int8" in path.name


def compare(found: np.ndarray, expected: np.ndarray, int8: bool) -> tuple[float, int]:
    """Return the largest difference of a probability, and how many winners differ (8-bit: despite a clear margin)."""
    ordered = np.sort(expected, axis=1)
    counted = (ordered[:, -1] - ordered[:, -2] > INT8_MARGIN) if int8 else np.ones(len(expected), bool)
    other = found.argmax(axis=1) != expected.argmax(axis=1)
    return float(np.abs(found - expected).max()), int((other & counted).sum())


def main(arguments: list[str] | None = None) -> int:
    """Check the folders named on the command line and print a table; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m digits.reading.verify", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="+", help="an export folder, such as exports/mobilenet_v2")
    parser.add_argument("--only", action="append", choices=[kind.format for kind in FORMATS],
                        help="check this format alone (may be repeated)")
    options = parser.parse_args(arguments)
    bad = []
    for folder in options.folder:
        if not folder.is_dir():
            parser.error(f"{folder} is no folder, expected an export such as exports/mobilenet_v2")
        checks = verify(folder, set(options.only) if options.only else None)
        print(table(folder, checks))
        bad += [check for check in checks if check.ok is False]
    for check in bad:
        say(f"{check.file}: {check.note}")
    return 1 if bad else 0


def table(folder: Path, checks: list[Check]) -> str:
    """Return the checks as lines of text, in ASCII."""
    words = {True: "ok", False: "FAILED", None: "-"}
    width = max(len(check.file) for check in checks)
    lines = [f"  {check.file:<{width}}  {words[check.ok]:<6}  {check.note}" for check in checks]
    return "\n".join(map(printable, [folder, *lines])).encode("ascii", "replace").decode()
