"""Whether what was found is a digit at all: one number from all that is known of it."""

from collections.abc import Sequence

import numpy as np

from digits.reading.finding.decode import Found

# What the score is made of, in this order; the finder's card has its weights (learning/finder/score.py fits them).
FEATURES = ("one", "centre", "other", "ink", "confidence", "size", "size squared", "blur", "blur over size", "whole",
            "cut off")
# Of a finder whose card has none: a centre of one in two with a confident network passes.
WEIGHTS = (-1.0, 1.0, -0.3, 1.0, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5)
_MOST = 9.0  # log odds beyond which certainty is no longer told apart


def features(digits: Sequence[Found], confidences: np.ndarray, cut_off: Sequence[bool]) -> np.ndarray:
    """Return float64 (N, 11), see FEATURES: probabilities as log odds, sizes in octaves from 80 px, blur from 4 px."""
    if not digits:
        return np.zeros((0, len(FEATURES)))
    size = np.log2([digit.size / 80 for digit in digits])
    blur = np.log2([digit.blur / 4 for digit in digits])
    return np.stack([
        np.ones(len(digits)), _log_odds([digit.centre for digit in digits]),
        _log_odds([digit.other for digit in digits]), _log_odds([digit.sure for digit in digits]),
        _log_odds(confidences), size, size**2, blur,
        np.maximum(blur - size, 0), np.array([digit.whole for digit in digits], float), np.asarray(cut_off, float),
    ], axis=1)  # fmt: skip


def scores(values: np.ndarray, weights: Sequence[float] = WEIGHTS) -> np.ndarray:
    """Return how probably each is a digit, float (N,), from its features (N, 11)."""
    return 1 / (1 + np.exp(-np.clip(values @ np.asarray(weights), -30, 30)))


def _log_odds(share) -> np.ndarray:
    share = np.clip(np.asarray(share, float), 1e-6, 1 - 1e-6)
    return np.clip(np.log(share / (1 - share)), -_MOST, _MOST)
