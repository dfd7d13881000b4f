"""How each network is trained on the tiles that all share, stage after stage.

train_all.py and the notebooks call this; networks/ knows networks, training/ knows stages, and neither knows about
data, splits or rows of a leaderboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from digits.learning.data.augmentation import often_geometric
from digits.learning.experiment.data import cache_dir
from digits.learning.experiment.judge import Judge
from digits.learning.experiment.model_folder import finished, job_of, start_of, without_training, write_folder
from digits.learning.experiment.recipe import only_stage
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks import mobilenet
from digits.learning.networks.baselines import inner_part
from digits.learning.networks.imagenet import SHIPPED_TRUNK
from digits.learning.networks.mobilenet import LAST_LAYERS, head, save_trunk, set_trainable, tail
from digits.learning.networks.registry import BUILDERS, WITHOUT_EXTRAS
from digits.learning.shared.keys import digest
from digits.learning.training.feature_store import FeatureStore
from digits.learning.training.feed import Feed, block_feed, pooled_feed, small_feed, tile_feed
from digits.learning.training.fit import Job, best_epoch, fit_stage
from digits.learning.training.precision import accelerated, to_float32
from digits.learning.training.stages import ALL, FROZEN, LAST, Stage

_SETTLED_ON = 256  # tiles that random weights take their batch norms' statistics from
_GPU_BATCHES = 4  # batches of a CPU that one GPU takes at once
NO_CAMERA = ", no camera"  # ends the stage in rows of networks trained without extras


def train_model(name: str, run: Run) -> Outcome:
    """Train one network by name, or take up where an earlier call was cut off; write its folder.

    models/<name>/ then holds model.keras, history.csv and metrics.json, besides the states of its stages.
    """
    outcome = finished(name, run)
    if outcome is None:
        trainer = _train_mobilenet if name == mobilenet.NAME else _train_baseline
        with accelerated():
            trained = trainer(name, run)
        outcome = replace(trained, model=without_training(name, trained.model))
        write_folder(name, outcome, run)
    return outcome


def _for_device(stage: Stage) -> Stage:
    """Return the stage with batches that keep the GPUs busy; the rate grows with their root (Krizhevsky 2014).

    The average of the weights looks back on as many images as before.
    """
    larger = _GPU_BATCHES * len(tf.config.list_physical_devices("GPU")) or 1
    average = stage.average and stage.average**larger
    return replace(
        stage, batch=stage.batch * larger, learning_rate=stage.learning_rate * larger**0.5, average=average
    )


def _train_baseline(name: str, run: Run) -> Outcome:
    config, data, judge = run.config, run.data, Judge(run, small_feed)
    augmented = name not in WITHOUT_EXTRAS
    count = data.fitted if augmented else data.trained
    train = small_feed(data.tiles[:count], data.targets[:count], often_geometric if augmented else None)
    stage = only_stage(name, config)
    keras.utils.set_random_seed(config.seed)
    model = BUILDERS[name]()
    inner = inner_part(model)
    history = fit_stage(inner, _for_device(stage), train, judge.val, job_of(name, run, name))
    extras = "geometric" if config.no_camera else "camera + geometric"
    row = judge.row(name, stage, inner, history, "random", extras if augmented else "none")
    if config.no_camera:
        row["stage"] += NO_CAMERA
    return judge.outcome(model, inner, [row], history)


def _train_mobilenet(name: str, run: Run) -> Outcome:
    """Train stage after stage on train; then again from the start on train and val, for the epochs that val chose."""
    model = starting_model(run)
    store = FeatureStore(cache_dir(run.config), model)
    rows, history = [], []
    chosen: dict[str, int] = {}
    job = job_of(name, run, start_of(run))
    for step in _mobilenet_steps(model, store, run):
        lines = fit_stage(step.part, step.stage, step.feed(run.data.fitted), step.judge.val, job)
        job = _after(job, step.stage)
        chosen[step.stage.name] = best_epoch(lines)
        history += lines
        rows.append(step.judge.row(name, step.stage, step.part, lines, run.weights.origin, step.augmentation))
    kept = run.weights.origin == "imagenet" and not run.config.further_seed
    if step.stage.name == ALL.name and kept:
        save_trunk(model, run.config.exports_dir / "trunk" / SHIPPED_TRUNK.name)
    again, last = _train_again(name, run, store, chosen)
    rows.append(again.rows[0])
    if last.stage.name == step.stage.name:
        return replace(again, rows=rows, history=history + again.history)
    return step.judge.outcome(model, step.part, rows, history + again.history)


def _train_again(name: str, run: Run, store: FeatureStore, chosen: dict[str, int]) -> tuple[Outcome, _Step]:
    """Train on train and val from the start; return that network and its last step.

    The all-layer stage is left out: it costs as much as all the rest, for 11 % more images.
    """
    model, history = starting_model(run), []
    job = replace(job_of(name, run, start_of(run), "again"), folder=run.folder(name) / "train_and_val")
    for step in _mobilenet_steps(model, store, run, all_layers=False):
        stage = replace(step.stage, epochs=chosen[step.stage.name], schedule_epochs=step.stage.epochs)
        lines = fit_stage(step.part, stage, step.feed(len(run.data.tiles)), None, job)
        job = _after(job, stage)
        history += [line | {"stage": f"{stage.name}+val"} for line in lines]
    stage = replace(step.stage, name=f"{step.stage.name}+val")
    row = step.judge.row(name, stage, step.part, history, run.weights.origin, step.augmentation)
    row |= {"epochs": chosen[step.stage.name], "val_accuracy": None, "val_camera_accuracy": None}  # it has seen val
    found = step.judge.outcome(model, step.part, [row], history)
    scores, probabilities = (
        {domain: value for domain, value in kept.items() if domain not in ("val", "val_camera")}
        for kept in (found.scores, found.probabilities)
    )
    return replace(found, scores=scores, probabilities=probabilities), step


def _after(job: Job, stage: Stage) -> Job:
    """Return the job of what follows a stage: it is another one if the stage was."""
    return replace(job, key=digest(job.key, asdict(stage)))


@dataclass(frozen=True)
class _Step:
    """One stage of MobileNetV2 ready to go: which part learns, from what, judged on what.

    `feed` takes how many of the run's tiles are used, from the first on.
    """

    stage: Stage
    part: keras.Model
    feed: Callable[[int], Feed]
    judge: Judge
    augmentation: str


def _mobilenet_steps(
    model: keras.Model, store: FeatureStore, run: Run, all_layers: bool = True
) -> Iterator[_Step]:
    """Yield the stages in order; as each is yielded, just the layers that it trains may learn."""
    config, data = run.config, run.data
    rows = store.rows(data.tiles, run.report)
    for stage, last, part, feed in (
        (replace(FROZEN, epochs=config.frozen_epochs), 0, head, pooled_feed),
        (replace(LAST, epochs=config.last_epochs), LAST_LAYERS, tail, block_feed),
    ):
        stored = _Stored(store, rows, data.targets, feed, run.report)
        set_trainable(model, last)
        yield _Step(_for_device(stage), part(model), stored.first, Judge(run, stored.of_tiles), "camera")
    if config.all_epochs and all_layers:
        set_trainable(model, None)
        if not tf.config.list_physical_devices("GPU"):
            to_float32(model)  # processors take longer for depthwise convolutions in bfloat16
        stage = replace(ALL, epochs=config.all_epochs)

        def drawn_anew(count: int) -> Feed:
            return tile_feed(data.tiles[:count], data.targets[:count], often_geometric)

        yield _Step(_for_device(stage), model, drawn_anew, Judge(run, tile_feed), "camera + geometric")


@dataclass(frozen=True)
class _Stored:
    """Feeds from the feature store."""

    store: FeatureStore
    rows: np.ndarray
    targets: np.ndarray
    make: Callable
    report: Callable

    def first(self, count: int) -> Feed:
        return self.make(self.store, self.rows[:count], self.targets[:count])

    def of_tiles(self, tiles: np.ndarray, targets: np.ndarray) -> Feed:
        return self.make(self.store, self.store.rows(tiles, self.report), targets)


def starting_model(run: Run) -> keras.Model:
    """Return MobileNetV2 as the run's first stage takes it up."""
    keras.utils.set_random_seed(run.config.seed)
    model = mobilenet.build_mobilenet_v2(run.weights.path)
    if run.weights.path is None:
        tiles = run.data.tiles[: run.data.fitted]
        mobilenet.settle_batch_norms(model, tiles[:: max(len(tiles) // _SETTLED_ON, 1)][:_SETTLED_ON])
    return model
