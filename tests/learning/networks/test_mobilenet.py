"""MobileNetV2: stages touch what they should, stored features agree with the network, the trunk survives saving."""

import os

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from digits.learning.networks import mobilenet
from digits.learning.networks.mobilenet import LAST_LAYERS, build_mobilenet_v2, head, set_trainable, tail, trunk_layers
from digits.learning.shared.errors import RunError
from digits.learning.training.feature_store import FeatureStore
from digits.learning.training.feed import block_feed, one_hot, pooled_feed, predict, tile_feed
from digits.learning.training.fit import Job, fit_stage
from digits.learning.training.stages import Stage
from digits.reading.tile import to_input

RNG = np.random.default_rng(3)
TILES = RNG.integers(0, 256, (24, 96, 96)).astype(np.uint8)
TARGETS = one_hot(np.arange(24) % 10)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    model = build_mobilenet_v2()
    mobilenet.settle_batch_norms(model, TILES)
    return model


@pytest.fixture(scope="module")
def store(model, tmp_path_factory):
    return FeatureStore(tmp_path_factory.mktemp("store"), model)


def snapshot(model):
    return {variable.path: variable.numpy() for variable in model.variables if "seed" not in variable.path}


def changed(before, model):
    return {path for path, value in snapshot(model).items() if not np.array_equal(value, before[path])}


def batch_norms(model):
    return [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]


def test_the_last_twenty_layers_follow_the_stored_one(model):
    names = [layer.name for layer in trunk_layers(model)]
    assert len(names) == 153  # MobileNetV2's 154 layers less its input
    assert names.index(mobilenet.FROZEN_END) == len(names) - LAST_LAYERS - 1


def test_stored_features_give_what_the_whole_network_gives(model, store):
    rows = store.rows(TILES)
    whole = predict(model, tile_feed(TILES, TARGETS))
    by_blocks = predict(tail(model), block_feed(store, rows, TARGETS))
    by_pooled = predict(head(model), pooled_feed(store, rows, TARGETS))
    np.testing.assert_allclose(by_blocks, whole, atol=2e-3)
    np.testing.assert_allclose(by_pooled, whole, atol=2e-3)


def test_store_computes_only_what_is_new_and_forgets_half_written_rows(model, store, tmp_path):
    store.rows(TILES)
    known = store.blocks.shape[0]
    with open(store.folder / "block_14_add.f16", "ab") as file:
        file.write(b"cut off by kill -9")
    again = FeatureStore(store.folder.parent, model)
    compute, again._run = again._run, None  # would fail if anything were computed
    assert again.blocks.shape == (known, 3, 3, 160)
    assert list(again.rows(TILES[::-1])) == list(store.rows(TILES))[::-1]
    again._run, new = compute, TILES[:2, ::-1].copy()
    rows, fresh = again.rows(new), FeatureStore(tmp_path, model)
    assert rows.tolist() == [known, known + 1]
    np.testing.assert_array_equal(again.blocks[rows], fresh.blocks[fresh.rows(new)])


@pytest.mark.parametrize(("last", "part", "feed"), [(0, head, pooled_feed), (LAST_LAYERS, tail, block_feed)])
def test_a_stage_changes_the_head_and_its_last_layers_but_no_batch_norm(model, store, tmp_path, last, part, feed):
    before, train = snapshot(model), feed(store, store.rows(TILES), TARGETS)
    set_trainable(model, last)
    fit_stage(part(model), Stage("stage", 1, 1e-2, batch=8), train, None, Job(tmp_path, 0, "k"))
    learning = [layer for layer in trunk_layers(model)[-LAST_LAYERS:] if last and layer not in batch_norms(model)]
    of_trunk = {variable.path for layer in learning for variable in layer.variables}
    assert len(of_trunk) == (7 if last else 0)  # expand, depthwise, project of blocks 15 and 16, and Conv_1
    assert changed(before, model) == of_trunk | {path for path in before if path.startswith(("dense_128", "proba"))}


def test_signals_of_random_weights_do_not_fade(model):
    probabilities = model.predict_on_batch(to_input(TILES))
    assert probabilities.std(axis=0).max() > 1e-3  # else every tile would get the same answer
    assert {layer.momentum for layer in batch_norms(model)} == {0.999}


def test_all_layers_leave_batch_norms_alone(model):
    set_trainable(model, last=None)
    assert [layer for layer in model.layers if layer.variables and not layer.trainable] == batch_norms(model)


def test_trunk_survives_saving(model, tmp_path):
    path = mobilenet.save_trunk(model, tmp_path / "trunk" / "trunk.npz")
    assert path.stat().st_size < 5_000_000
    other = build_mobilenet_v2(path)
    for ours, theirs in zip(mobilenet.trunk_variables(model), mobilenet.trunk_variables(other), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-6)


def test_a_file_of_other_weights_is_one_sentence(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(RunError, match="MobileNetV2"):
        build_mobilenet_v2(tmp_path / "other.npz")


def test_imagenet_weights_file_is_taken():
    path = os.environ.get("DIGITS_IMAGENET_WEIGHTS")
    if not path:
        pytest.skip("DIGITS_IMAGENET_WEIGHTS is not set")
    model = build_mobilenet_v2(path)
    assert float(np.abs(model.get_layer("Conv_1").variables[0].numpy()).mean()) > 0.05  # random: 0.03
