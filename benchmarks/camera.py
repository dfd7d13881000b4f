"""How well each model reads what a camera shows it: graded changes, things that are no digits, real photographs.

    python benchmarks/camera.py                     every model found in models/ and exports/
    python benchmarks/camera.py --models exports/mobilenet_v2 --frames 50

Prints a table and writes benchmarks/results/camera.json. Rendered photographs are drawn anew from a
fixed seed; real ones are read where the DIGITS_REAL_* variables of CONTRIBUTING.md name their folders. "usual way" is
what tutorials do: the whole frame to grey, turned to light on dark or not, resized to 96x96, divided by 255, straight
into the same model; of the two whichever reads more of those photographs.
"""

import json
import os
import sys
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import common
import cv2
import numpy as np
from matplotlib import get_data_path
from real_inputs import accuracy, by_writer, clip, main_digit, no_digits, one_each, pages, sheets

from digits.learning.data.mnist import load_mnist
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


class Photograph(NamedTuple):
    """A photograph of one digit and what it is."""

    frame: np.ndarray
    label: int


def main() -> int:
    """Measure, print, write; 0 done, 4 no model."""
    parser = common.parser(__doc__)
    parser.add_argument("--models", nargs="+", type=Path, metavar="PATH", help="model files or export folders")
    parser.add_argument("--frames", type=int, default=40, help="photographs per change and strength (default: 40)")
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
        print(f"\n{name}", *(f"  {key}: {json.dumps(value)}" for key, value in results[name].items()), sep="\n")
    common.write(options.out, {"seed": SEED, **common.made_with(), "models": results})
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


def measure(model: Model, shots: dict, clean: list[Photograph]) -> dict:
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
        "graded_usual_way": {k: [share_right_usual_way(model, shots[k, s]) for s in STRENGTHS] for k in EFFECTS},
        "non_digits": non_digits(reader),
    }
    result["rendered_rows"] = rows_read(reader, len(clean))
    result["held_sheets"] = {kind: [held_sheets(reader, *angles, len(clean)) for angles in HELD[kind]] for kind in HELD}
    return result | real(reader, model)


@lru_cache(maxsize=1)
def clean_shots(count: int) -> list[Photograph]:
    """Return photographs of MNIST test digits on clean paper."""
    rng = np.random.default_rng(SEED)
    mnist = load_mnist()
    picked = rng.choice(len(mnist.test_images), count, replace=False)
    return [Photograph(photograph_one(mnist.test_images[i], rng, 0.2)[0], int(mnist.test_labels[i])) for i in picked]


def graded_shots(kind: str, strength: int, count: int) -> list[Photograph]:
    """Return the clean photographs under one worse condition."""
    rng = np.random.default_rng([SEED, list(EFFECTS).index(kind), strength])
    return [Photograph(camera_effect(shot.frame, kind, strength, rng), shot.label) for shot in clean_shots(count)]


def share_right(reader: Reader, shots: list[Photograph]) -> float:
    """Return the share of photographs whose main digit is read right."""
    return float(np.mean([main_digit(reader, shot.frame) == shot.label for shot in shots]))


def share_right_usual_way(model: Model, shots: list[Photograph]) -> float:
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


@lru_cache(maxsize=1)
def written_rows(count: int) -> list[tuple[np.ndarray, str]]:
    """Return photographs of two to four lines of one to three numbers each, of MNIST test digits, and their text."""
    rng = np.random.default_rng([SEED, 8])
    mnist = load_mnist()
    pages = []
    for _ in range(count):
        lines, text = [], []
        for _ in range(int(rng.integers(2, 5))):
            lengths = rng.integers(2, 5, int(rng.integers(1, 4)))
            picked = [rng.choice(len(mnist.test_images), int(length)) for length in lengths]
            lines.append([[_cut_out(mnist.test_images[i]) for i in number] for number in picked])
            text.append(" ".join("".join(str(mnist.test_labels[i]) for i in number) for number in picked))
        pages.append((photograph_rows(lines, rng), " / ".join(text)))
    return pages


