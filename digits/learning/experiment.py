"""One run: the tiles all networks share, how each network is trained on them, and what is noted down about
it.

train_all.py and the notebooks call this; baselines.py and transfer.py know networks, training.py knows
stages, and neither knows about data, splits or rows of a leaderboard.
"""

from __future__ import annotations

import csv
import inspect
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.learning import baselines, compact, evaluation, hands, transfer
from digits.learning.atomic import replacing
from digits.learning.augment import Extras, camera_shift, enrich, rendered_by
from digits.learning.config import SEED, RunConfig
from digits.learning.dataset import Tiles, build_merged, load_split
from digits.learning.hands import often_geometric
from digits.learning.progress import titled
from digits.learning.provenance import circumstances, git_commit
from digits.learning.sources import Weights
from digits.learning.training import (
    Feed,
    Job,
    Report,
    Stage,
    accelerated,
    best_epoch,
    digest,
    fit_stage,
    full_precision,
    one_hot,
    predict,
    to_float32,
)
from digits.reading.tile import TILE_RULE, TILE_SIZE

BUILDERS = {**baselines.BASELINES, compact.NAME: compact.build_cnn_compact}  # of the networks trained in one stage
MODELS = (*BUILDERS, transfer.NAME)
WITHOUT_EXTRAS = {name for name in BUILDERS if name not in (baselines.AUGMENTED, compact.NAME)}
CAMERA_SEED = 20240  # of the camera changes that models are chosen by: the same for every run and every seed
_SETTLED_ON = 256  # tiles that random weights take their batch norms' statistics from
_GPU_BATCHES = 4  # batches of a CPU that one GPU takes at once
_RULE = 4  # version of how a model is trained and what its folder holds
NO_CAMERA = ", no camera"  # ends the stage in rows of networks trained without extras


@dataclass(frozen=True)
class Data:
    """All tiles of a run.

    `tiles` uint8 (M, 96, 96) and `targets` float32 (M, 10) hold train, extras and val, one after the other,
    so that training again on train + val needs no copy; `key` names all of it, `plain_key` what is no extra.
    """

    tiles: np.ndarray
    targets: np.ndarray
    trained: int  # tiles of the train split
    extras: int  # tiles made beside it: camera, handwritten, no digits
    val: Tiles
    val_camera: np.ndarray  # uint8, the val tiles after camera changes
    calibration: Tiles
    test: Tiles  # MNIST's own
    own_test: Tiles  # of the user's images; may be empty
    key: str
    plain_key: str

    @property
    def fitted(self) -> int:
        """How many of `tiles` are trained on before val is added: train and extras."""
        return self.trained + self.extras

    @cached_property
    def judged_on(self) -> str:
        """What names the val pictures, clean and after the camera: accuracies on others cannot be compared."""
        return digest(self.val.images, self.val.labels, self.val_camera)[:8]

    @cached_property
    def own_test_key(self) -> str:
        """What names the user's own test pictures: no training depends on them."""
        return digest(self.own_test.images, self.own_test.labels)


@dataclass(frozen=True)
class Outcome:
    """A trained network, the best weights of its last stage in it, and what there is to say about it.

    `rows`: one a stage, as the leaderboard has them; `scores`: summaries by domain of the network itself;
    `probabilities`: float32 (N, 10) by domain.
    """

    model: keras.Model
    rows: list[dict]
    history: list[dict]
    scores: dict[str, dict]
    probabilities: dict[str, np.ndarray]

    @property
    def choice(self) -> float:
        """What the winner is chosen by: mean accuracy on clean and camera-changed val, before val was trained on."""
        judged = [row for row in self.rows if row["val_accuracy"] is not None]
        return (judged[-1]["val_accuracy"] + judged[-1]["val_camera_accuracy"]) / 2


@dataclass(frozen=True)
class Run:
    """What every function here needs: settings, data, where to report."""

    config: RunConfig
    data: Data
    weights: Weights
    command: str
    report: Callable = Report()
    logs: Path | None = None  # of TensorBoard
    commit: str | None = field(default_factory=git_commit)

    def folder(self, name: str) -> Path:
        """Return the folder of one model."""
        return self.config.model_folder(name)


