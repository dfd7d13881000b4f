"""Labels in doubt: own pictures that a model which never saw them takes for another digit."""

import cv2
import numpy as np

from digits.learning.data.merged_folder import Tiles
from digits.learning.data.near_duplicates import near_groups
from digits.learning.data.own_image import OwnImage
from digits.learning.data.splits import Source
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_SIZE

DOUBTED = 100  # worst pictures shown at most
_MNIST_FOR_DOUBTS = 2000  # so that ten own pictures of a digit do not stand alone
_FOLDS = 5
_RIDGE, _GAMMA = 0.03, 1.0  # 0.01 to 0.1, and 0.5 to 2, read 98 % of MNIST pictures they were not fitted to
_SHARPEN = 10.0  # scores of least squares lie between 0 and 1: this makes them probabilities
_DIRECTIONS, _CELLS = 8, 8  # edges counted by direction (of 360 degrees) in 8 x 8 cells of a tile


def find_doubts(images: list[OwnImage], tiles: dict[int, bytes], mnist: Tiles) -> list[tuple[int, int, float]]:
    """Return the pictures that are taken for another digit than their label, the surest of them first.

    Each is judged by a model that saw neither it nor its near-duplicates nor, with two or more, its session: kernel
    ridge regression on the directions of strokes, fitted to the other own images and some of MNIST in well under a
    second. It needs no trained network, and a network would only repeat the wrong labels that it was trained on.

    Returns:
        (position, digit it is taken for, probability of its label), at most 100.
    """
    from sklearn.kernel_ridge import KernelRidge  # takes a second to import, which merging and its workers need not
    from sklearn.model_selection import PredefinedSplit

    positions = sorted(tiles)
    if not positions:
        return []
    pictures = [cv2.imdecode(np.frombuffer(tiles[p], np.uint8), cv2.IMREAD_GRAYSCALE) for p in positions]
    own = np.stack([picture.reshape(TILE_SIZE, TILE_SIZE) for picture in pictures])
    known = mnist.select(np.flatnonzero(mnist.sources == Source.MNIST)[:_MNIST_FOR_DOUBTS])
    features = stroke_features(np.concatenate([own, known.images]))
    labels = np.concatenate([[images[position].label for position in positions], known.labels])
    targets = np.eye(CLASSES, dtype=np.float32)[labels]
    folds = np.concatenate([_folds(images, positions), np.full(len(known), -1)])  # -1: in no fold, always fitted to
    doubts = []
    for fitted, judged in PredefinedSplit(folds).split():
        model = KernelRidge(alpha=_RIDGE, kernel="rbf", gamma=_GAMMA).fit(features[fitted], targets[fitted])
        powers = np.exp(_SHARPEN * model.predict(features[judged]))
        probabilities = powers / powers.sum(axis=1, keepdims=True)
        for place, row in zip(judged, probabilities, strict=True):
            if row.argmax() != labels[place]:
                doubts.append((positions[place], int(row.argmax()), float(row[labels[place]])))
    return sorted(doubts, key=lambda doubt: doubt[2])[:DOUBTED]


def stroke_features(tiles: np.ndarray) -> np.ndarray:
    """Return float32 (N, 512): how much edge of which direction is where.

    Args:
        tiles: uint8 (N, 96, 96).
    Source: histograms of oriented gradients, Dalal and Triggs 2005; OpenCV 5 has left them out.
    """
    return np.stack([_edges(tile) for tile in tiles])


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


def _folds(images: list[OwnImage], positions: list[int]) -> np.ndarray:
    """Return a number for each position: one a session or, with one session, one of five by near-duplicate group."""
    names, sessions = np.unique([images[position].session_key for position in positions], return_inverse=True)
    if len(names) > 1:
        return sessions
    number = {p: k % _FOLDS for k, group in enumerate(near_groups(images)) for p in group}
    return np.array([number[position] for position in positions])
