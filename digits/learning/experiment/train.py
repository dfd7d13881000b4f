"""How each network is trained on the tiles that all share, stage after stage.

train_all.py calls this; networks/ knows networks, training/ knows stages, and neither knows about
data, splits or rows of a leaderboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from digits.learning.data.augmentation import often_geometric
from digits.learning.experiment.data import calibration_set
from digits.learning.experiment.judge import Judge
from digits.learning.experiment.model_folder import finished, without_training, write_folder
from digits.learning.experiment.recipe import data_key, only_stage, start_of, training_key, transfer_stages
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks import mobilenet
from digits.learning.networks.baselines import inner_part
from digits.learning.networks.imagenet import SHIPPED_TRUNK
from digits.learning.networks.registry import NETWORKS, TRANSFER, Origin
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import SILENT
from digits.learning.training.feature_store import FeatureStore
from digits.learning.training.feed import Feed, block_feed, pooled_feed, small_feed, tile_feed
from digits.learning.training.fit import Job, best_epoch, fit_stage
from digits.learning.training.precision import accelerated, to_float32
from digits.learning.training.stages import Stage

_SETTLED_ON = 256  # tiles that random weights take their batch norms' statistics from
_GPU_BATCHES = 4  # batches of a CPU that one GPU takes at once


def train_model(name: str, run: Run) -> Outcome:
    """Train one network by name, or take up where an earlier call was cut off; write its folder.

    models/<name>/ then holds model.keras, history.csv and metrics.json, besides the states of its stages.
    """
    key = training_key(name, run)
    outcome = finished(name, run, key)
    if outcome is None:
        trainer = _train_transfer if name == TRANSFER else _train_in_one_stage
        with accelerated():
            trained = trainer(name, run)
        outcome = write_folder(name, replace(trained, model=without_training(name, trained.model)), run, key)
    return outcome


def is_done(name: str, run: Run) -> bool:
    """Return whether an earlier call trained this network with the same settings."""
    return finished(name, replace(run, report=SILENT), training_key(name, run)) is not None


def _for_device(stage: Stage) -> Stage:
    """Return the stage with batches that keep the GPUs busy; the rate grows with their root (Krizhevsky 2014)."""
    larger = _GPU_BATCHES * len(tf.config.list_physical_devices("GPU")) or 1
    return replace(stage, batch=stage.batch * larger, learning_rate=stage.learning_rate * larger**0.5)


def _job(name: str, run: Run, *parts: str) -> Job:
    """Return where the stages of a network keep their state, and what that depends on besides network and stage."""
    key = digest(data_key(name, run), *parts)
    return Job(run.config.model_folder(name), run.config.seed, key, run.report, run.logs)


def _train_in_one_stage(name: str, run: Run) -> Outcome:
    network, judge = NETWORKS[name], Judge(run, small_feed)
    examples, augment, made = run.data.train, None, "none"
    if network.learns_from_rendered:
        examples, augment = run.data.fitted, often_geometric
        made = "geometric" if run.config.no_camera else "camera + geometric"
    stage = only_stage(name, run.config)
    keras.utils.set_random_seed(run.config.seed)
    model = network.build()
    inner = inner_part(model)
    train = small_feed(examples.tiles, examples.targets, augment)
    history = fit_stage(inner, _for_device(stage), train, judge.val, _job(name, run, name))
    return judge.outcome(model, inner, [judge.row(name, stage, inner, history, Origin.RANDOM, made)], history)


def _train_transfer(name: str, run: Run) -> Outcome:
    """Train stage after stage on train; then again from the start on train and val, for the epochs that val chose."""
    model = starting_model(run)
    store = FeatureStore(run.config.cache_dir, model)
    rows, history, chosen = [], [], {}
    for step, lines in _fitted(model, store, name, run):
        chosen[step.stage.name] = best_epoch(lines)
        history += lines
        rows.append(step.judge.row(name, step.stage, step.part, lines, run.weights.origin, step.augmentation))
    kept = run.weights.origin is Origin.IMAGENET and not run.config.further_seed
    if step.last is None and kept:
        mobilenet.save_trunk(model, run.config.exports_dir / "trunk" / SHIPPED_TRUNK.name)
    again, last = _train_again(name, run, store, chosen)
    rows.append(again.rows[0])
    if last.stage.name == step.stage.name:
        return replace(again, rows=rows, history=history + again.history)
    return step.judge.outcome(model, step.part, rows, history + again.history)


def train_until(name: str, last: str, run: Run) -> None:
    """Train the stages of MobileNetV2 up to one of them and keep their states, which `train_model` then takes up.

    With the first stage the frozen part sees all tiles that there are: from then on the store is only read.
    """
    data = run.data
    calibration = calibration_set(data.calibration, run.config.cache_dir)
    with accelerated():
        model = starting_model(run)
        store = FeatureStore(run.config.cache_dir, model)
        seen = data.everything.tiles, data.val_camera, calibration.tiles, data.test.images, data.own_test.images
        for tiles in seen:
            store.rows(tiles, run.report)
        for step, _ in _fitted(model, store, name, run):
            if step.stage.name == last:
                return


def _fitted(model: keras.Model, store: FeatureStore, name: str, run: Run) -> Iterator[tuple[_Step, list[dict]]]:
    """Yield each stage of MobileNetV2 once it is trained on train, with its history."""
    job, fitted = _job(name, run, start_of(run)), run.data.fitted
    for step in _steps(model, store, run, transfer_stages(run.config)):
        yield step, fit_stage(step.part, step.stage, step.feed(fitted.tiles, fitted.targets), step.judge.val, job)
        job = _after(job, step.stage)


def _train_again(name: str, run: Run, store: FeatureStore, chosen: dict[str, int]) -> tuple[Outcome, _Step]:
    """Train on train and val from the start; return that network and its last step.

    The all-layer stage is left out: it costs as much as all the rest, for 11 % more images.
    """
    model, history, everything = starting_model(run), [], run.data.everything
    job = replace(_job(name, run, start_of(run), "again"), folder=run.config.model_folder(name) / "train_and_val")
    some = [(stage, last) for stage, last in transfer_stages(run.config) if last is not None]
    for step in _steps(model, store, run, some):
        stage = replace(step.stage, epochs=chosen[step.stage.name], schedule_epochs=step.stage.epochs)
        lines = fit_stage(step.part, stage, step.feed(everything.tiles, everything.targets), None, job)
        job = _after(job, stage)
        history += [line | {"with_val": True} for line in lines]
    row = step.judge.row(name, step.stage, step.part, history, run.weights.origin, step.augmentation)
    row = replace(row, epochs=chosen[stage.name], with_val=True, val_accuracy=None, val_camera_accuracy=None)
    found = step.judge.outcome(model, step.part, [row], history)
    for kept in (found.scores, found.probabilities):
        del kept["val"], kept["val_camera"]
    return found, step


def _after(job: Job, stage: Stage) -> Job:
    """Return the job of what follows a stage: it is another one if the stage was."""
    return replace(job, key=digest(job.key, asdict(stage)))


@dataclass(frozen=True)
class _Step:
    """One stage of MobileNetV2 ready to go: which part learns, from what, judged on what.

    `last` is how many of the trunk's last layers learn (None: all), `feed` makes tiles and targets what `part` takes.
    """

    stage: Stage
    last: int | None
    part: keras.Model
    feed: Callable[[np.ndarray, np.ndarray], Feed]
    judge: Judge
    augmentation: str


def _steps(model: keras.Model, store: FeatureStore, run: Run,
           wanted: list[tuple[Stage, int | None]]) -> Iterator[_Step]:  # fmt: skip
    """Yield the stages in order; as each is yielded, just the layers that it trains may learn."""
    for stage, last in wanted:
        mobilenet.set_trainable(model, last)
        if last is None:
            if not tf.config.list_physical_devices("GPU"):
                to_float32(model)  # processors take longer for depthwise convolutions in bfloat16
            feed = partial(tile_feed, augment=often_geometric)
            yield _Step(_for_device(stage), last, model, feed, Judge(run, tile_feed), "camera + geometric")
        else:
            part, feed = (mobilenet.tail, block_feed) if last else (mobilenet.head, pooled_feed)
            feed = partial(_stored, store, feed, run.report)
            yield _Step(_for_device(stage), last, part(model), feed, Judge(run, feed), "camera")


def _stored(store: FeatureStore, make: Callable[..., Feed], report: Callable, tiles: np.ndarray,
            targets: np.ndarray) -> Feed:  # fmt: skip
    """Return the feed of what the store holds of tiles, computing what it lacks."""
    return make(store, store.rows(tiles, report), targets)


def starting_model(run: Run) -> keras.Model:
    """Return MobileNetV2 as the run's first stage takes it up."""
    keras.utils.set_random_seed(run.config.seed)
    model = mobilenet.build_mobilenet_v2(run.weights.path)
    if run.weights.path is None:
        tiles = run.data.fitted.tiles
        mobilenet.settle_batch_norms(model, tiles[:: max(len(tiles) // _SETTLED_ON, 1)][:_SETTLED_ON])
    return model