def load_data(config: RunConfig, report: Callable = Report(), models: Sequence[str] = MODELS) -> Data:  # noqa: B008
    """Merge and read the tiles; make the camera's view of val and, if one of `models` learns from them, the extras.

    Both are made once for the same tiles, and kept: runs with different seeds learn from the same pictures, so what
    lies between their results is the luck of weights, order and augmentation alone.
    """
    summary = build_merged(
        config.custom_dir, config.merged_dir, config.limit, report, progress=titled(report, "tiles")
    )
    report(summary.line())
    train, val, calibration, test = (
        load_split(config.merged_dir, name) for name in ("train", "val", "calibration", "test")
    )
    cache, extras = cache_dir(config), Extras(0, 0, 0)
    if not WITHOUT_EXTRAS.issuperset(models):
        extras = Extras(round(config.camera * len(train)), config.handwritten, config.non_digits, config.scraps,
                        config.textures)
    fitted = len(train) + extras.total
    # Filled part by part: in a release these are nearly two gigabytes, and a second copy is one too many.
    tiles = np.empty((fitted + len(val), TILE_SIZE, TILE_SIZE), np.uint8)
    tiles[: len(train)], tiles[fitted:] = train.images, val.images
    train = replace(train, images=tiles[: len(train)])
    targets = [one_hot(train.labels)]
    if extras.total:
        made = tiles[len(train) : fitted]
        targets.append(enrich(train.images, train.labels, extras, SEED, cache,
                              done=titled(report, "camera tiles"), out=made)[1])  # fmt: skip
    targets = np.concatenate([*targets, one_hot(val.labels)])
    val_camera = camera_view(val.images, cache, report)
    report(
        f"{len(train):,} tiles to train on and {extras.total:,} made beside them, {len(val):,} val, "
        f"{len(calibration):,} calibration, {len(test):,} test"
    )
    mnist, own = test.select(test.sources == "mnist"), test.select(test.sources != "mnist")  # domains apart
    key = digest(tiles, targets, val_camera, TILE_RULE)
    plain_key = digest(train.images, train.labels, val.labels, val_camera, TILE_RULE)
    return Data(tiles, targets, len(train), extras.total, val, val_camera, calibration, mnist, own, key, plain_key)


def train_model(name: str, run: Run) -> Outcome:
    """Train one network by name, or take up where an earlier call was cut off; write its folder.

    models/<name>/ then holds model.keras, history.csv and metrics.json, besides the states of its stages.
    """
    outcome = _finished(name, run)
    if outcome is None:
        trainer = _train_mobilenet if name == transfer.NAME else _train_baseline
        with accelerated():
            trained = trainer(name, run)
        outcome = replace(trained, model=_without_training(name, trained.model))
        _write(name, outcome, run)
    return outcome


# ---------------------------------------------------------------- the networks


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
    config, data, judge = run.config, run.data, Judge(run, baselines.small_feed)
    augmented = name not in WITHOUT_EXTRAS
    count = data.fitted if augmented else data.trained
    train = baselines.small_feed(data.tiles[:count], data.targets[:count], often_geometric if augmented else None)
    stage = _only_stage(name, config)
    keras.utils.set_random_seed(config.seed)
    model = BUILDERS[name]()
    inner = baselines.inner(model)
    history = fit_stage(inner, _for_device(stage), train, judge.val, _job(name, run, name))
    extras = "geometric" if config.no_camera else "camera + geometric"
    row = judge.row(name, stage, inner, history, "random", extras if augmented else "none")
    if config.no_camera:
        row["stage"] += NO_CAMERA
    return judge.outcome(model, inner, [row], history)


def _only_stage(name: str, config: RunConfig) -> Stage:
    """Return the stage of a network that has just one."""
    if name == compact.NAME:
        return replace(compact.STAGE, epochs=config.compact_epochs)
    plain = baselines.WITH_AUGMENTATION if name == baselines.AUGMENTED else baselines.PLAIN
    return replace(plain, epochs=config.baseline_epochs)


