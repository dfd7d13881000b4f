"""What a run leaves for people: rows that replace their like, means over seeds, figures from arrays."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digits.learning.experiment import metrics, plots
from digits.learning.experiment.leaderboard import (
    LEADERBOARD,
    Row,
    chosen,
    over_seeds,
    read_leaderboard,
    update_leaderboard,
    winner,
)
from digits.learning.experiment.report import _doubt, _what_people_say
from digits.learning.experiment.run import Outcome
from digits.learning.export.outcome import sample_photograph
from digits.learning.networks.registry import FROM_DIGITS, NETWORKS, Origin
from digits.learning.shared.errors import RunError

RNG = np.random.default_rng(4)


def row(model="cnn_small", seed=0, test=0.98, **more):
    return Row(**{"model": model, "stage": "train", "seed": seed, "images": 100, "test_accuracy": test} | more)


def test_a_row_replaces_that_of_the_same_run_and_no_other(tmp_path):
    path = tmp_path / "models" / LEADERBOARD
    update_leaderboard(path, [row(), row(seed=1)])
    table = update_leaderboard(path, [row(test=0.99), row(model="cnn_deep")])
    assert [(r.model, r.seed, r.test_accuracy) for r in table] == [
        ("cnn_small", 0, 0.99), ("cnn_small", 1, 0.98), ("cnn_deep", 0, 0.98),
    ]  # fmt: skip
    stages = [row(stage="frozen"), row(stage="last_20"), row(no_camera=True)]
    table = update_leaderboard(path, [stages[2]]) and update_leaderboard(path, stages[:2])
    assert [(r.stage, r.seed, r.no_camera) for r in table] == [
        ("frozen", 0, False), ("last_20", 0, False), ("train", 1, False), ("train", 0, False), ("train", 0, True),
    ], "a new training leaves no stage of the old one"  # fmt: skip
    assert path.read_text().splitlines()[0].startswith("model,stage,seed,no_camera,with_val,")
    assert update_leaderboard(path, []) == table  # what is written is read back alike


def test_earlier_tables_are_read_and_damaged_ones_named(tmp_path):
    path = tmp_path / LEADERBOARD
    path.write_text('model,stage,seed,judged_on\n'
                    'cnn_small,"train, no camera",0,1234567\nmobilenet_v2,last_20+val,0,1e5\n')  # fmt: skip
    first, second = read_leaderboard(path)
    assert (first.stage, first.no_camera, first.with_val, first.judged_on) == ("train", True, False, "1234567")
    assert (second.stage, second.no_camera, second.with_val, second.judged_on) == ("last_20", False, True, "1e5")
    for damaged in ("model,stage\ncnn_small\n", "model,seed\ncnn_small,0\n", "model,stage,seed,weights\na,b,0,hope\n"):
        path.write_text(damaged)
        with pytest.raises(RunError, match="is no leaderboard"):
            update_leaderboard(path, [row()])
        assert path.read_text() == damaged


def test_an_edited_network_keeps_its_earlier_row_beside_the_new_one(tmp_path):
    path = tmp_path / LEADERBOARD
    judged = {"val_accuracy": 0.9, "val_camera_accuracy": 0.9, "judged_on": "today"}
    before = row(**judged | {"val_accuracy": 0.99}, network="11112222", commit="abc")
    update_leaderboard(path, [before], keep_edited=True)
    edited = row(**judged, network="33334444", commit="abc+")
    table = update_leaderboard(path, [edited], keep_edited=True)
    assert table == [replace(before, superseded=True), edited] == read_leaderboard(path)
    assert [line.title for line in table] == ["cnn_small train (commit abc)", "cnn_small train"]
    assert len(over_seeds(table, "test_accuracy")) == 2, "before and after are no two seeds of one network"
    assert chosen(table, 0, "today") == "cnn_small" and chosen(table[:1], 0, "today") is None
    assert replace(edited, superseded=True).title == "cnn_small train (edited, 3333)"
    again = replace(before, test_accuracy=0.5)
    table = update_leaderboard(path, [again], keep_edited=True)
    assert table == [replace(edited, superseded=True), again], "what is trained again is there once"
    assert update_leaderboard(path, [edited]) == [edited], "a release keeps what it released"


def test_what_started_from_digits_says_so_wherever_it_is_named():
    shipped = row("mobilenet_v2", weights=Origin.SHIPPED, remark=FROM_DIGITS, val_accuracy=0.99,
                  val_camera_accuracy=0.99)  # fmt: skip
    other = row("cnn_deep", val_accuracy=0.9, val_camera_accuracy=0.9)
    outcomes = {line.model: Outcome(None, [line], [], {}, {}) for line in (shipped, other)}
    assert _doubt(outcomes, "mobilenet_v2") == (
        ", which starts from digits: no evidence for transfer; "
        "the best that learnt digits here alone: cnn_deep (0.9000)"
    )
    assert _doubt(outcomes, "cnn_deep") == "" and shipped.title == "mobilenet_v2 train, starts from digits"


def test_mean_and_range_over_seeds():
    found = over_seeds([row(test=0.97), row(seed=1, test=0.99), row(seed=2, test=None)], "test_accuracy")
    assert found == {"cnn_small train": (pytest.approx(0.98), 0.97, 0.99, 2)}


def test_winner_is_chosen_by_validation_alone():
    assert winner({"cnn_small": 0.97, "mobilenet_v2": 0.99, "cnn_deep": 0.99}) == "mobilenet_v2"


def test_a_leaderboard_chooses_among_last_stages_of_one_seed_that_had_the_camera():
    def judged(model, clean, camera, **more):
        return row(model, val_accuracy=clean, val_camera_accuracy=camera, **more)

    table = [judged("cnn_deep", 0.99, 0.95), judged("mobilenet_v2", 0.9, 0.9, stage="frozen"),
             judged("mobilenet_v2", 0.98, 0.97, stage="last_20"), row("mobilenet_v2", stage="last_20", with_val=True),
             judged("cnn_small", 0.99, 0.99, no_camera=True), judged("cnn_small", 0.99, 0.99, seed=1)]
    table = [replace(line, judged_on="today") for line in table]
    others = [judged("cnn_deep", 1.0, 1.0, judged_on="before")]
    assert chosen(others + table, 0, "today") == "mobilenet_v2"
    assert chosen(others + table, 0, "before") == "cnn_deep"
    assert chosen(table[-2:-1], 0, "today") is None


def test_a_sample_photograph_that_ships_is_taken(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "digit_6.png"), np.full((40, 50, 3), 200, np.uint8))
    (tmp_path / "digit_1.txt").write_text("no picture")
    sample = sample_photograph(tmp_path)
    assert sample.name.endswith("digit_6.png") and sample.frame.shape == (40, 50, 3) and sample.digit == 6


def test_figures_can_be_saved_without_a_screen(tmp_path):
    probabilities = RNG.dirichlet(np.ones(10), 60)
    labels = RNG.integers(0, 10, 60)
    tiles = RNG.integers(0, 256, (11, 96, 96)).astype(np.uint8)
    history = [{"loss": 1.0, "val_loss": 1.0, "val_accuracy": 0.9}, {"loss": 0.5}]
    reliability = metrics.reliability(probabilities, labels)
    for figure in (
        plots.learning_curves({"cnn_small": history, "another": history}),
        plots.confusion_matrix(metrics.confusion(probabilities, labels), "title"),
        plots.leaderboard_bars([row(), row(seed=1, test=0.97), row("cnn_deep")], "test_accuracy", "title"),
        plots.leaderboard_bars([row()], "val_accuracy", "nothing to show"),
        plots.mistakes_gallery(tiles, labels[:11], probabilities[:11], "title", ["no. 1"] * 11),
        plots.mistakes_gallery(tiles[:0], labels[:0], probabilities[:0], "no mistakes"),
        plots.reliability_diagram({"as trained": reliability, "scaled": reliability}, "cnn_small"),
        plots.rejection_figure(*metrics.rejection_curve(probabilities, labels), "cnn_small"),
    ):
        figure.savefig(tmp_path / "figure.png")
        assert (tmp_path / "figure.png").stat().st_size > 3000


def test_a_mistake_says_which_image_it_is_and_whether_people_doubt_its_label():
    assert _what_people_say("test/8/mnist_test_00947.png") == "no. 947, people: 9"
    assert _what_people_say("test/8/mnist_test_00948.png") == "no. 948"


def test_one_colour_a_model():
    colours = {plots.colour(name) for name in NETWORKS}
    assert len(colours) == len(NETWORKS) and plots.colour("another") not in colours
