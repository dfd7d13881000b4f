"""From a frame to the digits written in it, by the finder network: found, brought to tiles, read, scored."""

import time
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.decode import Found, decode
from digits.reading.finding.looks import look_at
from digits.reading.finding.score import WEIGHTS, features, scores
from digits.reading.images import to_bgr
from digits.reading.models.temperature import scaled
from digits.reading.readings import Digit, Reading, Reason, Rejected
from digits.reading.rows import lines
from digits.reading.tile import normalise

_EDGE = 2  # pixels from the frame's border within which a digit is cut off
_PART = 0.5  # what lies so far in another's box is a part of it, or it of this
_WHOLE = 0.5  # power of its side by which a whole digit is preferred to its parts
_WORTH = 0.05  # scores below this are not even told as refused


class Classifier(Protocol):
    """What an eye needs of a model; `models.model.Model` is one."""

    temperature: float
    threshold: float

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        """Return float32 (N, 10) for uint8 (N, 96, 96)."""


@dataclass(frozen=True)
class Candidate:
    """What may be a digit: where, its tile, what the network says of it, and its score."""

    found: Found
    tile: np.ndarray
    probabilities: np.ndarray
    values: np.ndarray
    score: float

    @property
    def confidence(self) -> float:
        """The winner's probability."""
        return float(self.probabilities.max())


class Eye:
    """Reads frames with one finder and one model."""

    def __init__(self, finder, model: Classifier, least_score: float = 0.5) -> None:
        """Take a finder of `models.finder.load_finder` and a model of `load_model`."""
        self.finder, self.model, self.least_score = finder, model, least_score
        self._weights = finder.card.get("score", WEIGHTS)
        self._predict_s = 0.0

    def read(self, frame: np.ndarray) -> Reading:
        """Return what is written in a frame: uint8 (H, W, 3) BGR, (H, W) grey, or what `images.to_bgr` accepts."""
        start = time.perf_counter()
        self._predict_s = 0.0
        frame = to_bgr(frame)
        candidates = self.candidates(frame)
        accepted = [c for c in candidates if c.score >= self.least_score]
        accepted = [accepted[i] for line in lines([c.found.box for c in accepted]) for i in line]
        refused = [Rejected(c.found.box, _reason(c)) for c in candidates if _WORTH < c.score < self.least_score]
        digits = [Digit(c.found.box, int(c.probabilities.argmax()), c.confidence, c.probabilities, c.tile)
                  for c in accepted]
        main = int(np.argmax([c.score * c.found.box.area**0.5 for c in accepted])) if accepted else None
        total = time.perf_counter() - start
        latency = {"find": total - self._predict_s, "predict": self._predict_s, "total": total}
        return Reading((frame.shape[1], frame.shape[0]), digits, refused, main, None,
                       {name: round(1000 * seconds, 3) for name, seconds in latency.items()})

    def candidates(self, frame: np.ndarray) -> list[Candidate]:
        """Return all that may be a digit in a frame, uint8 (H, W, 3) BGR."""
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        found = decode(look_at(grey, self.finder))
        if not found:
            return []
        tiles = np.stack([normalise(digit.ink) for digit in found])
        start = time.perf_counter()
        probabilities = scaled(self.model.predict(tiles), self.model.temperature)
        self._predict_s = time.perf_counter() - start
        height, width = grey.shape
        cut = [_cut_off(digit.box, width, height) for digit in found]
        values = features(found, probabilities.max(axis=1), cut)
        rows = zip(found, tiles, probabilities, values, scores(values, self._weights).tolist(), strict=True)
        return _settled([Candidate(*row) for row in rows])


def _settled(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates of which none is a part of another: the whole is taken where both are read as well."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.score * c.found.box.side**_WHOLE):
        box = candidate.found.box
        if all(box.shared(c.found.box) < _PART * min(box.area, c.found.box.area) for c in kept):
            kept.append(candidate)
    return kept


def _cut_off(box: Box, width: int, height: int) -> bool:
    return box.x < _EDGE or box.y < _EDGE or box.right > width - _EDGE or box.bottom > height - _EDGE


def _reason(candidate: Candidate) -> Reason:
    if candidate.values[-1]:
        return Reason.CUT_OFF
    return Reason.NOT_A_DIGIT if candidate.found.other > candidate.found.centre else Reason.LOW_CONFIDENCE
