"""Fit one stage of one network: batches, weight averaging, best epoch, history, and going on after a cut.

After every epoch all that the next one depends on (weights, optimiser, best epoch so far, history) lies in
one file, and the order and the augmentation of an epoch depend on seed and epoch alone. So a run killed at
any moment, started again, takes the same steps as one that was never cut.
"""

import importlib.util
import json
import math
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.files import replacing
from digits.learning.shared.errors import RunError
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import Report, titled
from digits.learning.training.feed import Feed, predict
from digits.learning.training.precision import jit_compile
from digits.learning.training.stages import Stage

_WHERE = ("module", "registered_name")  # of a class: it may move
# Non-digits carry the target 0.1 everywhere: whatever has no target above this is left out of accuracies.
_IS_DIGIT = 0.5


@dataclass(frozen=True)
class Job:
    """Where a stage keeps its state and what that state depends on besides the stage itself."""

    folder: Path
    seed: int
    key: str  # names data and starting weights; a state with another key is not continued
    report: Callable = field(default_factory=Report)
    logs: Path | None = None  # where TensorBoard's logs go, one folder a stage


class DigitAccuracy(keras.metrics.Mean):
    """Share of digits whose most probable class is right; rows that are no digit do not count."""

    def __init__(self, name: str = "accuracy"):
        super().__init__(name=name)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch: targets and probabilities (N, 10)."""
        del sample_weight
        right = keras.ops.equal(keras.ops.argmax(y_true, -1), keras.ops.argmax(y_pred, -1))
        is_digit = keras.ops.max(y_true, -1) > _IS_DIGIT
        super().update_state(keras.ops.cast(right, "float32"), keras.ops.cast(is_digit, "float32"))


def fit_stage(model: keras.Model, stage: Stage, train: Feed, val: Feed | None, job: Job) -> list[dict]:
    """Train `model` in place and return its history, one dict an epoch.

    With `val` the epoch with the best validation accuracy (then the lower loss) is kept, else the last one.
    State is kept in `job.folder`; a stage that is done is loaded, one that was cut off goes on.
    `model.trainable` flags must be set before.

    Raises:
        RunError: if the loss stops being a number.
    """
    steps = math.ceil(len(train) / stage.batch)
    compile_for(model, stage, steps)
    model.optimizer.build(model.trainable_variables)
    key = digest(network_key(model), asdict(stage), job.seed, job.key, len(train))
    keeper = _Keeper(stage, val, job, len(train), key)
    keeper.set_model(model)
    keeper.resume()
    if not keeper.done:
        first = len(keeper.history)
        model.fit(train.dataset(stage.batch, job.seed, first), initial_epoch=first, epochs=stage.epochs,
                  steps_per_epoch=steps, callbacks=[keeper], verbose=0, shuffle=False)  # fmt: skip
        keeper.finish()
    return keeper.history


def compile_for(model: keras.Model, stage: Stage, steps: int) -> None:
    """Compile a network for a stage with so many steps an epoch."""
    model.compile(
        _optimizer(stage, steps),
        keras.losses.CategoricalCrossentropy(label_smoothing=stage.label_smoothing),
        metrics=[DigitAccuracy()],
        jit_compile=jit_compile(),
    )


def network_key(model: keras.Model) -> str:
    """Return 16 hex digits that name a compiled network: its layers, what each is set to, and how they learn.

    Names that Keras gives by counting ("conv2d_7") do not matter, nor in which module a class of ours lives.
    """
    config = json.loads(json.dumps([model.get_config(), model.get_compile_config()], default=str))
    numbers = {name: number for number, name in enumerate(dict.fromkeys(_names(config)))}
    return digest(_numbered(config, numbers))


def _names(config) -> Iterator[str]:
    """Yield the names of layers and tensors, in the order they come in."""
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        yield config["name"]
    if isinstance(config, dict | list):
        for part in config.values() if isinstance(config, dict) else config:
            yield from _names(part)


def _numbered(config, numbers: dict[str, int]):
    """Return the config with numbers in place of names, and without modules."""
    if isinstance(config, dict):
        return {key: _numbered(part, numbers) for key, part in config.items() if key not in _WHERE}
    if isinstance(config, list):
        return [_numbered(part, numbers) for part in config]
    return f"#{numbers[config]}" if isinstance(config, str) and config in numbers else config


def best_epoch(history: list[dict]) -> int:
    """Return how many epochs validation chose: 1-based, by accuracy, then by loss."""
    return max(history, key=_score)["epoch"]


def _score(row: dict) -> tuple[float, float]:
    if "val_accuracy" not in row:
        return float(row["epoch"]), 0.0  # nothing to judge by: the last epoch
    return row["val_accuracy"], -row["val_loss"]


def _optimizer(stage: Stage, steps: int) -> keras.optimizers.Optimizer:
    total, peak = steps * (stage.schedule_epochs or stage.epochs), stage.learning_rate
    warmup = round(steps * stage.warmup_epochs)
    rate = keras.optimizers.schedules.CosineDecay(
        peak / 100 if warmup else peak, max(total - warmup, 1), alpha=0.01,
        warmup_target=peak if warmup else None, warmup_steps=warmup,
    )  # fmt: skip
    return keras.optimizers.AdamW(rate, weight_decay=stage.weight_decay, global_clipnorm=stage.clip)


class _Keeper(keras.callbacks.Callback):
    """Judges each epoch, keeps the best weights, stops early, writes the state a later call continues."""

    def __init__(self, stage: Stage, val: Feed | None, job: Job, images: int, key: str):
        super().__init__()
        self.stage, self.val, self.job, self.images, self.key = stage, val, job, images, key
        self.steps = math.ceil(images / stage.batch)
        self.path = job.folder / f"{stage.name}.state.npz"
        self.done = False
        self.history: list[dict] = []
        self.best: list[np.ndarray] | None = None

    def resume(self) -> None:
        """Take up the state of an earlier call with the same key, if there is one."""
        saved = _read_state(self.path, self.key)
        if saved is None:
            return
        facts, arrays = saved
        self.done, self.history = facts["done"], facts["history"]
        assign(self.model.variables, arrays["model"])
        if not self.done:
            assign(self.model.optimizer.variables, arrays["optimizer"])
            self.best = arrays["best"] or None
            if self._exhausted():
                self.finish()
        where = "done earlier" if self.done else f"continues after epoch {len(self.history)}"
        self.job.report(f"{self.stage.name}: {where}")

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        if batch % 10 == 9 or batch + 1 == self.steps:
            self._show(len(self.history) * self.steps + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.began
        row = {
            "stage": self.stage.name,
            "epoch": epoch + 1,
            "loss": float(logs["loss"]),
            "accuracy": float(logs["accuracy"]),
            "seconds": round(seconds, 3),
            "images_per_second": round(self.images / seconds, 1),
        }
        if not math.isfinite(row["loss"]):
            raise RunError(
                f"{self.stage.name}: the loss is {row['loss']} after epoch {epoch + 1}; run again with "
                "--fresh, and if it happens again with another --seed"
            )
        self._judge(row)
        self.history.append(row)
        self._write(done=False)
        if self.job.logs is not None:
            _log(self.job.logs / f"{self.job.folder.name}-{self.stage.name}", row)
        self.job.report(_line(row, self.stage.epochs))
        if self._exhausted():
            self.model.stop_training = True

    def finish(self) -> None:
        """Put the best weights into the model and mark the stage as done."""
        self._show(self.stage.epochs * self.steps)  # which is further than it got where validation stopped it
        if self.best is not None:
            assign(self.model.variables, self.best)
        self.best, self.done = None, True
        self._write(done=True)

    def _show(self, steps: int) -> None:
        advance = titled(self.job.report, self.stage.name)
        if advance:
            advance(steps, self.stage.epochs * self.steps)

    def _judge(self, row: dict) -> None:
        if self.val is not None:
            probabilities = predict(self.model, self.val)
            right = probabilities.argmax(-1) == self.val.targets.argmax(-1)
            log = np.log(np.maximum(probabilities, 1e-7))
            row["val_loss"] = float(-(self.val.targets * log).sum(-1).mean())
            row["val_accuracy"] = float(right.mean())
        if all(_score(row) > _score(earlier) for earlier in self.history):
            self.best = [variable.numpy() for variable in self.model.variables]

    def _exhausted(self) -> bool:
        epoch = len(self.history)
        if epoch >= self.stage.epochs:
            return True
        patience = self.stage.patience if self.val is not None else None
        return patience is not None and epoch - best_epoch(self.history) >= patience

    def _write(self, done: bool) -> None:
        facts = {"key": self.key, "epoch": len(self.history), "done": done, "history": self.history}
        arrays = {"model": self.model.variables}
        if not done:
            arrays |= {"optimizer": self.model.optimizer.variables, "best": self.best or []}
        _write_state(self.path, facts, arrays)


def require_tensorboard(folder: Path) -> None:
    """Make the folder of TensorBoard's logs before hours are spent on what would go there.

    Raises:
        RunError: if the package is missing; it is no part of TensorFlow any more.
        OSError: if the folder cannot be made.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise RunError("--tensorboard needs the package of that name: pip install tensorboard")
    folder.mkdir(parents=True, exist_ok=True)


