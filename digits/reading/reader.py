"""From a frame to the digits written in it: found, brought to tiles, read, accepted or rejected."""

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np

from digits.reading.images import to_bgr
from digits.reading.ink import Ink, find_ink_in_shadow, find_inks
from digits.reading.locate import (
    MIN_SIDE,
    Part,
    locate,
    merge,
    neighbours,
    reading_order,
    shared_area,
    split,
    stacked,
    touching,
)
from digits.reading.sheet import Sheet, find_sheet
from digits.reading.sticks import written_stick
from digits.reading.surroundings import Company, clutter, out_of_place, paper_inside
from digits.reading.tile import INK_LEVEL, normalise

# A part whose strokes are wider than this share of its size is a blot, a finger or a shadow.
_FATTEST = 0.37
# What lies behind a sheet is darker than this share of it; a shadow on the sheet is not.
_ROOM = 0.27
# No digit is this many times wider than high.
_FLATTEST = 3.2
# What lies along the frame's edge (within this share of its side), narrow beside the frame (this share) and this much
# longer than wide, is the edge of the sheet or of the table.
_AT_EDGE, _NARROW, _LONG = 0.006, 0.1, 3.0
# What goes round more confident digits than these, however small they are, is the edge of their sheet.
_ROUND_MANY = 5
# A part this wide and high is a rim or a grid, not a digit.
_WHOLE_FRAME = 0.98
# Without a network to ask, pieces are joined as long as the whole stays this small beside its largest piece:
# for bits, and for halves (pieces of this share of the largest).
_GROWN_BY_BITS = 1.35
_GROWN_BY_HALVES = 2.0
_HALF = 0.45
# Parts sent to the network, the most prominent first; forty digits and their broken pieces fit.
_MOST_PARTS = 90
# Parts smaller than this share of the largest readable one are not the same writing.
_SMALLEST = 0.12
# A part read with at least this confidence is one digit, and no other way to cut the ink is tried.
_SURE = 0.9
# Another way to cut the ink must be read better than what it replaces by this margin.
_BETTER = 0.15
# Beside confident digits, fainter or smaller things by these shares are print, lines and dust.
_FAINTER = 0.38
# ... unless the network is certain, as with a pink pen beside a black one; print behind the paper is fainter still.
_FAINTEST = 0.2
_CERTAIN = 0.97
_SMALLER = 0.4
# How dark the surroundings of a digit are beside its strokes. On paper this is below 0.16 (real photographs) or 0.24
# (98 % of rendered pages); in photographs of rooms, animals and textures half of what looks like a digit has over 0.3.
_PLAIN, _CLUTTERED = 0.12, 0.28
# Rows that rise or fall by more degrees than the first, all by about the same (the second: deviation from the median),
# mean a turned sheet: digits are turned back before they are read. Neighbours in a row are so many sides apart at most.
_TURNED, _SAME_SLOPE, _STEEPEST = 7.0, 4.0, 32.0
_IN_A_ROW, _LEAST_ROW = 3.5, 4
# A shadow over a digit brings a few parts; with more, a second look takes long and finds rooms and textures.
_FEW_PARTS = 12
_SHADOW = 0.1  # of the frame's longer side: what runs out and is wider may hide digits beside those read
_COVERED = 0.4  # share of its box from which a part is what is there already, or a piece of it
# A frame darker than this (mean of 255) has too little light to tell ink from paper.
_TOO_DARK = 40
# How much of a stroke's contrast its own width would bring at its steepest, in the softer of the two directions. On
# the development photographs, phones out of focus included, sharp writing has 1.3 or more; a moving sheet 0.3 to 0.6.
_BLURRED = 0.8
_SMEARED = 0.3  # edges one way beside those the other way, of what moved while the shutter was open
# When so many parts are blurred, and this share of what would be read, the sheet moves: what looks sharp are strokes
# along the way it moves, and they alone are no digits. Print from behind, fainter than this, is blurred at all times.
_MOVING, _MOVING_SHARE, _MOVING_INK = 3, 0.25, 0.6
_AROUND = 4  # px of paper beside the strokes that their edges are measured in
_THINNEST = 3.0  # px: the edge of a thinner stroke is no steeper


