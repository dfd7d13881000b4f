"""Stages: what is kept, what counts, and a cut-off run that ends like one that was not cut."""

import gc
import shutil
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from digits.files import replacing
from digits.learning.networks.inputs import tiles_to_input
from digits.learning.shared.errors import RunError
from digits.learning.shared.progress import Report
from digits.learning.training.feed import Feed, one_hot, predict
from digits.learning.training.fit import DigitAccuracy, Job, best_epoch, fit_stage, importlib, require_tensorboard, tf
from digits.learning.training.precision import _half_precision, full_precision
from digits.learning.training.stages import Stage

RNG = np.random.default_rng(5)
LABELS = np.arange(120) % 10
INPUTS = (RNG.normal(0, 0.4, (120, 16)) + np.eye(10)[LABELS] @ RNG.normal(size=(10, 16))).astype(np.float16)
TRAIN = Feed(INPUTS[:90], one_hot(LABELS[:90]), lambda x: tf.cast(x, "float32"))
VAL = Feed(INPUTS[90:], one_hot(LABELS[90:]), TRAIN.prepare)
STAGE = Stage("small", epochs=6, learning_rate=0.02, batch=16, warmup_epochs=0.5, clip=1.0, label_smoothing=0.05)


def small_model():
    keras.utils.set_random_seed(2)
    hidden = [keras.layers.Dense(16, "relu"), keras.layers.Dropout(0.3)]
    return keras.Sequential([keras.Input((16,)), *hidden, keras.layers.Dense(10, "softmax")])


class KilledError(Exception):
    pass


def kill_after(epochs):
    """A report that ends the run with the line that so many epochs have."""
    return Mock(side_effect=[None] * (epochs - 1) + [KilledError], spec=[])


def train(folder, stage=STAGE, val=VAL, report=None, key="k"):
    model = small_model()
    history = fit_stage(model, stage, TRAIN, val, Job(folder, 7, key, report or Report()))
    return predict(model, VAL), history


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder, probabilities and history of a stage that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *train(folder)


@pytest.mark.parametrize("epochs", [1, 3, 5])
def test_a_run_cut_off_ends_like_one_that_was_not(whole, tmp_path, epochs):
    with pytest.raises(KilledError):
        train(tmp_path, report=kill_after(epochs))
    (tmp_path / ".tmp-1-small.state.npz").write_bytes(b"torn")
    probabilities, history = train(tmp_path)
    np.testing.assert_array_equal(probabilities, whole[1])
    assert [row["val_accuracy"] for row in history] == [row["val_accuracy"] for row in whole[2]]


def test_what_is_done_is_not_done_again_unless_something_changed_or_is_torn(whole, tmp_path):
    folder, probabilities, history = shutil.copytree(whole[0], tmp_path / "copy"), *whole[1:]
    again, same = train(folder)
    np.testing.assert_array_equal(again, probabilities)
    assert same == history  # seconds too: nothing was trained
    _, other = train(folder, key="other data")
    assert other != history
    (folder / "small.state.npz").write_bytes(b"PK\x03\x04 torn")
    again, anew = train(folder)
    np.testing.assert_array_equal(again, probabilities)
    assert anew != other


def test_without_validation_the_last_epoch_is_kept(tmp_path):
    _, history = train(tmp_path, val=None)
    assert len(history) == 6 and best_epoch(history) == 6


def test_every_row_is_seen_once_an_epoch_and_the_order_is_the_epochs_own():
    marked = Feed(np.arange(10, dtype=np.float16)[:, None], one_hot(np.zeros(10)), TRAIN.prepare)

    def epoch(first, batches=4):
        feed = marked.epochs(3, 1, first)
        return np.concatenate([next(feed)[0] for _ in range(batches)]).ravel()

    assert sorted(epoch(0)) == list(range(10))  # the last, short batch counts too
    assert list(epoch(0)) != list(epoch(1))
    assert list(epoch(0, 8)[10:20]) == list(epoch(1))


ON_TWO_DEVICES = """
import sys
import tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
import test_training as here
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    probabilities, history = here.train(here.Path(sys.argv[1]))
right = (probabilities.argmax(-1) == here.LABELS[90:]).mean()
print(len(history), len(probabilities), right)
"""


