"""What each part of cnn_compact's training brings: the same on fewer images, with one part left out or added.

    python benchmarks/ablation.py                        10,000 images of MNIST, three seeds
    python benchmarks/ablation.py --only smooth longer   some of VARIANTS, besides the recipe itself

Candidates are sifted with this before anything is trained on all images. Images, and in the same proportion the
pictures rendered beside them, are picked once, at random; validation is whole, clean and after camera changes, and its
mean is what `train_all.py` chooses by. Every variant takes as many whole epochs as come nearest to the recipe's number
of steps, unless it says so, and its last epoch counts: the best of several would flatter those that vary most. The test
set is not looked at. Prints a table and writes benchmarks/results/ablation.json; a call that was cut off goes on from
the states in models/ablation/.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

import common
import keras
import numpy as np
import tensorflow as tf

from digits.files import replacing
from digits.learning.data.augmentation import AUGMENTATION_VERSION, often_geometric
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import load_data
from digits.learning.experiment.metrics import accuracy
from digits.learning.networks.baselines import build_cnn_augmented, inner_part
from digits.learning.networks.compact import build_cnn_compact
from digits.learning.shared.errors import RunError
from digits.learning.shared.keys import digest
from digits.learning.shared.lock import run_lock
from digits.learning.shared.workers import available_cores
from digits.learning.training.feed import one_hot, predict, small_feed
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.precision import accelerated, full_precision
from digits.learning.training.stages import COMPACT
from digits.paths import MODELS_DIR

EPOCHS = 6
PICKED_BY = 0  # seed of the choice of images, the same for all


@dataclass(frozen=True)
class Variant:
    """One way to train: what it leaves out of the recipe, or adds."""

    title: str
    build: Callable[[], keras.Model] = build_cnn_compact
    stage: dict = field(default_factory=dict)  # what is different about stages.COMPACT
    rendered: bool = True  # learns from rendered pictures too
    twice: bool = False  # sees MNIST's own tiles twice as often as those rendered beside them
    hands: bool = True  # digits are bent and turned anew in every epoch
    more: int = 0  # epochs


RECIPE = "recipe"
VARIANTS = {
    RECIPE: Variant("the recipe"),
    "rendered": Variant("without rendered pictures", rendered=False),
    "twice": Variant("MNIST's tiles twice an epoch", twice=True),
    "hands": Variant("without bending and turning", hands=False),
    "smooth": Variant("without label smoothing", stage={"label_smoothing": 0.0}),
    # What decay takes from a weight grows with the number of steps, here a fourteenth of those of a release.
    "decay": Variant(f"weight decay of 1, not {COMPACT.weight_decay:g}", stage={"weight_decay": 1.0}),
    "wide": Variant("the network of cnn_augmented", build=build_cnn_augmented),
    "longer": Variant("six epochs more", more=6),
    "both": Variant("six epochs more, weight decay of 1", stage={"weight_decay": 1.0}, more=6),
}


def main() -> int:
    """Train what the options ask for, then tell and keep what came of it."""
    parser = common.parser(__doc__)
    parser.add_argument("--images", type=int, default=10_000, help="of MNIST, at most (default: 10,000)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args()
    if min(options.images, options.epochs) < 1:
        parser.error("--images and --epochs are 1 at least")
    folder = MODELS_DIR / "ablation"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        picked, images = pick(folder / "picked.npz", options.images)
    except RunError:
        print(f"another run is writing to {MODELS_DIR}; wait for it to end", file=sys.stderr)
        return 1
    names = [RECIPE, *(name for name in options.only if name != RECIPE)]
    jobs = [(name, seed) for name in names for seed in options.seeds]
    found: dict[str, list[dict]] = {name: [] for name in names}
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}  # one network a core
    workers = 1 if tf.config.list_physical_devices("GPU") else available_cores()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(train, picked, *job, options.epochs) for job in jobs]
        for (name, _), future in zip(jobs, waiting, strict=True):
            found[name].append(future.result())
            print(name, found[name][-1], flush=True)
    rows = [row(name, lines, found[RECIPE]) for name, lines in found.items()]
    print(table(rows))
    facts = {"images": images, "epochs": options.epochs, "seeds": options.seeds, "rows": rows}
    common.write(options.out, facts | common.made_with())
    return 0


def pick(path: Path, images: int) -> tuple[Path, int]:
    """Write the tiles that all variants learn from and are judged on; return where, and how many are MNIST's."""
    with run_lock(MODELS_DIR):  # a run of train_all.py removes what looks as if another had left it behind
        data = load_data(RunConfig.release_run(), lambda text: print(text, flush=True), ["cnn_compact"])
    rng = np.random.default_rng(PICKED_BY)
    own = rng.permutation(len(data.train))[:images]
    beside = rng.permutation(len(data.extras))[: round(len(own) * len(data.extras) / len(data.train))]
    with replacing(path) as new, open(new, "wb") as file:
        np.savez(file, tiles=np.concatenate([data.train.tiles[own], data.extras.tiles[beside]]),
                 targets=np.concatenate([data.train.targets[own], data.extras.targets[beside]]), own=len(own),
                 val=data.val.images, val_camera=data.val_camera, labels=data.val.labels,
                 key=digest(data.key, own, beside))  # fmt: skip
    return path, len(own)


