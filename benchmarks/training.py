"""How many images a second training takes, the usual way and ours, on the same images, in turn.

    python benchmarks/training.py                        4,000 images of data/merged (run train_all.py once before)
    python benchmarks/training.py --growth 1000 70000 700000

The usual way is what tutorials do: ImageDataGenerator.flow_from_directory at 96x96 RGB, the whole network forward in
every epoch, Adam at a constant rate, four epochs. Ours trains the same network with the same augmentation at the same
mean rate for as many epochs as bring it to the same accuracy; the first epoch of each warms up and is not counted in
images a second. Prints a table and writes
benchmarks/results/training.json. --growth measures how time and memory grow with the number of images instead, and adds
that to the same file: images beyond what there is are augmented copies, features lie on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import keras
import numpy as np

from digits.files import replacing
from digits.learning.data.augmentation import geometric
from digits.learning.data.merged import load_split
from digits.learning.networks.baselines import build_cnn_augmented, build_cnn_deep, inner_part
from digits.learning.networks.imagenet import imagenet_weights
from digits.learning.networks.mobilenet import LAST_LAYERS, build_mobilenet_v2, head, set_trainable, tail
from digits.learning.shared.provenance import circumstances
from digits.learning.training.feature_store import FeatureStore
from digits.learning.training.feed import block_feed, one_hot, pooled_feed, predict, small_feed, tile_feed
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.precision import accelerated
from digits.learning.training.stages import Stage
from digits.paths import MERGED_DIR, ROOT

RESULT = ROOT / "benchmarks" / "results" / "training.json"
EPOCHS = 4
RATE = 1e-3
# A rate that falls to nothing needs more epochs to get as far in so short a training; the run's ratio counts them.
OUR_EPOCHS = {"frozen": 40, "last_20": 10, "cnn_deep": 4, "cnn_augmented": 6}


def main() -> int:
    """Measure what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--merged", type=Path, default=MERGED_DIR)
    parser.add_argument("--growth", type=int, nargs="+", metavar="N")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    tiles = load_split(options.merged, "train")
    weights = imagenet_weights(None, print)
    command = "python benchmarks/training.py " + " ".join(sys.argv[1:])
    if options.growth:
        keep(options.out, "growth", growth(tiles.images, tiles.labels, weights, options.growth), command)
        return 0
    picked = np.random.default_rng(0).permutation(len(tiles))[: options.images]
    train = tiles.select(picked)
    val = load_split(options.merged, "val")
    rows = compare(train, val, weights)
    print(table(rows))
    sizes = {"images": len(train), "epochs": EPOCHS, "our_epochs": OUR_EPOCHS}
    add(options.out, rows=rows, **sizes, **circumstances(command.strip()))
    return 0


def keep(path: Path, name: str, lines: Iterator[dict], command: str) -> None:
    """Print each line as it is measured, and put all so far into the results file."""
    found = []
    for line in lines:
        found.append(line)
        add(path, **{name: found, f"{name}_circumstances": circumstances(command)})
        print(line, flush=True)


def add(path: Path, **facts) -> None:
    """Put facts into the results file; others stay as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    with replacing(path) as beside:
        beside.write_text(json.dumps(known | facts, indent=1) + "\n", encoding="utf-8")


def compare(train, val, weights) -> list[dict]:
    """Return one row a stage: images a second and val accuracy, the usual way and ours."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder / "images", train)
        data = folder, train, val
        rows.append(row("frozen", usual(*data, lambda: mobilenet(weights, 0)), ours_mobilenet(*data, weights, 0)))
        last = LAST_LAYERS
        rows.append(
            row("last_20", usual(*data, lambda: mobilenet(weights, last)), ours_mobilenet(*data, weights, last))
        )
        for build, augment in ((build_cnn_deep, None), (build_cnn_augmented, geometric)):
            rows.append(row(build.__name__[6:], usual(*data, build, augment), ours_small(*data, build, augment)))
    return rows


def row(stage: str, usual_way: dict, our_way: dict) -> dict:
    """Return both ways side by side with their ratios: of an epoch, and of the run with the cached pass."""
    return {
        "stage": stage,
        "usual": usual_way,
        "ours": our_way,
        "ratio_epoch": round(our_way["images_per_second"] / usual_way["images_per_second"], 1),
        "ratio_run": round(usual_way["seconds"] / our_way["seconds"], 1),
    }


def mobilenet(weights, last: int | None) -> keras.Model:
    """Return MobileNetV2 with just its head and the last layers of its trunk trainable (None: all of it)."""
    keras.utils.set_random_seed(0)
    model = build_mobilenet_v2(weights.path)
    set_trainable(model, last)
    return model


def usual(folder: Path, train, val, build, augment=None) -> dict:
    """Train the way tutorials do; return images a second, seconds in all and val accuracy."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(RATE), "categorical_crossentropy", metrics=["accuracy"])
    began = time.perf_counter()
    generator = ImageDataGenerator(rescale=1 / 255, preprocessing_function=augment and as_preprocessing(augment))
    flow = generator.flow_from_directory(folder / "images", target_size=(96, 96), batch_size=128, seed=0)
    ends = [began]
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    model.fit(flow, epochs=EPOCHS, verbose=0, callbacks=[clock])
    later = ends[-1] - ends[1]
    accuracy = judge(model, tile_feed(val.images, one_hot(val.labels)))
    return {
        "images_per_second": round(len(train) * (EPOCHS - 1) / later, 1),
        "seconds": round(ends[-1] - began, 2),
        "val_accuracy": accuracy,
    }


def as_preprocessing(augment):
    """Return an augmentation of tiles as Keras' generator calls it, on one float (96, 96, 3) picture in [0, 255]."""
    rng = np.random.default_rng(0)

    def one(picture: np.ndarray) -> np.ndarray:
        tile = augment(picture[np.newaxis, ..., 0].astype(np.uint8), rng)[0].astype(np.float32)
        return np.repeat(tile[..., np.newaxis], 3, axis=-1)

    return one


