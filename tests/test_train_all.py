"""train_all.py as a subprocess, on a few hundred images: what it leaves behind, being killed, run twice, no room."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import train_all
from digits.learning.experiment.leaderboard import LEADERBOARD, read_leaderboard
from digits.learning.experiment.results import load_results
from digits.learning.export.outcome import Sample
from digits.learning.shared.errors import RunError
from digits.learning.shared.lock import run_lock
from digits.learning.shared.progress import Report

ROOT = Path(__file__).parents[1]
# The script itself, with the quick preset made smaller still: only sizes differ.
SMALL = """
import sys
from dataclasses import replace
from digits.learning.experiment.config import RunConfig
quick = RunConfig.quick_run
RunConfig.quick_run = lambda **changes: replace(
    quick(**changes), limit=700, camera=0.05, handwritten=20, non_digits=20, **{extra}
)
import train_all
sys.exit(train_all.main(sys.argv[1:]))
"""


WHOLE = ("--models", "cnn_small", "mobilenet_v2", "--imagenet-weights", "none")
ONE_EPOCH = {"frozen_epochs": 1, "last_epochs": 1, "all_epochs": 1}


def start(out, *arguments, extra=None, before=None):
    code = SMALL.replace("{extra}", repr(extra or {}))
    command = [sys.executable, "-c", code, "--quick", "--out", str(out), "--custom", str(out / "custom"), *arguments]
    if out.parent.is_dir():
        (out / "custom").mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": "2"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                            env=environment, preexec_fn=before)


def run(out, *arguments, code=0, **options):
    """Return what a run says on stdout; where it is to end with another code than 0, what it says on stderr."""
    process = start(out, *arguments, **options)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    return stderr if code else stdout


def copy_of_data(source, target):
    """The merged tiles and the camera's tiles of an earlier run, but nothing that was trained."""
    shutil.copytree(source / "merged", target / "merged")
    shutil.copytree(source / "models" / "cache", target / "models" / "cache")
    (target / "custom").mkdir()
    return target


def rows(out):
    """The rows of a run's leaderboard, by model and stage in words."""
    return {row.title: row for row in read_leaderboard(out / "models" / LEADERBOARD)}


