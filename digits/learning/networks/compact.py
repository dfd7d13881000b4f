"""cnn_compact: a network of our own for webcams, old phones and microcontrollers, under 200 kB in 8 bits.

The five baselines show one idea each; this one is built to be used. It takes the same reduced tile, spends its
parameters on 3x3 convolutions with shortcuts (He et al. 2015) instead of on a wide hidden layer, and is trained for
longer, on all that `data.extras` renders. (To go on for six epochs taught by three networks of its kind, as Hinton et
al. 2015 and Beyer et al. 2022 do, was worth less than to go on without: `benchmarks/ablation.py` at c378181201.)
"""

import keras
from keras import layers

from digits.learning.networks.baselines import normalised, probabilities, tile_to_grey

_HIDDEN = 48


def build_cnn_compact() -> keras.Model:
    """Return the network: 170,000 parameters, 11 million multiplications a digit."""
    tile, grey = tile_to_grey()
    x = layers.Conv2D(24, 3, padding="same", use_bias=False)(grey)
    x = normalised(layers.MaxPooling2D(2)(x))  # in this order it has a quarter of the pixels to normalise
    x = _widened(x, 40)
    x = layers.MaxPooling2D(2)(x)
    x = _widened(x, 64)
    x = layers.MaxPooling2D(2)(x)
    x = normalised(layers.Conv2D(64, 3, padding="same", use_bias=False)(x))
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(_HIDDEN, activation="relu")(x)
    x = layers.Dropout(0.1)(x)
    return keras.Model(tile, probabilities(x), name="cnn_compact")


def _widened(x: keras.KerasTensor, channels: int) -> keras.KerasTensor:
    """Return the output of one convolution to so many channels, and of one more with a shortcut round it."""
    x = normalised(layers.Conv2D(channels, 3, padding="same", use_bias=False)(x))
    y = normalised(layers.Conv2D(channels, 3, padding="same", use_bias=False)(x))
    return layers.Add()([x, y])