def ours_mobilenet(folder: Path, train, val, weights, last: int) -> dict:
    """Train on stored features; the pass that computes them counts in the seconds."""
    with accelerated(), tempfile.TemporaryDirectory(dir=folder) as cache:
        model = mobilenet(weights, last)
        began = time.perf_counter()
        store = FeatureStore(Path(cache), model)
        rows = store.rows(train.images)
        part = tail(model) if last else head(model)
        make = block_feed if last else pooled_feed
        feed, steps = make(store, rows, one_hot(train.labels)), stage("last_20" if last else "frozen")
        history = fit_stage(part, steps, feed, None, Job(Path(cache), 0, ""))
        seconds = time.perf_counter() - began
    return ours(history, seconds, judge(model, tile_feed(val.images, one_hot(val.labels))))


def ours_small(folder: Path, train, val, build, augment) -> dict:
    """Train the inner part of a small network on tiles reduced once, or augmented in the background."""
    keras.utils.set_random_seed(0)
    with accelerated(), tempfile.TemporaryDirectory(dir=folder) as cache:
        model = build()
        began = time.perf_counter()
        feed = small_feed(train.images, one_hot(train.labels), augment)
        history = fit_stage(inner_part(model), stage(model.name), feed, None, Job(Path(cache), 0, ""))
        seconds = time.perf_counter() - began
    return ours(history, seconds, judge(model, tile_feed(val.images, one_hot(val.labels))))


def ours(history: list[dict], seconds: float, accuracy: float) -> dict:
    """Return the same facts as `usual`; epochs after the first count."""
    speed = np.mean([line["images_per_second"] for line in history[1:]])
    return {"images_per_second": round(float(speed), 1), "seconds": round(seconds, 2), "val_accuracy": accuracy}


def stage(name: str) -> Stage:
    """Return our kind of stage in batches of the same size; the rate falls from twice the usual one to nothing."""
    return Stage("benchmark", epochs=OUR_EPOCHS[name], learning_rate=2 * RATE, batch=128)


def judge(model: keras.Model, feed) -> float:
    """Return val accuracy, not part of any time."""
    return round(float((predict(model, feed).argmax(-1) == feed.targets.argmax(-1)).mean()), 4)


def write_folder(folder: Path, tiles) -> None:
    """Write tiles as <digit>/<number>.png for flow_from_directory."""
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
    for number, (tile, label) in enumerate(zip(tiles.images, tiles.labels, strict=True)):
        cv2.imencode(".png", tile)[1].tofile(folder / str(label) / f"{number:06}.png")


def table(rows: list[dict]) -> str:
    """Return the rows as text."""
    lines = [f"{'stage':16}{'usual':>10}{'ours':>10}  images/s, ratio of an epoch, of the run; val accuracy of both"]
    for line in rows:
        usual_way, our_way = line["usual"], line["ours"]
        lines.append(
            f"{line['stage']:16}{usual_way['images_per_second']:10.0f}{our_way['images_per_second']:10.0f}"
            f"  {line['ratio_epoch']:.1f}x  {line['ratio_run']:.1f}x  "
            f"{usual_way['val_accuracy']:.4f} {our_way['val_accuracy']:.4f}"
        )
    return "\n".join(lines)


def growth(images: np.ndarray, labels: np.ndarray, weights, counts: list[int]) -> Iterator[dict]:
    """Yield seconds of the cached pass and of one epoch of stages 1 and 2, and peak memory, for numbers of images."""
    for count in counts:
        model = mobilenet(weights, LAST_LAYERS)
        with tempfile.TemporaryDirectory() as cache:
            store = FeatureStore(Path(cache), model)
            began = time.perf_counter()
            rows = np.concatenate([store.rows(piece) for piece in pieces(images, count)])
            targets = one_hot(np.resize(labels, count))
            passed = time.perf_counter()
            one = replace(stage("last_20"), epochs=1)
            fit_stage(
                head(model),
                one,
                pooled_feed(store, rows, targets),
                None,
                Job(Path(cache, "1"), 0, ""),
            )
            first = time.perf_counter()
            fit_stage(
                tail(model), one, block_feed(store, rows, targets), None, Job(Path(cache, "2"), 0, "")
            )
            second = time.perf_counter()
        seconds = {"pass": passed - began, "frozen_epoch": first - passed, "last_20_epoch": second - first}
        seconds = {name: round(value, 1) for name, value in seconds.items()}
        yield {"images": count, "seconds": seconds, "peak_gb": round(peak_gb(), 2)}


def pieces(images: np.ndarray, count: int, size: int = 10_000):
    """Yield `count` tiles in pieces: the images themselves, then augmented copies, new ones each time round."""
    rng = np.random.default_rng(0)
    for start in range(0, count, size):
        places = np.arange(start, min(start + size, count))
        tiles = images[places % len(images)]
        copies = places >= len(images)
        if copies.any():
            tiles[copies] = geometric(tiles[copies], rng)
        yield tiles


def peak_gb() -> float:
    """Return the most memory this process has held, in GB; nan where the system does not say."""
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


if __name__ == "__main__":
    sys.exit(main())
