"""How well each model reads what a camera shows it: graded changes, things that are no digits, real photographs.

    python benchmarks/camera.py                     every model found in models/ and exports/
    python benchmarks/camera.py --models exports/mobilenet_v2 --frames 50

Prints a table and writes benchmarks/results/camera.json. Rendered photographs are drawn anew from a
fixed seed; real ones are read where the DIGITS_REAL_* variables of CONTRIBUTING.md name their folders. "usual way" is
what tutorials do: the whole frame to grey, turned to light on dark or not, resized to 96x96, divided by 255, straight
into the same model; of the two whichever reads more of those photographs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.files import replacing
from digits.learning.data.mnist import load_mnist
from digits.learning.shared.provenance import circumstances
from digits.paths import EXPORTS_DIR, MODELS_DIR, ROOT
from digits.reading.images import load_image
from digits.reading.models.card import sha256
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model
from digits.reading.models.model import Model
from digits.reading.reader import Reader
from digits.rendering.camera_effects import EFFECTS, camera_effect
from digits.rendering.letters import LETTERS, draw_printed_letter
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pages import Page, photograph_held
from digits.rendering.photographs import photograph_one

RESULTS = ROOT / "benchmarks" / "results"
SEED = 7
STRENGTHS = range(1, 6)
SAME_PLACE = 0.4  # overlap of boxes, intersection over union, from which a digit was read where it is
# Fonts that matplotlib brings and that no training picture was drawn with.
FONTS = ("cmb10", "cmmi10", "cmr10", "cmss10", "cmtt10", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic",
         "DejaVuSerif", "DejaVuSansMono-Oblique")  # fmt: skip
# Degrees that a held sheet faces away and is turned by, at each of the five strengths.
HELD = {
    "tilted": [(15, 0), (25, 0), (35, 0), (45, 0), (55, 0)],
    "turned": [(0, 5), (0, 10), (0, 15), (0, 20), (0, 25)],
    "both": [(10, 4), (20, 8), (30, 12), (40, 16), (45, 20)],
}
VIDEO_TRUTH = Counter("0001112233455677889")  # the sheet of the development clip
SHEETS_TRUTH = {"scan_12": "123456789309", "photo_5": "13540", "photo_ones": "1" * 20, "photo_threes": "3" * 20}


@dataclass(frozen=True)
class Shot:
    """A photograph of one digit and what it is."""

    frame: np.ndarray
    label: int


def main() -> int:
    """Measure, print, write; 0 done, 4 no model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", type=Path, metavar="PATH", help="model files or export folders")
    parser.add_argument("--frames", type=int, default=40, help="photographs per change and strength (default: 40)")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder to write to (default: benchmarks/results)")
    options = parser.parse_args()
    models = found_models(options.models)
    if not models:
        print("No model was found in models/ or exports/; run python train_all.py --quick first.", file=sys.stderr)
        return 4
    shots = {(kind, s): graded_shots(kind, s, options.frames) for kind in EFFECTS for s in STRENGTHS}
    clean = clean_shots(options.frames)
    results = {}
    for name, model in models.items():
        results[name] = measure(model, shots, clean)
        print_result(name, results[name])
    write(options.out, results)
    return 0


def found_models(paths: list[Path] | None) -> dict[str, Model]:
    """Return name -> model for the paths given, or for every trained and exported model."""
    if paths is None:
        exported = sorted(p.parent for p in EXPORTS_DIR.glob("*/card.json"))
        known = {path.name for path in exported}
        trained = sorted(path for path in MODELS_DIR.glob("*/model.keras")
                         if path.parent.name not in known and "-seed" not in path.parent.name)  # fmt: skip
        paths = exported + trained
    models = {}
    for path in paths:
        try:
            models[path.parent.name if path.is_file() else path.name] = load_model(path)
        except ModelError as error:
            print(error, file=sys.stderr)
    return models


