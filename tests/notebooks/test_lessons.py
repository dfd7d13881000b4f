"""What the notebooks read of a run: further seeds beside the first one."""

import json
import sys

import pytest

pytest.importorskip("IPython")

from loading import ROOT

sys.path.insert(0, str(ROOT / "notebooks"))
import lesson_plots
from lessons import Lesson, Trained


def metrics_of(images):
    return {"rows": [{"model": "cnn_deep", "stage": "train", "seed": 0, "images": images}]}


def keep(folder, images, accuracies):
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(metrics_of(images)))
    lines = [f"train,{epoch},{accuracy}" for epoch, accuracy in enumerate(accuracies, 1)]
    (folder / "history.csv").write_text("\n".join(["stage,epoch,val_accuracy", *lines]) + "\n")


def test_further_seeds_are_found_and_other_runs_are_not(tmp_path, monkeypatch):
    for name, images in (("cnn_deep", 100), ("cnn_deep-seed1", 100), ("cnn_deep-seed2", 7), ("cnn_deep-bare", 100)):
        keep(tmp_path / name, images, (0.9, 0.95))
    (tmp_path / "cnn_deep-seed3").mkdir()  # just being trained
    first = Trained("cnn_deep", tmp_path / "cnn_deep", metrics_of(100), [{"val_accuracy": 0.9}], {})
    monkeypatch.setattr(Lesson, "trained", lambda self, names: {"cnn_deep": first})
    found = Lesson("02_baselines", "full", tmp_path).over_seeds(["cnn_deep"])
    assert [one.name for one in found["cnn_deep"]] == ["cnn_deep", "cnn_deep-seed1"]
    assert [row["val_accuracy"] for row in found["cnn_deep"][1].history] == [0.9, 0.95]


def test_every_epoch_of_the_longest_curve_has_its_tick():
    figure = lesson_plots.curves_over_seeds({"cnn_deep": [[3, 2, 1], [3, 2, 2]], "cnn_small": [[5, 4]]}, "errors (%)")
    assert list(figure.axes[0].get_xticks()) == [1, 2, 3]
