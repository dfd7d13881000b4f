"""From a frame to the digits written in it: found, brought to tiles, read, accepted or rejected."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.held_sheet import HeldSheet, find_sheet
from digits.reading.finding.ink import Ink, find_ink_in_shadow, find_inks
from digits.reading.finding.judging import (
    CERTAIN,
    FAINTER,
    MOST_PARTS,
    SMALLER,
    SURE,
    TURNED,
    Rest,
    covered,
    encloses,
    flat,
    hint_for,
    like_a_shadow,
    moves,
    needed_amid,
    prominence,
    same_pen,
    slope_of_rows,
    soft_edges,
    turned_back,
    worth_reading,
)
from digits.reading.finding.locate import (
    MIN_SIDE,
    Part,
    locate,
    merge,
    neighbours,
    reading_order,
    split,
    stacked,
    touching,
)
from digits.reading.finding.surroundings import Company, clutter, out_of_place, paper_inside
from digits.reading.finding.written_ones import written_stick
from digits.reading.images import to_bgr
from digits.reading.models.temperature import scaled
from digits.reading.readings import Digit, Reading, Reason, Rejected
from digits.reading.tile import INK_LEVEL, normalise

# Another way to cut the ink must be read better than what it replaces by this margin.
_BETTER = 0.15
# ... unless the network is certain, as with a pink pen beside a black one; print behind the paper is fainter still.
_FAINTEST = 0.2
# A shadow over a digit brings a few parts; with more, a second look takes long and finds rooms and textures.
_FEW_PARTS = 12
_SHADOW = 0.1  # of the frame's longer side: what runs out and is wider may hide digits beside those read


class Classifier(Protocol):
    """What a reader needs of a model; `models.model.Model` is one."""

    temperature: float
    threshold: float

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        """Return float32 (N, 10) for uint8 (N, 96, 96)."""


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A part with its tile and what the network says of it; equal to nothing but itself."""

    part: Part
    tile: np.ndarray
    probabilities: np.ndarray

    @cached_property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    @cached_property
    def digit(self) -> int:
        return int(self.probabilities.argmax())


@dataclass(frozen=True)
class _Found:
    """What one look at a view found: parts worth reading, digits in reading order, and what was refused and why."""

    ink: Ink
    parts: list[Part]
    accepted: list[_Candidate]
    rejected: list[tuple[Part, Reason]]


