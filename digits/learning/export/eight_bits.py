"""The 8-bit file of an export, with as many of its first layers in float as its accuracy needs."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from digits.learning.experiment.metrics import accuracy
from digits.learning.export.tflite_files import Quantiser
from digits.learning.shared.calibration import CalibrationSet
from digits.reading.models.errors import ModelError
from digits.reading.models.golden import Golden
from digits.reading.models.loading import load_model
from digits.reading.models.verify import compare

# An 8-bit file that loses more than this on the calibration tiles, or reads more of them differently, gets its first
# layers back in float. Most of the rounding happens there: with 10 of MobileNetV2's 66 layers in float, other winners
# fell from 3.2 % to 1.2 % (a quickly trained model, 600 MNIST tiles) for 20 kB more and the same latency.
INT8_LOSS, INT8_AGREEMENT = 0.0005, 0.998
_FIRST_IN_FLOAT = (0, 6, 10, 16, 30)


def save_int8(flat: keras.Model, path: Path, representative: np.ndarray, golden: Golden,
               calibration: CalibrationSet) -> None:
    """Write the 8-bit file, with as many of its first layers in float as its accuracy needs.

    Raises:
        ModelError: if a golden picture is read differently even so.
    """
    tiles, labels = calibration
    expected = _run_file(path.with_name("model.tflite"), tiles)
    quantiser = Quantiser(flat, representative)
    agreement: dict[int, float] = {}
    for count in _FIRST_IN_FLOAT:
        quantiser.save(path, count)
        found = _run_file(path, tiles)
        _, other_winners = compare(_run_file(path, golden.tiles), golden.probabilities, int8=True)
        if not other_winners:
            agreement[count] = float((found.argmax(axis=1) == expected.argmax(axis=1)).mean())
            lost = accuracy(expected, labels) - accuracy(found, labels)
            if lost <= INT8_LOSS and agreement[count] >= INT8_AGREEMENT:
                return
    if not agreement:
        path.unlink()
        raise ModelError("in 8 bits a golden picture is read differently, however many layers stay float")
    quantiser.save(path, max(agreement, key=agreement.get))


def _run_file(path: Path, tiles: np.ndarray) -> np.ndarray:
    return load_model(path).predict(tiles)
