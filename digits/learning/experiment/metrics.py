"""How good a network is: numbers from probabilities and labels, nothing that knows which network made them.

Everywhere `probabilities` is float (N, 10) and `labels` int (N,).
"""

import timeit

import numpy as np
import sklearn.metrics

from digits.reading.models.contract import CLASSES

BINS = 15  # of the reliability diagram, as in Guo et al. 2017
# MNIST test images, by position, whose label fewer than three of five people chose, and what they chose instead.
# Source: Northcutt, Athalye and Mueller 2021, "Pervasive label errors in test sets destabilize machine learning
# benchmarks": their published votes.
DOUBTED = {
    947: "9", 1621: "6", 1901: "4", 2130: "4 or 9", 2462: "0", 2597: "3", 2654: "neither", 3520: "neither", 3558: "0",
    5937: "3", 6651: "6", 6783: "6", 8527: "4 or 9", 9679: "neither", 9729: "6",
}  # fmt: skip


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of rows whose most probable class is the label."""
    return float((probabilities.argmax(-1) == labels).mean())


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return int64 (10, 10): how often label (row) was read as digit (column)."""
    return sklearn.metrics.confusion_matrix(labels, probabilities.argmax(-1), labels=range(CLASSES))


def precision_and_recall(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float (10,) twice, one value a digit; nan where a digit was never read or never shown."""
    read = probabilities.argmax(-1)
    found = sklearn.metrics.precision_recall_fscore_support(labels, read, labels=range(CLASSES), zero_division=np.nan)
    return found[:2]


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
    times = timeit.repeat(predict_one, number=1, repeat=3 + repeats)[3:]
    return round(float(np.median(times)) * 1000, 3)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)
