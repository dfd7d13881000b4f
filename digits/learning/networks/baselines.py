"""Five convolutional networks, layer by layer, each of which shows one idea.

All take the contract's tile and reduce it to 32x32 grey inside, so any of them runs in any format in the
same script. For training, `shrink` does that reduction once and `inner` skips the two layers that would do
it again and again.
"""

import keras
from keras import layers

from digits.learning.networks.inputs import POOL
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_SIZE

GREY = "grey"


def build_cnn_small() -> keras.Model:
    """Return one convolution, one pooling, one hidden layer: what a first network looks like."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(16, 3, activation="relu")(grey)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(tile, probabilities(x), name="cnn_small")


def build_cnn_deep() -> keras.Model:
    """Return a deeper and wider network: strokes, then corners and loops, then parts of digits."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(grey)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(tile, probabilities(x), name="cnn_deep")


def build_cnn_batchnorm() -> keras.Model:
    """Return cnn_deep with batch normalisation between each convolution and its activation."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(grey)
    x = normalised(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, padding="same", use_bias=False)(x)
    x = normalised(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(64, 3, padding="same", use_bias=False)(x)
    x = normalised(x)
    x = layers.Conv2D(64, 3, padding="same", use_bias=False)(x)
    x = normalised(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    return keras.Model(tile, probabilities(x), name="cnn_batchnorm")


def build_cnn_dropout() -> keras.Model:
    """Return cnn_deep with dropout: no unit can rely on a single other one."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(grey)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.5)(x)
    return keras.Model(tile, probabilities(x), name="cnn_dropout")


def build_cnn_augmented() -> keras.Model:
    """Return the network for augmented tiles: both ideas together, and wider, since there is more to learn."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(24, 3, padding="same", use_bias=False)(grey)
    x = layers.MaxPooling2D(2)(x)  # before the normalisation, which then has a quarter of the pixels
    x = normalised(x)
    x = layers.Conv2D(48, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D(2)(x)
    x = normalised(x)
    x = layers.Conv2D(96, 3, padding="same", use_bias=False)(x)
    x = normalised(x)
    x = layers.Conv2D(96, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D(2)(x)
    x = normalised(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(128, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model(tile, probabilities(x), name="cnn_augmented")


def inner_part(model: keras.Model) -> keras.Model:
    """Return the part after the reduction, float32 (N, 32, 32, 1) -> (N, 10); it shares the layers of `model`."""
    return keras.Model(model.get_layer(GREY).output, model.output, name="inner")


def tile_to_grey() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the contract's input (96, 96, 3) and its mean over channels, pooled to (32, 32, 1)."""
    tile = keras.Input((TILE_SIZE, TILE_SIZE, 3), name="tile")
    pooled = layers.AveragePooling2D(POOL, name="pool_to_32")(tile)
    third = keras.initializers.Constant(1 / 3)
    grey = layers.Conv2D(1, 1, use_bias=False, kernel_initializer=third, trainable=False, name=GREY)(pooled)
    return tile, grey


def normalised(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the output of batch normalisation and ReLU, ready after short trainings too."""
    # Outside training this layer uses moving statistics. Keras starts them at variance 1 and moves them by 1 % a step,
    # but these activations have a variance of about 0.01: after a short training the 1 still outweighs it, all signals
    # come out too small, and a network that has learnt its digits reads them at chance. Measured on 3,000 images after
    # 24 and 48 steps (94 % right in training): Keras' defaults 11 % and 11 % of val, momentum 0.9 alone 11 % and 80 %,
    # momentum 0.9 from variance 0: 88 % and 93 %.
    x = layers.BatchNormalization(momentum=0.9, moving_variance_initializer="zeros")(x)
    return layers.Activation("relu")(x)


def probabilities(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the last layer: one probability a class, in float32 whatever the policy."""
    return layers.Dense(CLASSES, activation="softmax", dtype="float32", name="probabilities")(x)
