"""What released networks said: kept whole, compared only on the same pictures, and true of what ships."""

from types import SimpleNamespace

import numpy as np
import pytest
from loading import ROOT

pytest.importorskip("tensorflow")

from digits.learning.data.merged_folder import Tiles
from digits.learning.experiment.results import DOMAINS, keep_pictures, keep_result, load_results
from digits.learning.shared.errors import RunError

METRICS = {"config": {"custom_dir": "/here/Ana", "limit": 7},
           "rows": [{"model": "cnn_small", "stage": "train", "seed": 0, "val_accuracy": 1.0,
                     "val_camera_accuracy": 0.5}]}  # fmt: skip


def data(judged_on="a"):
    """Three val pictures, the last one a user's own, and two test pictures."""
    names = np.array(["val/4/mnist_train_00002.png", "val/1/mnist_train_00024.png", "val/7/custom_Ana_0123abcd.png"])
    val = Tiles(np.zeros((3, 96, 96), np.uint8), np.array([4, 1, 7], np.uint8), np.array(["mnist", "mnist", "custom"]),
                np.array(["train", "train", "Ana"]), names)  # fmt: skip
    test = Tiles(np.zeros((2, 96, 96), np.uint8), np.array([7, 2], np.uint8), np.array(["mnist"] * 2),
                 np.array(["test"] * 2), np.array([f"test/7/mnist_test_0000{i}.png" for i in range(2)]))  # fmt: skip
    return SimpleNamespace(val=val, test=test, judged_on=judged_on)


def kept(place, judged_on="a"):
    keep_pictures(place, data(judged_on))
    probabilities = {"val": np.eye(10)[[4, 1, 7]], "val_camera": np.eye(10)[[4, 1, 1]], "test": np.eye(10)[[7, 2]],
                     "calibration": np.eye(10)}  # fmt: skip
    keep_result(place / "cnn_small", probabilities, METRICS, b"stage,epoch,loss\ntrain,1,0.5\n")


def test_what_is_kept_is_read_again_and_names_nobody(tmp_path):
    kept(tmp_path)
    results = load_results(tmp_path)
    network = results.networks["cnn_small"]
    assert list(network.probabilities) == list(DOMAINS) and network.row.choice == 0.75
    assert network.history == [{"stage": "train", "epoch": 1, "loss": 0.5}]
    assert results.numbers["val_camera"].tolist() == [2, 24, -1] and results.numbers["test"].tolist() == [0, 1]
    right = network.probabilities["val_camera"].argmax(1) == results.labels["val_camera"]
    assert right.tolist() == [True, True, False]
    assert network.metrics["config"] == {"limit": 7}
    assert not [path for path in tmp_path.rglob("*.*") if b"Ana" in path.read_bytes()]


def test_results_on_other_pictures_go(tmp_path):
    kept(tmp_path)
    keep_pictures(tmp_path, data())
    assert list(load_results(tmp_path).networks) == ["cnn_small"]
    keep_pictures(tmp_path, data("b"))
    assert not load_results(tmp_path).networks


def test_none_are_a_sentence(tmp_path):
    with pytest.raises(RunError, match=r"run python train_all\.py --release"):
        load_results(tmp_path)


def test_shipped_results_are_those_of_their_metrics_on_the_same_pictures():
    place = ROOT / "models" / "results"
    results = load_results(place)
    with np.load(place / "pictures.npz") as file:
        judged_on = str(file["judged_on"])
    assert {"cnn_compact", "mobilenet_v2"} <= set(results.networks)
    for network in results.networks.values():
        assert network.row.judged_on == judged_on
        for domain, found in network.probabilities.items():
            right = (found.argmax(1) == results.labels[domain]).mean()
            told = network.metrics["scores"][domain]["accuracy"]
            assert right == pytest.approx(told, abs=1.5 / len(found)), (network.name, domain)