class Reader:
    """Reads frames with one model."""

    def __init__(self, model: Classifier, min_confidence: float | None = None) -> None:
        """Take a model of `load_model`; `min_confidence` None means the threshold of its card."""
        self.model = model
        self.min_confidence = model.threshold if min_confidence is None else min_confidence
        self._predict_s = 0.0

    def read(self, frame: np.ndarray) -> Reading:
        """Return what is written in a frame.

        Args:
            frame: uint8 (H, W, 3) BGR, (H, W) grey, or what `images.to_bgr` accepts.
        Raises:
            ImageError: if it is no picture.
        """
        start = time.perf_counter()
        self._predict_s = 0.0
        frame = to_bgr(frame)
        sheet = find_sheet(frame)
        found = self._read_view(frame if sheet is None else sheet.view(frame))
        if sheet is not None and not found.accepted:  # a door, a monitor: what is written may be beside it
            sheet = None
            found = self._read_view(frame)
        ink = found.ink
        digits = [_digit(candidate, ink.scale, sheet) for candidate in found.accepted]
        rejected = [Rejected(_frame_box(part, ink.scale, sheet), reason) for part, reason in found.rejected]
        main = int(np.argmax([prominence(c.part, ink) for c in found.accepted])) if digits else None
        hint = None if digits else hint_for(frame, ink, found.parts)
        total = time.perf_counter() - start
        latency = {"find": total - self._predict_s, "predict": self._predict_s, "total": total}
        return Reading((frame.shape[1], frame.shape[0]), digits, rejected, main, hint,
                       {name: round(1000 * seconds, 3) for name, seconds in latency.items()})

    def _read_view(self, view: np.ndarray) -> _Found:
        found = max((self._read_ink(ink) for ink in find_inks(view)), key=_weight)
        return self._seen_in_shadow(view, found) if _may_hide_digits(found) else found

    def _seen_in_shadow(self, view: np.ndarray, found: _Found) -> _Found:
        """Return what was found with what is certain, and new, when the edges of shadows are no ink.

        The second answer does not count for what was refused before, or letters would get through; nor where the first
        is certain. Where it does, what the first was less sure of may be strokes and shadow.
        """
        known = [part for part, reason in found.rejected if not like_a_shadow(part, reason)]
        known += [c.part for c in found.accepted if c.confidence >= CERTAIN]
        again = self._read_ink(find_ink_in_shadow(view, found.ink.light_on_dark)).accepted
        new = [c for c in again if c.confidence >= CERTAIN and not covered(c.part, known)]
        if not new:
            return found
        accepted = [c for c in found.accepted if c.confidence >= CERTAIN] + new
        order = reading_order([c.part.box for c in accepted])
        return replace(found, accepted=[accepted[i] for i in order])

    def _read_ink(self, ink: Ink) -> _Found:
        parts, rejected = worth_reading(locate(ink, MIN_SIDE), ink)
        candidates = self._joined(self._classified(parts))
        slope = slope_of_rows([c.part for c in candidates if c.confidence >= self.min_confidence])
        if abs(slope) > TURNED:
            candidates = self._classified([c.part for c in candidates], slope)
        accepted, low = self._accepted(candidates, ink)
        return _Found(ink, parts, accepted, rejected + low)

    def _classified(self, parts: list[Part], slope: float = 0.0) -> list[_Candidate]:
        """Return what the network says of parts, turned back by the slope of their rows (degrees, positive: rising)."""
        if not parts:
            return []
        tiles = np.stack([normalise(turned_back(part.ink, slope)) for part in parts])
        start = time.perf_counter()
        probabilities = scaled(self.model.predict(tiles), self.model.temperature)
        self._predict_s += time.perf_counter() - start
        return [_Candidate(*fields) for fields in zip(parts, tiles, probabilities, strict=True)]

    def _joined(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Join pieces of one digit, and cut what is two, where the network reads the result better."""
        asked: dict[frozenset[_Candidate], _Candidate] = {}
        for _ in range(3):  # three strokes at most are apart in one digit, a 5 or a 4 of three broken strokes
            joined = self._join_once(candidates, asked)
            if len(joined) == len(candidates):
                break
            candidates = joined
        return self._cut(candidates)

    def _join_once(
        self, candidates: list[_Candidate], asked: dict[frozenset[_Candidate], _Candidate]
    ) -> list[_Candidate]:
        """Join the pairs that are read better; what the network said of a pair is kept in `asked`."""
        near = [(candidates[i], candidates[j]) for i, j in neighbours([c.part for c in candidates])]
        pairs = [pair for pair in near if self._may_join(*pair)][:MOST_PARTS]
        pairs = [pair for pair in pairs if self._needed_joined(*pair) < 1]
        new = [pair for pair in pairs if frozenset(pair) not in asked]
        whole = self._classified([merge(first.part, second.part) for first, second in new])
        asked.update(zip(map(frozenset, new), whole, strict=True))
        joined: dict[_Candidate, _Candidate] = {}
        for pair in sorted(pairs, key=lambda pair: -asked[frozenset(pair)].confidence):
            whole = asked[frozenset(pair)]
            if joined.keys().isdisjoint(pair) and whole.confidence > self._needed_joined(*pair):
                joined.update(dict.fromkeys(pair, whole))
        return list(dict.fromkeys(joined.values())) + [c for c in candidates if c not in joined]

    def _may_join(self, first: _Candidate, second: _Candidate) -> bool:
        doubtful = min(first.confidence, second.confidence) < SURE or stacked(first.part, second.part)
        return (doubtful or _touching_ones(first, second)) and same_pen(first.part, second.part)

    def _needed_joined(self, first: _Candidate, second: _Candidate) -> float:
        """Return the confidence above which two candidates are one; with 1 or more there is nothing to ask."""
        if stacked(first.part, second.part):
            return max(self.min_confidence, _BETTER)
        if _touching_ones(first, second):
            return CERTAIN
        worse, better = sorted((first.confidence, second.confidence))
        return max(worse + _BETTER, min(max(self.min_confidence, better - 0.3), SURE))

    def _cut(self, candidates: list[_Candidate]) -> list[_Candidate]:
        needed = {c: max(c.confidence + _BETTER, self.min_confidence, SURE) for c in candidates}
        doubtful = [(c, split(c.part)) for c in candidates if c.confidence < SURE and needed[c] < 1]
        doubtful = [(c, halves) for c, halves in doubtful if halves is not None]
        left = self._classified([halves[0] for _, halves in doubtful])
        # Most cuts are wrong, and most of those show in one half: the other need not be read.
        doubtful = [(c, half, halves[1]) for (c, halves), half in zip(doubtful, left, strict=True)
                    if half.confidence > needed[c]]
        right = self._classified([half for _, _, half in doubtful])
        result = {c: [c] for c in candidates}
        for (c, first, _), second in zip(doubtful, right, strict=True):
            # The halves of V, A and M are ones: a cut that yields two of them says nothing.
            ones = all(half.digit == 1 for half in (first, second))
            if not ones and second.confidence > needed[c]:
                result[c] = [first, second]
        return [c for group in result.values() for c in group]

    def _accepted(self, candidates: list[_Candidate], ink: Ink) -> tuple[list[_Candidate], list[tuple[Part, Reason]]]:
        sure = [c for c in candidates if c.confidence >= max(self.min_confidence, SURE) and not flat(c.part)]
        around = [c for c in candidates if flat(c.part) or encloses(c.part, [s.part for s in sure])]
        rest = Rest.of([c.part for c in sure if all(c is not other for other in around)])
        accepted, rejected = [], [(c.part, Reason.NOT_A_DIGIT) for c in around]
        smeared = set()  # what is certain may be smeared all the same
        for candidate in candidates:
            if any(candidate is other for other in around):
                continue
            reason = self._reason_against(candidate, rest, ink)
            if reason is None:
                soft, one_way = soft_edges(candidate.part, ink)
                if one_way:
                    smeared.add(candidate)
                reason = Reason.BLURRED if soft or (one_way and candidate.confidence < CERTAIN) else None
            if reason:
                rejected.append((candidate.part, reason))
            else:
                accepted.append(candidate)
        accepted, others = _in_place(accepted, candidates, ink)
        rejected += [(candidate.part, Reason.NOT_ON_PLAIN_PAPER) for candidate in others]
        sharp = [c.part for c in accepted if c not in smeared]
        blurred = [c.part for c in accepted if c in smeared]
        blurred += [part for part, why in rejected if why == Reason.BLURRED]
        if moves(sharp, blurred):
            accepted, moved = [], accepted
            rejected += [(candidate.part, Reason.BLURRED) for candidate in moved]
        order = reading_order([c.part.box for c in accepted])
        return [accepted[i] for i in order], rejected

    def _reason_against(self, candidate: _Candidate, rest: "Rest", ink: Ink) -> Reason | None:
        """Return why a candidate is no digit, or None; what costs least to find out comes first."""
        part, confidence = candidate.part, candidate.confidence
        if part.cut_off and SMALLER * part.side < rest.third_whole_side:
            return Reason.CUT_OFF  # with so many whole digits in sight, this is the edge of the sheet
        if confidence < self.min_confidence:
            return Reason.CUT_OFF if part.cut_off else Reason.LOW_CONFIDENCE
        digit = candidate.digit
        if (digit == 1 and not written_stick(part, ink)) or (digit == 0 and not paper_inside(part, ink)):
            return Reason.NOT_A_DIGIT
        if part.contrast < (FAINTER if confidence < CERTAIN else _FAINTEST) * rest.contrast:
            return Reason.FAINTER
        if part.side < SMALLER * rest.side:
            return Reason.SMALLER
        if confidence < needed_amid(self.min_confidence, clutter(part, ink)):
            return Reason.NOT_ON_PLAIN_PAPER
        return None


def _in_place(
    accepted: list[_Candidate], candidates: list[_Candidate], ink: Ink
) -> tuple[list[_Candidate], list[_Candidate]]:
    """Return which of the accepted stay so in view of all that is around them, and which do not."""
    kept = accepted
    while True:  # what falls stands with the unread from then on: what it was company for may fall as well
        company = Company(
            ones=[c.part for c in kept if c.digit == 1],
            others=[c.part for c in kept if c.digit != 1],
            unread=[c.part for c in candidates if all(c is not other for other in kept)],
        )
        before, kept = kept, [c for c in kept if not out_of_place(c.part, ink, company, c.confidence)]
        if len(kept) == len(before):
            return kept, [c for c in accepted if all(c is not other for other in kept)]


def _may_hide_digits(found: _Found) -> bool:
    """Return whether there is what a shadow looks like: any of it where nothing certain was read, else wide ones."""
    if len(found.parts) > _FEW_PARTS or any(reason == Reason.BLURRED for _, reason in found.rejected):
        return False
    certain = len(found.accepted) > 1 or any(c.confidence >= CERTAIN for c in found.accepted)
    least = _SHADOW * max(found.ink.contrast.shape) if certain else 0
    return any(like_a_shadow(part, reason) and min(part.box.w, part.box.h) > least for part, reason in found.rejected)


def _weight(found: _Found) -> float:
    """Return how much was read, to choose between dark and light strokes."""
    # The root: many digits weigh more than one large shape.
    return sum(c.confidence * prominence(c.part, found.ink) ** 0.5 for c in found.accepted)


def _touching_ones(first: _Candidate, second: _Candidate) -> bool:
    """Return whether both are read as 1, surely, and touch: the arm and the stem of a 4 do, two ones seldom."""
    both = all(c.digit == 1 and c.confidence >= SURE for c in (first, second))
    return both and touching(first.part, second.part)


def _frame_box(part: Part, scale: float, sheet: HeldSheet | None) -> Box:
    if sheet is None:
        x, y, w, h = part.box.scaled(scale)
        return Box(x, y, max(w, 1), max(h, 1))
    strokes = cv2.findNonZero(cv2.compare(part.ink, INK_LEVEL * 255, cv2.CMP_GT))
    if strokes is None:  # faint throughout: all that it is made of
        strokes = cv2.findNonZero(part.ink)
    return sheet.frame_box((strokes.reshape(-1, 2) + part.box[:2] + 0.5) * scale - 0.5)


def _digit(candidate: _Candidate, scale: float, sheet: HeldSheet | None) -> Digit:
    box = _frame_box(candidate.part, scale, sheet)
    probabilities = candidate.probabilities
    return Digit(box, candidate.digit, candidate.confidence, probabilities, candidate.tile)