def measure(model: Model, shots: dict, clean: list[Shot]) -> dict:
    """Return every figure of one model."""
    reader, path = Reader(model), model.path.resolve()
    result = {
        "file": path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name,
        "sha256": sha256(model.path),
        "temperature": model.temperature,
        "threshold": model.threshold,
        "clean": share_right(reader, clean),
        "clean_usual_way": share_right_usual_way(model, clean),
        "graded": {kind: [share_right(reader, shots[kind, s]) for s in STRENGTHS] for kind in EFFECTS},
        "graded_usual_way": {
            kind: [share_right_usual_way(model, shots[kind, s]) for s in STRENGTHS] for kind in EFFECTS
        },
        "non_digits": non_digits(reader),
    }
    result["held_sheets"] = {kind: [held_sheets(reader, *angles, len(clean)) for angles in HELD[kind]] for kind in HELD}
    return result | real(reader, model)


@lru_cache(maxsize=1)
def clean_shots(count: int) -> list[Shot]:
    """Return photographs of MNIST test digits on clean paper."""
    rng = np.random.default_rng(SEED)
    mnist = load_mnist()
    picked = rng.choice(len(mnist.test_images), count, replace=False)
    return [Shot(photograph_one(mnist.test_images[i], rng, 0.2)[0], int(mnist.test_labels[i])) for i in picked]


def graded_shots(kind: str, strength: int, count: int) -> list[Shot]:
    """Return the clean photographs under one worse condition."""
    rng = np.random.default_rng([SEED, list(EFFECTS).index(kind), strength])
    return [Shot(camera_effect(shot.frame, kind, strength, rng), shot.label) for shot in clean_shots(count)]


def share_right(reader: Reader, shots: list[Shot]) -> float:
    """Return the share of photographs whose main digit is read right."""
    return float(np.mean([main_digit(reader, shot.frame) == shot.label for shot in shots]))


def main_digit(reader: Reader, frame: np.ndarray) -> int | None:
    """Return the most prominent digit of a frame, or None."""
    reading = reader.read(frame)
    return None if reading.main is None else reading.digits[reading.main].digit


def share_right_usual_way(model: Model, shots: list[Shot]) -> float:
    """Return the same for the whole frame, resized, straight into the model: as it is or inverted, the better of both.

    Resizing takes the mean of the pixels that become one: without it thin strokes would fall between them.
    """
    small = np.stack([cv2.resize(cv2.cvtColor(shot.frame, cv2.COLOR_BGR2GRAY), (96, 96), interpolation=cv2.INTER_AREA)
                      for shot in shots])  # fmt: skip
    labels = [shot.label for shot in shots]
    return max(float((model.predict(way).argmax(axis=1) == labels).mean()) for way in (small, 255 - small))


@lru_cache(maxsize=len(HELD) * len(STRENGTHS))
def held_pages(tilt: float, turn: float, count: int) -> list[Page]:
    """Return photographs of sheets with one, three or twelve MNIST test digits, held at an angle."""
    rng = np.random.default_rng([SEED, tilt, turn])
    mnist = load_mnist()
    images, labels = mnist.test_images, mnist.test_labels
    pages = []
    for number in range(count):
        picked = rng.choice(len(images), (1, 3, 1, 12)[number % 4], replace=False)
        clockwise = turn * int(rng.choice([-1, 1]))
        pages.append(photograph_held(images[picked], labels[picked], rng, tilt, clockwise))
    return pages


def held_sheets(reader: Reader, tilt: float, turn: float, count: int) -> dict[str, float]:
    """Return the share of digits on held sheets read right where they are, of pages read in order, and of false ones.

    The share is a mean over pages: one digit on a sheet counts as much as twelve.
    """
    shares, ordered, false, wanted = [], [], 0, 0
    for page in held_pages(tilt, turn, count):
        digits = reader.read(page.frame).digits
        right = [any(d.digit == label and d.box.overlap(box) > SAME_PLACE for d in digits)
                 for box, label in zip(page.boxes, page.labels, strict=True)]
        shares.append(np.mean(right))
        ordered.append([d.digit for d in digits] == page.labels)
        false += len(digits) - sum(right)
        wanted += len(right)
    return {"right": round(float(np.mean(shares)), 4), "pages": float(np.mean(ordered)), "false": false / wanted}