def _log(folder: Path, row: dict) -> None:
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default(step=row["epoch"]):
        for name, value in row.items():
            if isinstance(value, float):
                tf.summary.scalar(name, value)
    writer.close()


def _line(row: dict, epochs: int) -> str:
    val = f", val accuracy {row['val_accuracy']:.4f}" if "val_accuracy" in row else ""
    return (
        f"{row['stage']} {row['epoch']}/{epochs}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.4f}{val}"
        f", {row['seconds']:.0f} s, {row['images_per_second']:.0f} images/s"
    )


def assign(variables: list, values: list[np.ndarray]) -> None:
    """Give each variable its value, in order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _write_state(path: Path, facts: dict, groups: dict[str, list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"{group}/{i:04d}": np.asarray(v) for group, values in groups.items() for i, v in enumerate(values)}
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)


def _read_state(path: Path, key: str) -> tuple[dict, dict[str, list]] | None:
    try:
        with np.load(path) as file:
            facts = json.loads(str(file["facts"]))
            if facts["key"] != key:
                return None
            groups: dict[str, list] = {"model": [], "optimizer": [], "best": []}
            for name in sorted(n for n in file.files if n != "facts"):
                groups[name.split("/")[0]].append(file[name])
            return facts, groups
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # there is none, or it was torn by a disk that failed
