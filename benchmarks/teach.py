"""Does it help? Own images, MNIST or both; and how many pictures `train_all.py --teach` needs of a person.

    DIGITS_REAL_PHOTOS=../photos python benchmarks/teach.py
    DIGITS_REAL_PHOTOS=../photos python benchmarks/teach.py --question own_or_mnist

The photographs, <digit>/writer<letter>_<number>.jpg, are read where they are, and numbers alone are written, to
benchmarks/results/teach.json. Every score is on pictures, and in question 1 on writers, that were not learnt from.

Question 1, own images only, MNIST only, both: three times six writers to learn from and three to test on; two networks,
new each time: a small one from random weights, and a new head on the frozen trunk of MobileNetV2 as ImageNet left it
(where those weights can be had; the trunk that ships has seen digits).
Question 2, by the refit of --teach from the release: 1 or 2 pictures a digit of the same writer, tested on the third,
and 1, 3, 9 or 18 a digit of other writers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import keras
import numpy as np
import tensorflow as tf

from digits.files import replacing
from digits.learning.data.augmentation import geometric
from digits.learning.data.index import Source
from digits.learning.data.merged import load_split
from digits.learning.data.own_images import examine
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.metrics import accuracy
from digits.learning.networks import mobilenet
from digits.learning.networks.baselines import build_cnn_small, inner_part
from digits.learning.networks.imagenet import imagenet_weights
from digits.learning.networks.inputs import shrink, small_to_input
from digits.learning.shared.provenance import circumstances
from digits.learning.teaching import refit
from digits.learning.teaching.kept_features import Kept
from digits.learning.teaching.last_layers import Network, Trunk
from digits.learning.teaching.refit import Versions
from digits.learning.teaching.teach import find_release, kept_features
from digits.learning.training.feed import Feed, one_hot, predict
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.stages import Stage
from digits.paths import EXPORTS_DIR, MERGED_DIR, ROOT

RESULT = ROOT / "benchmarks" / "results" / "teach.json"
SEED = 0
MNIST = 6000  # tiles in question 1, each with an augmented version: a few minutes
STEPS, BATCH = 600, 128  # of question 1, the same whatever is learnt from
QUESTIONS = ("own_or_mnist", "how_many")


@dataclass(frozen=True)
class Photos:
    """Photographs of one digit each: tiles uint8 (N, 96, 96), labels, writers (str), numbers of each writer's digit."""

    tiles: np.ndarray
    labels: np.ndarray
    writers: np.ndarray
    numbers: np.ndarray

    @property
    def names(self) -> list[str]:
        """The writers in order."""
        return sorted(set(self.writers))


def main() -> int:
    """Measure both, print, write; 2 without photographs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=RESULT, help="file to write (default: benchmarks/results)")
    parser.add_argument("--question", choices=QUESTIONS, help="only this one; the other's answer stays in the file")
    options = parser.parse_args()
    folder = os.environ.get("DIGITS_REAL_PHOTOS")
    if not folder or not Path(folder).is_dir():
        print("DIGITS_REAL_PHOTOS names no folder of photographs; see CONTRIBUTING.md.", file=sys.stderr)
        return 2
    photos = load_photos(Path(folder))
    for question in [options.question] if options.question else QUESTIONS:
        answer = own_or_mnist(photos) if question == QUESTIONS[0] else how_many(photos)
        facts = {"seed": SEED, **circumstances(" ".join(["python benchmarks/teach.py", *sys.argv[1:]]))}
        write(options.out, question, facts | {"pictures": len(photos.labels), "writers": len(photos.names)} | answer)
    return 0


def write(path: Path, question: str, answer: dict) -> None:
    """Put the answer to one question into the file, and print it."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        beside.write_text(json.dumps(found | {question: answer}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(answer, indent=1))


def load_photos(folder: Path) -> Photos:
    """Return the photographs in which a digit is found."""
    rows = []
    for path in sorted(folder.glob("[0-9]/writer*_*.*")):
        facts = examine([str(path)])[0]
        if facts.png:
            writer, number = path.stem.removeprefix("writer").split("_")
            tile = cv2.imdecode(np.frombuffer(facts.png, np.uint8), cv2.IMREAD_GRAYSCALE)
            rows.append((tile, int(path.parent.name), writer, int(number)))
    return Photos(*(np.array(column) for column in zip(*rows, strict=True)))


