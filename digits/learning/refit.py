"""A trained network cut in two: a trunk whose features are computed once and kept, a head that is fitted again.

    tile (96, 96, 3) -> trunk: everything up to the dense layers at the end -> features (F)     stays as it is
                     -> head: those dense layers -> probabilities (10)                          fitted again

That takes seconds where training takes hours. What the network knew is kept by showing the head, beside the new
pictures, the features of thousands of old ones with what the network itself said of them as targets (learning without
forgetting, Li and Hoiem 2016).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.learning.atomic import replacing
from digits.learning.augment import Extras, camera_tiles, enrich, rendered_by
from digits.learning.config import CLASSES
from digits.learning.dataset import Tiles
from digits.learning.hands import geometric
from digits.learning.keras_files import flatten
from digits.learning.progress import titled
from digits.learning.tflite_files import save_tflite
from digits.learning.training import assign, digest, one_hot
from digits.learning.workers import available_cores
from digits.reading.tile import to_input

KEPT = 12_000  # MNIST tiles whose features are kept
_MADE = 6  # beside so many of them: one photographed, and half a drawn digit and half a drawing that is none
_REPRESENTATIVE = 400
_KEPT_RULE = 1  # version of what `Kept` holds
_BATCH = 64  # tiles the trunk takes at once: twice as fast as one by one
# Augmented versions of each new picture: as many as the budget of 20 s allows, 1 to 12; computing the features of
# 3,000 tiles takes 2 to 3 s, photographing 200 tiles 2 s.
_VERSIONS, _GEOMETRIC_TILES, _CAMERA_TILES = 12, 3000, 200
_SMOOTHING = 0.05  # of new targets, as in the training of the networks: confidences stay comparable
_SEED = 0
MAY_FALL = 0.0005  # of the accuracy on calibration tiles, clean and after the camera: 1 of 2,000


class RefitError(Exception):
    """The network cannot be refitted; the message is one sentence."""


@dataclass(frozen=True)
class Recipe:
    """How the head is fitted.

    `share` is the weight of all new pictures together beside that of all kept ones, `most` the largest weight of one
    of their tiles beside that of a kept tile. Measured with a rendered writer of whose sevens the release read 3 %,
    taught with ten of them and tested on 60 more: 98 %, with calibration and accepted drawings as before. At a higher
    rate or share 100 %, but 0.1 points less of calibration and up to twice as many drawings accepted as digits.
    """

    steps: int = 160
    learning_rate: float = 6e-4
    batch: int = 512
    share: float = 0.1
    most: float = 8.0


class Network:
    """A network cut in two. `head` starts out with the weights it came with, and `reset` gives them back."""

    def __init__(self, model: keras.Model):
        """Cut the network before the dense layers at its end.

        Args:
            model: float32 (N, 96, 96, 3) in [0, 1] -> (N, 10).
        Raises:
            RefitError: if it does not end in dense layers.
        """
        self.flat = flatten(model)
        cut = _before_the_dense_end(self.flat)
        self.trunk = keras.Model(self.flat.inputs[0], cut, name="trunk")
        self.head = keras.Model(cut, self.flat.outputs[0], name="head")
        self._start = _values(self.head.variables)
        self._optimizer = keras.optimizers.Adam(1e-3)
        self._optimizer.build(self.head.trainable_variables)
        self._unused = _values(self._optimizer.variables)
        self._step = tf.function(self._one_step, reduce_retracing=True)

    def reset(self) -> None:
        """Put the weights that the network came with back into the head, and chance back to its start."""
        assign(self.head.variables, self._start)

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return float32 (N, 10) of features (N, F) with the head as it is now."""
        return np.asarray(self.head(tf.convert_to_tensor(features.astype(np.float32)), training=False))

    def blend(self, share: float) -> None:
        """Move the head's weights back towards those it came with: 1 leaves them, 0 is `reset`.

        Source: WiSE-FT, Wortsman et al. 2022.
        """
        for variable, start in zip(self.head.variables, self._start, strict=True):
            if variable.trainable:
                variable.assign(start + np.float32(share) * (variable.numpy() - start))

    def fit(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray, recipe: Recipe, seed: int) -> None:
        """Fit the head, from the weights it came with, on features (N, F), targets (N, 10) and weights (N,)."""
        self.reset()
        assign(self._optimizer.variables, self._unused)
        rng = np.random.default_rng(seed)
        times = -(-recipe.steps * recipe.batch // len(features))
        order = np.concatenate([rng.permutation(len(features)) for _ in range(times)])
        for step in range(recipe.steps):
            rows = order[step * recipe.batch : (step + 1) * recipe.batch]
            self._optimizer.learning_rate.assign(recipe.learning_rate * (1 + np.cos(np.pi * step / recipe.steps)) / 2)
            batch = features[rows].astype(np.float32), targets[rows], weights[rows]
            self._step(*(tf.convert_to_tensor(part) for part in batch))

    def _one_step(self, features: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            losses = keras.losses.categorical_crossentropy(targets, self.head(features, training=True))
            loss = tf.reduce_mean(weights * losses)
        variables = self.head.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)


class Trunk:
    """The trunk as a .tflite file: two to three times as fast as Keras on a processor."""

    def __init__(self, path: Path, network: Network | None = None):
        """Open the file; write it first if `network` is given."""
        from digits.reading.formats import _tflite_interpreter

        if network is not None:
            with replacing(path) as beside:
                save_tflite(network.trunk, beside)
        self._interpreter = _tflite_interpreter()(
            model_content=path.read_bytes(), num_threads=available_cores()
        )
        self._size = 0

    def features(self, tiles: np.ndarray, advance: Callable[[int, int], None] | None = None) -> np.ndarray:
        """Return float16 (N, F) of tiles uint8 (N, 96, 96)."""
        parts = []
        for start in range(0, len(tiles), _BATCH):
            parts.append(self._run(tiles[start : start + _BATCH]))
            if advance:
                advance(min(start + _BATCH, len(tiles)), len(tiles))
        if not parts:
            return np.empty((0, self._interpreter.get_output_details()[0]["shape"][-1]), np.float16)
        return np.concatenate(parts)

    def _run(self, tiles: np.ndarray) -> np.ndarray:
        given, taken = (ends()[0]["index"] for ends in (self._interpreter.get_input_details,
                                                         self._interpreter.get_output_details))
        if len(tiles) != self._size:
            self._interpreter.resize_tensor_input(given, (len(tiles), *to_input(tiles[:1]).shape[1:]))
            self._interpreter.allocate_tensors()
            self._size = len(tiles)
        self._interpreter.set_tensor(given, to_input(tiles))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(taken).astype(np.float16)


@dataclass(frozen=True)
class Kept:
    """What the head must not forget: features float16, and what it is to say of them.

    `calibration` are those of the calibration tiles, clean and then after the camera; never fitted on.
    """

    features: np.ndarray  # (M, F)
    targets: np.ndarray  # float32 (M, 10)
    calibration: np.ndarray  # (2 C, F)
    calibration_labels: np.ndarray  # (2 C,)
    representative: np.ndarray  # uint8 (R, 96, 96): tiles that 8-bit quantisation measures ranges on


def kept_folder(cache: Path, sha256: str) -> Path:
    """Return where trunk and features of an export are kept, named by its model.keras and the code that renders."""
    return cache / f"teach-{digest(sha256, rendered_by(), _KEPT_RULE)}"


def load_kept(folder: Path) -> tuple[Kept, Trunk] | None:
    """Return what `make_kept` wrote, or None if there is nothing whole."""
    try:
        with np.load(folder / "kept.npz") as file:
            kept = Kept(**{name: file[name] for name in Kept.__dataclass_fields__})
        return kept, Trunk(folder / "trunk.tflite")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def make_kept(
    folder: Path, network: Network, train: Tiles, calibration: tuple[np.ndarray, np.ndarray], report: Callable
) -> tuple[Kept, Trunk]:
    """Compute and keep the features of a fixed part of the training tiles, of made ones, and of calibration tiles.

    Args:
        folder: of `kept_folder`; made if missing.
        train: the train split; own images in it are left out, they come in anew each time.
        calibration: tiles uint8 (2 C, 96, 96) and labels (2 C,), clean and then after the camera.
        report: as `progress.Report`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trunk = Trunk(folder / "trunk.tflite", network)
    mnist = train.select(train.sources == "mnist")
    picked = np.sort(np.random.default_rng(_SEED).permutation(len(mnist))[:KEPT])
    mnist = mnist.select(picked)
    sixth = len(mnist) // _MADE
    extras = Extras(camera=sixth, handwritten=sixth // 2, non_digits=sixth // 2)
    made, labels = enrich(mnist.images, mnist.labels, extras, _SEED, folder.parent, done=titled(report, "made tiles"))
    tiles = np.concatenate([mnist.images, made])
    features = trunk.features(tiles, titled(report, "features"))
    labels = np.concatenate([one_hot(mnist.labels), labels])
    network.reset()
    shown = tiles[np.linspace(0, len(tiles) - 1, min(_REPRESENTATIVE, len(tiles))).astype(int)]
    targets = _targets(network.probabilities(features), labels)
    kept = Kept(features, targets, trunk.features(calibration[0]), np.asarray(calibration[1]), shown)
    with replacing(folder / "kept.npz") as beside, open(beside, "wb") as file:
        np.savez(file, **vars(kept))
    return kept, trunk


def _targets(said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what the network said, float32 (M, 10); of digits that it misread, their smoothed label."""
    misread = (labels.max(axis=1) > 0.5) & (said.argmax(axis=1) != labels.argmax(axis=1))
    return np.where(misread[:, None], _smooth(labels), said).astype(np.float32)


def _smooth(targets: np.ndarray) -> np.ndarray:
    return (1 - _SMOOTHING) * targets + np.float32(_SMOOTHING / CLASSES)


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
    count = len(tiles)
    rng = np.random.default_rng([seed, 11])
    turns = int(np.clip(_GEOMETRIC_TILES // max(count, 1), 1, _VERSIONS))
    of = [np.arange(count), np.repeat(np.arange(count), turns)]
    made = [tiles, geometric(tiles[of[1]], rng)]
    shot = rng.permutation(np.repeat(np.arange(count), 3))[: min(3 * count, _CAMERA_TILES)]
    of.append(shot)
    made.append(camera_tiles(list(tiles[shot]), seed, 1.0))
    of = np.concatenate(of)
    return Versions(trunk.features(np.concatenate(made)), np.asarray(labels)[of], of)


def refit(network: Network, kept: Kept, new: Versions, recipe: Recipe = Recipe(), seed: int = _SEED) -> None:  # noqa: B008
    """Fit the head, from the weights it came with, on kept and new features together."""
    weight = min(recipe.share * len(kept.features) / max(len(new.labels), 1), recipe.most)
    features = np.concatenate([kept.features, new.features])
    targets = np.concatenate([kept.targets, _smooth(one_hot(new.labels))])
    weights = np.concatenate([np.ones(len(kept.features), np.float32), np.full(len(new.labels), weight, np.float32)])
    network.fit(features, targets, weights, recipe, seed)


def refit_safely(network: Network, kept: Kept, new: Versions, seed: int = _SEED) -> float:
    """Fit the head; go back towards the old one as far as the calibration tiles ask for.

    Returns:
        Which share of the way the new head is from the old one; 0 if any step costs too much.
    """
    network.reset()
    before = _right(network, kept)
    refit(network, kept, new, seed=seed)
    fitted = _values(network.head.variables)
    allowed = int(MAY_FALL * len(kept.calibration_labels) / 2 + 1e-9)
    for share in (1.0, 0.5, 0.25):
        assign(network.head.variables, fitted)
        network.blend(share)
        if all(now >= then - allowed for now, then in zip(_right(network, kept), before, strict=True)):
            return share
    network.reset()
    return 0.0


def calibration_accuracy(network: Network, kept: Kept) -> tuple[float, float]:
    """Return the accuracy of the head as it is now on the calibration tiles, clean and after the camera."""
    half = len(kept.calibration_labels) // 2
    return tuple(right / half for right in _right(network, kept))


def _right(network: Network, kept: Kept) -> tuple[int, int]:
    right = network.probabilities(kept.calibration).argmax(axis=1) == kept.calibration_labels
    half = len(right) // 2
    return int(right[:half].sum()), int(right[half:].sum())


def _before_the_dense_end(flat: keras.Model):
    """Return the tensor (N, F) that the last uninterrupted run of dense layers starts from."""
    tensor, cut = flat.outputs[0], None
    while True:
        layer = tensor._keras_history[0]
        kind = type(layer).__name__
        if kind not in ("Dense", "Dropout", "Activation", "ReLU"):
            break
        tensor = layer.input
        if kind == "Dense" and len(tensor.shape) == 2:
            cut = tensor
    if cut is None:
        raise RefitError(f"{flat.name} does not end in dense layers: its last layers cannot be refitted")
    return cut


def _values(variables: list) -> list[np.ndarray]:
    return [variable.numpy() for variable in variables]
