"""A Keras model as `.tflite`: in float32, and in 8 bits with a float end."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.reading.models.contract import INPUT_SHAPE
from digits.reading.tile import to_input

# Pictures that set the range of each layer's 8-bit numbers; more no longer move it.
REPRESENTATIVE = 200


def save_tflite(model: keras.Model, path: Path) -> None:
    """Write float32 (N, 96, 96, 3) -> (N, 10), N open."""
    with _quiet():
        path.write_bytes(_converter(model).convert())


class Quantiser:
    """Makes 8-bit files of one model, calibrated once, with more or fewer of its first layers left in float.

    Source: post-training quantisation of activations and, channel by channel, weights (Jacob et al. 2018).
    """

    def __init__(self, model: keras.Model, tiles: np.ndarray):
        """Calibrate.

        Args:
            model: float32 (N, 96, 96, 3) -> (N, 10), ending in a dense layer and a softmax.
            tiles: uint8 (N, 96, 96), as varied as what the camera will show.
        """
        self._inputs = to_input(tiles[np.linspace(0, len(tiles) - 1, min(REPRESENTATIVE, len(tiles))).astype(int)])
        converter = _converter(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = self._representative
        # The softmax stays float: 8-bit probabilities are multiples of 1/256.
        self._options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=["SOFTMAX"])
        with _quiet():
            self._debugger = tf.lite.experimental.QuantizationDebugger(
                converter=converter, debug_dataset=self._representative, debug_options=self._options)
            layers = _layer_names(self._debugger.calibrated_model)
        self._layers = [name for _, name in layers]
        self._last_dense = [name for operator, name in layers if operator == "FULLY_CONNECTED"][-1]

    def save(self, path: Path, first_in_float: int = 0) -> None:
        """Write the model with 8-bit weights and sums, float in and out.

        Args:
            path: the file.
            first_in_float: how many layers stay float at the entrance; the last dense layer and the softmax always do.
        """
        self._options.denylisted_nodes = [*self._layers[:first_in_float], self._last_dense]
        with _quiet():
            path.write_bytes(self._debugger.get_nondebug_quantized_model())

    def _representative(self):
        for tile in self._inputs:
            yield [tile[np.newaxis]]


def _converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    @tf.function(input_signature=[tf.TensorSpec((None, *INPUT_SHAPE), tf.float32, name="tiles")])
    def run(tiles):
        return model(tiles, training=False)

    return tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()], run)


def _layer_names(calibrated: bytes) -> list[tuple[str, str]]:
    """Return (operator, name) of each layer of a calibrated file, from the entrance on."""
    interpreter = tf.lite.Interpreter(model_content=calibrated)
    return [(layer["op_name"], interpreter._get_tensor_details(layer["outputs"][0], 0)["name"])
            for layer in interpreter._get_ops_details()]


@contextlib.contextmanager
def _quiet():
    """Silence the converter, which writes its progress past Python to the process' own outputs."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        kept = [os.dup(1), os.dup(2)]
    except OSError:  # a process without outputs
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
