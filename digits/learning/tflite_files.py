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

from digits.reading.card import INPUT_SHAPE
from digits.reading.tile import to_input

# Pictures that set the range of each layer's 8-bit numbers; more no longer move it.
REPRESENTATIVE = 200


def save_tflite(model: keras.Model, path: Path) -> None:
    """Write float32 (N, 96, 96, 3) -> (N, 10), N open."""
    with _quiet():
        path.write_bytes(_converter(model).convert())


class Quantiser:
    """Makes 8-bit files of one model, with any of its layers left in float."""

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
            self._dense = _last_dense(self._debugger.calibrated_model)

    def save(self, path: Path, float_layers: list[str] | None = None) -> None:
        """Write the model with 8-bit weights and sums, float in and out; the last dense layer stays float too."""
        self._options.denylisted_nodes = [self._dense, *(float_layers or [])]
        with _quiet():
            self._debugger.options = self._options
            path.write_bytes(self._debugger.get_nondebug_quantized_model())

    def sensitive_layers(self) -> list[str]:
        """Return the names of the 8-bit layers, those that lose most by their rounding first."""
        with _quiet():
            self._debugger.run()
        loss = {name: _relative_error(values) for name, values in self._debugger.layer_statistics.items()}
        return sorted(loss, key=lambda name: -loss[name])

    def _representative(self):
        for tile in self._inputs:
            yield [tile[np.newaxis]]


def _converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    @tf.function(input_signature=[tf.TensorSpec((None, *INPUT_SHAPE), tf.float32, name="tiles")])
    def run(tiles):
        return model(tiles, training=False)

    return tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()], run)


def _last_dense(calibrated: bytes) -> str:
    interpreter = tf.lite.Interpreter(model_content=calibrated)
    layers = [layer for layer in interpreter._get_ops_details() if layer["op_name"] == "FULLY_CONNECTED"]
    return interpreter._get_tensor_details(layers[-1]["outputs"][0], 0)["name"]


def _relative_error(statistics: dict[str, float]) -> float:
    """Return the rounding error of a layer in steps of its 8-bit scale: about 0.29 where all is well."""
    return float(np.sqrt(statistics["mean_squared_error"])) / max(float(statistics["scale"]), 1e-12)


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
