"""From the finder's maps to digits: centres, and the ink that says it belongs to them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.looks import FINE, STRIDE, Look

UNIT = 32.0  # pixels: the unit of sizes and ways
_HALF, _SHARE = 127, 0.1  # of 255: what is ink rather than paper; share of it that makes a difference
_SHARPEST = 4  # steps from pixel to pixel that tell how sharp something is


class Decoding(NamedTuple):
    """The numbers that decoding goes by; the finder's card has them as `learning/finder/decoding.py` fitted them."""

    centre: float = -1.4  # logit from which a hilltop is a centre
    ink: float = -1.2  # logit from which a place may hold ink
    reach: float = 0.35  # ink surely belongs to a centre where its way ends within this share of the digit's size
    best_size: float = 80.0  # pixels: a digit's ink is taken from the look in which it is nearest to this
    largest: float = 260.0  # pixels: what seems larger is seen better by the next farther look
    same: float = 0.5  # two boxes that have so much in common of what either covers are the same digit
    solid: float = 102.0  # of 255: what a digit's box is drawn round
    maybe: float = 0.2  # probability of ink from which a pixel may be a stroke
    sure: float = 0.5  # share of a digit's highest probability of ink from which a pixel surely is a stroke
    paper: float = 0.05  # probability of ink below which a pixel is paper
    faintest: float = 4.0  # grey levels between strokes and paper that the picture's own grey can be trusted from
    scarce: float = 0.02  # share of paper about a pixel without which its tone is not known
    weak: float = 0.85  # mean probability of ink below which a digit's strokes are followed by their grey as well
    room: float = 0.8  # of its size: how far about its centre the strokes of a digit with weak ink are followed

    @classmethod
    def of(cls, card: dict) -> "Decoding":
        """Return the numbers of a finder's card, usual ones where it names none."""
        return cls(**{name: float(value) for name, value in card.get("decoding", {}).items() if name in cls._fields})


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


def decode(looks: Sequence[Look], rules: Decoding) -> list[Found]:
    """Return what may be a digit in a frame's looks; what several looks show is taken from the one that shows it best.

    A part of a digit may be among them beside the whole: which it is shows when both have been read.
    """
    found = [digit for look in looks for digit in _digits(look, rules)]
    found.sort(key=lambda digit: -digit.centre * _fit(digit.size, rules.best_size))
    kept: list[Found] = []
    for digit in found:
        same = next((i for i, other in enumerate(kept)
                     if digit.whole == other.whole and digit.box.overlap(other.box) >= rules.same), None)
        if same is None:
            kept.append(digit)
        else:  # a second look is a second witness
            kept[same] = replace(kept[same], centre=max(digit.centre, kept[same].centre))
    return kept


def _fit(size: float, best: float) -> float:
    """Return how well a size suits the finder, 0 to 1."""
    return float(np.exp(-0.5 * (np.log2(size / best) / 1.5) ** 2))


def _digits(look: Look, rules: Decoding) -> list[Found]:
    centre = np.ascontiguousarray(look.maps[..., 0])
    rows, columns = np.nonzero((centre > rules.centre) & (centre >= cv2.dilate(centre, np.ones((3, 3), np.uint8))))
    size = UNIT * np.exp2(np.clip(look.maps[rows, columns, 2], -3, 5))
    fits = size < rules.largest
    rows, columns, size = rows[fits], columns[fits], size[fits]
    if not len(rows):
        return []
    owner = _owners(look, rows, columns, size, rules)
    found = []
    for number in range(len(rows)):
        place = rows[number], columns[number]
        digit = _digit(look, owner, number, place, float(size[number]), rules)
        if digit is not None:
            found.append(digit)
        if digit is None or digit.sure < rules.weak:
            whole = _whole(look, owner, number, place, float(size[number]), rules)
            if whole is not None and (digit is None or _differ(digit.ink, whole.ink)):
                found.append(whole)
    return found