class Classifier(Protocol):
    """What a reader needs of a model; `formats.Model` is one."""

    temperature: float
    threshold: float

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        """Return float32 (N, 10) for uint8 (N, 96, 96)."""


@dataclass(frozen=True)
class Digit:
    """One digit read.

    Attributes:
        box: (x, y, w, h) in frame pixels.
        digit: 0 to 9.
        confidence: its probability, 0 to 1, after temperature scaling.
        probabilities: float32 (10,), sum 1.
        tile: uint8 (96, 96), exactly what the network saw.
    """

    box: tuple[int, int, int, int]
    digit: int
    confidence: float
    probabilities: np.ndarray = field(repr=False)
    tile: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Rejected:
    """Something written that is not read as a digit: its box in frame pixels and why."""

    box: tuple[int, int, int, int]
    reason: str


@dataclass(frozen=True)
class Reading:
    """What one frame says.

    Attributes:
        size: (width, height) of the frame in pixels.
        digits: in reading order.
        rejected: what looked like writing and is no digit.
        main: index of the most prominent digit, or None.
        hint: why nothing is read ("too dark", "too small", "blurred", "cut off", "no contrast"), or None.
        latency_ms: milliseconds for "find", "predict" and "total".
    """

    size: tuple[int, int]
    digits: list[Digit]
    rejected: list[Rejected]
    main: int | None
    hint: str | None
    latency_ms: dict[str, float]


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
    rejected: list[tuple[Part, str]]


