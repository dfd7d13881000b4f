"""From the finder's maps to digits: centres, and the ink that says it belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.ink import blur_of, contrast_of, differ, drawn_ink
from digits.reading.finding.looks import FINE, STRIDE, Look

UNIT = 32.0  # pixels: the unit of sizes and ways
_ALIKE, _CLOSE = 1.5, 0.25  # centres of two looks are the same digit's: ratio of sizes, distance as a share of them


@dataclass(frozen=True)
class Found:
    """A digit as the finder sees it.

    Attributes:
        box: of its ink, in frame pixels.
        ink: uint8 (h, w), white on black, of the look it was best seen in.
        centre, other: probabilities that a digit's centre, and that other writing's, is here.
        size: in pixels of that look.
        sure: mean probability of its ink.
        blur: pixels of that look over which its softest edges go from paper to ink: across or up and down.
        whole: whether the strokes that its ink lies on were followed by their grey: a second way to see it.
    """

    box: Box
    ink: np.ndarray
    centre: float
    other: float
    size: float
    sure: float
    blur: float
    whole: bool = False


@dataclass(frozen=True, eq=False)
class _Centre:
    """A hilltop of a look: its place, its probability, the digit's size in pixels of the look, and 1 + number: its ink.

    x, y and true_size are in pixels of the frame.
    """

    look: Look
    owner: np.ndarray
    number: int
    place: tuple[int, int]
    probability: float
    size: float
    x: float
    y: float
    true_size: float

    def same(self, other: "_Centre") -> bool:
        """Return whether another look's centre surely is that of the same digit."""
        small, large = sorted((self.true_size, other.true_size))
        close = _CLOSE * small
        return (abs(self.x - other.x) < close and abs(self.y - other.y) < close and large < _ALIKE * small
                and self.look is not other.look)


def decode(looks: Sequence[Look], rules: Decoding) -> list[Found]:
    """Return what may be a digit in a frame's looks; what several looks show is taken from the one that shows it best.

    A part of a digit may be among them beside the whole: which it is shows when both have been read.
    """
    centres = [centre for look in looks for centre in _centres(look, rules)]
    centres.sort(key=lambda centre: -centre.probability * _fit(centre.size, rules.best_size))
    kept: list[Found] = []
    drawn: list[tuple[_Centre, list[int]]] = []
    for centre in centres:
        known = next((places for other, places in drawn if centre.same(other)), [])
        if not known:
            known = [_place(digit, kept, rules) for digit in _inks(centre, rules)]
            drawn += [(centre, known)] if known else []
        for place in known:  # a second look is a second witness
            kept[place] = replace(kept[place], centre=max(kept[place].centre, centre.probability))
    return kept


def _place(digit: Found, kept: list[Found], rules: Decoding) -> int:
    """Return the place of a digit among those kept, where it is added if it is new."""
    for place, other in enumerate(kept):
        if digit.whole == other.whole and digit.box.overlap(other.box) >= rules.same:
            return place
    kept.append(digit)
    return len(kept) - 1


def _fit(size: float, best: float) -> float:
    """Return how well a size suits the finder, 0 to 1."""
    return float(np.exp(-0.5 * (np.log2(size / best) / 1.5) ** 2))


def _centres(look: Look, rules: Decoding) -> list[_Centre]:
    centre = np.ascontiguousarray(look.maps[..., 0])
    rows, columns = np.nonzero((centre > rules.centre) & (centre >= cv2.dilate(centre, np.ones((3, 3), np.uint8))))
    size = UNIT * np.exp2(np.clip(look.maps[rows, columns, 2], -3, 5))
    fits = size < rules.largest
    rows, columns, size = rows[fits], columns[fits], size[fits]
    if not len(rows):
        return []
    owner = _owners(look, rows, columns, size, rules)
    x, y = (((part + 0.5) * STRIDE + start) / look.scale for part, start in ((columns, look.left), (rows, look.top)))
    table = zip(rows.tolist(), columns.tolist(), size.tolist(), x.tolist(), y.tolist(), strict=True)
    return [_Centre(look, owner, number, (row, column), _share(centre[row, column]), size, x, y, size / look.scale)
            for number, (row, column, size, x, y) in enumerate(table)]


def _inks(centre: _Centre, rules: Decoding) -> list[Found]:
    """Return a centre's digit by its ink and, where that is weak and they differ, by the strokes that it lies on."""
    digit = _digit(centre, rules)
    whole = _whole(centre, digit, rules) if digit is None or digit.sure < rules.weak else None
    return [found for found in (digit, whole) if found is not None]


