"""How sure a network may say it is: temperature and acceptance threshold, fitted on calibration pictures."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from digits.reading.models.contract import CLASSES
from digits.reading.models.temperature import TINY, WARMEST, scaled

# Share of calibration digits, clean and after the camera, that the acceptance threshold lets pass. How many non-digit
# drawings pass with them stands in each export's card; the finder refuses more of those.
ACCEPTED = 0.99
_FOR_DIGITS = 0.01  # share of the non-digits that may pass besides, for whatever digits that lets pass
_MOST = np.log(WARMEST)  # of the logarithm of a temperature, up and down


class CalibrationSet(NamedTuple):
    """Pictures that temperature, threshold and gates are set on, never trained on: tiles uint8 (N, 96, 96), labels."""

    tiles: np.ndarray
    labels: np.ndarray


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the least mean log loss, between 1/8 and 8, to a ten-thousandth of its logarithm.

    Source: Guo et al. 2017. The loss has one minimum in the logarithm of the temperature.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        of_labels = scaled(probabilities, float(np.exp(log_temperature)))[rows, labels]
        return float(-np.log(np.maximum(of_labels, TINY)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-_MOST, _MOST), method="bounded", options={"xatol": 1e-4}).x))


def acceptance_threshold(digits: np.ndarray, non_digits: np.ndarray | None = None, accepted: float = ACCEPTED) -> float:
    """Return the confidence from which on a reading is accepted.

    Args:
        digits: confidences (N,) of calibration digits, after temperature scaling.
        non_digits: confidences (M,) of things that are no digit, or None.
        accepted: at least this share of the digits passes.
    Returns:
        The highest threshold that lets this share pass; lower, if that lets through at most one in a hundred
        more of the non-digits: no digit is refused for next to nothing.
    """
    highest = float(np.quantile(digits, 1 - accepted, method="lower"))
    if non_digits is None or len(non_digits) == 0:
        return highest
    passing = (non_digits >= highest).mean() + _FOR_DIGITS
    lowest = float(np.quantile(non_digits, 1 - min(passing, 1.0), method="higher"))
    return min(highest, max(lowest, 1 / CLASSES))
