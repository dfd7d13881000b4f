"""What the user's own images are like: how many of what, which look wrong, and which further ones would help most."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digits.learning import own_images
from digits.learning.config import CLASSES
from digits.learning.dataset import Tiles, load_own_images, load_split
from digits.learning.own_images import OwnImage
from digits.learning.workers import map_chunks
from digits.reading.images import ImageError, load_image
from digits.reading.ink import find_ink
from digits.reading.locate import locate
from digits.reading.reader import Reader

THUMBNAIL = 128  # longer side, px
FAINT = 100  # contrast of strokes, of 255, that 1 in 20 of the development photographs (pencils) stays below
FEW = 0.5  # fewer pictures than this share of the median count as few
DOUBTED = 100  # worst pictures shown at most

_CHUNK = 8
_MNIST_FOR_DOUBTS = 2000  # so that ten own pictures of a digit do not stand alone
_FOLDS = 5
_RIDGE = 0.3  # 0.01 to 1 read 96.7 % of MNIST pictures they were not fitted to
_SHARPEN = 10.0  # scores of least squares lie between 0 and 1: this makes them probabilities
_DIRECTIONS, _CELLS = 8, 8  # edges counted by direction (of 360 degrees) in 8 x 8 cells of a tile


@dataclass(frozen=True)
class Look:
    """What one look at a photograph shows.

    `problem` is one of the reader's hints ("blurred", "cut off", ...) or ""; `contrast` that of the strokes, 0 to 255.
    """

    problem: str = ""
    contrast: float = 0.0
    light_on_dark: bool = False
    thumbnail: bytes = b""  # JPEG


@dataclass(frozen=True)
class Audit:
    """All that the page shows; positions count in `images`."""

    images: list[OwnImage]
    looks: list[Look]
    tiles: dict[int, bytes]  # PNG, of the pictures that are used
    groups: list[list[int]]  # near-duplicates, two or more each
    doubts: list[tuple[int, int, float]]  # position, what it is taken for, probability of its label; worst first
    advice: list[str]
    excluded: set[str]
    custom_dir: Path


def audit(custom_dir: Path, merged_dir: Path, workers: int | None = None) -> Audit:
    """Look at every own image of a merged folder that is up to date.

    Raises:
        DatasetError: if `merged_dir` was not built.
    """
    images = load_own_images(merged_dir)
    paths = [str(Path(custom_dir) / image.original) for image in images]
    chunks = [(paths[start : start + _CHUNK],) for start in range(0, len(paths), _CHUNK)]
    looks = [look for part in map_chunks(look_at, chunks, workers) for look in part]
    used = [position for position, image in enumerate(images) if not image.reason]
    tiles = {position: (Path(merged_dir) / images[position].tile_path).read_bytes() for position in used}
    groups = [group for group in own_images.near_groups(_all_readable(images)) if len(group) > 1]
    doubts = find_doubts(images, tiles, load_split(merged_dir, "train"))
    excluded = own_images.read_excluded(custom_dir)
    return Audit(images, looks, tiles, groups, doubts, give_advice(images, looks), excluded, Path(custom_dir))


def _all_readable(images: list[OwnImage]) -> list[OwnImage]:
    """Return the images such that those left out as (near-)duplicates count as well."""
    return [OwnImage(i.original, i.label, i.session, facts=i.facts, reason="" if i.facts.near else "-") for i in images]


# ---------------------------------------------------------------- looking


class _ReadsNothing:
    """A model that is never sure, so that the reader says what is wrong with the picture rather than what it reads."""

    temperature = 1.0
    threshold = 1.0

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        return np.full((len(tiles), CLASSES), 1 / CLASSES, np.float32)


def look_at(paths: list[str]) -> list[Look]:
    """Return a look at each photograph; runs in a worker."""
    return [_look(path) for path in paths]


def _look(path: str) -> Look:
    try:
        frame = load_image(path)
        problem = Reader(_ReadsNothing()).read(frame).hint or ""
        ink = find_ink(frame)
        parts = locate(ink)
    except (ImageError, ValueError, cv2.error):
        return Look("unreadable")
    contrast = max(parts, key=lambda part: part.side * part.contrast).contrast if parts else 0.0
    scale = THUMBNAIL / max(frame.shape[:2])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return Look(problem, float(contrast), bool(ink.light_on_dark), jpeg)


# ---------------------------------------------------------------- doubts


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
    number = {p: k % _FOLDS for k, group in enumerate(own_images.near_groups(images)) for p in group}
    return np.array([number[position] for position in positions])


# ---------------------------------------------------------------- advice


def give_advice(images: list[OwnImage], looks: list[Look]) -> list[str]:
    """Return what would help most, one sentence each, the most useful first."""
    used = [(image, look) for image, look in zip(images, looks, strict=True) if not image.reason]
    if not used:
        return ["There is no usable picture yet: put some under data/custom/<session>/<digit>/."]
    advice = _missing_digits(Counter(image.label for image, _ in used), "")
    sessions = defaultdict(Counter)
    for image, _ in used:
        if image.given != "train" or not image.session.lower().startswith(own_images.TAUGHT_PREFIX):
            sessions[image.session][image.label] += 1
    if len(sessions) > 1:
        for session, counts in sorted(sessions.items()):
            advice += _missing_digits(counts, f" from session {session}")
    if len(sessions) < own_images.WHOLE_SESSIONS_FROM:
        lacking = own_images.WHOLE_SESSIONS_FROM - len(sessions)
        advice.append(f"{lacking} more sessions by other people: then results speak of writers never seen.")
    elif not any(image.split == "test" for image, _ in used):
        advice.append("No session is in test: file one person's pictures under test/<digit>/ to measure on them.")
    advice += _missing_kinds([look for _, look in used])
    problems = Counter(look.problem for _, look in used if look.problem)
    advice += [f"{count} pictures are {name}: take them again." for name, count in problems.most_common()]
    return advice


def _missing_digits(counts: Counter, where: str) -> list[str]:
    usual = float(np.median([counts[digit] for digit in range(CLASSES)]))
    if not usual:
        have = ", ".join(str(digit) for digit in range(CLASSES) if counts[digit])
        return [f"Only {have}{where}: the other digits are missing."]
    few = [digit for digit in range(CLASSES) if counts[digit] < FEW * usual]
    return [f"Few {digit}s{where}: {counts[digit]}, where other digits have {usual:.0f}." for digit in few]


def _missing_kinds(looks: list[Look]) -> list[str]:
    advice = []
    if not any(look.contrast < FAINT for look in looks):
        advice.append("No faint pens: some pictures in pencil or pale felt-tip would help.")
    if all(look.contrast < FAINT for look in looks):
        advice.append("Only faint pens: some pictures in dark ink would help.")
    if not any(look.light_on_dark for look in looks):
        advice.append("No light strokes on dark: some chalk or a white pen would help, if that is to be read.")
    return advice