def _owners(look: Look, rows: np.ndarray, columns: np.ndarray, size: np.ndarray, rules: Decoding) -> np.ndarray:
    """Return int32 (h, w): 1 + the number of the centre that a place's ink belongs to, 0 for none."""
    height, width = look.maps.shape[:2]
    owner = np.zeros((height, width), np.int32)
    y, x = np.nonzero((look.maps[..., 5:] > rules.ink).any(-1))
    if not len(y):
        return owner
    ways = look.maps[y, x, 3:5] * (UNIT / STRIDE)
    ends = np.stack([x, y]).astype(np.float32) + ways.T
    nearest, best = np.zeros(len(y), np.int32), np.full(len(y), np.inf, np.float32)
    for number, place in enumerate(zip(columns, rows, size / STRIDE, strict=True)):
        away = _squared(ends, *map(np.float32, place))
        closer = away < best
        best[closer], nearest[closer] = away[closer], number
    sure = best < rules.reach**2
    stroke = cv2.connectedComponents(_mask(height, width, y, x))[1][y, x]
    # Ink whose way ends far from any centre goes where the rest of its stroke goes, if that goes anywhere.
    votes = np.bincount(stroke[sure] * len(rows) + nearest[sure], minlength=(stroke.max() + 1) * len(rows))
    votes = votes.reshape(-1, len(rows))
    known = votes[stroke, nearest] > 0
    nearest = np.where(sure | known, nearest, votes.argmax(1)[stroke])
    owner[y, x] = np.where(votes.any(1)[stroke], nearest + 1, 0)
    return owner


def _squared(ends: np.ndarray, x: np.float32, y: np.float32, size: np.float32) -> np.ndarray:
    """Return how far points (2, n) are from a centre, as a share of its digit's size, squared."""
    return ((ends[0] - x) ** 2 + (ends[1] - y) ** 2) / size**2


def _mask(height: int, width: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[y, x] = 1
    return mask


def _digit(centre: _Centre, rules: Decoding) -> Found | None:
    look, own = centre.look, (centre.owner == centre.number + 1).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(own)
    if not w:
        return None
    places = np.s_[y : y + h, x : x + w]
    share, mine = _ink(look, places), _fine(own[places])
    window = np.s_[y * FINE : (y + h) * FINE, x * FINE : (x + w) * FINE]
    ink = drawn_ink(look.grey[window], share, mine, rules)
    return _found(centre, places, share, ink, rules)


def _whole(centre: _Centre, digit: Found | None, rules: Decoding) -> Found | None:
    """Return a digit whose ink is weak as the strokes that this ink lies on, as far as the picture's grey goes.

    None where that is hardly more or less ink than the digit has.
    """
    look, place, own = centre.look, centre.place, centre.number + 1
    height, width = centre.owner.shape
    reach = max(2, round(rules.room * centre.size / STRIDE))
    places = np.s_[max(0, place[0] - reach) : min(height, place[0] + reach + 1),
                   max(0, place[1] - reach) : min(width, place[1] + reach + 1)]
    near = centre.owner[places]
    share, mine, free = _ink(look, places), _fine(near == own), _fine((near == 0) | (near == own))
    if not mine.any():
        mine = _fine(near == 0)
    rows, columns = places
    window = np.s_[rows.start * FINE : rows.stop * FINE, columns.start * FINE : columns.stop * FINE]
    contrast = contrast_of(look.grey[window], share, mine, rules)
    if contrast is None:
        return None
    dark = free & (contrast > rules.solid)
    count, pieces = cv2.connectedComponents(dark.astype(np.uint8))
    stroke = np.zeros(count, bool)
    stroke[pieces[dark & mine & (share > rules.sure * share[mine].max())]] = True
    kept = cv2.dilate((stroke[pieces] & dark).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    contrast[~kept] = 0
    ink = np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)
    if digit is not None and not differ(digit.ink, ink):
        return None
    found = _found(centre, places, share, ink, rules)
    return None if found is None else replace(found, whole=True)


def _ink(look: Look, places: tuple[slice, slice]) -> np.ndarray:
    """Return how probably each pixel of some places is ink, float32 (4 h, 4 w)."""
    return 1 / (1 + np.exp(-look.ink(places)))


def _fine(mask: np.ndarray) -> np.ndarray:
    """Return a mask of places as one of pixels, bool (4 h, 4 w)."""
    return np.repeat(np.repeat(mask, FINE, 0), FINE, 1) > 0


def _found(centre: _Centre, places: tuple[slice, slice], share: np.ndarray, ink: np.ndarray,
           rules: Decoding) -> Found | None:
    look, y, x = centre.look, places[0].start, places[1].start
    solid = (ink > rules.solid).astype(np.uint8)
    left, top, w, h = cv2.boundingRect(solid)
    if not w:
        return None
    per_pixel = 1 / look.scale
    corner = (x * FINE + left + look.left) * per_pixel, (y * FINE + top + look.top) * per_pixel
    box = Box(*(round(v) for v in corner), max(1, round(w * per_pixel)), max(1, round(h * per_pixel)))
    blur = blur_of(look.grey[y * FINE :, x * FINE :], (left, top, w, h))
    return Found(box, ink[top : top + h, left : left + w], centre.probability, _share(look.maps[centre.place][1]),
                 centre.size, cv2.mean(share, solid)[0], blur)


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