def train(path: Path, name: str, seed: int, epochs: int) -> dict:
    """Train one variant from one seed; return its accuracies on val, clean, after the camera, and their mean."""
    variant = VARIANTS[name]
    with np.load(path) as file:
        data = {key: file[key] for key in file.files}
    with accelerated():
        inner = fit(variant, data, seed, epochs, path.parent)
    scores = {}
    with full_precision(inner):
        for domain in ("val", "val_camera"):
            feed = small_feed(data[domain], one_hot(data["labels"]))
            scores[domain] = round(accuracy(predict(inner, feed), data["labels"]), 6)
    return {"seed": seed, **scores, "mean": round(sum(scores.values()) / 2, 6)}


def fit(variant: Variant, data: dict, seed: int, epochs: int, folder: Path) -> keras.Model:
    """Return the trained inner part of a network, trained now or by an earlier call."""
    keras.utils.set_random_seed(seed)
    inner = inner_part(variant.build())
    feed = feed_of(variant, data)
    epochs = round((epochs + variant.more) * len(data["tiles"]) / len(feed))  # as many steps
    stage = replace(COMPACT, epochs=epochs, **variant.stage)
    fit_stage(inner, stage, feed, None, job(variant, data, seed, epochs, folder))
    return inner


def feed_of(variant: Variant, data: dict):
    """Return the rows that a variant learns from."""
    own, count = int(data["own"]), len(data["tiles"])
    rows = np.concatenate([np.arange(count if variant.rendered else own), np.arange(own * variant.twice)])
    return small_feed(data["tiles"][rows], data["targets"][rows], often_geometric if variant.hands else None)


def job(variant: Variant, data: dict, seed: int, epochs: int, folder: Path) -> Job:
    """Return where the state of a training lies."""
    settings = variant.build.__name__, variant.stage, variant.rendered, variant.twice, variant.hands, variant.more
    key = digest(AUGMENTATION_VERSION, str(data["key"]), *settings, epochs)
    return Job(folder / f"{key}-seed{seed}", seed, key)


def row(name: str, lines: list[dict], recipe: list[dict]) -> dict:
    """Return a variant's means and ranges, and seed by seed what it gains over the recipe by the mean of val."""
    gains = [line["mean"] - other["mean"] for line, other in zip(lines, recipe, strict=True)]
    spreads = {domain: spread([line[domain] for line in lines]) for domain in ("val", "val_camera", "mean")}
    return {"name": name, "title": VARIANTS[name].title, "seeds": lines, **spreads, "gain": spread(gains)}


def spread(values: list[float]) -> list[float]:
    """Return mean, least and greatest."""
    return [round(float(value), 6) for value in (np.mean(values), min(values), max(values))]


def table(rows: list[dict]) -> str:
    """Return the rows as text, in per cent."""
    cells = [["", "val", "camera", "gain of the mean"]]
    for line in rows:
        spreads = ((100 * value for value in line[name]) for name in ("val", "val_camera", "gain"))
        cells.append([line["title"], *("{:.2f} ({:.2f} to {:.2f})".format(*spread) for spread in spreads)])
    return common.table(cells)


if __name__ == "__main__":
    sys.exit(main())