class Reader:
    """Reads frames with one model."""

    def __init__(self, model: Classifier, min_confidence: float | None = None) -> None:
        """Take a model of `formats.load_model`; `min_confidence` None means the threshold of its card."""
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
        main = int(np.argmax([_prominence(c.part, ink) for c in found.accepted])) if digits else None
        hint = None if digits else _hint(frame, ink, found.parts)
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
        known = [part for part, reason in found.rejected if not _like_a_shadow(part, reason)]
        known += [c.part for c in found.accepted if c.confidence >= _CERTAIN]
        again = self._read_ink(find_ink_in_shadow(view, found.ink.light_on_dark)).accepted
        new = [c for c in again if c.confidence >= _CERTAIN and not _covered(c.part, known)]
        if not new:
            return found
        accepted = [c for c in found.accepted if c.confidence >= _CERTAIN] + new
        order = reading_order([c.part.box for c in accepted])
        return replace(found, accepted=[accepted[i] for i in order])

    def _read_ink(self, ink: Ink) -> _Found:
        parts, rejected = _worth_reading(locate(ink, MIN_SIDE), ink)
        candidates = self._joined(self._classified(parts))
        slope = _slope_of_rows([c.part for c in candidates if c.confidence >= self.min_confidence])
        if abs(slope) > _TURNED:
            candidates = self._classified([c.part for c in candidates], slope)
        accepted, low = self._accepted(candidates, ink)
        return _Found(ink, parts, accepted, rejected + low)

    def _classified(self, parts: list[Part], slope: float = 0.0) -> list[_Candidate]:
        """Return what the network says of parts, turned back by the slope of their rows (degrees, positive: rising)."""
        if not parts:
            return []
        tiles = np.stack([normalise(_turned_back(part.ink, slope)) for part in parts])
        start = time.perf_counter()
        probabilities = sharpened(self.model.predict(tiles), self.model.temperature)
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
        pairs = [pair for pair in near if self._may_join(*pair)][:_MOST_PARTS]
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
        doubtful = min(first.confidence, second.confidence) < _SURE or stacked(first.part, second.part)
        return (doubtful or _touching_ones(first, second)) and _same_pen(first.part, second.part)

    def _needed_joined(self, first: _Candidate, second: _Candidate) -> float:
        """Return the confidence above which two candidates are one; with 1 or more there is nothing to ask."""
        if stacked(first.part, second.part):
            return max(self.min_confidence, _BETTER)
        if _touching_ones(first, second):
            return _CERTAIN
        worse, better = sorted((first.confidence, second.confidence))
        return max(worse + _BETTER, min(max(self.min_confidence, better - 0.3), _SURE))

    def _cut(self, candidates: list[_Candidate]) -> list[_Candidate]:
        needed = {c: max(c.confidence + _BETTER, self.min_confidence, _SURE) for c in candidates}
        doubtful = [(c, split(c.part)) for c in candidates if c.confidence < _SURE and needed[c] < 1]
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

    def _accepted(self, candidates: list[_Candidate], ink: Ink) -> tuple[list[_Candidate], list[tuple[Part, str]]]:
        sure = [c for c in candidates if c.confidence >= max(self.min_confidence, _SURE) and not _flat(c.part)]
        around = [c for c in candidates if _flat(c.part) or _encloses(c.part, [s.part for s in sure])]
        rest = _Rest.of([c.part for c in sure if all(c is not other for other in around)])
        accepted, rejected = [], [(c.part, "not a digit") for c in around]
        smeared = set()  # what is certain may be smeared all the same
        for candidate in candidates:
            if any(candidate is other for other in around):
                continue
            reason = self._reason_against(candidate, rest, ink)
            if reason is None:
                soft, one_way = _soft_edges(candidate.part, ink)
                if one_way:
                    smeared.add(candidate)
                reason = "blurred" if soft or (one_way and candidate.confidence < _CERTAIN) else None
            if reason:
                rejected.append((candidate.part, reason))
            else:
                accepted.append(candidate)
        accepted, others = _in_place(accepted, candidates, ink)
        rejected += [(candidate.part, "not on plain paper") for candidate in others]
        sharp = [c.part for c in accepted if c not in smeared]
        blurred = [c.part for c in accepted if c in smeared] + [part for part, why in rejected if why == "blurred"]
        if _moves(sharp, blurred):
            accepted, moved = [], accepted
            rejected += [(candidate.part, "blurred") for candidate in moved]
        order = reading_order([c.part.box for c in accepted])
        return [accepted[i] for i in order], rejected

    def _reason_against(self, candidate: _Candidate, rest: "_Rest", ink: Ink) -> str | None:
        """Return why a candidate is no digit, or None; what costs least to find out comes first."""
        part, confidence = candidate.part, candidate.confidence
        if part.cut_off and _SMALLER * part.side < rest.third_whole_side:
            return "cut off"  # with so many whole digits in sight, this is the edge of the sheet
        if confidence < self.min_confidence:
            return "cut off" if part.cut_off else "low confidence"
        digit = candidate.digit
        if (digit == 1 and not written_stick(part, ink)) or (digit == 0 and not paper_inside(part, ink)):
            return "not a digit"
        if part.contrast < (_FAINTER if confidence < _CERTAIN else _FAINTEST) * rest.contrast:
            return "fainter than the rest"
        if part.side < _SMALLER * rest.side:
            return "smaller than the rest"
        if confidence < _needed(self.min_confidence, clutter(part, ink)):
            return "not on plain paper"
        return None


@dataclass(frozen=True)
class _Rest:
    """What the parts read with confidence have in common, to hold the others against.

    Attributes:
        contrast, side: medians, large parts counting more; 0 where nothing was read.
        third_whole_side: longer side of the third largest part inside the frame, 0 if there are fewer.
    """

    contrast: float
    side: float
    third_whole_side: float

    @classmethod
    def of(cls, parts: list[Part]) -> "_Rest":
        parts = [part for part in parts if not part.cut_off] or parts
        sides = [part.side for part in parts]
        whole = sorted((part.side for part in parts if not part.cut_off), reverse=True)
        contrast = _weighted_median([part.contrast for part in parts], sides)
        return cls(contrast, _weighted_median(sides, sides), whole[2] if len(whole) > 2 else 0.0)


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


