"""Labels in doubt: own pictures that two models, neither of which learnt from them, take for another digit."""

import cv2
import numpy as np

from digits.learning.data.merged_folder import Tiles
from digits.learning.data.near_duplicates import near_groups
from digits.learning.data.own_image import OwnImage
from digits.learning.data.splits import Source
from digits.reading.models.card import read_card
from digits.reading.models.contract import CLASSES
from digits.reading.models.default import default_export
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model
from digits.reading.models.model import Model
from digits.reading.models.temperature import scaled
from digits.reading.tile import TILE_SIZE

DOUBTED = 100  # worst pictures shown at most
# A label is in strong doubt when both models give it less than this, as the geometric mean of what they say: of 685
# photographs and scans with right labels 4 are, of 60 labels that were changed all. The second model alone has to be
# surer: of the same, 4 and 57.
_DOUBT, _DOUBT_ALONE = 0.05, 0.02
_MNIST_FOR_DOUBTS = 2000  # so that ten own pictures of a digit do not stand alone
_FOLDS = 5
_RIDGE, _GAMMA = 0.03, 1.0  # 0.01 to 0.1, and 0.5 to 2, read 98 % of MNIST pictures they were not fitted to
_SHARPEN = 10.0  # scores of least squares lie between 0 and 1: this makes them probabilities
_DIRECTIONS, _CELLS = 8, 8  # edges counted by direction (of 360 degrees) in 8 x 8 cells of a tile


def find_doubts(images: list[OwnImage], tiles: dict[int, bytes], mnist: Tiles, network: Model | None = None
                ) -> list[tuple[int, int, float]]:  # fmt: skip
    """Return the pictures that are surely taken for another digit than their label, the surest of them first.

    Each is judged by two models. One is the network, which must not have learnt from these pictures: it would repeat
    their wrong labels. The other learns how these writers write: kernel ridge regression on the directions of strokes,
    fitted in well under a second to some of MNIST and to the own images but for the picture itself, its near-duplicates
    and, with two or more, its session.

    Args:
        images: all own images; `tiles`, PNG by position in it, of those that are used.
        mnist: a split of the merged dataset, of which MNIST's part counts.
        network: None where there is none; then the second model decides alone.
    Returns:
        (position, digit it is taken for, probability of its label), at most 100.
    """
    positions = sorted(tiles)
    if not positions:
        return []
    pictures = [cv2.imdecode(np.frombuffer(tiles[p], np.uint8), cv2.IMREAD_GRAYSCALE) for p in positions]
    own = np.stack([picture.reshape(TILE_SIZE, TILE_SIZE) for picture in pictures])
    labels = np.array([images[position].label for position in positions])
    known = mnist.select(np.flatnonzero(mnist.sources == Source.MNIST)[:_MNIST_FOR_DOUBTS])
    said = [_out_of_fold(own, labels, known, _folds(images, positions))]
    if network is not None:
        said.append(scaled(network.predict(own), network.temperature))
    doubted = np.logical_and.reduce([probabilities.argmax(axis=1) != labels for probabilities in said])
    together = np.exp(np.mean([np.log(np.maximum(probabilities, 1e-6)) for probabilities in said], axis=0))
    share = together[np.arange(len(labels)), labels]
    doubted &= share < (_DOUBT if network is not None else _DOUBT_ALONE)
    order = sorted(np.flatnonzero(doubted), key=lambda place: share[place])[:DOUBTED]
    return [(positions[place], int(together[place].argmax()), float(share[place])) for place in order]


def network_that_never_saw() -> Model | None:
    """Return the default export, or what it was taught from; None if there is none, or it learnt from own images."""
    try:
        folder = default_export()
        card = read_card(folder) or {}
        if card.get("parent"):
            folder = folder.with_name(str(card["parent"]["name"]))
            card = read_card(folder) or {}
        return None if card.get("data", {}).get("own") else load_model(folder)
    except ModelError:
        return None


def _out_of_fold(own: np.ndarray, labels: np.ndarray, known: Tiles, folds: np.ndarray) -> np.ndarray:
    """Return float (N, 10): what is said of each own tile by a model fitted without its fold, but with MNIST's."""
    from sklearn.kernel_ridge import KernelRidge  # takes a second to import, which merging and its workers need not
    from sklearn.model_selection import PredefinedSplit

    features = stroke_features(np.concatenate([own, known.images]))
    targets = np.eye(CLASSES, dtype=np.float32)[np.concatenate([labels, known.labels])]
    found = np.empty((len(own), CLASSES))
    for fitted, judged in PredefinedSplit(np.concatenate([folds, np.full(len(known), -1)])).split():  # -1: in no fold
        model = KernelRidge(alpha=_RIDGE, kernel="rbf", gamma=_GAMMA).fit(features[fitted], targets[fitted])
        powers = np.exp(_SHARPEN * model.predict(features[judged]))
        found[judged] = powers / powers.sum(axis=1, keepdims=True)
    return found


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