def _train_mobilenet(name: str, run: Run) -> Outcome:
    """Train stage after stage on train; then again from the start on train and val, for the epochs that val chose."""
    model = starting_model(run)
    store = transfer.FeatureStore(cache_dir(run.config), model)
    rows, history = [], []
    chosen: dict[str, int] = {}
    job = _job(name, run, _start(run))
    for step in _mobilenet_steps(model, store, run):
        lines = fit_stage(step.part, step.stage, step.feed(run.data.fitted), step.judge.val, job)
        job = _after(job, step.stage)
        chosen[step.stage.name] = best_epoch(lines)
        history += lines
        rows.append(step.judge.row(name, step.stage, step.part, lines, run.weights.origin, step.augmentation))
    kept = run.weights.origin == "imagenet" and not run.config.further_seed
    if step.stage.name == transfer.ALL.name and kept:
        transfer.save_trunk(model, run.config.exports_dir / "trunk" / transfer.TRUNK_FILE)
    again, last = _train_again(name, run, store, chosen)
    rows.append(again.rows[0])
    if last.stage.name == step.stage.name:
        return replace(again, rows=rows, history=history + again.history)
    return step.judge.outcome(model, step.part, rows, history + again.history)


def _train_again(name: str, run: Run, store: transfer.FeatureStore, chosen: dict[str, int]) -> tuple[Outcome, _Step]:
    """Train on train and val from the start; return that network and its last step.

    The all-layer stage is left out: it costs as much as all the rest, for 11 % more images.
    """
    model, history = starting_model(run), []
    job = replace(_job(name, run, _start(run), "again"), folder=run.folder(name) / "train_and_val")
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
    model: keras.Model, store: transfer.FeatureStore, run: Run, all_layers: bool = True
) -> Iterator[_Step]:
    """Yield the stages in order; as each is yielded, just the layers that it trains may learn."""
    config, data = run.config, run.data
    rows = store.rows(data.tiles, run.report)
    for stage, last, part, feed in (
        (replace(transfer.FROZEN, epochs=config.frozen_epochs), 0, transfer.head, transfer.pooled_feed),
        (replace(transfer.LAST, epochs=config.last_epochs), transfer.LAST_LAYERS, transfer.tail, transfer.block_feed),
    ):
        stored = _Stored(store, rows, data.targets, feed, run.report)
        transfer.set_trainable(model, last)
        yield _Step(_for_device(stage), part(model), stored.first, Judge(run, stored.of_tiles), "camera")
    if config.all_epochs and all_layers:
        transfer.set_trainable(model, None)
        if not tf.config.list_physical_devices("GPU"):
            to_float32(model)  # processors take longer for depthwise convolutions in bfloat16
        stage = replace(transfer.ALL, epochs=config.all_epochs)

        def drawn_anew(count: int) -> Feed:
            return transfer.tile_feed(data.tiles[:count], data.targets[:count], often_geometric)

        yield _Step(_for_device(stage), model, drawn_anew, Judge(run, transfer.tile_feed), "camera + geometric")


