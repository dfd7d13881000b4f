"""A Keras model as `.tflite`: in float32, and in 8 bits with a float end and as much of a float start as it needs."""

import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.learning.experiment.metrics import accuracy
from digits.learning.shared.calibration import CalibrationSet
from digits.outputs import diverted
from digits.reading.models.contract import INPUT_SHAPE
from digits.reading.models.errors import ModelError
from digits.reading.models.golden import Golden
from digits.reading.models.loading import load_model
from digits.reading.models.verify import compare
from digits.reading.tile import to_input

# An 8-bit file that loses more than this on the calibration tiles, or reads more of them differently, gets its first
# layers back in float. Most of the rounding happens there: with 10 of MobileNetV2's 66 layers in float, other winners
# fell from 3.2 % to 1.2 % (a quickly trained model, 600 MNIST tiles) for 20 kB more and the same latency.
INT8_LOSS, INT8_AGREEMENT = 0.0005, 0.998
_FIRST_IN_FLOAT = (0, 6, 10, 16, 30)
# Pictures that set the range of each layer's 8-bit numbers; more no longer move it.
REPRESENTATIVE = 200


def save_tflite(model: keras.Model, path: Path) -> None:
    """Write float32 (N, 96, 96, 3) -> (N, 10), N open."""
    with diverted(1, 2), warnings.catch_warnings(action="ignore"):
        path.write_bytes(_converter(model).convert())


def save_int8(flat: keras.Model, path: Path, representative: np.ndarray, golden: Golden,
              calibration: CalibrationSet) -> None:
    """Write the 8-bit file beside the float one, with as many of its first layers in float as its accuracy needs.

    Raises:
        ModelError: if a golden picture is read differently even so.
    """
    tiles, labels = calibration
    expected = load_model(path.with_name("model.tflite")).predict(tiles)
    quantiser = Quantiser(flat, representative)
    agreement: dict[int, float] = {}
    for count in _FIRST_IN_FLOAT:
        quantiser.save(path, count)
        written = load_model(path)
        found = written.predict(tiles)
        _, other_winners = compare(written.predict(golden.tiles), golden.probabilities, int8=True)
        if not other_winners:
            agreement[count] = float((found.argmax(axis=1) == expected.argmax(axis=1)).mean())
            lost = accuracy(expected, labels) - accuracy(found, labels)
            if lost <= INT8_LOSS and agreement[count] >= INT8_AGREEMENT:
                return
    if not agreement:
        path.unlink()
        raise ModelError("in 8 bits a golden picture is read differently, however many layers stay float")
    quantiser.save(path, max(agreement, key=agreement.get))


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
        with diverted(1, 2), warnings.catch_warnings(action="ignore"):
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
        with diverted(1, 2), warnings.catch_warnings(action="ignore"):
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
