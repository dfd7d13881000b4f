"""The folder of a trained network: what it holds, and whether what is there can be used again."""

from __future__ import annotations

import inspect
import json
import zipfile
from dataclasses import asdict, replace

import keras
import numpy as np

from digits.files import replacing
from digits.learning.data import augmentation
from digits.learning.experiment import metrics
from digits.learning.experiment.judge import Judge
from digits.learning.experiment.recipe import only_stage
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks import baselines, compact, mobilenet
from digits.learning.networks.registry import BUILDERS, WITHOUT_EXTRAS
from digits.learning.shared.keys import digest
from digits.learning.shared.provenance import circumstances
from digits.learning.shared.tables import read_csv, write_csv
from digits.learning.training import feed
from digits.learning.training.fit import Job

_RULE = 4  # version of how a model is trained and what its folder holds


def write_folder(name: str, outcome: Outcome, run: Run) -> None:
    """Write what a model's folder holds; metrics.json comes last, and its key says that the folder is whole."""
    folder = run.folder(name)
    (folder / "metrics.json").unlink(missing_ok=True)  # of earlier settings
    with replacing(folder / "model.keras") as beside:
        outcome.model.save(beside)
    one = np.zeros((1, 96, 96, 3), np.float32)
    latency = metrics.latency_ms(lambda: outcome.model.predict_on_batch(one))
    for row in outcome.rows:
        row |= {
            "params": outcome.model.count_params(),
            "size_bytes": (folder / "model.keras").stat().st_size,
            "latency_ms": latency,
        }
    write_csv(folder / "history.csv", outcome.history)
    facts = {
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
        beside.write_text(json.dumps(facts, indent=1, default=str), encoding="utf-8")


def without_training(name: str, model: keras.Model) -> keras.Model:
    """Return the network as it was built, without optimiser, with the weights of `model`."""
    clean = mobilenet.build_mobilenet_v2() if name == mobilenet.NAME else BUILDERS[name]()
    clean.set_weights(model.get_weights())
    return clean


def finished(name: str, run: Run) -> Outcome | None:
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
        write_folder(name, outcome, run)
    return outcome


def _with_new_own_test(outcome: Outcome, run: Run) -> Outcome:
    """Return the outcome with today's own test pictures read; what earlier stages made of them is no longer known."""
    tiles = run.data.own_test
    rows = [row | {"own_test_accuracy": None} for row in outcome.rows]
    scores, probabilities = dict(outcome.scores), dict(outcome.probabilities)
    scores.pop("own_test", None), probabilities.pop("own_test", None)
    if len(tiles):
        found = Judge(run, feed.tile_feed).probabilities(outcome.model, "own_test")
        kept = next(row for row in reversed(rows) if (row["val_accuracy"] is not None) == ("val" in scores))
        kept["own_test_accuracy"] = round(metrics.accuracy(found, tiles.labels), 6)
        scores["own_test"], probabilities["own_test"] = metrics.summary(found, tiles.labels), found
    return replace(outcome, rows=rows, scores=scores, probabilities=probabilities)


def job_of(name: str, run: Run, *parts: str) -> Job:
    """Return where the stages of a network keep their state, and what that state depends on."""
    key = digest(_recipe(name), _data_key(name, run), name, *parts)
    return Job(run.folder(name), run.config.seed, key, run.report, run.logs)


def _recipe(name: str) -> str:
    """Return a hash of what decides a training beside settings and data: how it is done, and the network's own code."""
    # cnn_compact is built, fed and mostly set up by what baselines has.
    modules = {mobilenet.NAME: [mobilenet], compact.NAME: [baselines, compact]}.get(name, [baselines])
    return digest(_RULE, *(inspect.getsource(module) for module in (*modules, augmentation)))


def _key(name: str, run: Run) -> str:
    config = run.config
    if name == mobilenet.NAME:
        settings = [config.frozen_epochs, config.last_epochs, config.all_epochs, start_of(run)]
    else:
        settings = [asdict(only_stage(name, config))]
    return digest(_recipe(name), _data_key(name, run), name, config.seed, settings)


def _data_key(name: str, run: Run) -> str:
    return run.data.plain_key if name in WITHOUT_EXTRAS else run.data.key


def start_of(run: Run) -> str:
    """Return what names the weights that MobileNetV2 starts from."""
    return f"{run.weights.origin} {run.weights.path}"