def _differ(ink: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two inks of a digit, white on black, hardly have the same area."""
    area, more = np.count_nonzero(ink > _HALF), np.count_nonzero(other > _HALF)
    return abs(area - more) > _SHARE * max(area, more)


def _owners(look: Look, rows: np.ndarray, columns: np.ndarray, size: np.ndarray, rules: Decoding) -> np.ndarray:
    """Return int32 (h, w): 1 + the number of the centre that a place's ink belongs to, 0 for none."""
    height, width = look.maps.shape[:2]
    owner = np.zeros((height, width), np.int32)
    y, x = np.nonzero(look.maps[..., 5:].max(-1) > rules.ink)
    if not len(y):
        return owner
    ways = look.maps[y, x, 3:5] * (UNIT / STRIDE)
    ends = np.stack([x, y], 1) + ways
    places = np.stack([columns, rows], 1).astype(np.float32)
    reach = (size / STRIDE).astype(np.float32)
    nearest, best = np.zeros(len(y), np.int32), np.full(len(y), np.inf, np.float32)
    for number in range(len(rows)):
        away = np.hypot(*(ends - places[number]).T) / reach[number]
        closer = away < best
        best[closer], nearest[closer] = away[closer], number
    sure = best < rules.reach
    stroke = cv2.connectedComponents(_mask(height, width, y, x))[1][y, x]
    # Ink whose way ends far from any centre goes where the rest of its stroke goes, if that goes anywhere.
    votes = np.zeros((stroke.max() + 1, len(rows)), np.int32)
    np.add.at(votes, (stroke[sure], nearest[sure]), 1)
    known = votes[stroke, nearest] > 0
    nearest = np.where(sure | known, nearest, votes.argmax(1)[stroke])
    owner[y, x] = np.where(votes.any(1)[stroke], nearest + 1, 0)
    return owner


def _mask(height: int, width: int, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[y, x] = 1
    return mask


def _digit(look: Look, owner: np.ndarray, number: int, place: tuple[int, int], size: float,
           rules: Decoding) -> Found | None:
    own = (owner == number + 1).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(own)
    if not w:
        return None
    places = np.s_[y : y + h, x : x + w]
    share, mine = _ink(look, places), _fine(own[places])
    window = np.s_[y * FINE : (y + h) * FINE, x * FINE : (x + w) * FINE]
    ink = _drawn(look.grey[window], share, mine, rules)
    return _found(look, places, place, size, share, ink, rules)


def _whole(look: Look, owner: np.ndarray, number: int, place: tuple[int, int], size: float,
           rules: Decoding) -> Found | None:
    """Return a digit whose ink is weak as the strokes that this ink lies on, as far as the picture's grey goes."""
    height, width = owner.shape
    reach = max(2, round(rules.room * size / STRIDE))
    places = np.s_[max(0, place[0] - reach) : min(height, place[0] + reach + 1),
                   max(0, place[1] - reach) : min(width, place[1] + reach + 1)]
    near = owner[places]
    share, mine, free = _ink(look, places), _fine(near == number + 1), _fine((near == 0) | (near == number + 1))
    if not mine.any():
        mine = _fine(near == 0)
    rows, columns = places
    window = np.s_[rows.start * FINE : rows.stop * FINE, columns.start * FINE : columns.stop * FINE]
    contrast = _contrast(look.grey[window], share, mine, rules)
    if contrast is None:
        return None
    dark = free & (contrast > rules.solid)
    count, pieces = cv2.connectedComponents(dark.astype(np.uint8))
    own = np.zeros(count, bool)
    own[pieces[dark & mine & (share > rules.sure * share[mine].max())]] = True
    kept = cv2.dilate((own[pieces] & dark).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    contrast[~kept] = 0
    ink = np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)
    found = _found(look, places, place, size, share, ink, rules)
    return None if found is None else replace(found, whole=True)


def _ink(look: Look, places: tuple[slice, slice]) -> np.ndarray:
    """Return how probably each pixel of some places is ink, float32 (4 h, 4 w)."""
    return 1 / (1 + np.exp(-look.ink(places)))


def _fine(mask: np.ndarray) -> np.ndarray:
    """Return a mask of places as one of pixels, bool (4 h, 4 w)."""
    return np.repeat(np.repeat(mask, FINE, 0), FINE, 1) > 0


def _found(look: Look, places: tuple[slice, slice], place: tuple[int, int], size: float, share: np.ndarray,
           ink: np.ndarray, rules: Decoding) -> Found | None:
    y, x = places[0].start, places[1].start
    solid = (ink > rules.solid).astype(np.uint8)
    left, top, w, h = cv2.boundingRect(solid)
    if not w:
        return None
    per_pixel = 1 / look.scale
    corner = (x * FINE + left + look.left) * per_pixel, (y * FINE + top + look.top) * per_pixel
    box = Box(*(round(v) for v in corner), max(1, round(w * per_pixel)), max(1, round(h * per_pixel)))
    values = look.maps[place]
    return Found(box, ink[top : top + h, left : left + w], _share(values[0]), _share(values[1]), size,
                 float(share[solid > 0].mean()), _blur(look.grey[y * FINE :, x * FINE :], (left, top, w, h)))


def _blur(grey: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """Return the pixels that the sharpest edges in a box of a look go over, across or up and down: where it is more."""
    left, top, w, h = box
    part = grey[max(0, top - 2) : top + h + 2, max(0, left - 2) : left + w + 2].astype(np.float32)
    contrast = max(float(part.max() - part.min()), 1.0)
    steps = [np.abs(np.diff(part, axis=axis)).ravel() for axis in (0, 1)]
    sharpest = min(float(np.sort(step)[-_SHARPEST:].mean()) if step.size else 0.0 for step in steps)
    return contrast / max(sharpest, 1.0)


def _drawn(grey: np.ndarray, share: np.ndarray, own: np.ndarray, rules: Decoding) -> np.ndarray:
    """Return the ink, uint8 (h, w): where the network sees a stroke the picture's own grey says how much of one.

    Args:
        grey: uint8 (h, w), the part of the picture.
        share: float32 (h, w), how probably each pixel is ink.
        own: bool (h, w), whose ink belongs to this digit.
    """
    contrast = _contrast(grey, share, own, rules)
    if contrast is None:
        return (255 * share * own).astype(np.uint8)
    contrast[~_strokes(own, share, rules)] = 0
    return np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)


def _contrast(grey: np.ndarray, share: np.ndarray, own: np.ndarray, rules: Decoding) -> np.ndarray | None:
    """Return how much of a stroke each pixel is by its grey, float32 (h, w), 255: all of it; None without paper."""
    paper = (share < rules.paper).astype(np.float32)
    side = max(3, min(grey.shape) | 1)
    around = cv2.blur(paper, (side, side), borderType=cv2.BORDER_REFLECT)
    if around.min() < rules.scarce:
        return None
    contrast = grey - cv2.blur(paper * grey, (side, side), borderType=cv2.BORDER_REFLECT) / around
    weight = np.where(own, share, 0) ** 2
    strength = float((contrast * weight).sum() / max(float(weight.sum()), 1e-6))
    return None if abs(strength) < rules.faintest else contrast * np.float32(255 / strength)


def _strokes(own: np.ndarray, share: np.ndarray, rules: Decoding) -> np.ndarray:
    """Return where a digit's strokes are, bool (h, w): what may be ink and hangs together with what surely is."""
    maybe = own & (share > rules.maybe)
    count, pieces = cv2.connectedComponents(maybe.astype(np.uint8))
    sure = np.zeros(count, bool)
    sure[pieces[maybe & (share > rules.sure * share[own].max())]] = True
    return sure[pieces] & maybe


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
