"""Train the finder on rendered crops; cut off at any moment, the same call goes on from the last epoch."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from digits.files import replacing, write_whole
from digits.learning.finder.crops import batches
from digits.learning.finder.losses import FinderLoss
from digits.learning.finder.network import build_finder
from digits.learning.shared.keys import digest
from digits.learning.shared.workers import available_cores
from digits.rendering.frames import FRAMES_VERSION


@dataclass(frozen=True)
class FinderRun:
    """How the finder is trained: `epochs` of `steps` batches, each crop seen once."""

    epochs: int = 60
    steps: int = 250
    batch: int = 32
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    seed: int = 0
    workers: int | None = None


def train_finder(run: FinderRun, bank: Path, folder: Path, report=print, start: Path | None = None) -> keras.Model:
    """Return the trained network; `folder` gets its state after each epoch and its history.

    Args:
        bank: file of the shapes to write with, see `crops.bank_file`.
        start: weights to begin with; random ones if None.
    """
    keras.utils.set_random_seed(run.seed)
    model = build_finder()
    if start is not None:
        model.load_weights(start)
    total = run.epochs * run.steps
    rate = keras.optimizers.schedules.CosineDecay(
        run.learning_rate / 50, total - total // 40, alpha=0.005, warmup_target=run.learning_rate,
        warmup_steps=total // 40)  # fmt: skip
    model.compile(keras.optimizers.AdamW(rate, weight_decay=run.weight_decay, global_clipnorm=1.0), FinderLoss())
    model.optimizer.build(model.trainable_variables)
    key = digest({name: value for name, value in asdict(run).items() if name != "workers"}, bank.name, FRAMES_VERSION)
    state, history = folder / "state.npz", _resume(model, folder / "state.npz", key)
    numbers = range(len(history) * run.steps, total)
    feed = batches(bank, run.seed, numbers, run.batch, run.workers or available_cores())
    for epoch in range(len(history), run.epochs):
        began, losses = time.perf_counter(), []
        for _ in range(run.steps):
            crops, answers = next(feed)
            losses.append(float(np.asarray(model.train_on_batch(crops.astype(np.float32) / 255, answers))))
            model.reset_metrics()  # else Keras goes on averaging
        seconds = time.perf_counter() - began
        loss = float(np.mean(losses))
        history.append({"epoch": epoch + 1, "loss": loss, "seconds": round(seconds, 1),
                        "crops_per_second": round(run.steps * run.batch / seconds, 1)})
        report(f"epoch {epoch + 1} of {run.epochs}: loss {loss:.4f}, {history[-1]['crops_per_second']} crops a second")
        _keep(model, state, key, history)
    write_whole(folder / "history.json", json.dumps(history, indent=1).encode())
    return model


def _resume(model: keras.Model, path: Path, key: str) -> list[dict]:
    """Load the state of an earlier call with the same key; return its history, empty where there is none."""
    if not path.exists():
        return []
    with np.load(path) as stored:
        if str(stored["key"]) != key:
            return []
        for index, variable in enumerate([*model.variables, *model.optimizer.variables]):
            variable.assign(stored[f"v{index}"])
        return json.loads(str(stored["history"]))


def _keep(model: keras.Model, path: Path, key: str, history: list[dict]) -> None:
    variables = [*model.variables, *model.optimizer.variables]
    arrays = {f"v{index}": np.asarray(variable) for index, variable in enumerate(variables)}
    with replacing(path) as fresh:
        with open(fresh, "wb") as file:
            np.savez(file, key=key, history=json.dumps(history), **arrays)
