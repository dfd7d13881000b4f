"""Tiles as networks take them, inside TensorFlow: whole, or reduced to 32x32."""

import numpy as np
import tensorflow as tf

from digits.reading.tile import TILE_SIZE


def tiles_to_input(tiles: tf.Tensor) -> tf.Tensor:
    """Return uint8 tiles (N, 96, 96) as float32 (N, 96, 96, 3) in [0, 1]: to_input inside tf.data."""
    grey = tf.cast(tiles, tf.float32)[..., tf.newaxis] * np.float32(1 / 255)
    return tf.repeat(grey, 3, axis=-1)


POOL = 3  # 96 / 3 = 32: a stroke is still 2 to 5 px wide


def shrink(tiles: np.ndarray) -> np.ndarray:
    """Return uint16 (N, 32, 32): the sum of each 3x3 block of uint8 tiles (N, 96, 96), 0 to 2295."""
    sums = np.zeros((len(tiles), TILE_SIZE // POOL, TILE_SIZE // POOL), np.uint16)
    for y in range(POOL):
        for x in range(POOL):
            sums += tiles[:, y::POOL, x::POOL]
    return sums


def small_to_input(sums: tf.Tensor) -> tf.Tensor:
    """Return what `shrink` gave as `inner` takes it: float32 (N, 32, 32, 1) in [0, 1]."""
    return tf.cast(sums, tf.float32)[..., tf.newaxis] * np.float32(1 / (255 * POOL * POOL))
