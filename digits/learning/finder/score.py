"""Fit the score that tells digits from all else, and measure the finder, on rendered frames it has not seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.reading.finding.looks import Look
from digits.reading.finding.score import FEATURES, WEIGHTS
from digits.reading.reader import Candidate, Reader
from digits.rendering.camera import motion_kernel
from digits.rendering.frames.canvas import Frame

_SMALLEST = 9  # pixels at the near look's scale: smaller digits are not asked for
_ALIKE = 0.5  # intersection over union from which two boxes are the same digit
_STEPS, _RIDGE = 60, 1e-2
# A frame with much writing counts for more than one with little, but not in proportion: large digits come alone.
_CROWD = 0.7
_AS_GOOD = 0.001  # of F1: less is chance
_FEWEST = 30  # candidates of either kind: from fewer no weight is fitted


@dataclass(frozen=True)
class Tally:
    """What was found in frames: digits asked for, found, found and read right; candidates that are nothing's."""

    digits: int
    found: int
    right: int
    false: int
    frames: int


def judge(reader: Reader, frames: Iterable[Frame], looks: Sequence[list[Look]] | None = None
          ) -> tuple[np.ndarray, np.ndarray, np.ndarray, Tally]:
    """Return the features of all candidates (N, 11), whether each is a digit read right, its weight, and the tally.

    Args:
        looks: what the finder said of each frame, if it was asked before.
    Candidates that lie on a digit but are read wrong count as no digit: the score is to let through what is right.
    """
    values, good, weight, digits, found, right, count = [], [], [], 0, 0, 0, 0
    for number, frame in enumerate(frames):
        candidates = reader.candidates(frame.grey, None if looks is None else looks[number])
        asked = [i for i, (box, seen) in enumerate(zip(frame.boxes, frame.seen, strict=True))
                 if seen > 0.8 and box.side >= _SMALLEST]
        digits, count = digits + len(asked), count + 1
        matched = list(_matched(candidates, frame))
        weight += [max(len(asked) + len(frame.others), 1) ** -_CROWD] * len(matched)
        for candidate, index in matched:
            correct = index is not None and int(candidate.probabilities.argmax()) == frame.labels[index]
            values.append(candidate.features)
            good.append(correct)
            found += index in asked
            right += correct and index in asked
    tally = Tally(digits, found, right, len(good) - found, count)
    return np.array(values).reshape(-1, len(FEATURES)), np.array(good, bool), np.array(weight), tally


def _matched(candidates: list[Candidate], frame: Frame) -> Iterator[tuple[Candidate, int | None]]:
    """Yield each candidate with the digit that it is, or None; half-seen digits and their candidates are left out."""
    taken: set[int] = set()
    for candidate in candidates:
        overlaps = [candidate.found.box.overlap(box) if box.area else 0.0 for box in frame.boxes]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] > _ALIKE and best not in taken:
            taken.add(best)
            if frame.seen[best] > 0.8:
                yield candidate, best
        else:
            yield candidate, None


def best_dial(score: np.ndarray, good: np.ndarray, asked: int) -> float:
    """Return the middle of the scores, 0.05 to 0.95, with as good an F1 over `asked` digits as any; 0.5 where none is.

    As good is what is less than a tenth of a point from the best.
    """
    dials = np.arange(0.05, 0.96, 0.01)
    f1 = [2 * np.count_nonzero(good & (score >= dial)) / max(1, np.count_nonzero(score >= dial) + asked)
          for dial in dials]
    return round(float(np.median(dials[np.array(f1) >= max(f1) - _AS_GOOD])), 2) if max(f1) > 0 else 0.5


def smeared(frame: Frame, rng: np.random.Generator) -> Frame:
    """Return the frame as it looks when it moves by up to its digits' height while the shutter is open."""
    heights = [box.h for box in frame.boxes if box.h]
    length = float(np.median(heights)) * rng.uniform(0.1, 1.0) if heights else 0.0
    if length < 2:
        return frame
    return replace(frame, grey=cv2.filter2D(frame.grey, -1, motion_kernel(length, rng.uniform(0, 180))))


def fit_score(values: np.ndarray, good: np.ndarray, weight: np.ndarray) -> list[float]:
    """Return the weights of the logistic model, with a small ridge, by Newton's method; usual ones of too few rows."""
    if min(np.count_nonzero(good), np.count_nonzero(~good)) < _FEWEST:
        return list(WEIGHTS)
    weights = np.zeros(values.shape[1])
    ridge = _RIDGE * len(values) / 100 * np.eye(values.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        gradient = values.T @ (weight * (good - p)) - ridge @ weights
        curvature = (values * (weight * p * (1 - p))[:, None]).T @ values + ridge
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return [round(float(weight), 5) for weight in weights]
