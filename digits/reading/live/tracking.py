"""Digits followed from frame to frame, voting with probabilities: a reading neither flickers nor lags."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.box import Box
from digits.reading.readings import Digit, Hint, Reading, Reason, Rejected

# Each frame a vote keeps this much: after one frame of another digit it stands 0.7 to 0.3, after two 0.49 to
# 0.51, after three 0.34 to 0.66. With the lead below, a label changes on the third frame in a row, never on one.
_MEMORY = 0.7
_LEAD = 0.2
# Before it is shown a digit has nothing to defend, and the newest look counts most.
_FIRST_MEMORY = 0.45
# A digit is shown when frames agree that it is there and what it is: two when they are sure (0.95), four when they
# waver, so that a new steady digit shows within five frames. And it must be surer than not.
_EVIDENCE = 1.8
_LEAST_EVIDENCE = 0.5
_SURE = 0.5
# Cameras and screen recorders repeat frames. A repeated one says nothing new; three in a row say the scene
# stands still, which is as good as a second look. Repeats differ by less than 0.2 grey levels through
# compression, sensor noise alone by more than 1.
_REPEATED = 1.0 / 3.0
_SAME_FRAME = 0.5
# Missing for a moment (a shadow, a blurred frame) a digit stays; longer where its ink is seen but not read, and
# where most of the other digits are still there.
_MISSES = 2
_MORE_MISSES = 5
_MOST = 0.6
# How far a digit may move from one frame to the next, in its own heights: more is another digit, or too fast to read.
_REACH = 0.6
_STEADY_REACH = 0.5
# Hands move whole sheets: the shift that most digits share is looked for within this many heights.
_SHIFT_REACH = 3.0
_SIZE_RATIO = 2.0
_MAIN_FRAMES = 3


@dataclass(eq=False)
class _Track:
    """One digit through time: its newest sighting, its vote (10 probabilities), and how far to trust it.

    `told` is the newest vote that its label led: what is shown of it never contradicts the label.
    """

    seen: Digit
    box: Box
    vote: np.ndarray
    told: np.ndarray
    label: int
    evidence: float
    missed: int = 0
    shown: bool = False


class Tracker:
    """Turns each frame's own reading into one that remembers the frames before it."""

    def __init__(self):
        self.reset()

    def reset(self) -> None:
        """Forget everything: another source begins."""
        self._tracks: list[_Track] = []  # in reading order
        self._thumbnail: np.ndarray | None = None
        self._main: _Track | None = None
        self._main_rival_frames = 0

    def update(self, reading: Reading, frame: np.ndarray | None = None) -> Reading:
        """Return the reading with voted digits; those seen for the first time wait among the rejected, unsteady.

        Args:
            reading: what the frame shows by itself.
            frame: its pixels, uint8 (H, W, 3), by which repeated frames are told from new ones.
        """
        repeated = frame is not None and self._repeats(frame)
        shift = _shared_shift(self._tracks, reading.digits) if self._tracks and reading.digits else np.zeros(2)
        known = _match(self._tracks, reading.digits, shift)
        for index, track in known.items():
            _vote(track, reading.digits[index], repeated, reading.hint == Hint.BLURRED)
        for track in self._tracks:
            if track not in known.values():
                _miss(track, shift)
        seen = [known.get(index) or _new_track(digit) for index, digit in enumerate(reading.digits)]
        self._tracks = _with_missing(seen, self._tracks, reading.rejected)
        return self._voted(reading, seen)

    def _repeats(self, frame: np.ndarray) -> bool:
        thumbnail = np.ascontiguousarray(frame[::8, ::8])
        before, self._thumbnail = self._thumbnail, thumbnail
        if before is None or before.shape != thumbnail.shape:
            return False
        return cv2.norm(before, thumbnail, cv2.NORM_L1) / thumbnail.size < _SAME_FRAME

    def _voted(self, reading: Reading, seen: list[_Track]) -> Reading:
        shown = [track for track in self._tracks if track.shown]
        rejected = [item for item in reading.rejected if not any(_overlap(item.box, t.box) for t in shown)]
        rejected += [Rejected(track.box, Reason.UNSTEADY) for track in self._tracks if not track.shown]
        main = self._steady_main(None if reading.main is None else seen[reading.main], shown)
        return replace(reading, digits=[_as_digit(track) for track in shown], rejected=rejected,
                       main=shown.index(main) if main in shown else None, hint=None if shown else reading.hint)

    def _steady_main(self, candidate: _Track | None, shown: list[_Track]) -> _Track | None:
        """Keep the highlighted digit until another has been more prominent for some frames."""
        if candidate not in shown:
            candidate = max(shown, key=lambda track: track.box.area, default=None)
        keeps = self._main in shown and candidate is not self._main
        self._main_rival_frames = self._main_rival_frames + 1 if keeps else 0
        if not keeps or self._main_rival_frames >= _MAIN_FRAMES:
            self._main, self._main_rival_frames = candidate, 0
        return self._main


def _new_track(digit: Digit) -> _Track:
    probabilities = np.asarray(digit.probabilities, np.float32).copy()
    return _Track(digit, digit.box, probabilities, probabilities, digit.digit, _evidence(digit))


def _evidence(digit: Digit) -> float:
    """Return how much one sighting proves: 1 where the network is certain, less where it wavers."""
    return float(np.clip(2 * digit.confidence - 1, _LEAST_EVIDENCE, 1.0))