# ---------------------------------------------------------------- how many pictures a person needs


def how_many(photos: Photos) -> dict:
    """Return accuracy before, and after teaching, over all writers, by how many pictures a digit were taught."""
    from digits.reading.models.loading import load_model

    release = find_release(EXPORTS_DIR)
    network = Network(load_model(release.folder / "model.keras").keras_model)
    kept, trunk = kept_features(RunConfig.full(), release, network, print)
    versions = all_versions(photos, trunk)
    network.reset()
    before = right(network, photos, versions)
    rows = {"file": f"{release.folder.name}/model.keras", "sha256": release.sha256}
    rows["before"] = round(float(before.mean()), 4)
    for name, ways in (("same_writer", same_writer(photos)), ("other_writers", other_writers(photos))):
        rows[name] = {str(count): taught(network, kept, photos, versions, before, splits) for count, splits in ways}
        print(name, rows[name], flush=True)
    return rows


def all_versions(photos: Photos, trunk: Trunk) -> Versions:
    """Return the versions of all photographs, as many of each as --teach makes of a few."""
    count = len(photos.labels)
    features, labels, of = [], [], []
    for writer in photos.names:
        here = np.flatnonzero(photos.writers == writer)
        made = refit.make_versions(photos.tiles[here], photos.labels[here], trunk, SEED)
        features.append(made.features)
        labels.append(made.labels)
        of.append(here[made.of])
    plain = trunk.features(photos.tiles)
    rows = Versions(np.concatenate(features), np.concatenate(labels), np.concatenate(of))
    return Versions(
        np.concatenate([plain, rows.features]),
        np.concatenate([photos.labels, rows.labels]),
        np.concatenate([np.arange(count), rows.of]),
    )


def right(network: Network, photos: Photos, versions: Versions) -> np.ndarray:
    """Return bool (N,): which photographs the head as it is now reads right."""
    return network.probabilities(versions.features[: len(photos.labels)]).argmax(axis=1) == photos.labels


def same_writer(photos: Photos) -> Iterator[tuple[int, list[tuple[np.ndarray, np.ndarray]]]]:
    """Yield 1 and 2 with (taught, tested), bool (N,) each: every picture of every writer is tested once."""
    numbers = np.unique(photos.numbers)
    for count in (1, 2):
        splits = []
        for writer in photos.names:
            mine = photos.writers == writer
            for place, tested in enumerate(numbers):
                others = np.roll(np.delete(numbers, place), place)[:count]
                splits.append((mine & np.isin(photos.numbers, others), mine & (photos.numbers == tested)))
        yield count, splits


def other_writers(photos: Photos) -> Iterator[tuple[int, list[tuple[np.ndarray, np.ndarray]]]]:
    """Yield 1, 3, 9 and 18 pictures a digit with (taught, tested): of 1, 1, 3 and 6 others, drawn for each writer."""
    for count, writers, numbers in ((1, 1, 1), (3, 1, 3), (9, 3, 3), (18, 6, 3)):
        splits = []
        for place, writer in enumerate(photos.names):
            others = [name for name in photos.names if name != writer]
            drawn = np.random.default_rng([SEED, place]).permutation(others)[:writers]
            shown = np.isin(photos.writers, drawn) & (photos.numbers <= numbers)
            splits.append((shown, photos.writers == writer))
        yield count, splits


def taught(
    network: Network, kept: Kept, photos: Photos, versions: Versions, before: np.ndarray, splits: list
) -> dict:
    """Return the accuracy on what each split tests, before and after a refit on what it teaches."""
    network.reset()
    clean = refit.calibration_accuracy(network, kept)[0]
    tested, right_before, right_after, changes = 0, 0, 0, []
    for shown, held in splits:
        refit.refit_safely(network, kept, versions.select(shown), SEED)
        right_after += int(right(network, photos, versions)[held].sum())
        right_before += int(before[held].sum())
        tested += int(held.sum())
        changes.append(refit.calibration_accuracy(network, kept)[0] - clean)
    return {
        "tested": tested,
        "right_before": right_before,
        "right_after": right_after,
        "after": round(right_after / tested, 4),
        "calibration_change": round(float(np.mean(changes)), 5),
        "refits": len(splits),
    }


# ---------------------------------------------------------------- own images, MNIST, or both