def main_tile(frame: np.ndarray) -> np.ndarray:
    """Return the tile of the most prominent thing in a photograph of one digit, found without a network.

    Args:
        frame: as for `Reader.read`.
    Returns:
        uint8 (96, 96).
    Raises:
        ValueError: "blank: ..." if nothing is written there.
    """
    found = [whole for ink in find_inks(to_bgr(frame)) if (whole := _whole(ink)) is not None]
    if not found:
        raise ValueError("blank: no strokes were found on the paper")
    # Where light and dark strokes are as likely, the one that lies inside the other is the hole of a 0.
    hole = len(found) == 2 and not found[1].cut_off and _goes_round(found[1].box, found[0].box)
    return normalise(found[hole].ink)


def _whole(ink: Ink) -> Part | None:
    """Return the most prominent part with all pieces that belong to it, None if nothing is worth reading."""
    parts, _ = _worth_reading(locate(ink, MIN_SIDE), ink)
    if not parts:
        return None
    whole = max(parts, key=lambda part: _prominence(part, ink))
    largest = whole.side
    for part in sorted(parts, key=lambda part: -part.side):
        near = part is not whole and neighbours([whole, part]) and _same_pen(whole, part)
        grown = _GROWN_BY_HALVES if part.side > _HALF * largest else _GROWN_BY_BITS
        if near and part.side > _SMALLER / 2 * largest and merge(whole, part).side <= grown * largest:
            whole = merge(whole, part)
    return whole


def _goes_round(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int]) -> bool:
    """Return whether one box (x, y, w, h) holds all of another one, and more."""
    x, y, w, h = inner
    left, top, width, height = outer
    return (outer != inner and left <= x and top <= y and x + w <= left + width and y + h <= top + height)