def _vote(track: _Track, digit: Digit, repeated: bool, blurred: bool) -> None:
    """Let one sighting count: for what the digit is, and for whether it is there at all."""
    moved = digit.box.distance(track.box)
    weight = _REPEATED if repeated else 1.0
    keep = (_MEMORY if track.shown else _FIRST_MEMORY) ** weight
    track.vote = keep * track.vote + (1 - keep) * np.asarray(digit.probabilities, np.float32)
    leader = int(track.vote.argmax())
    steady = moved <= _STEADY_REACH * digit.box.side and not blurred
    if not track.shown:
        agrees = steady and digit.digit == track.label
        track.evidence = track.evidence + (_REPEATED if repeated else _evidence(digit)) if agrees else _evidence(digit)
        track.label = leader
    elif leader != track.label and track.vote[leader] > track.vote[track.label] + _LEAD:
        track.label = leader
    if leader == track.label:
        track.told = track.vote
    track.seen, track.box, track.missed = digit, digit.box, 0
    track.shown = track.shown or (track.evidence >= _EVIDENCE - 1e-3 and track.vote[track.label] >= _SURE)


def _miss(track: _Track, shift: np.ndarray) -> None:
    x, y, width, height = track.box
    track.box = Box(round(x + float(shift[0])), round(y + float(shift[1])), width, height)
    track.missed += 1


def _with_missing(seen: list[_Track], before: list[_Track], rejected: list[Rejected]) -> list[_Track]:
    """Return the tracks seen now and those that may be missing for a moment, each where it stood in reading order."""
    kept = list(seen)
    shown = [track for track in before if track.shown]
    scene_goes_on = sum(not track.missed for track in shown) >= _MOST * len(shown)
    for place, track in enumerate(before):
        if not track.missed or not track.shown:
            continue
        in_sight = any(_overlap(track.box, item.box) for item in rejected)
        replaced = any(_overlap(track.box, other.box) for other in seen)
        if not replaced and track.missed <= (_MORE_MISSES if in_sight or scene_goes_on else _MISSES):
            earlier = [kept.index(other) for other in before[:place] if other in kept]
            kept.insert(max(earlier, default=-1) + 1, track)
    return kept


def _as_digit(track: _Track) -> Digit:
    return replace(track.seen, box=track.box, digit=track.label, confidence=float(track.told[track.label]),
                   probabilities=track.told.copy())


def _centres(boxes: list[Box]) -> np.ndarray:
    return np.asarray([box.centre for box in boxes], np.float32).reshape(-1, 2)


def _shared_shift(tracks: list[_Track], digits: list[Digit]) -> np.ndarray:
    """Return the (x, y) shift that carries most tracks onto a digit of like size and the same label.

    All pairs vote for their shift in a coarse grid; none at all wins unless another is clearly better.
    """
    reach = _heights(tracks, digits)
    shifts = _centres([digit.box for digit in digits])[None] - _centres([track.box for track in tracks])[:, None]
    labels = np.asarray([digit.digit for digit in digits])[None] == np.asarray([t.label for t in tracks])[:, None]
    near = (np.abs(shifts).max(-1) < _SHIFT_REACH * reach) & labels
    if not near.any():
        return np.zeros(2)
    candidates = shifts[near]
    cell = _STEADY_REACH * float(np.median(reach))
    places, counts = np.unique(np.round(candidates / cell).astype(int), axis=0, return_counts=True)
    resting = np.abs(candidates).max(-1) < cell
    if counts.max() <= resting.sum() + 1:
        return np.median(candidates[resting], axis=0) if resting.any() else np.zeros(2)
    best = places[counts.argmax()] * cell
    return np.median(candidates[np.abs(candidates - best).max(-1) < cell], axis=0)


def _match(tracks: list[_Track], digits: list[Digit], shift: np.ndarray) -> dict[int, _Track]:
    """Return the tracks seen again by the index of their digit: the nearest pairs first, each used once."""
    if not tracks or not digits:
        return {}
    moved = _centres([track.box for track in tracks]) + shift
    distance = np.abs(_centres([digit.box for digit in digits])[None] - moved[:, None]).max(-1)
    reach = _heights(tracks, digits)
    ratio = np.asarray([d.box.side for d in digits])[None] / np.asarray([t.box.side for t in tracks])[:, None]
    fits = (distance < _REACH * reach) & (ratio < _SIZE_RATIO) & (ratio > 1 / _SIZE_RATIO)
    known: dict[int, _Track] = {}
    for flat in np.argsort(np.where(fits, distance / reach, np.inf), axis=None)[: int(fits.sum())]:
        track, digit = divmod(int(flat), len(digits))
        if digit not in known and tracks[track] not in known.values():
            known[digit] = tracks[track]
    return known


def _heights(tracks: list[_Track], digits: list[Digit]) -> np.ndarray:
    """Return (tracks, digits) the longer side of each pair's larger box, in pixels."""
    mine = np.asarray([track.box.side for track in tracks], np.float32)
    theirs = np.asarray([digit.box.side for digit in digits], np.float32)
    return np.maximum(np.maximum(mine[:, None], theirs[None]), 1.0)


def _overlap(first: Box, second: Box) -> bool:
    """Say whether two boxes share more than a fifth of the smaller."""
    return first.shared(second) > 0.2 * min(first.area, second.area)
