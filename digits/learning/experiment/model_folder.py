"""The folder of a trained network: what it holds, and whether what is there can be used again."""

import json
import zipfile
from dataclasses import asdict, replace

import keras
import numpy as np

from digits.files import replacing, write_whole
from digits.learning.experiment import metrics
from digits.learning.experiment.judge import Judge
from digits.learning.experiment.leaderboard import Row
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.provenance import circumstances
from digits.learning.shared.tables import read_csv, write_csv
from digits.learning.training.feed import tile_feed
from digits.learning.training.fit import network_key
from digits.reading.models.contract import INPUT_SHAPE


def write_folder(name: str, outcome: Outcome, run: Run, key: str) -> Outcome:
    """Write what a model's folder holds; return the outcome with what only the files tell in its rows.

    metrics.json comes last, and its key says that the folder is whole.
    """
    folder = run.config.model_folder(name)
    (folder / "metrics.json").unlink(missing_ok=True)  # of earlier settings
    with replacing(folder / "model.keras") as beside:
        outcome.model.save(beside)
    one = np.zeros((1, *INPUT_SHAPE), np.float32)
    facts = {
        "network": network_key(outcome.model)[:8],
        "params": outcome.model.count_params(),
        "size_bytes": (folder / "model.keras").stat().st_size,
        "latency_ms": metrics.latency_ms(lambda: outcome.model.predict_on_batch(one)),
    }
    outcome = replace(outcome, rows=[replace(row, **facts) for row in outcome.rows])
    write_csv(folder / "history.csv", outcome.history)
    with replacing(folder / "probabilities.npz") as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **outcome.probabilities)
    notes = {
        "model": name,
        "key": key,
        "own_test": run.data.own_test_key,
        "choice": outcome.choice,
        "rows": [asdict(row) for row in outcome.rows],
        "scores": outcome.scores,
        "config": asdict(run.config),
        **circumstances(run.command),
    }
    write_whole(folder / "metrics.json", json.dumps(notes, indent=1, default=str).encode())
    return outcome


def without_training(name: str, model: keras.Model) -> keras.Model:
    """Return the network as it was built, without optimiser, with the weights of `model`."""
    clean = NETWORKS[name].build()
    clean.set_weights(model.get_weights())
    return clean


def finished(name: str, run: Run, key: str) -> Outcome | None:
    """Return what an earlier call made of this model, if it is whole and its training has this key."""
    folder = run.config.model_folder(name)
    try:
        notes = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        if notes["key"] != key:
            return None
        model = keras.saving.load_model(folder / "model.keras", compile=False)
        with np.load(folder / "probabilities.npz") as kept:
            probabilities = dict(kept)
        history = read_csv(folder / "history.csv")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    run.report(f"{name}: done earlier")
    outcome = Outcome(model, [Row.of(row) for row in notes["rows"]], history, notes["scores"], probabilities)
    if notes["own_test"] == run.data.own_test_key:
        return outcome
    return write_folder(name, _with_new_own_test(outcome, run), run, key)


def _with_new_own_test(outcome: Outcome, run: Run) -> Outcome:
    """Return the outcome with today's own test pictures read; what earlier stages made of them is no longer known."""
    tiles = run.data.own_test
    rows = [replace(row, own_test_accuracy=None) for row in outcome.rows]
    scores, probabilities = dict(outcome.scores), dict(outcome.probabilities)
    scores.pop("own_test", None), probabilities.pop("own_test", None)
    if len(tiles):
        found = Judge(run, tile_feed).probabilities(outcome.model, "own_test")
        kept = next(place for place, row in reversed([*enumerate(rows)]) if row.with_val == ("val" not in scores))
        rows[kept] = replace(rows[kept], own_test_accuracy=round(metrics.accuracy(found, tiles.labels), 6))
        scores["own_test"], probabilities["own_test"] = metrics.summary(found, tiles.labels), found
    return replace(outcome, rows=rows, scores=scores, probabilities=probabilities)