def sharpened(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities after temperature scaling (Guo et al. 2017).

    Args:
        probabilities: float32 (N, 10).
        temperature: above 1 softens, below 1 sharpens.
    Returns:
        float32 (N, 10), each row with sum 1.
    """
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-12)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def _worth_reading(parts: list[Part], ink: Ink) -> tuple[list[Part], list[tuple[Part, str]]]:
    """Drop what cannot be a digit by its shape; the rest comes back most prominent first."""
    height, width = ink.contrast.shape
    darkest = _ROOM * float(np.percentile(ink.paper, 90))
    readable, rejected = [], []
    for part in parts:
        w, h = part.box[2:]
        if _off_paper(part, ink, darkest):
            rejected.append((part, "off the paper"))
        elif _along_edge(part, width, height):
            rejected.append((part, "cut off"))
        elif part.stroke > _FATTEST * part.side or (w > _WHOLE_FRAME * width and h > _WHOLE_FRAME * height):
            rejected.append((part, "not a stroke"))
        else:
            readable.append(part)
    readable.sort(key=lambda part: -_prominence(part, ink))
    largest = max((part.side for part in readable[:5] if not part.cut_off and not _flat(part)), default=0)
    return [part for part in readable if part.side >= _SMALLEST * largest][:_MOST_PARTS], rejected[:_MOST_PARTS]


def _slope_of_rows(parts: list[Part]) -> float:
    """Return by how many degrees the rows rise, 0 where they do not agree or are too few."""
    if len(parts) < _LEAST_ROW:
        return 0.0
    boxes = np.array([part.box for part in parts], float)
    middles, sides = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1)
    step = middles - middles[:, np.newaxis]  # from the row's part to the column's
    distance = np.hypot(step[..., 0], step[..., 1])
    slopes = np.degrees(np.arctan2(-step[..., 1], step[..., 0]))
    distance[(np.abs(slopes) > _STEEPEST) | (distance > _IN_A_ROW * sides[:, np.newaxis]) | (distance == 0)] = np.inf
    nearest = distance.argmin(axis=1)
    found = slopes[np.arange(len(parts)), nearest][np.isfinite(distance.min(axis=1))]
    if len(found) < max(_LEAST_ROW - 1, len(parts) / 2):
        return 0.0
    median = float(np.median(found))
    return median if np.median(np.abs(found - median)) < _SAME_SLOPE else 0.0


def _turned_back(ink: np.ndarray, slope: float) -> np.ndarray:
    """Return the ink of a part on a turned sheet as it stands on an upright one."""
    if slope == 0:
        return ink
    side = int(np.ceil(np.hypot(*ink.shape))) + 2
    matrix = cv2.getRotationMatrix2D(((ink.shape[1] - 1) / 2, (ink.shape[0] - 1) / 2), -slope, 1.0)
    matrix[:, 2] += (side - 1) / 2 - np.array([ink.shape[1] - 1, ink.shape[0] - 1]) / 2
    return cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_LINEAR)


def _may_hide_digits(found: _Found) -> bool:
    """Return whether there is what a shadow looks like: any of it where nothing certain was read, else wide ones."""
    if len(found.parts) > _FEW_PARTS or any(reason == "blurred" for _, reason in found.rejected):
        return False
    certain = len(found.accepted) > 1 or any(c.confidence >= _CERTAIN for c in found.accepted)
    least = _SHADOW * max(found.ink.contrast.shape) if certain else 0
    return any(_like_a_shadow(part, reason) and min(part.box[2:]) > least for part, reason in found.rejected)


def _like_a_shadow(part: Part, reason: str) -> bool:
    """Return whether what was refused may be a shadow, or a digit and a shadow."""
    return part.cut_off or reason in ("off the paper", "not a stroke")


def _covered(part: Part, others: list[Part]) -> bool:
    """Return whether much of a part's box is that of another part."""
    least = _COVERED * part.box[2] * part.box[3]
    return any(shared_area(part.box, other.box) > least for other in others)


def _weight(found: _Found) -> float:
    """Return how much was read, to choose between dark and light strokes."""
    # The root: many digits weigh more than one large shape.
    return sum(c.confidence * _prominence(c.part, found.ink) ** 0.5 for c in found.accepted)


def _off_paper(part: Part, ink: Ink, darkest: float) -> bool:
    """Return whether a part lies where it is darker than any shadow on the sheet: in the room behind it."""
    if ink.light_on_dark:
        return False
    shape = ink.contrast.shape
    x, y, w, h = part.box
    rows, columns = ink.paper.shape
    top, left = y * rows // shape[0], x * columns // shape[1]
    bottom, right = max(top + 1, (y + h) * rows // shape[0]), max(left + 1, (x + w) * columns // shape[1])
    return ink.paper[top:bottom, left:right].mean() < darkest


def _along_edge(part: Part, width: int, height: int) -> bool:
    """Return whether a part is a strip along the frame's left or right edge; those above and below are flat anyway."""
    x, _, w, h = part.box
    slack = 1 + _AT_EDGE * max(width, height)
    return (x <= slack or x + w >= width - slack) and w < _NARROW * width and h > _LONG * w


def _prominence(part: Part, ink: Ink) -> float:
    """Return how much a part stands out: large, dark, whole, and not at the rim."""
    height, width = ink.contrast.shape
    x, y, w, h = part.box
    off_centre = max(abs(x + w / 2 - width / 2) / width, abs(y + h / 2 - height / 2) / height)  # 0 to 0.5
    return part.side * part.contrast * (1.0 - off_centre) * (0.4 if part.cut_off else 1.0)


def _encloses(part: Part, others: list[Part]) -> bool:
    """Return whether a part goes round several others: the edge of a sheet, a collar, a frame drawn on paper."""
    x, y, w, h = part.box
    inside = [o for o in others if x < o.box[0] + o.box[2] / 2 < x + w and y < o.box[1] + o.box[3] / 2 < y + h]
    # Specks inside a digit are seldom more than two; what runs out of the frame is the more likely edge of a sheet.
    least, most = _SMALLEST * part.side, 1 if part.cut_off else 2
    larger = sum(o is not part and o.side > least for o in inside)
    return larger > most or len(inside) > _ROUND_MANY


def _touching_ones(first: _Candidate, second: _Candidate) -> bool:
    """Return whether both are read as 1, surely, and touch: the arm and the stem of a 4 do, two ones seldom."""
    both = all(c.digit == 1 and c.confidence >= _SURE for c in (first, second))
    return both and touching(first.part, second.part)


def _flat(part: Part) -> bool:
    """Return whether a part is too wide for its height to be a digit, though it may be a stroke of one."""
    return part.box[2] > _FLATTEST * part.box[3]


def _same_pen(first: Part, second: Part) -> bool:
    weaker, stronger = sorted((first.contrast, second.contrast))
    return weaker >= _FAINTER * stronger


def _weighted_median(values: list[float], weights: list[float]) -> float:
    if not values:
        return 0.0
    order = np.argsort(values)
    share = np.cumsum(np.asarray(weights, float)[order])
    return float(np.asarray(values)[order][np.searchsorted(share, share[-1] / 2)])


def _frame_box(part: Part, scale: float, sheet: Sheet | None) -> tuple[int, int, int, int]:
    if sheet is None:
        x, y, w, h = (round(v * scale) for v in part.box)
        return x, y, max(w, 1), max(h, 1)
    strokes = cv2.findNonZero(cv2.compare(part.ink, INK_LEVEL * 255, cv2.CMP_GT))
    if strokes is None:  # faint throughout: all that it is made of
        strokes = cv2.findNonZero(part.ink)
    return sheet.frame_box((strokes.reshape(-1, 2) + part.box[:2] + 0.5) * scale - 0.5)


def _digit(candidate: _Candidate, scale: float, sheet: Sheet | None) -> Digit:
    box = _frame_box(candidate.part, scale, sheet)
    probabilities = candidate.probabilities
    return Digit(box, candidate.digit, candidate.confidence, probabilities, candidate.tile)


def _hint(frame: np.ndarray, ink: Ink, parts: list[Part]) -> str | None:
    """Return what a person should change, when nothing was read."""
    if frame[::8, ::8].mean() < _TOO_DARK and not ink.light_on_dark:
        return "too dark"
    if not parts:
        return "no contrast"
    part = parts[0]
    if part.side < 2 * MIN_SIDE:
        return "too small"
    if part.cut_off:
        return "cut off"
    return "blurred" if any(_soft_edges(part, ink)) else None


def _soft_edges(part: Part, ink: Ink) -> tuple[bool, bool]:
    """Return whether the edges of a part are soft for the width of its strokes, and whether in one direction only."""
    softer, sharper = sorted(_steepest(part, ink))
    relative = softer * max(part.stroke, _THINNEST) / max(part.contrast, 1.0)
    return relative < _BLURRED, softer < _SMEARED * sharper


def _moves(sharp: list[Part], blurred: list[Part]) -> bool:
    """Return whether a frame shows a sheet that moves, from its parts that are sharp and those that are blurred."""
    if not sharp:
        return False
    ink = _MOVING_INK * float(np.median([part.contrast for part in sharp]))
    count = sum(part.contrast > ink for part in blurred)
    return count >= _MOVING and count > _MOVING_SHARE * (count + len(sharp))


def _steepest(part: Part, ink: Ink) -> tuple[float, float]:
    """Return the contrast that one pixel brings at the steepest edges of a part, across and down."""
    x, y, w, h = part.box
    area = ink.contrast[max(0, y - _AROUND) : y + h + _AROUND, max(0, x - _AROUND) : x + w + _AROUND]
    area = cv2.blur(area, (3, 3))
    if min(area.shape) < 3:
        return 0.0, 0.0
    across, down = cv2.absdiff(area[:, 2:], area[:, :-2]), cv2.absdiff(area[2:], area[:-2])
    return _mean_of_largest(across) / 2, _mean_of_largest(down) / 2


def _needed(least: float, around: float) -> float:
    """Return the confidence that is enough: `least` on plain paper, more and more where there is clutter `around`."""
    share = (around - _PLAIN) / (_CLUTTERED - _PLAIN)
    return least + (1.001 - least) * min(max(share, 0.0), 1.0) ** 2


def _mean_of_largest(values: np.ndarray, count: int = 12) -> float:
    counts = cv2.calcHist([values], [0], None, [256], [0, 256]).ravel()[::-1]
    above = np.minimum(counts.cumsum(), count)
    # Each counts once for every level it reaches: 255 for the strongest.
    return float(above[:-1].sum()) / max(float(above[-1]), 1.0)