@dataclass(frozen=True)
class _Stored:
    """Feeds from the feature store."""

    store: transfer.FeatureStore
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
    model = transfer.build_mobilenet_v2(run.weights.path)
    if run.weights.path is None:
        tiles = run.data.tiles[: run.data.fitted]
        transfer.settle_batch_norms(model, tiles[:: max(len(tiles) // _SETTLED_ON, 1)][:_SETTLED_ON])
    return model


# ---------------------------------------------------------------- judging


class Judge:
    """Scores of one part of a network on val, val after camera changes, test, and calibration of both kinds."""

    def __init__(self, run: Run, make_feed: Callable[[np.ndarray, np.ndarray], Feed]):
        self.run = run
        data = run.data
        views, labels = calibration_views(data.calibration, cache_dir(run.config), run.report)
        self.domains = {
            "val": data.val.images,
            "val_camera": data.val_camera,
            "calibration": views,
            "test": data.test.images,
            "own_test": data.own_test.images,
        }
        self.labels = {
            "val": data.val.labels,
            "val_camera": data.val.labels,
            "calibration": labels,
            "test": data.test.labels,
            "own_test": data.own_test.labels,
        }
        self.shown = [name for name, labels in self.labels.items() if len(labels)]
        self._make_feed, self._feeds = make_feed, {}
        both = np.concatenate([data.val.images, data.val_camera])
        self.val = make_feed(both, np.concatenate([one_hot(data.val.labels)] * 2))

    def probabilities(self, part: keras.Model, domain: str) -> np.ndarray:
        """Return float32 (N, 10) for the tiles of a domain."""
        if domain not in self._feeds:
            self._feeds[domain] = self._make_feed(self.domains[domain], one_hot(self.labels[domain]))
        with full_precision(part):
            return predict(part, self._feeds[domain])

    def scores(self, part: keras.Model) -> dict[str, float | None]:
        """Return the leaderboard's columns of accuracies; None where there are no images."""
        found = {
            domain: round(evaluation.accuracy(self.probabilities(part, domain), self.labels[domain]), 6)
            for domain in self.shown
            if domain != "calibration"
        }
        return {f"{domain}_accuracy": found.get(domain) for domain in ("val", "val_camera", "test", "own_test")}

    def row(
        self, name: str, stage: Stage, part: keras.Model, history: list[dict], weights: str, augmentation: str
    ) -> dict:
        """Return the leaderboard's row of a stage that has just ended."""
        config = self.run.config
        return {
            "model": name,
            "stage": stage.name,
            "weights": weights,
            "augmentation": augmentation,
            "seed": config.seed,
            "images": self.run.data.trained,
            "epochs": best_epoch(history),
            "train_seconds": round(sum(line["seconds"] for line in history), 1),
            **self.scores(part),
            "command": self.run.command,
            "commit": self.run.commit,
            "judged_on": self.run.data.judged_on,
        }

    def outcome(self, model: keras.Model, part: keras.Model, rows: list[dict], history: list[dict]) -> Outcome:
        """Return everything about the network `model`, of which `part` was the part trained last."""
        probabilities = {domain: self.probabilities(part, domain) for domain in self.shown}
        temperature = evaluation.fit_temperature(probabilities["calibration"], self.labels["calibration"])
        scores = {domain: evaluation.summary(found, self.labels[domain]) for domain, found in probabilities.items()}
        scores["test"]["calibration_error_scaled"] = round(
            evaluation.calibration_error(evaluation.scale(probabilities["test"], temperature), self.labels["test"]), 6
        )
        scores["temperature"] = round(temperature, 4)
        return Outcome(model, rows, history, scores, probabilities)


# ---------------------------------------------------------------- the folder of a model


def _write(name: str, outcome: Outcome, run: Run) -> None:
    """Write what a model's folder holds; metrics.json comes last, and its key says that the folder is whole."""
    folder = run.folder(name)
    (folder / "metrics.json").unlink(missing_ok=True)  # of earlier settings
    with replacing(folder / "model.keras") as beside:
        outcome.model.save(beside)
    one = np.zeros((1, 96, 96, 3), np.float32)
    latency = evaluation.latency_ms(lambda: outcome.model.predict_on_batch(one))
    for row in outcome.rows:
        row |= {
            "params": outcome.model.count_params(),
            "size_bytes": (folder / "model.keras").stat().st_size,
            "latency_ms": latency,
        }
    write_csv(folder / "history.csv", outcome.history)
    metrics = {
        "model": name,
        "key": _key(name, run),
        "own_test": run.data.own_test_key,
        "choice": outcome.choice,
        "rows": outcome.rows,
        "scores": outcome.scores,
        "config": asdict(run.config),
        **circumstances(run.command),
    }
    with replacing(folder / "probabilities.npz") as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **outcome.probabilities)
    with replacing(folder / "metrics.json") as beside:
        beside.write_text(json.dumps(metrics, indent=1, default=str), encoding="utf-8")


def _without_training(name: str, model: keras.Model) -> keras.Model:
    """Return the network as it was built, without optimiser, with the weights of `model`."""
    clean = transfer.build_mobilenet_v2() if name == transfer.NAME else BUILDERS[name]()
    clean.set_weights(model.get_weights())
    return clean


def _finished(name: str, run: Run) -> Outcome | None:
    """Return what an earlier call made of this model, if it is whole and came from the same data and settings."""
    folder = run.folder(name)
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        if metrics["key"] != _key(name, run):
            return None
        model = keras.saving.load_model(folder / "model.keras", compile=False)
        with np.load(folder / "probabilities.npz") as kept:
            probabilities = dict(kept)
        history = read_csv(folder / "history.csv")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    run.report(f"{name}: done earlier")
    outcome = Outcome(model, metrics["rows"], history, metrics["scores"], probabilities)
    if metrics["own_test"] != run.data.own_test_key:
        outcome = _with_new_own_test(outcome, run)
        _write(name, outcome, run)
    return outcome


def _with_new_own_test(outcome: Outcome, run: Run) -> Outcome:
    """Return the outcome with today's own test pictures read; what earlier stages made of them is no longer known."""
    tiles = run.data.own_test
    rows = [row | {"own_test_accuracy": None} for row in outcome.rows]
    scores, probabilities = dict(outcome.scores), dict(outcome.probabilities)
    scores.pop("own_test", None), probabilities.pop("own_test", None)
    if len(tiles):
        found = Judge(run, transfer.tile_feed).probabilities(outcome.model, "own_test")
        kept = next(row for row in reversed(rows) if (row["val_accuracy"] is not None) == ("val" in scores))
        kept["own_test_accuracy"] = round(evaluation.accuracy(found, tiles.labels), 6)
        scores["own_test"], probabilities["own_test"] = evaluation.summary(found, tiles.labels), found
    return replace(outcome, rows=rows, scores=scores, probabilities=probabilities)


def _job(name: str, run: Run, *parts: str) -> Job:
    key = digest(_recipe(name), _data_key(name, run), name, *parts)
    return Job(run.folder(name), run.config.seed, key, run.report, run.logs)


def _recipe(name: str) -> str:
    """Return a hash of what decides a training beside settings and data: how it is done, and the network's own code."""
    # cnn_compact is built, fed and mostly set up by what baselines has.
    modules = {transfer.NAME: [transfer], compact.NAME: [baselines, compact]}.get(name, [baselines])
    return digest(_RULE, *(inspect.getsource(module) for module in (*modules, hands)))


def _key(name: str, run: Run) -> str:
    config = run.config
    if name == transfer.NAME:
        settings = [config.frozen_epochs, config.last_epochs, config.all_epochs, _start(run)]
    else:
        settings = [asdict(_only_stage(name, config))]
    return digest(_recipe(name), _data_key(name, run), name, config.seed, settings)


def _data_key(name: str, run: Run) -> str:
    return run.data.plain_key if name in WITHOUT_EXTRAS else run.data.key


def _start(run: Run) -> str:
    return f"{run.weights.origin} {run.weights.path}"


def cache_dir(config: RunConfig) -> Path:
    """Return where a run keeps what is computed once: extras, camera views, features."""
    return config.models_dir / "cache"


def camera_view(tiles: np.ndarray, cache: Path, report: Callable | None = None) -> np.ndarray:
    """Return the tiles as a camera delivers them, uint8 (N, 96, 96), made once and kept in `cache`."""
    path = cache / f"camera-{digest(tiles, CAMERA_SEED, rendered_by())}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside, open(beside, "wb") as file:
            np.save(file, camera_shift(tiles, CAMERA_SEED, done=titled(report, "camera views")))
    return np.load(path)


def calibration_views(clean: Tiles, cache: Path, report: Callable | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return calibration tiles and labels, clean and then after the camera: what is fitted must hold for both."""
    views = np.concatenate([clean.images, camera_view(clean.images, cache, report)])
    return views, np.concatenate([clean.labels] * 2)


# ---------------------------------------------------------------- notes


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write dicts as CSV, columns in order of first appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(path) as beside, open(beside, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict]:
    """Return the rows of a CSV as dicts, numbers as numbers, empty cells left out."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: _cell(v) for k, v in row.items() if v != ""} for row in csv.DictReader(file)]


def _cell(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