def accuracies(out):
    return {title: (row.val_accuracy, row.val_camera_accuracy, row.test_accuracy) for title, row in rows(out).items()}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole run of two networks."""
    out = tmp_path_factory.mktemp("finished")
    return out, run(out, *WHOLE, extra=ONE_EPOCH)


@pytest.fixture
def out(finished, tmp_path):
    """A copy of all that the whole run left."""
    return shutil.copytree(finished[0], tmp_path / "out")


def test_a_run_leaves_networks_leaderboard_figures_and_a_verified_export(finished):
    out, stdout = finished
    stages = "frozen", "last_20", "all_layers", "last_20, with val"
    assert list(rows(out)) == ["cnn_small train", *(f"mobilenet_v2 {stage}" for stage in stages)]
    for name in ("cnn_small", "mobilenet_v2"):
        metrics = json.loads((out / "models" / name / "metrics.json").read_text())
        assert metrics["command"].startswith("python train_all.py --quick") and metrics["versions"]["keras"]
        assert (out / "models" / name / "model.keras").exists() and (out / "models" / name / "history.csv").exists()
    kept = load_results(out / "models" / "results")
    assert list(kept.networks) == ["cnn_small", "mobilenet_v2"]
    for result in kept.networks.values():
        right = result.probabilities["test"].argmax(-1) == kept.labels["test"]
        assert right.mean() == pytest.approx(result.metrics["scores"]["test"]["accuracy"], abs=1.5 / len(right))
    assert len(kept.networks["cnn_small"].history) >= 1 and len(kept.numbers["val"]) == len(kept.labels["val_camera"])
    figures = {path.stem for path in (out / "models" / "figures").glob("*.png")}
    assert {"learning_curves", "confusion_cnn_small", "mistakes", "reliability", "leaderboard_test"} <= figures
    assert "Winner by validation" in stdout and "random" in stdout
    reading, verdict, _ = stdout.splitlines()[-3:]
    right = re.search(r"Reading .*digit_0.jpg, a 0, with .*model\S+: 0 \(\S+\)$", reading)
    assert ("Right. " if right else "Wrong: no surprise after minutes") in verdict, "so small a run may read it wrongly"
    winner = (out / "exports" / "default.txt").read_text().strip()
    assert json.loads((out / "exports" / winner / "card.json").read_text())["name"] == winner
    assert not list(out.rglob("*.tmp-*"))
    assert not (out / "exports" / "trunk").exists(), "one that started from random weights is no better a start"


def test_a_run_says_and_keeps_what_it_took(finished):
    out, stdout = finished
    facts = json.loads((out / "models" / "run.json").read_text())
    assert list(facts["minutes_of"]) == ["data", "cnn_small", "mobilenet_v2", "end"]
    assert 0 < facts["minutes"] < 5 and min(facts["minutes_of"].values()) >= 0
    assert sum(facts["minutes_of"].values()) == pytest.approx(facts["minutes"], abs=0.25), "each is rounded"
    assert facts["peak_gb"] is None if os.name == "nt" else 0.3 < facts["peak_gb"] < 16
    assert facts["from_nothing"] and facts["command"].startswith("python train_all.py --quick")
    assert facts["versions"]["keras"] and facts["device"]
    last = stdout.splitlines()[-1]
    assert f"{facts['peak_gb']} GB" in last and "mobilenet_v2 " in last and last.endswith(f"{facts['minutes']} minutes")


@pytest.mark.parametrize(
    ("name", "arguments", "extra", "stage", "ending"),
    [("cnn_small", ["--seed", "1"], {"release": True}, "train", "-seed1"),
     ("cnn_augmented", ["--no-camera", "--epochs", "1"], {}, "train, no camera", "-no-camera")],
)  # fmt: skip
def test_what_is_trained_to_compare_only_adds_rows_and_renders_no_picture_that_nothing_learns_from(
    finished, tmp_path, name, arguments, extra, stage, ending
):
    out = copy_of_data(finished[0], tmp_path / "out")
    kept = set((out / "models" / "cache").glob("extras-*"))
    stdout = run(out, "--models", name, *arguments, extra=extra)
    assert list(rows(out)) == [f"{name} {stage}"] and "val (clean, camera)" in stdout
    assert (out / "models" / f"{name}{ending}" / "metrics.json").exists() and not (out / "exports").exists()
    assert (out / "models" / "figures" / "leaderboard_test.png").exists(), "its bars show all seeds"
    assert "and 0 made beside them" in stdout and set((out / "models" / "cache").glob("extras-*")) == kept


def test_more_seeds_only_add_rows_to_what_the_first_one_comes_to(finished, tmp_path):
    out = copy_of_data(finished[0], tmp_path / "out")
    stdout = run(out, "--models", "cnn_small", "--seeds", "2", "--epochs", "1")
    first, second = read_leaderboard(out / "models" / LEADERBOARD)
    assert (first.seed, second.seed) == (0, 1) and "(2 of 2)" in stdout and "seed 1" in stdout
    assert first.val_accuracy != second.val_accuracy
    assert {path.parent.name for path in out.glob("models/*/metrics.json")} == {"cnn_small", "cnn_small-seed1"}
    assert [row["seed"] for row in json.loads((out / "exports" / "cnn_small" / "card.json").read_text())["rows"]] == [0]


def test_a_default_judged_on_other_pictures_stays_where_another_network_alone_is_trained(finished, out):
    default = (out / "exports" / "default.txt").read_text()
    table, judged_on = out / "models" / LEADERBOARD, rows(out)["cnn_small train"].judged_on
    table.write_text(table.read_text().replace(judged_on, "before"))
    mistakes = (out / "models" / "figures" / "mistakes.png").read_bytes()
    other = "mobilenet_v2" if default.strip() == "cnn_small" else "cnn_small"
    chosen = ["--models", other, *(["--imagenet-weights", "none"] if other == "mobilenet_v2" else [])]
    stdout = run(out, *chosen, extra=ONE_EPOCH)
    assert f"{other}: done earlier" in stdout and "stays the default: train it again to compare" in stdout
    assert (out / "exports" / "default.txt").read_text() == default
    assert (out / "models" / "figures" / "mistakes.png").read_bytes() == mistakes


def test_a_stage_is_trained_anew_when_the_one_before_it_was(finished, out):
    epochs = {"frozen_epochs": 2, "last_epochs": 1, "all_epochs": 1}
    stdout = run(out, "--models", "mobilenet_v2", "--imagenet-weights", "none", extra=epochs)
    assert "done earlier" not in stdout and stdout.count("last_20 1/1") == 2  # the second is with val
    assert accuracies(out)["mobilenet_v2 last_20"] != accuracies(finished[0])["mobilenet_v2 last_20"]
    metrics = json.loads((out / "models" / "mobilenet_v2" / "metrics.json").read_text())
    assert "val" in metrics["scores"], "the all-layer network has not seen val"
    epochs["all_epochs"] = 0
    stdout = run(out, "--models", "mobilenet_v2", "--imagenet-weights", "none", extra=epochs)
    assert stdout.count("done earlier") == 4 and "last_20 1/1" not in stdout
    metrics = json.loads((out / "models" / "mobilenet_v2" / "metrics.json").read_text())
    assert "test" in metrics["scores"] and "val" not in metrics["scores"], "what was trained on judges nothing"


def test_own_test_pictures_that_come_later_are_read_without_training_again(finished, out):
    picture = ROOT / "data" / "samples" / "digit_7.jpg"
    (out / "custom" / "test" / "7").mkdir(parents=True)
    shutil.copy(picture, out / "custom" / "test" / "7")
    stdout = run(out, *WHOLE, extra=ONE_EPOCH)
    assert "cnn_small: done earlier" in stdout and "mobilenet_v2: done earlier" in stdout
    assert re.search(r"Of your 1 pictures [01] were read before, [01] are read now; 0 of them were learnt from", stdout)
    assert re.search(r"^ *\d+:\d+  test +test +", stdout, re.MULTILINE), "a line a session, and which split it is in"
    misread = "Misread now: test/7/digit_7.jpg as" in stdout
    assert (out / "own_mistakes.png").exists() == misread and not list((out / "models").rglob("own_mistakes.png"))
    read = {row.stage + "+val" * row.with_val: row.own_test_accuracy for row in rows(out).values()}
    assert read["train"] in (0, 1) and read["all_layers"] in (0, 1) and read["last_20+val"] is None
    assert accuracies(out) == accuracies(finished[0])


@pytest.mark.parametrize("arguments", [
    ["--seed", "-1"], ["--seed", "x"], ["--epochs", "0"], ["--models", "resnet"], ["--quick", "--release"],
    ["--teach", "--release"], ["--teach", "--tensorboard", "logs"], ["--no-camera"], ["--seeds", "0"],
    ["--teach", "--seeds", "2"], ["--bundle", "--custom", "class.zip"],
])  # fmt: skip
def test_options_that_make_no_sense_end_it_at_once(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        train_all.main(arguments)
    assert stopped.value.code == 2 and "error: " in capsys.readouterr().err


def test_the_command_line_knows_every_network_before_keras_is_loaded():
    code = "import sys, train_all; train_all.parse(['--models', *train_all.NETWORKS]); sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_cut_off_at_several_points_it_ends_with_the_same_accuracies_and_winner(finished, tmp_path):
    out, kill = tmp_path / "out", signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM
    points = {"to train on": kill, "train 2/": signal.SIGINT, "train 3/": kill, "mobilenet_v2 (2": kill,
              "all_layers 1/1": kill, "last_20 1/1": kill, "Winner": kill}  # fmt: skip
    for text, how in points.items():  # by then the last 20 layers are trained a second time, on train and val
        process = start(out, *WHOLE, extra=ONE_EPOCH)
        for line in process.stdout:
            if text in line:
                process.send_signal(how)
                break
        else:
            pytest.fail(f"it ended without {text}: {process.stderr.read()}")
        rest, _ = process.communicate()
        if how == signal.SIGINT:
            assert process.returncode == 130 and "goes on from here" in rest
    half = out / "models" / "cnn_small" / ".tmp-1-model.keras"
    half.write_bytes(b"half")
    stdout = run(out, *WHOLE, extra=ONE_EPOCH)
    assert "cnn_small: done earlier" in stdout and "mobilenet_v2: done earlier" in stdout and not half.exists()
    assert not json.loads((out / "models" / "run.json").read_text())["from_nothing"]
    assert accuracies(out) == accuracies(finished[0])
    assert (out / "exports" / "default.txt").read_text() == (finished[0] / "exports" / "default.txt").read_text()
    assert not list(out.rglob("*.tmp-*"))


def test_a_second_run_on_the_same_folder_says_so_and_stops(tmp_path):
    with run_lock(tmp_path / "models"):
        stderr = run(tmp_path, "--models", "cnn_small", code=1)
    assert "another run" in stderr and stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "--out" in run(tmp_path / "file" / "out", code=1)


@pytest.mark.skipif(os.name == "nt", reason="limits the size of files the POSIX way")
def test_no_room_left_is_one_sentence_and_no_torn_file(finished, tmp_path):
    import resource

    out = copy_of_data(finished[0], tmp_path / "out")
    limit = 300_000  # bytes a file may have: less than a network needs
    stderr = run(out, "--models", "cnn_small", code=1,
                 before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))  # fmt: skip
    assert "--out" in stderr and str(out / "models") in stderr
    assert not list(out.rglob("*.tmp-*")) and not list(out.rglob("*.state.npz"))


def test_a_picture_in_which_nothing_is_found_ends_the_run_with_1(released_export):
    blank = Sample("a blank page", np.full((96, 96, 3), 250, np.uint8), 3)
    with pytest.raises(RunError, match="Nothing was found in a blank page, which shows a 3"):
        train_all.read_sample(released_export, blank, True, Report())


def test_a_device_without_memory_left_is_one_sentence(monkeypatch, capsys):
    out_of_memory = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\nmany lines more")
    monkeypatch.setattr(train_all, "run_all", Mock(side_effect=out_of_memory))
    assert train_all.main(["--quick"]) == 1
    assert capsys.readouterr().err == "TensorFlow says: OOM when allocating\n"
