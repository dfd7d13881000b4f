"""MobileNetV2 for tiles: its frozen part, its last 20 layers, its head.

    tile (96, 96, 3) in [0, 1] -> Rescaling to [-1, 1]
      -> MobileNetV2 up to block_14_add (3, 3, 160)       <- never changed by stages 1 and 2
      -> its last 20 layers (3, 3, 1280) -> mean (1280)   <- learns from stage 2 on
      -> Dense 128 -> Dropout -> softmax (10)             <- learns from stage 1 on

Batch norms stay frozen throughout: their statistics come from photographs or, in weights whose batch norms were folded
into the convolutions, say mean 0 and variance 1 for good; a few epochs of tiles would spoil them.
"""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.files import replacing
from digits.learning.networks.inputs import tiles_to_input
from digits.learning.shared.errors import RunError
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_SIZE

LAST_LAYERS = 20
FROZEN_END = "block_14_add"  # the layer before the last 20
POOLED = "global_pool"


def build_mobilenet_v2(weights_file: Path | None = None) -> keras.Model:
    """Return MobileNetV2 (alpha 1.0) with a head for ten digits, under the model contract.

    Args:
        weights_file: starting weights without top, Keras' own .h5, .weights.h5, or a trunk .npz of this project;
            None: random weights.
    Returns:
        float32 (N, 96, 96, 3) in [0, 1] -> float32 (N, 10) probabilities; everything trainable, batch norms too.
    Raises:
        RunError: if the file does not hold MobileNetV2 weights.
    Source: Sandler et al. 2018.
    """
    tile = keras.Input((TILE_SIZE, TILE_SIZE, 3), name="tile")
    scaled = keras.layers.Rescaling(2.0, offset=-1.0, name="to_minus_one_one")(tile)
    base = keras.applications.MobileNetV2(input_tensor=scaled, include_top=False, weights=None)
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(base.output)
    x = keras.layers.Dense(128, activation="relu", name="dense_128")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    probabilities = keras.layers.Dense(CLASSES, activation="softmax", dtype="float32", name="probabilities")(x)
    model = keras.Model(tile, probabilities, name="mobilenet_v2")
    if weights_file is not None:
        _load_weights(model, Path(weights_file))
    return model


def trunk_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of MobileNetV2 itself, in order: what lies between the rescaling and the pooling."""
    names = [layer.name for layer in model.layers]
    return model.layers[names.index("to_minus_one_one") + 1 : names.index(POOLED)]


def set_trainable(model: keras.Model, last: int | None) -> None:
    """Let the head and the `last` layers of the trunk learn (0: none, None: all), its batch norms never."""
    trunk = trunk_layers(model)
    frozen = [] if last is None else trunk[: len(trunk) - last]
    frozen += [layer for layer in trunk if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in model.layers:
        layer.trainable = layer not in frozen


def settle_batch_norms(model: keras.Model, tiles: np.ndarray) -> None:
    """Set the statistics of all batch norms to those of tiles uint8 (N, 96, 96), for weights that are random.

    They stay frozen later on; left at mean 0 and variance 1, signals of random weights fade to nothing on their way up.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # one batch replaces what was there
    model(tiles_to_input(tf.constant(tiles)), training=True)
    for layer, momentum in zip(norms, kept, strict=True):
        layer.momentum = momentum


def head(model: keras.Model) -> keras.Model:
    """Return what follows the pooling, float32 (N, 1280) -> (N, 10); it shares the layers of `model`."""
    return keras.Model(model.get_layer(POOLED).output, model.output, name="head")


def tail(model: keras.Model) -> keras.Model:
    """Return the last 20 layers and the head, float32 (N, 3, 3, 160) -> (N, 10); it shares the layers of `model`."""
    return keras.Model(model.get_layer(FROZEN_END).output, model.output, name="tail")


def frozen_part(model: keras.Model) -> keras.Model:
    """Return tiles -> [output of block_14_add, output of the pooling]; it shares the layers of `model`."""
    return keras.Model(model.input, [model.get_layer(FROZEN_END).output, model.get_layer(POOLED).output], name="frozen")


def save_trunk(model: keras.Model, path: Path) -> Path:
    """Write the trunk's weights as float16 (about 4.5 MB), one array a variable, named by its path."""
    arrays = {variable.path: variable.numpy().astype(np.float16) for variable in trunk_variables(model)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def trunk_variables(model: keras.Model) -> list:
    """Return the variables of MobileNetV2 itself, in the order of its layers."""
    return [variable for layer in trunk_layers(model) for variable in layer.variables]


def load_base(base: keras.Model, path: Path) -> None:
    """Put starting weights into `keras.applications.MobileNetV2` without top.

    Args:
        base: alpha 1.0, for tiles.
        path: Keras' own .h5, .weights.h5, or a trunk .npz of this project.
    Raises:
        RunError: if the file does not hold MobileNetV2 weights.
    """
    if path.suffix == ".npz":
        _load_trunk(base, path)
        return
    try:
        base.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path} does not hold weights of MobileNetV2 without top: {reason}") from error


def _load_weights(model: keras.Model, path: Path) -> None:
    base = keras.applications.MobileNetV2(input_shape=(TILE_SIZE, TILE_SIZE, 3), include_top=False, weights=None)
    load_base(base, path)
    for variable, loaded in zip(trunk_variables(model), base.variables, strict=True):
        variable.assign(loaded)


def _load_trunk(base: keras.Model, path: Path) -> None:
    """Put the weights that save_trunk wrote into MobileNetV2."""
    with np.load(path) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    for variable in base.variables:
        if variable.path not in arrays or arrays[variable.path].shape != tuple(variable.shape):
            raise RunError(f"{path} has no {variable.path} of shape {tuple(variable.shape)}; expected a MobileNetV2 "
                           "trunk written by train_all.py --release")  # fmt: skip
        variable.assign(arrays[variable.path])
