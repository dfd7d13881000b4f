"""How many images a second training takes, the usual way and ours, on the same images, in turn.

    python benchmarks/training.py                        4,000 images of data/merged (run train_all.py once before)
    python benchmarks/training.py --growth 1000 70000 700000

The usual way is what tutorials do: ImageDataGenerator.flow_from_directory at 96x96 RGB, the whole network forward in
every epoch, Adam at a constant rate, four epochs. Ours trains the same network with the same augmentation at the same
mean rate for as many epochs as bring it to the same accuracy; the first epoch of each warms up and is not counted in
images a second. Prints a table and writes benchmarks/results/training.json. --growth measures how time and memory grow
with the number of images instead, and adds that to the same file: images beyond what there is are augmented copies,
features lie on disk.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import common
import cv2
import keras
import numpy as np

from digits.learning.data.augmentation import geometric
from digits.learning.data.merged_folder import Tiles, load_split
from digits.learning.networks.baselines import build_cnn_augmented, build_cnn_deep, inner_part
from digits.learning.networks.imagenet import Weights, imagenet_weights
from digits.learning.networks.mobilenet import LAST_LAYERS, build_mobilenet_v2, head, set_trainable, tail
from digits.learning.shared.provenance import peak_gb
from digits.learning.training.feature_store import FeatureStore
from digits.learning.training.feed import Feed, block_feed, one_hot, pooled_feed, predict, small_feed, tile_feed
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.precision import accelerated
from digits.learning.training.stages import Stage
from digits.paths import MERGED_DIR

EPOCHS = 4
RATE = 1e-3
BATCH = 128
# A rate that falls to nothing needs more epochs to get as far in so short a training; the run's ratio counts them.
OUR_EPOCHS = {"frozen": 40, "last_20": 10, "cnn_deep": 4, "cnn_augmented": 6}
Prepare = Callable[[Path, keras.Model, Tiles], tuple[keras.Model, Feed]]


def main() -> int:
    """Measure what the options ask for."""
    parser = common.parser(__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--merged", type=Path, default=MERGED_DIR)
    parser.add_argument("--growth", type=int, nargs="+", metavar="N")
    options = parser.parse_args()
    train, weights = load_split(options.merged, "train"), imagenet_weights(None, print)
    if options.growth:
        found = []
        for line in growth(train, weights, options.growth):
            found.append(line)
            common.add(options.out, {"growth": found, "growth_circumstances": common.made_with()})
            print(line, flush=True)
        return 0
    train = train.select(np.random.default_rng(0).permutation(len(train))[: options.images])
    rows = compare(train, load_split(options.merged, "val"), weights)
    print(table(rows))
    sizes = {"images": len(train), "epochs": EPOCHS, "our_epochs": OUR_EPOCHS}
    common.add(options.out, {"rows": rows, **sizes, **common.made_with()})
    return 0


def compare(train: Tiles, val: Tiles, weights: Weights) -> list[dict]:
    """Return one row a stage: both ways, and their ratios, of an epoch and of the run with what is computed once."""
    ways = {
        "frozen": (lambda: mobilenet(weights, 0), stored(head, pooled_feed), None),
        "last_20": (lambda: mobilenet(weights, LAST_LAYERS), stored(tail, block_feed), None),
        "cnn_deep": (build_cnn_deep, small(None), None),
        "cnn_augmented": (build_cnn_augmented, small(geometric), geometric),
    }
    rows = []
    with tempfile.TemporaryDirectory() as name:
        write_folder(Path(name, "images"), train)
        for stage, (build, prepare, augment) in ways.items():
            theirs = usual(Path(name, "images"), train, val, build, augment)
            mine = ours(train, val, build, prepare, OUR_EPOCHS[stage])
            ratios = {"ratio_epoch": round(mine["images_per_second"] / theirs["images_per_second"], 1),
                      "ratio_run": round(theirs["seconds"] / mine["seconds"], 1)}  # fmt: skip
            rows.append({"stage": stage, "usual": theirs, "ours": mine, **ratios})
    return rows


def mobilenet(weights: Weights, last: int) -> keras.Model:
    """Return MobileNetV2 with just its head and the last layers of its trunk trainable."""
    model = build_mobilenet_v2(weights.path)
    set_trainable(model, last)
    return model


def usual(folder: Path, train: Tiles, val: Tiles, build: Callable, augment: Callable | None) -> dict:
    """Train the way tutorials do; return images a second, seconds in all and val accuracy."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(RATE), "categorical_crossentropy", metrics=["accuracy"])
    ends = [time.perf_counter()]
    generator = ImageDataGenerator(rescale=1 / 255, preprocessing_function=augment and as_preprocessing(augment))
    flow = generator.flow_from_directory(folder, target_size=(96, 96), batch_size=BATCH, seed=0)
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter()))
    model.fit(flow, epochs=EPOCHS, verbose=0, callbacks=[clock])
    return facts(len(train) * (EPOCHS - 1) / (ends[-1] - ends[1]), ends[-1] - ends[0], model, val)


