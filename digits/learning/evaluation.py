"""How good a network is: numbers from probabilities and labels, nothing that knows which network made them.

Everywhere `probabilities` is float (N, 10) and `labels` int (N,).
"""

from __future__ import annotations

import time

import numpy as np

from digits.learning.config import CLASSES

BINS = 15  # of the reliability diagram, as in Guo et al. 2017
# Share of calibration digits, clean and after the camera, that the acceptance threshold lets pass. How many non-digit
# drawings pass with them stands in each export's card; the finder refuses more of those.
ACCEPTED = 0.99
_FOR_DIGITS = 0.01  # share of the non-digits that may pass besides, for whatever digits that lets pass
# MNIST test images, by position, whose label fewer than three of five people chose, and what they chose instead.
# Source: Northcutt, Athalye and Mueller 2021, "Pervasive label errors in test sets destabilize machine learning
# benchmarks": their published votes.
DOUBTED = {
    947: "9", 1621: "6", 1901: "4", 2130: "4 or 9", 2462: "0", 2597: "3", 2654: "neither", 3520: "neither", 3558: "0",
    5937: "3", 6651: "6", 6783: "6", 8527: "4 or 9", 9679: "neither", 9729: "6",
}  # fmt: skip
_TINY = 1e-7  # smallest probability whose logarithm is taken


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of rows whose most probable class is the label."""
    return float((probabilities.argmax(-1) == labels).mean())


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return int64 (10, 10): how often label (row) was read as digit (column)."""
    pairs = np.asarray(labels, np.int64) * CLASSES + probabilities.argmax(-1)
    return np.bincount(pairs, minlength=CLASSES * CLASSES).reshape(CLASSES, CLASSES)


def precision_and_recall(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float (10,) twice, one value a digit; nan where a digit was never read or never shown."""
    counts = confusion(probabilities, labels).astype(float)
    right = np.diag(counts)
    with np.errstate(invalid="ignore"):
        return right / counts.sum(0), right / counts.sum(1)


def worst_mistakes(probabilities: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of at most `count` wrong rows, the most confident ones first."""
    wrong = np.flatnonzero(probabilities.argmax(-1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(-1), kind="stable")][:count]


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean confidence, accuracy and share of rows, each float (bins,), by confidence; nan where empty."""
    confidence = probabilities.max(-1)
    right = probabilities.argmax(-1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins).astype(float)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, confidence, bins) / counts
        share = np.bincount(place, right, bins) / counts
    return mean, share, counts / len(labels)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error: mean distance between confidence and accuracy over the bins."""
    mean, share, weight = reliability(probabilities, labels, bins)
    return float(np.nansum(weight * np.abs(mean - share)))


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


def rejection_curve(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) twice: share refused, and error rate among those accepted, as the least confident go first."""
    order = np.argsort(-probabilities.max(-1), kind="stable")
    wrong = (probabilities.argmax(-1) != labels)[order]
    kept = np.arange(1, len(labels) + 1)
    return 1 - kept[::-1] / len(labels), (np.cumsum(wrong) / kept)[::-1]


def summary(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """Return accuracy, errors, calibration error and per-class precision and recall as plain numbers, for JSON."""
    precision, recall = precision_and_recall(probabilities, labels)
    return {
        "images": len(labels),
        "accuracy": round(accuracy(probabilities, labels), 6),
        "errors": int((probabilities.argmax(-1) != labels).sum()),
        "calibration_error": round(calibration_error(probabilities, labels), 6),
        "precision": [_number(value) for value in precision],
        "recall": [_number(value) for value in recall],
        "confusion": confusion(probabilities, labels).tolist(),
    }


def latency_ms(predict_one, repeats: int = 30) -> float:
    """Return the median time of one call, in ms, after a few calls to warm up."""
    for _ in range(3):
        predict_one()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict_one()
        times.append(time.perf_counter() - start)
    return round(float(np.median(times)) * 1000, 3)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
