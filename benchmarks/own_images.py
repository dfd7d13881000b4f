"""Own images only, MNIST only, or both: what is worth learning from to read other people's photographs?

    DIGITS_REAL_PHOTOS=../photos python benchmarks/own_images.py

The photographs, <digit>/writer<letter>_<number>.jpg, are read where they are, and numbers alone are written, to
benchmarks/results/own_images.json. Three times six writers are learnt from and the other three tested; two networks,
new each time: a small one from random weights, and a new head on the frozen trunk of MobileNetV2 as ImageNet left it
(where those weights can be had; the trunk that ships has seen digits).
"""

import json
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import common
import cv2
import keras
import numpy as np
import tensorflow as tf

from digits.learning.data.augmentation import geometric
from digits.learning.data.find_own_images import examine
from digits.learning.data.merged_folder import load_split
from digits.learning.networks.baselines import build_cnn_small, inner_part
from digits.learning.networks.imagenet import imagenet_weights
from digits.learning.networks.inputs import shrink, small_to_input
from digits.learning.networks.mobilenet import build_mobilenet_v2
from digits.learning.teaching.last_layers import CutNetwork, Trunk
from digits.learning.training.feed import Feed, one_hot, predict
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.stages import Stage
from digits.paths import MERGED_DIR

SEED = 0
MNIST = 6000  # tiles, each with an augmented version: a few minutes
VERSIONS = 16  # of each photograph: itself and augmented ones
STEPS, BATCH = 600, 128  # the same whatever is learnt from


class Photos(NamedTuple):
    """Photographs of one digit each: tiles uint8 (N, 96, 96), labels, writers (str)."""

    tiles: np.ndarray
    labels: np.ndarray
    writers: np.ndarray


class Learner(NamedTuple):
    """A kind of network: what it stores of tiles, what prepares that for it, and how a new one is built."""

    name: str
    stored: Callable[[np.ndarray], np.ndarray]
    prepare: Callable
    build: Callable[[], keras.Model]


def main() -> int:
    """Measure, print, write; 2 without photographs."""
    options = common.parser(__doc__).parse_args()
    folder = os.environ.get("DIGITS_REAL_PHOTOS")
    if not folder or not Path(folder).is_dir():
        print("DIGITS_REAL_PHOTOS names no folder of photographs; see CONTRIBUTING.md.", file=sys.stderr)
        return 2
    photos = load_photos(Path(folder))
    facts = {"pictures": len(photos.labels), "writers": len(set(photos.writers))}
    answer = measure(photos)
    print(json.dumps(answer, indent=1))
    common.write(options.out, {"seed": SEED, **common.made_with(), **facts, **answer})
    return 0


def load_photos(folder: Path) -> Photos:
    """Return the photographs in which a digit is found."""
    rows = []
    for path in sorted(folder.glob("[0-9]/writer*_*.*")):
        facts = examine([str(path)])[0]
        if facts.png:
            tile = cv2.imdecode(np.frombuffer(facts.png, np.uint8), cv2.IMREAD_GRAYSCALE)
            rows.append((tile, int(path.parent.name), path.stem.split("_")[0]))
    return Photos(*map(np.array, zip(*rows, strict=True)))


def measure(photos: Photos) -> dict:
    """Return the accuracy on photographs of unseen writers, and on calibration images, by what was learnt from."""
    rng = np.random.default_rng(SEED)
    train = load_split(MERGED_DIR, "train")
    mnist = train.select(np.sort(rng.permutation(np.flatnonzero(train.sources == "mnist"))[:MNIST]))
    mnist_tiles = np.concatenate([mnist.images, geometric(mnist.images, rng)])
    own_tiles = np.concatenate([photos.tiles, *(geometric(photos.tiles, rng) for _ in range(VERSIONS - 1))])
    calibration = load_split(MERGED_DIR, "calibration")
    rows = {}
    for learner in learners():
        from_mnist = learner.stored(mnist_tiles), np.tile(mnist.labels, 2)
        clean = learner.stored(calibration.images), calibration.labels
        rows[learner.name] = ask(learner, photos, learner.stored(own_tiles), from_mnist, clean)
        print(learner.name, rows[learner.name], flush=True)
    return {"tested": len(photos.labels), "mnist_images": MNIST, "own_pictures": len(photos.labels) * 2 // 3, **rows}


def ask(learner: Learner, photos: Photos, own: np.ndarray, mnist: tuple, clean: tuple) -> dict:
    """Return what one network reads right after learning from MNIST, from own images and from both.

    Args:
        own: what is stored of all versions of the photographs, plain ones first.
        mnist: what is stored of MNIST, with labels.
        clean: the same of calibration images.
    """
    writers = sorted(set(photos.writers))
    right, calibration = Counter(), defaultdict(list)
    from_mnist = taught(learner, *mnist)  # the same whoever tests it
    for start in range(3):
        learnt = ~np.isin(photos.writers, writers[start::3])
        versions = np.tile(learnt, VERSIONS)
        inputs, labels = own[versions], np.tile(photos.labels, VERSIONS)[versions]
        both = map(np.concatenate, zip(mnist, (inputs, labels), strict=True))
        readers = {"MNIST only": from_mnist, "own images only": taught(learner, inputs, labels),
                   "both": taught(learner, *both)}  # fmt: skip
        for what, read in readers.items():
            right[what] += int((read(own[: len(learnt)]) == photos.labels)[~learnt].sum())
            calibration[what].append(np.mean(read(clean[0]) == clean[1]))
    return {what: {"right": count, "calibration": round(float(np.mean(calibration[what])), 4),
                   "accuracy": round(count / len(photos.labels), 4)} for what, count in right.items()}  # fmt: skip


def taught(learner: Learner, inputs: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from stored inputs to the digits that a new network reads, after STEPS steps on these."""
    keras.utils.set_random_seed(SEED)
    model = learner.build()
    feed = Feed(inputs, one_hot(labels), learner.prepare)
    stage = Stage("question", epochs=max(1, round(STEPS * BATCH / len(feed))), learning_rate=1e-3, batch=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        fit_stage(model, stage, feed, None, Job(Path(folder), SEED, ""))
    unknown = np.zeros((1, 10), np.float32)
    return lambda tiles: predict(model, Feed(tiles, unknown.repeat(len(tiles), 0), learner.prepare)).argmax(1)


def learners() -> Iterator[Learner]:
    """Yield the networks that are asked; the second only where ImageNet's weights are at hand."""
    yield Learner("cnn_small, from random weights", shrink, small_to_input, lambda: inner_part(build_cnn_small()))
    weights = imagenet_weights(None, print)
    if weights.origin == "imagenet":
        with tempfile.TemporaryDirectory() as folder:
            trunk = Trunk(Path(folder) / "trunk.tflite", CutNetwork(build_mobilenet_v2(weights.path)))
        name = "new head on MobileNetV2, frozen as ImageNet left it"
        yield Learner(name, trunk.features, lambda stored: tf.cast(stored, tf.float32), build_head)


def build_head() -> keras.Model:
    """Return a new head on the 1,280 features of MobileNetV2's trunk."""
    features = keras.Input((1280,))
    x = keras.layers.Dense(128, activation="relu")(features)
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(features, keras.layers.Dense(10, activation="softmax")(x))


if __name__ == "__main__":
    sys.exit(main())