def own_or_mnist(photos: Photos) -> dict:
    """Return the accuracy on photographs of unseen writers, and on calibration images, by what was learnt from."""
    rng = np.random.default_rng(SEED)
    train = load_split(MERGED_DIR, "train")
    mnist = train.select(np.sort(rng.permutation(np.flatnonzero(train.sources == Source.MNIST))[:MNIST]))
    calibration = load_split(MERGED_DIR, "calibration")
    mnist_tiles = np.concatenate([mnist.images, geometric(mnist.images, rng)])
    mnist_labels = np.concatenate([mnist.labels] * 2)
    own_tiles = np.concatenate([photos.tiles, *(geometric(photos.tiles, rng) for _ in range(15))])
    of = np.tile(np.arange(len(photos.labels)), 16)
    rows = {}
    for name, feeds, build in learners():
        stored = [feeds(tiles) for tiles in (mnist_tiles, own_tiles, calibration.images)]
        rows[name] = {
            "MNIST only": {"right": 0},
            "own images only": {"right": 0},
            "both": {"right": 0},
        }
        mnist_alone = None
        for test in (photos.names[start::3] for start in range(3)):
            learnt = ~np.isin(photos.writers, test)
            own = learnt[of]
            parts = {
                "MNIST only": (stored[0], mnist_labels),
                "own images only": (stored[1][own], photos.labels[of][own]),
                "both": (np.concatenate([stored[0], stored[1][own]]),
                         np.concatenate([mnist_labels, photos.labels[of][own]])),
            }  # fmt: skip
            for what, (inputs, labels) in parts.items():
                model, prepare = mnist_alone if mnist_alone and what == "MNIST only" else build()
                if (model, prepare) != mnist_alone:
                    fit(model, Feed(inputs, one_hot(labels), prepare))
                if what == "MNIST only":  # the same whoever tests it
                    mnist_alone = model, prepare
                said = predict(model, Feed(stored[1][: len(learnt)], one_hot(photos.labels), prepare))
                rows[name][what]["right"] += int((said.argmax(1) == photos.labels)[~learnt].sum())
                clean = predict(model, Feed(stored[2], one_hot(calibration.labels), prepare))
                rows[name][what].setdefault("calibration", []).append(accuracy(clean, calibration.labels))
        for row in rows[name].values():
            row["accuracy"] = round(row["right"] / len(photos.labels), 4)
            row["calibration"] = round(float(np.mean(row["calibration"])), 4)
        print(name, rows[name], flush=True)
    return {"tested": len(photos.labels), "mnist_images": MNIST, "own_pictures": len(photos.labels) * 2 // 3, **rows}


def learners() -> Iterator[tuple]:
    """Yield name, tiles -> stored inputs, and a builder of a new network with what prepares its inputs."""

    def build_small():
        keras.utils.set_random_seed(SEED)
        return inner_part(build_cnn_small()), small_to_input

    yield "cnn_small, from random weights", shrink, build_small
    weights = imagenet_weights(None, print)
    if weights.origin != "imagenet":
        return
    model = mobilenet.build_mobilenet_v2(weights.path)
    with tempfile.TemporaryDirectory() as folder:
        trunk = Trunk(Path(folder) / "trunk.tflite", Network(model))

    def build_head():
        keras.utils.set_random_seed(SEED)
        features = keras.Input((1280,))
        x = keras.layers.Dense(128, activation="relu")(features)
        x = keras.layers.Dropout(0.3)(x)
        return keras.Model(features, keras.layers.Dense(10, activation="softmax")(x)), to_float

    yield "new head on MobileNetV2, frozen as ImageNet left it", trunk.features, build_head


def to_float(stored: tf.Tensor) -> tf.Tensor:
    """Return stored features as the head takes them."""
    return tf.cast(stored, tf.float32)


def fit(model: keras.Model, feed: Feed) -> None:
    """Fit for STEPS steps, however many tiles there are."""
    epochs = max(1, round(STEPS * BATCH / len(feed)))
    stage = Stage("question", epochs=epochs, learning_rate=1e-3, batch=BATCH)
    with tempfile.TemporaryDirectory() as folder:
        fit_stage(model, stage, feed, None, Job(Path(folder), SEED, ""))


if __name__ == "__main__":
    sys.exit(main())
