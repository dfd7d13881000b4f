"""Probabilities made honest: temperature scaling, at the camera and at the desk alike."""

import numpy as np

TINY = 1e-12  # smallest probability whose logarithm is taken
WARMEST = 8.0  # temperatures lie between this and its inverse: others are no fit but a damaged card


def scaled(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities after temperature scaling (Guo et al. 2017); the winners stay the same.

    Args:
        probabilities: float32 (N, 10).
        temperature: above 1 softens, below 1 sharpens.
    Returns:
        float32 (N, 10), each row with sum 1.
    """
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