def non_digits(reader: Reader) -> dict:
    """Return the share of things, one a photograph, in which at least one digit is read.

    Digits that touch are not among them: a reader may cut them apart, and then reads no more than is there.
    """
    rng = np.random.default_rng(SEED)
    drawings = [photograph_one(draw_non_digit(rng, pairs=False), rng, 0.5)[0] for _ in range(300)]
    result = {"drawings": accepted(reader, drawings), "bundled_pictures": bundled_pictures(reader)}
    fonts = font_files()
    if fonts:
        letters = "".join(filter(str.isalpha, LETTERS))  # those that are digits in shape are not among them
        inks = [draw_printed_letter(rng, 128, [font], letters) for font in fonts for _ in range(100)]
        frames = [photograph_one(ink, rng, 0.5)[0] for ink in inks]
        result["letters_in_unseen_fonts"] = accepted(reader, frames)
        strict = strict_threshold(reader.model.path)
        if strict is not None:
            result["letters_strict"] = accepted(Reader(reader.model, strict), frames)
    return result


def strict_threshold(path: Path) -> float | None:
    """Return the confidence that 98 % of the calibration digits reach, as the export's card has it."""
    try:
        card = json.loads((path.parent / "card.json").read_text(encoding="utf-8"))
        return card["files"][path.name]["strict"]["threshold"]
    except (OSError, KeyError, ValueError):
        return None


def font_files() -> list[str]:
    """Return the paths of the fonts that letters are tested with, as far as matplotlib has them."""
    from matplotlib import get_data_path

    return [str(path) for path in (Path(get_data_path()) / "fonts" / "ttf" / f"{font}.ttf" for font in FONTS)
            if path.exists()]


def accepted(reader: Reader, frames: list[np.ndarray]) -> float:
    """Return the share of frames in which at least one digit is read."""
    return float(np.mean([bool(reader.read(frame).digits) for frame in frames]))


def bundled_pictures(reader: Reader) -> dict[str, list[int]]:
    """Return picture -> digits read in it, for the photographs that scikit-learn and scikit-image bring."""
    return {name: digits for name, frame in library_pictures().items()
            if (digits := [digit.digit for digit in reader.read(frame).digits])}


def library_pictures() -> dict[str, np.ndarray]:
    """Return uint8 BGR pictures of rooms, faces, animals and textures; those that show digits or text are left out."""
    pictures = {}
    try:
        from sklearn.datasets import load_sample_images

        samples = load_sample_images()
        pictures |= {Path(name).stem: image for name, image in zip(samples.filenames, samples.images, strict=True)}
    except ImportError:
        pass
    try:
        from skimage import data

        names = ("astronaut", "camera", "cat", "coffee", "brick", "grass", "gravel", "moon", "rocket", "coins",
                 "immunohistochemistry", "hubble_deep_field", "retina", "colorwheel", "chelsea")  # fmt: skip
        for name in names:
            try:
                pictures[name] = getattr(data, name)()
            except (AttributeError, OSError, ModuleNotFoundError):
                continue  # pictures that this version would have to download
    except ImportError:
        pass
    return {name: cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
            for name, image in pictures.items() if image.dtype == np.uint8}


def real(reader: Reader, model: Model) -> dict:
    """Return what is read of the real photographs, scans, drawings, sheets and the clip, where they are named."""
    measures = {"photos": by_writer, "scans": one_digit_each, "tablet": one_digit_each, "sheets": sheets, "video": clip}
    result = {}
    for name, function in measures.items():
        place = os.environ.get(f"DIGITS_REAL_{name.upper()}")
        if place:
            result[name] = function(reader, Path(place))
    if "DIGITS_REAL_PHOTOS" in os.environ:
        files = sorted(Path(os.environ["DIGITS_REAL_PHOTOS"]).glob("[0-9]/*"))
        shots = [Shot(load_image(file), int(file.parent.name)) for file in files]
        result["photos_usual_way"] = share_right_usual_way(model, shots)
    return result


