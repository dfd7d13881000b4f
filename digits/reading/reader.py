"""From a frame to the digits written in it: found, brought to tiles, read, accepted or refused."""

import time
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.decode import Found, decode
from digits.reading.finding.looks import Look, look_at
from digits.reading.finding.score import WEIGHTS, features, scores
from digits.reading.hints import SMALL, hint_for
from digits.reading.images import to_bgr
from digits.reading.models.finder import Finder, load_finder
from digits.reading.models.temperature import scaled
from digits.reading.readings import Digit, Reading, Reason, Rejected
from digits.reading.rows import lines
from digits.reading.tile import normalise

_PART = 0.5  # what lies so far in another's box is a part of it, or it of this
_WHOLE = 0.5  # power of its side by which a whole digit is preferred to its parts
_EDGE = 2  # pixels from the frame's border within which a digit is cut off
_WORTH = 0.05  # scores below this are not even told as refused
_SEEN = 0.01  # but from here on, why it is refused may be a hint


class Classifier(Protocol):
    """What a reader needs of a model; `models.model.Model` is one."""

    temperature: float

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        """Return float32 (N, 10) for uint8 (N, 96, 96)."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may be a digit: where, its tile, what the network says of it, and how probably it is one at all."""

    found: Found
    tile: np.ndarray
    probabilities: np.ndarray
    features: np.ndarray
    score: float

    @property
    def confidence(self) -> float:
        """The winner's probability."""
        return float(self.probabilities.max())

    @property
    def cut_off(self) -> bool:
        """Whether it reaches the frame's border."""
        return bool(self.features[-1])


class Reader:
    """Reads frames with one finder and one model."""

    def __init__(self, model: Classifier, min_confidence: float | None = None, finder: Finder | None = None) -> None:
        """Make a reader.

        Args:
            model: of `load_model`.
            min_confidence: least score at which something is a digit; None for what the finder's card names.
            finder: of `load_finder`; None for the project's own.
        """
        self.model = model
        self.finder = load_finder() if finder is None else finder
        self.min_confidence = self.finder.card.get("accept", 0.5) if min_confidence is None else min_confidence
        self.looks: list[Look] = []  # what the finder said of the last frame
        self.decoding = self.finder.decoding
        self._weights = self.finder.card.get("score", WEIGHTS)

    def read(self, frame: np.ndarray) -> Reading:
        """Return what is written in a frame.

        Args:
            frame: uint8 (H, W, 3) BGR, (H, W) grey, or what `images.to_bgr` accepts.
        Raises:
            ImageError: if it is no picture.
        """
        start = time.perf_counter()
        frame = to_bgr(frame)
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        self.looks = looks = look_at(grey, self.finder)
        candidates, predict_s = self._candidates(grey, looks)
        accepted = [c for c in candidates if c.score >= self.min_confidence]
        accepted = [accepted[index] for line in lines([c.found.box for c in accepted]) for index in line]
        refused = [(_reason(c, looks[0].scale), c) for c in candidates if c.score < self.min_confidence]
        main = int(np.argmax([c.score * c.found.box.side for c in accepted])) if accepted else None
        seen = [(reason, c.score) for reason, c in refused if c.score > _SEEN]
        hint = None if accepted else hint_for(grey, looks, seen)
        total = time.perf_counter() - start
        latency = {"find": total - predict_s, "predict": predict_s, "total": total}
        return Reading((frame.shape[1], frame.shape[0]), [_digit(c) for c in accepted],
                       [Rejected(c.found.box, reason) for reason, c in refused if c.score > _WORTH], main, hint,
                       {name: round(1000 * seconds, 3) for name, seconds in latency.items()})

    def candidates(self, grey: np.ndarray, looks: list[Look] | None = None) -> list[Candidate]:
        """Return all that may be a digit in a frame, uint8 (H, W) grey, whatever its score.

        Args:
            looks: what the finder said of it, if it was asked before.
        """
        return self._candidates(grey, look_at(grey, self.finder) if looks is None else looks)[0]

    def _candidates(self, grey: np.ndarray, looks: list[Look]) -> tuple[list[Candidate], float]:
        frame = Box(0, 0, *grey.shape[::-1])
        found = [replace(digit, box=digit.box.within(frame)) for digit in decode(looks, self.decoding)]
        if not found:
            return [], 0.0
        tiles = np.stack([normalise(digit.ink) for digit in found])
        start = time.perf_counter()
        probabilities = scaled(self.model.predict(tiles), self.model.temperature)
        seconds = time.perf_counter() - start
        cut = [cut_off(digit.box, (frame.w, frame.h)) for digit in found]
        values = features(found, probabilities.max(axis=1), cut)
        rows = zip(found, tiles, probabilities, values, scores(values, self._weights).tolist(), strict=True)
        return _settled([Candidate(*row) for row in rows]), seconds


def _settled(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates of which none is a part of another: the whole is taken where both are read as well."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.score * c.found.box.side**_WHOLE):
        box = candidate.found.box
        if all(box.shared(c.found.box) < _PART * min(box.area, c.found.box.area) for c in kept):
            kept.append(candidate)
    return kept


def cut_off(box: Box, size: tuple[int, int]) -> bool:
    """Return whether a box reaches the border of a frame of this size (width, height)."""
    width, height = size
    return box.x < _EDGE or box.y < _EDGE or box.right > width - _EDGE or box.bottom > height - _EDGE


def _digit(candidate: Candidate) -> Digit:
    probabilities = candidate.probabilities
    return Digit(candidate.found.box, int(probabilities.argmax()), candidate.confidence, probabilities,
                 candidate.tile, candidate.score)


def _reason(candidate: Candidate, scale: float) -> Reason:
    if candidate.cut_off:
        return Reason.CUT_OFF
    if candidate.found.box.side * scale < SMALL:
        return Reason.TOO_SMALL
    return Reason.NOT_A_DIGIT if candidate.found.other > candidate.found.centre else Reason.LOW_CONFIDENCE
