"""The last layers fitted again on new pictures: seconds where training takes hours.

What the network knew is kept by showing the head, beside the new pictures, the features of thousands of old ones with
what the network itself said of them as targets (learning without forgetting, Li and Hoiem 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digits.learning.data.augmentation import geometric
from digits.learning.data.rendered_tiles import camera_tiles
from digits.learning.teaching.kept_features import KeptFeatures, smooth
from digits.learning.teaching.last_layers import CutNetwork, Recipe, Trunk, values
from digits.learning.training.feed import one_hot
from digits.learning.training.fit import assign

# Augmented versions of each new picture: as many as the budget of 20 s allows, 1 to 12; computing the features of
# 3,000 tiles takes 2 to 3 s, photographing 200 tiles 2 s.
_VERSIONS, _GEOMETRIC_TILES, _CAMERA_TILES = 12, 3000, 200
MAY_FALL = 0.0005  # of the accuracy on calibration tiles, clean and after the camera: 1 of 2,000


@dataclass(frozen=True)
class Versions:
    """New pictures as they are and in augmented versions: features float16 (V, F), labels (V,).

    `of` int (V,) says of which picture each row is; row i < number of pictures is picture i itself.
    """

    features: np.ndarray
    labels: np.ndarray
    of: np.ndarray

    def select(self, pictures: np.ndarray) -> Versions:
        """Return the rows of the pictures that `pictures`, bool (P,), picks; not renumbered."""
        rows = pictures[self.of]
        return Versions(self.features[rows], self.labels[rows], self.of[rows])


def make_versions(tiles: np.ndarray, labels: np.ndarray, trunk: Trunk, seed: int) -> Versions:
    """Return the features of new tiles uint8 (P, 96, 96), and of each as other hands and cameras might give it."""
    rng, pictures = np.random.default_rng([seed, 11]), np.arange(len(tiles))
    turns = int(np.clip(_GEOMETRIC_TILES // max(len(tiles), 1), 1, _VERSIONS))
    turned = np.repeat(pictures, turns)
    written = geometric(tiles[turned], rng)
    shot = rng.permutation(np.repeat(pictures, 3))[:_CAMERA_TILES]
    made = np.concatenate([tiles, written, camera_tiles(list(tiles[shot]), seed, 1.0)])
    of = np.concatenate([pictures, turned, shot])
    return Versions(trunk.features(made), np.asarray(labels)[of], of)


def refit(network: CutNetwork, kept: KeptFeatures, new: Versions, recipe: Recipe, seed: int) -> None:
    """Fit the head, from the weights it came with, on kept and new features together."""
    weight = min(recipe.share * len(kept.features) / max(len(new.labels), 1), recipe.most)
    features = np.concatenate([kept.features, new.features])
    targets = np.concatenate([kept.targets, smooth(one_hot(new.labels))])
    weights = np.concatenate([np.ones(len(kept.features), np.float32), np.full(len(new.labels), weight, np.float32)])
    network.fit(features, targets, weights, recipe, seed)


def refit_safely(network: CutNetwork, kept: KeptFeatures, new: Versions, seed: int) -> float:
    """Fit the head; go back towards the old one as far as the calibration tiles ask for.

    Returns:
        Which share of the way the new head is from the old one; 0 if any step costs too much.
    """
    network.reset()
    before = _right(network, kept)
    refit(network, kept, new, Recipe(), seed)
    fitted = values(network.head.variables)
    allowed = int(MAY_FALL * len(kept.calibration_labels) / 2 + 1e-9)
    for share in (1.0, 0.5, 0.25):
        assign(network.head.variables, fitted)
        network.blend(share)
        if all(now >= then - allowed for now, then in zip(_right(network, kept), before, strict=True)):
            return share
    network.reset()
    return 0.0


def calibration_accuracy(network: CutNetwork, kept: KeptFeatures) -> tuple[float, float]:
    """Return the accuracy of the head as it is now on the calibration tiles, clean and after the camera."""
    half = len(kept.calibration_labels) // 2
    return tuple(right / half for right in _right(network, kept))


def _right(network: CutNetwork, kept: KeptFeatures) -> tuple[int, int]:
    right = network.probabilities(kept.calibration).argmax(axis=1) == kept.calibration_labels
    half = len(right) // 2
    return int(right[:half].sum()), int(right[half:].sum())
