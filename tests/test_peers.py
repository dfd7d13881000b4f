"""The comparison with peers: who is installed is measured on the same pictures, who is not is named."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from loading import load

pytest.importorskip("keras")

ROOT = Path(__file__).resolve().parents[1]


def run(folder, *arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGITS_REAL_")}
    command = [sys.executable, "benchmarks/peers.py", "--work", folder / "work", "--out", folder / "peers.json"]
    return subprocess.run([*command, "--minutes", "1", *arguments], cwd=ROOT, env=environment | variables,
                          capture_output=True, text=True)  # fmt: skip


def test_this_project_is_measured_and_a_peer_that_is_not_installed_is_named(tmp_path):
    for split in ("train", "val", "test"):
        place = tmp_path / "merged" / split / "1"
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "mnist_a.png"), cv2.line(np.zeros((96, 96), np.uint8), (48, 14), (48, 82), 255, 9))
    options = "--python", tmp_path / "no-python", "--only", "ours", "whole_frame", "fastai", "--merged"
    refused = run(tmp_path, *options, tmp_path / "nothing")
    assert refused.returncode == 2 and "holds no tiles; run python train_all.py" in refused.stderr
    (tmp_path / "merged" / "index.csv").write_text("path\n")
    done = run(tmp_path, *options, tmp_path / "merged")
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads((tmp_path / "peers.json").read_text(encoding="utf-8"))
    assert facts["left_out"] == {"fastai": "not installed, see benchmarks/peers-requirements.txt"}
    assert facts["tiles"] == 1 and facts["pictures_are"].startswith("rendered")
    ours, whole = facts["contestants"]["ours"], facts["contestants"]["whole_frame"]
    assert ours["photos"]["images"] == 10 and ours["photos"]["accuracy"] > 0.8 and ours["pages"]["pictures"] == 3
    assert ours["letters"]["read"] < whole["letters"]["read"] == 100, "a classifier names a digit whatever it sees"
    assert len(whole["examples"]["page"]) == 1 < len(ours["examples"]["page"])
    assert whole["tiles"] == {"images": 1, "accuracy": 1.0}
    assert all(one["ms_photo"] > 0 and one["size_mb"] > 0 for one in (ours, whole))


def test_the_requirements_name_what_the_contestants_need():
    contestants = load("benchmarks/contestants.py")
    lines = (ROOT / "benchmarks" / "peers-requirements.txt").read_text(encoding="utf-8").splitlines()
    named = {line.partition(">=")[0] for line in lines if line and not line.startswith("#")}
    assert {kind.package for kind in contestants.CONTESTANTS.values() if kind.package} <= named
    assert contestants.digits_of("7 apples, ٣ pears, 12") == [7, 1, 2]
