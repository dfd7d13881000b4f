"""Judge the release's kept networks again, on the tiles as they are now: `python -m digits.learning.rejudge`.

For when the reader, the camera's changes or the own images moved since the networks were trained: the leaderboard then
compares all of them on the same pictures. Nothing is trained; rows keep the command and commit of their training.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import keras
import numpy as np

from digits.learning import baselines, experiment, results, transfer
from digits.learning.config import RunConfig
from digits.learning.experiment import Outcome, Run
from digits.learning.progress import Console
from digits.learning.sources import SourceError, imagenet_weights
from digits.learning.training import RunError, assign, run_lock

SCORES = ("val_accuracy", "val_camera_accuracy", "test_accuracy", "own_test_accuracy")
_STAGES = {  # MobileNetV2's rows whose networks are kept as the state of the part that learned
    "frozen": ("frozen.state.npz", transfer.head),
    "last_20": ("last_20.state.npz", transfer.tail),
    "last_20+val": ("train_and_val/last_20.state.npz", transfer.tail),
}


def judge_again(name: str, run: Run) -> Outcome:
    """Return a kept network with new scores, and write them into its folder.

    Raises:
        OSError, RunError: if the folder is not whole.
    """
    folder = run.folder(name)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    model = keras.saving.load_model(_present(folder / "model.keras"), compile=False)
    single = name in experiment.BUILDERS
    part, make_feed = (baselines.inner(model), baselines.small_feed) if single else (model, transfer.tile_feed)
    judge = experiment.Judge(run, make_feed)
    rows = metrics["rows"]
    for row in rows:
        if row["stage"] in _STAGES:
            file, part_of = _STAGES[row["stage"]]
            _score(row, judge, _take_up(part_of(experiment.starting_model(run)), folder / file))
        elif row["val_accuracy"] is not None:
            _score(row, judge, part)
    outcome = judge.outcome(model, part, rows, experiment.read_csv(folder / "history.csv"))
    metrics |= {"choice": outcome.choice, "rows": rows, "scores": outcome.scores, "judged_by": run.command}
    experiment.write_judgement(folder, outcome.probabilities, metrics)
    return outcome


def _score(row: dict, judge: experiment.Judge, part: keras.Model) -> None:
    scores = judge.scores(part)
    for column in SCORES:
        if row[column] is not None:
            row[column] = scores[column]


def _take_up(part: keras.Model, path: Path) -> keras.Model:
    """Return `part` with the weights that a stage's state holds."""
    with np.load(_present(path)) as state:
        values = [state[name] for name in sorted(state.files) if name.startswith("model/")]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in part.variables]:
        raise RunError(f"{path} holds another network; train it again with --fresh")
    assign(part.variables, values)
    return part


def _present(path: Path) -> Path:
    if not path.exists():
        raise RunError(f"{path} is missing; python train_all.py --release makes it")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Judge what models/ holds; rewrite leaderboard and figures; say which network validation chooses now."""
    parser = argparse.ArgumentParser(prog="python -m digits.learning.rejudge", description=__doc__.splitlines()[0])
    parser.add_argument("--imagenet-weights", metavar="FILE|none", help="what MobileNetV2 was started from")
    options = parser.parse_args(arguments)
    with Console() as report:
        try:
            return _judge_all(options.imagenet_weights, report)
        except (RunError, SourceError) as error:
            report.error(str(error))
            return 1


def _judge_all(imagenet: str | None, report: Console) -> int:
    config = RunConfig.release_run()
    with run_lock(config.models_dir):
        weights = imagenet_weights(imagenet, report)
        run = Run(config, experiment.load_data(config, report), weights, "python -m digits.learning.rejudge", report)
        kept = [name for name in experiment.MODELS if (run.folder(name) / "metrics.json").exists()]
        if not kept:
            report.error(f"{config.models_dir} holds no trained network; run python train_all.py --release first")
            return 1
        outcomes = {}
        for name in kept:
            outcomes[name] = judge_again(name, run)
            report(f"{name}: {outcomes[name].choice:.4f}")
        results.report(run, outcomes, config.models_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())
