"""Labels in doubt: own pictures that a model which never saw them takes for another digit."""

from __future__ import annotations

import cv2
import numpy as np

from digits.learning.data import near_duplicates
from digits.learning.data.merged import Tiles
from digits.learning.data.own_image import OwnImage
from digits.reading.models.contract import CLASSES

DOUBTED = 100  # worst pictures shown at most
_MNIST_FOR_DOUBTS = 2000  # so that ten own pictures of a digit do not stand alone
_FOLDS = 5
_RIDGE = 0.3  # 0.01 to 1 read 96.7 % of MNIST pictures they were not fitted to
_SHARPEN = 10.0  # scores of least squares lie between 0 and 1: this makes them probabilities
_DIRECTIONS, _CELLS = 8, 8  # edges counted by direction (of 360 degrees) in 8 x 8 cells of a tile


def find_doubts(images: list[OwnImage], tiles: dict[int, bytes], mnist: Tiles) -> list[tuple[int, int, float]]:
    """Return the pictures that are taken for another digit than their label, the surest of them first.

    Each is judged by a model that saw neither it nor its near-duplicates nor, with two or more, its session: least
    squares on the directions of strokes, fitted to the other own images and some of MNIST in well under a second. It
    needs no trained network, and a network would only repeat the wrong labels that it was trained on.

    Returns:
        (position, digit it is taken for, probability of its label), at most 100.
    """
    positions = sorted(tiles)
    if not positions:
        return []
    pictures = [
        cv2.imdecode(np.frombuffer(tiles[p], np.uint8), cv2.IMREAD_GRAYSCALE).reshape(96, 96) for p in positions
    ]
    features = stroke_features(np.stack(pictures))
    labels = np.array([images[position].label for position in positions])
    known = mnist.select(mnist.sources == "mnist")
    known = known.select(np.arange(len(known)) < _MNIST_FOR_DOUBTS)
    known_features = stroke_features(known.images)
    folds = _folds(images, positions)
    doubts = []
    for fold in np.unique(folds):
        inside, others = folds == fold, folds != fold
        weights = _least_squares(
            np.concatenate([known_features, features[others]]), np.concatenate([known.labels, labels[others]])
        )
        for place, probabilities in zip(np.flatnonzero(inside), _probabilities(features[inside], weights), strict=True):
            taken_for = int(probabilities.argmax())
            if taken_for != labels[place]:
                doubts.append((positions[place], taken_for, float(probabilities[labels[place]])))
    return sorted(doubts, key=lambda doubt: doubt[2])[:DOUBTED]


def stroke_features(tiles: np.ndarray) -> np.ndarray:
    """Return float32 (N, 513): how much edge of which direction is where, and a constant for the offset.

    Args:
        tiles: uint8 (N, 96, 96).
    Source: histograms of oriented gradients, Dalal and Triggs 2005.
    """
    features = np.ones((len(tiles), _DIRECTIONS * _CELLS**2 + 1), np.float32)
    for row, tile in zip(features, tiles, strict=True):
        row[:-1] = _edges(tile)
    return features


def _edges(tile: np.ndarray) -> np.ndarray:
    soft = cv2.resize(tile, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    turn = np.arctan2(down, across) * (_DIRECTIONS / (2 * np.pi)) % _DIRECTIONS
    layers = [np.maximum(0, 1 - np.abs((turn - k + 4) % _DIRECTIONS - 4)) for k in range(_DIRECTIONS)]
    cells = cv2.resize(
        np.dstack(layers) * np.hypot(across, down)[..., None], (_CELLS, _CELLS), interpolation=cv2.INTER_AREA
    )
    cells = np.sqrt(cells).ravel()  # a long stroke counts more than a short one, but not in proportion
    return cells / max(float(np.linalg.norm(cells)), 1e-6)


def _least_squares(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    square = features.T @ features + _RIDGE * np.eye(features.shape[1], dtype=np.float32)
    return np.linalg.solve(square, features.T @ targets)


def _probabilities(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    powers = np.exp(_SHARPEN * (features @ weights))
    return powers / powers.sum(axis=1, keepdims=True)


def _folds(images: list[OwnImage], positions: list[int]) -> np.ndarray:
    """Return a number for each position: one a session or, with one session, one of five by near-duplicate group."""
    sessions = sorted({images[position].session_key for position in positions})
    if len(sessions) > 1:
        return np.array([sessions.index(images[position].session_key) for position in positions])
    number = {p: k % _FOLDS for k, group in enumerate(near_duplicates.near_groups(images)) for p in group}
    return np.array([number[position] for position in positions])
