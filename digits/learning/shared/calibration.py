"""How sure a network may say it is: temperature and acceptance threshold, fitted on calibration pictures."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from digits.reading.models.contract import CLASSES

# Share of calibration digits, clean and after the camera, that the acceptance threshold lets pass. How many non-digit
# drawings pass with them stands in each export's card; the finder refuses more of those.
ACCEPTED = 0.99
_FOR_DIGITS = 0.01  # share of the non-digits that may pass besides, for whatever digits that lets pass
_TINY = 1e-7  # smallest probability whose logarithm is taken


class CalibrationSet(NamedTuple):
    """Pictures that temperature, threshold and gates are set on, never trained on: tiles uint8 (N, 96, 96), labels."""

    tiles: np.ndarray
    labels: np.ndarray


def scale(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities at a temperature: above 1 softer, below 1 sharper, the winner the same."""
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), _TINY)) / temperature
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the least mean log loss, between 1/8 and 8, to a thousandth of its
    logarithm.

    Source: Guo et al. 2017. The loss has one minimum in the logarithm of the temperature: golden section.
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = scale(probabilities, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(scaled[rows, labels], _TINY)).mean())

    ratio = (np.sqrt(5) - 1) / 2
    low, high = -np.log(8), np.log(8)
    while high - low > 1e-3:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


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
