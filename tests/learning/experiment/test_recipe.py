"""What names a training: an edited layer, another stage or other data do; a name that Keras counts up does not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from keras import layers

from digits.learning.data import augmentation
from digits.learning.experiment import recipe
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import Examples
from digits.learning.networks import baselines
from digits.learning.networks.imagenet import Weights
from digits.learning.networks.registry import NETWORKS
from digits.learning.training import stages


def run(**changes):
    examples = Examples(np.zeros((700, 96, 96), np.uint8), np.zeros((700, 10), np.float32))
    data = SimpleNamespace(train=examples, fitted=examples, key="all", plain_key="plain")
    return SimpleNamespace(config=RunConfig(**changes), data=data, weights=Weights(None, "random"))


def test_names_differ_from_network_to_network_and_seed_to_seed_and_are_the_same_each_time():
    first, again = ([recipe.training_key(name, run(seed=seed)) for name in NETWORKS for seed in (0, 1)] for _ in "ab")
    assert len(set(first)) == 2 * len(NETWORKS) and again == first


def wider(x):
    return baselines.layers.Dense(10, activation="softmax", name="probabilities")(layers.Dense(9)(x))


EDITS = {
    "a layer": lambda patch: patch.setattr(baselines, "probabilities", wider),
    "a stage": lambda patch: patch.setattr(stages, "PLAIN", replace(stages.PLAIN, learning_rate=1e-3)),
    "the rule": lambda patch: patch.setattr(recipe, "_RULE", -1),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_edited_is_trained_anew(edit, monkeypatch):
    before = recipe.training_key("cnn_small", run())
    EDITS[edit](monkeypatch)
    assert recipe.training_key("cnn_small", run()) != before


def test_networks_that_learn_from_tiles_as_they_are_do_not_mind_the_augmentation(monkeypatch):
    before = {name: recipe.data_key(name, run()) for name in NETWORKS}
    monkeypatch.setattr(recipe, "AUGMENTATION_VERSION", augmentation.AUGMENTATION_VERSION + 1)
    same = {name for name in NETWORKS if recipe.data_key(name, run()) == before[name]}
    assert same == {name for name, network in NETWORKS.items() if not network.learns_from_rendered}