def test_a_stage_is_trained_on_two_devices_at_once(tmp_path):
    """As on two GPUs, which few machines have: weights mirrored, batches shared out."""
    done = subprocess.run([sys.executable, "-c", ON_TWO_DEVICES, str(tmp_path)], cwd=Path(__file__).parent,
                          capture_output=True, text=True, check=True)  # fmt: skip
    epochs, rows, right = done.stdout.split()[-3:]
    assert (epochs, rows) == ("6", "30") and float(right) > 0.8


@pytest.mark.parametrize(
    ("capabilities", "policy"),
    [([(8, 0)] * 2, "mixed_bfloat16"), ([(7, 5)], "mixed_float16"), ([(7, 5)] * 2, None), ([(8, 6), (7, 5)], None)],
)
def test_several_gpus_never_scale_gradients(capabilities, policy, monkeypatch):
    monkeypatch.setattr("digits.learning.training.precision._capability", lambda gpu: gpu)
    assert _half_precision(capabilities) == policy


def test_on_gpus_batches_are_larger_and_the_rate_grows_with_their_root(monkeypatch):
    from digits.learning.experiment import train

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "two"])
    stage = train._for_device(STAGE)
    assert stage.batch == 8 * STAGE.batch and stage.learning_rate == pytest.approx(8**0.5 * STAGE.learning_rate)


def test_stops_early_with_the_best_weights_and_shows_the_progress_of_the_whole_stage(tmp_path):
    shown = Mock()
    probabilities, history = train(tmp_path, replace(STAGE, epochs=30, patience=2), report=shown)
    assert len(history) - best_epoch(history) == 2
    accuracy = (probabilities.argmax(-1) == LABELS[90:]).mean()
    assert accuracy == pytest.approx(max(row["val_accuracy"] for row in history)) and accuracy > 0.6
    assert accuracy == pytest.approx(history[best_epoch(history) - 1]["val_accuracy"])
    titles, done, totals = zip(*(call.args for call in shown.advance.call_args_list), strict=True)
    assert set(titles) == {"small"} and set(totals) == {30 * 6}
    assert list(done) == sorted(done) and done[-2] == 6 * len(history) < done[-1] == 30 * 6


def test_augmentation_is_anew_each_epoch():
    batches = replace(TRAIN, augment=lambda x, rng: 0 * x + rng.random(x.shape)).epochs(90, 1, 0)
    assert not np.array_equal(next(batches)[0], next(batches)[0])


def test_rows_that_are_no_digit_do_not_count_in_accuracy():
    accuracy = DigitAccuracy()
    targets = np.array([one_hot([3])[0], np.full(10, 0.1)], np.float32)
    accuracy.update_state(targets, one_hot([3, 5]))
    assert float(accuracy.result()) == 1.0


def test_nothing_half_written_takes_the_place_of_a_file(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("whole")
    with pytest.raises(KilledError), replacing(path) as beside:
        beside.write_text("half")
        raise KilledError
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"] and path.read_text() == "whole"


def test_tiles_become_the_contracts_input():
    from digits.reading.tile import to_input

    tiles = RNG.integers(0, 256, (3, 96, 96)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(tiles_to_input(tiles)), to_input(tiles))


def test_tensorboard_logs_hold_every_epoch(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    job = Job(tmp_path / "net", 7, "k", logs=tmp_path / "logs")
    history = fit_stage(small_model(), Stage("train", 2, 1e-3, batch=16), TRAIN, VAL, job)
    read = EventAccumulator(str(tmp_path / "logs" / "net-train")).Reload()
    steps = {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in read.Tensors("val_accuracy")}
    assert steps == pytest.approx({row["epoch"]: row["val_accuracy"] for row in history})


def test_without_tensorboard_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match="pip install tensorboard"):
        require_tensorboard(tmp_path)


def test_images_are_let_go_after_a_stage(tmp_path):
    feed = replace(TRAIN, inputs=INPUTS.copy())
    alive = weakref.ref(feed.inputs)
    fit_stage(small_model(), STAGE, feed, VAL, Job(tmp_path, 7, "k"))
    del feed
    gc.collect()
    assert alive() is None


def test_what_was_trained_in_half_precision_is_judged_in_full():
    keras.config.set_dtype_policy("mixed_bfloat16")
    half = small_model()
    keras.config.set_dtype_policy("float32")
    full = small_model()
    full.set_weights(half.get_weights())
    rough, exact = predict(half, VAL), predict(full, VAL)
    with full_precision(half):
        assert np.array_equal(predict(half, VAL), exact)
    assert np.array_equal(predict(half, VAL), rough) and not np.array_equal(rough, exact)
