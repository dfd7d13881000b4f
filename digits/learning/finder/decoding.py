"""Fit the numbers that the finder's maps are decoded by, on rendered frames: one number after the other."""

from collections.abc import Iterable

import numpy as np

from digits.learning.finder.score import fit_score, judge
from digits.learning.shared.progress import Report
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.looks import look_at
from digits.reading.finding.score import scores
from digits.reading.reader import Reader
from digits.rendering.frames.canvas import Frame

# How far each number is moved in one step, and what it may become.
_STEPS = {"centre": 0.4, "ink": 0.4}  # logits; the others by a quarter of what they are
# Below this there are so many candidates that a cluttered room takes twice the time, and hardly a digit more is read.
_LEAST_CENTRE = -2.2
_SHARE = 0.25
_LEAST_GAIN = 0.001  # digits a frame, a crowded frame's counting less: a smaller gain is chance
_ROUNDS = 2
_COST = 0.5  # digits read right that one thing taken for a digit costs


def fit_decoding(reader: Reader, frames: Iterable[Frame], report: Report, rounds: int = _ROUNDS) -> Decoding:
    """Return the numbers with which most digits are read right and least else is, beginning with the reader's.

    Each number is moved up and down by one step and stays where the frames are read best.
    """
    frames = list(frames)
    looks = [look_at(frame.grey, reader.finder) for frame in frames]

    def worth(rules: Decoding) -> float:
        reader.decoding = rules
        values, good, weight, tally = judge(reader, frames, looks)
        accepted = scores(values, fit_score(values, good, weight)) >= 0.5
        return float((weight * accepted * np.where(good, 1, -_COST)).sum() / max(1, tally.frames))

    best = reader.decoding
    top = worth(best)
    for _ in range(rounds):
        before = best
        for name in Decoding._fields:
            for moved in _moved(best, name):
                value = worth(moved)
                if value > top + _LEAST_GAIN:
                    best, top = moved, value
                    report(f"{name} {getattr(best, name):.3g}: {top:.4f}")
        if best == before:
            break
    reader.decoding = best
    return best


def _moved(rules: Decoding, name: str) -> list[Decoding]:
    value = getattr(rules, name)
    up, down = (value + _STEPS[name], value - _STEPS[name]) if name in _STEPS else (
        value * (1 + _SHARE), value / (1 + _SHARE))
    return [rules._replace(**{name: round(moved, 4)}) for moved in (up, down)
            if name != "centre" or moved >= _LEAST_CENTRE - 1e-6]  # fmt: skip