def one_digit_each(reader: Reader, folder: Path) -> dict:
    """Return accuracy and the number of pictures of <folder>/<digit>/*."""
    files = sorted(folder.glob("[0-9]/*"))
    right = [main_digit(reader, load_image(file)) == int(file.parent.name) for file in files]
    return {"images": len(files), "accuracy": float(np.mean(right))}


def by_writer(reader: Reader, folder: Path) -> dict:
    """Return `one_digit_each`, and the accuracy of each writer: files are named writer<letter>_<number>."""
    right: dict[str, list[bool]] = {}
    for file in sorted(folder.glob("[0-9]/*")):
        read = main_digit(reader, load_image(file))
        right.setdefault(file.stem.split("_")[0], []).append(read == int(file.parent.name))
    every = [value for values in right.values() for value in values]
    writers = {writer: float(np.mean(values)) for writer, values in sorted(right.items())}
    return {"images": len(every), "accuracy": float(np.mean(every)), "writers": writers}


def sheets(reader: Reader, folder: Path) -> dict:
    """Return F1 over all pages, by their digits as multisets, and the pages read without a mistake."""
    true_positive = read = wanted = 0
    perfect = []
    for name, truth in SHEETS_TRUTH.items():
        found = "".join(str(digit.digit) for digit in reader.read(load_image(folder / f"{name}.jpg")).digits)
        true_positive += sum((Counter(found) & Counter(truth)).values())
        read, wanted = read + len(found), wanted + len(truth)
        if found == truth:
            perfect.append(name)
    return {"f1": 2 * true_positive / (read + wanted), "perfect": perfect}


def clip(reader: Reader, path: Path) -> dict:
    """Return digits missed and added in each steady frame (14 to 20), as the live loop with its tracking shows them."""
    from digits.reading.live.tracking import Tracker

    path = next(path.glob("*.avi")) if path.is_dir() else path
    capture, tracker, missed, added, moving = cv2.VideoCapture(str(path)), Tracker(), [], [], 0
    number = 0
    while True:
        good, frame = capture.read()
        if not good:
            break
        reading = tracker.update(reader.read(frame), frame)
        found = Counter(str(digit.digit) for digit in reading.digits)
        if number >= 14:
            missed.append(sum((VIDEO_TRUTH - found).values()))
            added.append(sum((found - VIDEO_TRUTH).values()))
        elif number <= 9:
            moving += sum((found - VIDEO_TRUTH).values())
        number += 1
    return {"steady_missed": missed, "steady_added": added, "moving_added": moving}


def print_result(name: str, result: dict) -> None:
    """Print one model's figures in a few lines."""
    print(f"\n{name} ({result['file']})")
    print(f"  clean {result['clean']:.3f} (usual way {result['clean_usual_way']:.3f})")
    for kind, shares in result["graded"].items():
        usual = result["graded_usual_way"][kind]
        print(f"  {kind:12} " + " ".join(f"{share:.2f}" for share in shares) + "   usual way "
              + " ".join(f"{share:.2f}" for share in usual))
    for kind, grades in result["held_sheets"].items():
        for key in grades[0]:
            print(f"  held sheets {kind:6} {key:5} " + " ".join(f"{grade[key]:.2f}" for grade in grades))
    for key in ("non_digits", "photos", "photos_usual_way", "scans", "tablet", "sheets", "video"):
        if key in result:
            print(f"  {key}: {json.dumps(result[key])}")


def write(folder: Path, results: dict) -> None:
    """Write camera.json."""
    folder.mkdir(parents=True, exist_ok=True)
    command = "python benchmarks/camera.py " + " ".join(sys.argv[1:])
    with replacing(folder / "camera.json") as beside:
        text = json.dumps({"seed": SEED, **circumstances(command.strip()), "models": results}, indent=1)
        beside.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