def as_preprocessing(augment: Callable) -> Callable:
    """Return an augmentation of tiles as Keras' generator calls it, on one float (96, 96, 3) picture in [0, 255]."""
    rng = np.random.default_rng(0)

    def one(picture: np.ndarray) -> np.ndarray:
        tile = augment(picture[np.newaxis, ..., 0].astype(np.uint8), rng)[0].astype(np.float32)
        return np.repeat(tile[..., np.newaxis], 3, axis=-1)

    return one


def ours(train: Tiles, val: Tiles, build: Callable, prepare: Prepare, epochs: int) -> dict:
    """Train our way and return the same facts; what `prepare` computes once counts in the seconds."""
    keras.utils.set_random_seed(0)
    with accelerated(), tempfile.TemporaryDirectory() as cache:
        model = build()
        began = time.perf_counter()
        part, feed = prepare(Path(cache), model, train)
        history = fit_stage(part, falling(epochs), feed, None, Job(Path(cache), 0, ""))
        seconds = time.perf_counter() - began
    return facts(np.mean([line["images_per_second"] for line in history[1:]]), seconds, model, val)


def stored(part: Callable, make: Callable) -> Prepare:
    """Return what prepares a part of MobileNetV2 and its feed: stored features."""

    def prepare(cache: Path, model: keras.Model, train: Tiles) -> tuple[keras.Model, Feed]:
        store = FeatureStore(cache, model)
        return part(model), make(store, store.rows(train.images), one_hot(train.labels))

    return prepare


def small(augment: Callable | None) -> Prepare:
    """Return what prepares the inner part of a small network: tiles reduced once, or augmented in the background."""
    return lambda cache, model, train: (inner_part(model), small_feed(train.images, one_hot(train.labels), augment))


def falling(epochs: int) -> Stage:
    """Return our kind of stage in batches of the same size; the rate falls from twice the usual one to nothing."""
    return Stage("benchmark", epochs=epochs, learning_rate=2 * RATE, batch=BATCH)


def facts(images_per_second: float, seconds: float, model: keras.Model, val: Tiles) -> dict:
    """Return what a training took, and its val accuracy, which is not part of any time."""
    right = predict(model, tile_feed(val.images, one_hot(val.labels))).argmax(-1) == val.labels
    return {"images_per_second": round(float(images_per_second), 1), "seconds": round(seconds, 2),
            "val_accuracy": round(float(right.mean()), 4)}  # fmt: skip


def write_folder(folder: Path, tiles: Tiles) -> None:
    """Write tiles as <digit>/<number>.png for flow_from_directory."""
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True)
    for number, (tile, label) in enumerate(zip(tiles.images, tiles.labels, strict=True)):
        cv2.imencode(".png", tile)[1].tofile(folder / str(label) / f"{number:06}.png")


def table(rows: list[dict]) -> str:
    """Return the rows as text."""
    cells = [["stage", "usual, images/s", "ours", "faster, an epoch", "a run", "val accuracy, usual", "ours"]]
    for row in rows:
        ways = row["usual"], row["ours"]
        cells.append([row["stage"], *(f"{way['images_per_second']:.0f}" for way in ways), f"{row['ratio_epoch']}x",
                      f"{row['ratio_run']}x", *(f"{way['val_accuracy']:.4f}" for way in ways)])  # fmt: skip
    return common.table(cells)


def growth(tiles: Tiles, weights: Weights, counts: list[int]) -> Iterator[dict]:
    """Yield seconds of the cached pass and of one epoch of stages 1 and 2, and peak memory, for numbers of images."""
    for count in counts:
        keras.utils.set_random_seed(0)
        model = mobilenet(weights, LAST_LAYERS)
        with tempfile.TemporaryDirectory() as cache:
            store = FeatureStore(Path(cache), model)
            times = [time.perf_counter()]
            rows = np.concatenate([store.rows(piece) for piece in pieces(tiles.images, count)])
            targets = one_hot(np.resize(tiles.labels, count))
            times.append(time.perf_counter())
            for part, make in ((head, pooled_feed), (tail, block_feed)):
                feed, job = make(store, rows, targets), Job(Path(cache, part.__name__), 0, "")
                fit_stage(part(model), falling(1), feed, None, job)
                times.append(time.perf_counter())
        seconds = zip(("pass", "frozen_epoch", "last_20_epoch"), np.diff(times).round(1).tolist(), strict=True)
        yield {"images": count, "seconds": dict(seconds), "peak_gb": peak_gb()}


def pieces(images: np.ndarray, count: int, size: int = 10_000) -> Iterator[np.ndarray]:
    """Yield `count` tiles in pieces: the images themselves, then augmented copies, new ones each time round."""
    rng = np.random.default_rng(0)
    for start in range(0, count, size):
        places = np.arange(start, min(start + size, count))
        tiles = images[places % len(images)]
        copies = places >= len(images)
        if copies.any():
            tiles[copies] = geometric(tiles[copies], rng)
        yield tiles


if __name__ == "__main__":
    sys.exit(main())