def photograph_rows(lines: list[list[list[np.ndarray]]], rng: np.random.Generator) -> np.ndarray:
    """Return a photograph, uint8 (H, W, 3) BGR, of numbers written line by line from inks, uint8 (h, w)."""
    tall = 60
    page = np.zeros((int(2 * tall * len(lines)) + tall, 20 * tall), np.uint8)
    for row, numbers in enumerate(lines):
        x, y = tall, int((0.5 + 2 * row) * tall)
        for number in numbers:
            for ink in number:
                digit = cv2.resize(ink, (max(6, round(ink.shape[1] * tall / ink.shape[0])), tall))
                window = page[y : y + tall, x : x + digit.shape[1]]
                np.maximum(window, digit, out=window)
                x += digit.shape[1] + int(rng.uniform(0.1, 0.3) * tall)
            x += int(rng.uniform(0.9, 1.4) * tall)
    page = page[:, : int(np.flatnonzero(page.max(0))[-1]) + tall]
    paper = np.full(page.shape, 225, np.float32) - page * np.float32(170 / 255)
    frame = cv2.cvtColor(np.clip(paper, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    kind = list(EFFECTS)[int(rng.integers(4))]  # light, blur, noise, perspective
    return camera_effect(frame, kind, 2, rng)


def _cut_out(image: np.ndarray) -> np.ndarray:
    x, y, w, h = cv2.boundingRect((image > 60).astype(np.uint8))
    return image[y : y + h, x : x + w]


def rows_read(reader: Reader, count: int) -> dict:
    """Return the share of written lines read exactly, numbers apart, and of pages."""
    right = wanted = whole = 0
    for frame, text in written_rows(count):
        found, truth = reader.read(frame).text.split(" / "), text.split(" / ")
        right += sum(line in found for line in truth)
        wanted, whole = wanted + len(truth), whole + (found == truth)
    return {"lines": right / wanted, "pages": whole / count}


def non_digits(reader: Reader) -> dict:
    """Return the share of things, one a photograph, in which at least one digit is read.

    Digits that touch are not among them: a reader may cut them apart, and then reads no more than is there.
    """
    rng = np.random.default_rng(SEED)
    drawings = [photograph_one(draw_non_digit(rng, pairs=False), rng, 0.5)[0] for _ in range(300)]
    bundled = {name: [digit.digit for digit in reader.read(frame).digits] for name, frame in library_pictures().items()}
    bundled = {name: digits for name, digits in bundled.items() if digits}
    result = {"drawings": accepted(reader, drawings), "bundled_pictures": bundled}
    folder = Path(get_data_path()) / "fonts" / "ttf"
    fonts = [str(path) for font in FONTS if (path := folder / f"{font}.ttf").exists()]
    if fonts:
        letters = "".join(filter(str.isalpha, LETTERS))  # those that are digits in shape are not among them
        inks = [draw_printed_letter(rng, 128, [font], letters) for font in fonts for _ in range(100)]
        frames = [photograph_one(ink, rng, 0.5)[0] for ink in inks]
        result["letters_in_unseen_fonts"] = accepted(reader, frames)
        strict = reader.finder.card.get("strict")
        if strict:  # the score that 98 % of the digits of rendered frames reach
            result["strict"] = strict
            result["letters_strict"] = accepted(Reader(reader.model, strict), frames)
            result["drawings_strict"] = accepted(Reader(reader.model, strict), drawings)
    return result


def accepted(reader: Reader, frames: list[np.ndarray]) -> float:
    """Return the share of frames in which at least one digit is read."""
    return float(np.mean([bool(reader.read(frame).digits) for frame in frames]))


def library_pictures() -> dict[str, np.ndarray]:
    """Return uint8 BGR pictures of rooms, faces, animals and textures; those that show digits or text are left out."""
    from sklearn.datasets import load_sample_images

    samples = load_sample_images()
    pictures = {Path(name).stem: image for name, image in zip(samples.filenames, samples.images, strict=True)}
    for name in ("astronaut", "camera", "cat", "coffee", "brick", "grass", "gravel", "moon", "rocket", "coins",
                 "immunohistochemistry", "hubble_deep_field", "retina", "colorwheel", "chelsea"):  # fmt: skip
        with suppress(ImportError, AttributeError, OSError):  # not installed, or this version would download it
            pictures[name] = getattr(import_module("skimage.data"), name)()
    return {name: cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
            for name, image in pictures.items() if image.dtype == np.uint8}


def real(reader: Reader, model: Model) -> dict:
    """Return what is read of the real photographs, scans, drawings, pages and the clip, where they are named."""
    read = {"sheets": sheets, "pages": pages, "nodigits": no_digits, "video": clip}
    kinds = ("photos", "scans", "tablet", *read)
    place = {kind: Path(value) for kind in kinds if (value := os.environ.get(f"DIGITS_REAL_{kind.upper()}"))}
    result = {}
    if "photos" in place:
        right = one_each(reader, place["photos"])
        shots = [Photograph(load_image(file), int(file.parent.name)) for file in right]
        result = {"photos": by_writer(right), "photos_usual_way": share_right_usual_way(model, shots)}
    result |= {kind: accuracy(one_each(reader, place[kind])) for kind in ("scans", "tablet") if kind in place}
    return result | {kind: read[kind](reader, place[kind]) for kind in read if kind in place}


if __name__ == "__main__":
    sys.exit(main())
