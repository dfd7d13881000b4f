"""What other digits than those it was trained on do to a network: MNIST-C's corruptions, optdigits, 16x16 pictures.

    python benchmarks/shift.py                          every export folder
    python benchmarks/shift.py exports/mobilenet_v2 --pictures 1000

Prints a table and writes benchmarks/results/shift.json and shift.png. The fifteen corruptions are those of MNIST-C
(Mu and Gilmer 2019), written anew from the paper with the severities of its published code, each on the first pictures
of MNIST's test set; every picture takes the reader's own way to a tile. optdigits is scikit-learn's copy of the UCI
set: 1,797 digits of 8x8 pixels by other writers, never trained on. "16x16" is MNIST's test set as small as USPS'.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.files import replacing
from digits.learning.data.mnist import load_mnist
from digits.learning.experiment.config import SEED
from digits.learning.shared.provenance import circumstances
from digits.paths import EXPORTS_DIR, ROOT
from digits.reading.finding.one_digit import main_tile
from digits.reading.models.loading import load_model
from digits.reading.tile import normalise

RESULTS = ROOT / "benchmarks" / "results"
SIDE = 28
Random = np.random.Generator
Corruption = Callable[[np.ndarray, Random], np.ndarray]  # float32 (28, 28) in [0, 1] to the same


def _shot_noise(x: np.ndarray, rng: Random) -> np.ndarray:
    return rng.poisson(3 * x) / 3  # severity 5


def _impulse_noise(x: np.ndarray, rng: Random) -> np.ndarray:
    hit = rng.random(x.shape)  # severity 4: 17 % of the pixels, half white, half black
    return np.where(hit < 0.085, 1.0, np.where(hit < 0.17, 0.0, x))


def _glass_blur(x: np.ndarray, rng: Random) -> np.ndarray:
    x = cv2.GaussianBlur(x, (0, 0), 0.7)  # severity 1: sigma 0.7, neighbours swapped twice
    for _ in range(2):
        for y, c in [(y, c) for y in range(SIDE - 1, 1, -1) for c in range(SIDE - 1, 1, -1)]:
            if rng.random() < 0.5:
                dy, dx = rng.integers(-1, 1, 2)
                x[y, c], x[y + dy, c + dx] = x[y + dy, c + dx], x[y, c]
    return cv2.GaussianBlur(x, (0, 0), 0.7)


def _motion_blur(x: np.ndarray, rng: Random) -> np.ndarray:
    angle = np.radians(rng.uniform(-45, 45))  # severity 1: radius 10, sigma 3, one-sided as ImageMagick's
    weights = np.exp(-np.arange(11) ** 2 / (2 * 3.0**2))
    total = np.zeros_like(x)
    for step, weight in enumerate(weights / weights.sum()):
        shift = np.array([[1.0, 0, step * np.cos(angle)], [0, 1.0, step * np.sin(angle)]])
        total += np.float32(weight) * cv2.warpAffine(x, shift, (SIDE, SIDE))
    return total


def _warped(x: np.ndarray, matrix: list[list[float]]) -> np.ndarray:
    """Warp about the middle; `matrix` (2, 2) takes where a pixel is to where it comes from."""
    matrix = np.array(matrix, float)
    middle = np.full(2, (SIDE - 1) / 2)
    full = np.column_stack([matrix, middle - matrix @ middle])
    return cv2.warpAffine(x, full, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _shear(x: np.ndarray, rng: Random) -> np.ndarray:
    return _warped(x, [[1, -np.tan(0.4) * rng.choice([-1, 1])], [0, 1]])  # severity 2


def _scale(x: np.ndarray, rng: Random) -> np.ndarray:
    return _warped(x, [[1 / 0.7, 0], [0, 1 / 0.7]])  # severity 3


def _rotate(x: np.ndarray, rng: Random) -> np.ndarray:
    angle = 0.4 * rng.choice([-1, 1])  # severity 2: 23 degrees
    return _warped(x, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _brightness(x: np.ndarray, rng: Random) -> np.ndarray:
    return x + 0.5  # severity 5


def _translate(x: np.ndarray, rng: Random) -> np.ndarray:
    dx, dy = 3 * rng.choice([-1, 1], 2)  # severity 3
    return cv2.warpAffine(x, np.array([[1.0, 0, dx], [0, 1.0, dy]]), (SIDE, SIDE))


def _stripe(x: np.ndarray, rng: Random) -> np.ndarray:
    x = x.copy()
    x[:, :7], x[:, 21:] = 1 - x[:, :7], 1 - x[:, 21:]
    return x


def _fog(x: np.ndarray, rng: Random) -> np.ndarray:
    cloud = sum(1.4**-octave * cv2.resize(rng.standard_normal((2 + 2**octave,) * 2), (SIDE, SIDE),
                                          interpolation=cv2.INTER_CUBIC) for octave in range(5))  # severity 5
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    return (x + 3.0 * cloud) * x.max() / (x.max() + 3.0)


def _spatter(x: np.ndarray, rng: Random) -> np.ndarray:
    liquid = cv2.GaussianBlur(rng.normal(0.65, 0.3, x.shape), (0, 0), 1)  # severity 4, mud
    mask = cv2.GaussianBlur((liquid > 0.65).astype(np.float32), (0, 0), 1.5)
    mask[mask < 0.8] = 0
    return x * (1 - mask) + 63 / 255 * mask


def _line(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """A line that fades over 2.3 pixels to both sides, cut at its ends' columns."""
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    away = np.clip(np.abs(rows - (y0 + (y1 - y0) / (x1 - x0) * (columns - x0))), 0, 2.2999)
    line = np.clip(np.log(1 - away / 2.3) + 1, 0, 1)
    line[:, : int(np.floor(x0))] = 0
    line[:, int(np.ceil(x1)) :] = 0
    return line


def _dotted_line(x: np.ndarray, rng: Random) -> np.ndarray:
    line = _line(0, rng.integers(27), 27, rng.integers(27))
    line[:, np.arange(SIDE) // 2 % 2 == 0] = 0
    return x + line


def _zigzag(x: np.ndarray, rng: Random) -> np.ndarray:
    start, rise = rng.integers(27), rng.integers(-5, 5)
    turns = np.arange(2, 26, 4)  # every 4 pixels from side to side, 2 pixels either way
    ends = [(2.0, float(start))]
    ends += [(float(c), start + rise * (c - 2) / 23 + (2 if i % 2 else -2)) for i, c in enumerate(turns + 2)]
    for (x0, y0), (x1, y1) in zip(ends[:-1], ends[1:], strict=True):
        x = np.clip(x + _line(x0, y0, x1, y1), 0, 1)
    return x


def _canny_edges(x: np.ndarray, rng: Random) -> np.ndarray:
    return cv2.Canny((cv2.GaussianBlur(x, (0, 0), 1) * 255).astype(np.uint8), 25, 50) / 255.0


CORRUPTIONS: dict[str, Corruption] = {
    "shot noise": _shot_noise, "impulse noise": _impulse_noise, "glass blur": _glass_blur,
    "motion blur": _motion_blur, "shear": _shear, "scale": _scale, "rotate": _rotate, "brightness": _brightness,
    "translate": _translate, "stripe": _stripe, "fog": _fog, "spatter": _spatter, "dotted line": _dotted_line,
    "zigzag": _zigzag, "canny edges": _canny_edges,
}  # fmt: skip


def corrupted(images: np.ndarray, name: str) -> np.ndarray:
    """Return MNIST pictures, uint8 (N, 28, 28), after one of CORRUPTIONS; the same every time."""
    rng = np.random.default_rng([SEED, list(CORRUPTIONS).index(name)])
    changed = [CORRUPTIONS[name](image / np.float32(255), rng) for image in images]
    return np.rint(255 * np.clip(changed, 0, 1)).astype(np.uint8)


def tiles_of(pictures: np.ndarray) -> np.ndarray:
    """Return uint8 (N, 96, 96): the reader's way from a picture, white on black, to a tile."""
    return np.stack([_tile(picture) for picture in pictures])


def _tile(picture: np.ndarray) -> np.ndarray:
    try:
        return main_tile(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    except ValueError:  # nothing is found: the picture as it is
        return normalise(np.maximum(picture, 1))


def pictures(count: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return tiles and labels by name: MNIST's test pictures clean, corrupted and small, and optdigits."""
    from sklearn.datasets import load_digits

    mnist = load_mnist()
    images, labels = mnist.test_images[:count], mnist.test_labels[:count]
    sets = {"clean": (tiles_of(images), labels)}
    sets |= {name: (tiles_of(corrupted(images, name)), labels) for name in CORRUPTIONS}
    small = [cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in images]
    sets["16x16"] = tiles_of(np.stack(small)), labels
    other = load_digits()
    framed = [cv2.copyMakeBorder((image * 255 / 16).astype(np.uint8), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)
              for image in other.images]
    sets["optdigits"] = tiles_of(np.stack(framed)), other.target
    return sets


def main() -> int:
    """Measure every export named, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, help="export folders (default: all of exports/)")
    parser.add_argument("--pictures", type=int, default=2000, help="MNIST test pictures used")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder to write to")
    options = parser.parse_args()
    folders = options.folders or [card.parent for card in sorted(EXPORTS_DIR.glob("*/card.json"))]
    sets = pictures(options.pictures)
    command = " ".join(["python benchmarks/shift.py", *sys.argv[1:]])
    result = {"pictures": options.pictures, **circumstances(command), "models": {}}
    for folder in folders:
        model = load_model(folder / "model.tflite")
        right = {name: float((model.predict(tiles).argmax(1) == labels).mean())
                 for name, (tiles, labels) in sets.items()}
        right["mean of corruptions"] = float(np.mean([right[name] for name in CORRUPTIONS]))
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        result["models"][folder.name] = {"sha256": card["files"]["model.tflite"]["sha256"], "accuracy": right}
    print_table(result["models"])
    options.out.mkdir(parents=True, exist_ok=True)
    with replacing(options.out / "shift.json") as beside:
        beside.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    figure(result["models"]).savefig(options.out / "shift.png", dpi=110)
    return 0


def print_table(models: dict) -> None:
    """Print accuracies, a line a set of pictures, a column a model."""
    print(f"{'':22}" + "".join(f"{name:>16}" for name in models))
    for name in next(iter(models.values()))["accuracy"]:
        print(f"{name:22}" + "".join(f"{model['accuracy'][name]:16.2%}" for model in models.values()))


def figure(models: dict):
    """Return bars of the error rates, worst corruption at the top."""
    from matplotlib.figure import Figure

    from digits.learning.experiment.plots import colour

    first = next(iter(models.values()))["accuracy"]
    names = sorted(first, key=lambda name: -first[name])
    page = Figure((7, 6.5), layout="constrained")
    axes = page.add_subplot()
    height = 0.8 / len(models)
    for place, (name, model) in enumerate(models.items()):
        errors = [100 * (1 - model["accuracy"][kind]) for kind in names]
        axes.barh(np.arange(len(names)) - place * height, errors, height, color=colour(name), label=name)
    axes.set_yticks(np.arange(len(names)), names)
    axes.set_xlabel("errors (%)")
    axes.legend()
    return page


if __name__ == "__main__":
    sys.exit(main())
