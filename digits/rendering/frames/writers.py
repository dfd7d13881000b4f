"""Writers: people with a pen, and printers, who put digits and other signs down at any size with any line.

A shape is kept as its signed distance field, so that one drawing serves for hair lines and fat markers, at 8 pixels and
at 500. Making one takes a millisecond; a bank keeps some thousands and renews them little by little.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from digits.rendering.handwriting import draw_digit
from digits.rendering.ink_masks import FAINTEST, ink_points, thin_whole
from digits.rendering.letters import (
    HERSHEY_FONTS,
    LETTERS,
    cropped,
    draw_printed_letter,
    training_fonts,
)
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pen import random_hand

_WORK = 88  # pixels: height of a shape in the bank
_MARGIN = 20  # around it: room for fat lines
_UNIT = 64  # of the stored distances: 1/64 pixel
_RENEW = 0.15  # share of the calls that make a new shape in place of an old one
_BANK = 3000
_SIGN_HEIGHT = {"-": 0.1, "=": 0.3, "+": 0.55, "x": 0.5, ".": 0.12, ",": 0.2, ":": 0.4}  # of a digit's
_LIKE_DIGITS = "QDijZzSsBqgby"  # letters that a person tells from a digit by more than the company they keep
THINNEST = 1.1  # pixels: what a camera resolves of the finest line


@dataclass(frozen=True)
class Inks:
    """Digits written by people to take shapes from: uint8 (N, h, w), white on black, and labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class _Shape:
    """int16 (h, w) signed distances to the outline in 1/64 px, positive inside; mean width of its line in px; its ink."""

    distance: np.ndarray
    stroke: float
    height: float
    width: float


@dataclass(frozen=True)
class Writer:
    """One writer at one moment.

    Attributes:
        source: "people", "drawn" or "print": where the shapes of the digits come from.
        line: width of the line as a share of the digit's height; print keeps its own.
        slant, angle: shear and rotation in degrees of all that is written.
        unsteady: how much single signs differ from that.
        font: of print.
    """

    source: str
    line: float
    slant: float = 0.0
    angle: float = 0.0
    stretch: float = 1.0
    unsteady: float = 1.0
    font: int = 0


def random_writer(rng: np.random.Generator, printed: float = 0.04) -> Writer:
    """Return a person, or with the chance `printed` a printer."""
    if rng.random() < printed:
        return Writer("print", 0.0, unsteady=0.0, font=int(rng.integers(1 << 30)))
    fat = rng.random() < 0.2
    line = np.exp(rng.uniform(np.log(0.09), np.log(0.24)) if fat else rng.uniform(np.log(0.016), np.log(0.11)))
    return Writer("people" if rng.random() < 0.5 else "drawn", float(line), float(0.1 * rng.standard_normal()),
                  float(2.5 * rng.standard_normal()), float(np.exp(0.1 * rng.standard_normal())),
                  float(rng.uniform(0.3, 1.3)))  # fmt: skip


class Shapes:
    """The bank that writers take their shapes from."""

    def __init__(self, inks: Inks | None = None) -> None:
        """Take people's digits, if there are any; else all are drawn or printed."""
        self._inks = inks
        self._kept: dict[object, list[_Shape]] = {}
        self._by_label = None if inks is None else [np.flatnonzero(inks.labels == label) for label in range(10)]

    def digit(self, label: int, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
        """Return the ink of a digit, uint8 (h, w) with a margin, its height about `height` pixels."""
        source = "drawn" if writer.source == "people" and self._inks is None else writer.source
        if source == "print":
            font = writer.font % 12
            return _set(self._shape(("print", font, label), 1, lambda: _printed(str(label), font)), height, writer, rng)
        make = (lambda: self._by_people(label, rng)) if source == "people" else (lambda: _drawn(label, rng))
        return _set(self._shape((source, label), _BANK // 20, make, rng), height, writer, rng)

    def sign(self, height: float, writer: Writer, rng: np.random.Generator, like_digits: float = 0.3) -> np.ndarray:
        """Return the ink of a letter, sign, word or drawing, uint8 (h, w) with a margin, `height` of its longer side."""
        kind = rng.random()
        if kind < 0.45:
            like = rng.random() < like_digits
            shape = self._shape(("letter", like), _BANK // 8, lambda: _letter(rng, like), rng)
        else:
            shape = self._shape("drawing", _BANK // 5, lambda: _drawing(rng), rng)
        return _set(shape, height * shape.height / max(shape.height, shape.width), writer, rng)

    def text(self, text: str, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
        """Return the ink of printed text or of one sign such as + or =, uint8 (h, w) with a margin."""
        font = writer.font % 12
        shape = self._shape(("text", font, text), 1, lambda: _printed(text, font))
        return _set(shape, height * _SIGN_HEIGHT.get(text, 1.0), writer, rng)

    def _by_people(self, label: int, rng: np.random.Generator) -> _Shape:
        ink = self._inks.images[rng.choice(self._by_label[label])]
        return _shape(ink, thin=True)

    def _shape(self, key: object, most: int, make: Callable[[], _Shape], rng: np.random.Generator | None = None) -> _Shape:
        kept = self._kept.setdefault(key, [])
        if len(self._kept) > 4000:
            self._kept = {key: kept}
        if len(kept) < most:
            kept.append(make())
            return kept[-1]
        if rng is None:
            return kept[0]
        index = int(rng.integers(len(kept)))
        if rng.random() < _RENEW:
            kept[index] = make()
        return kept[index]


def _set(shape: _Shape, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
    """Return the shape's ink at its height as the writer writes it."""
    scale = max(height, 3.0) / shape.height
    own = shape.stroke * scale
    wanted = own if writer.source == "print" or not writer.line else max(THINNEST, writer.line * height * (
        1 + 0.1 * writer.unsteady * float(np.clip(rng.standard_normal(), -2, 2))))
    grow = float(np.clip((wanted - own) / 2, -0.1 * scale, _MARGIN * scale - 2))
    slant = writer.slant + 0.06 * writer.unsteady * rng.standard_normal()
    turn = np.radians(writer.angle + 3 * writer.unsteady * rng.standard_normal())
    stretch = writer.stretch * float(np.exp(0.07 * writer.unsteady * rng.standard_normal()))
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[stretch, -slant], [0, 1]] * scale
    h, w = shape.distance.shape
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)]) @ linear.T
    low, high = corners.min(0), corners.max(0)
    size = np.maximum(1, np.ceil(high - low)).astype(int).tolist()
    matrix = np.column_stack([linear, rng.uniform(0, 1, 2) - 0.5 - low])
    field = cv2.warpAffine(shape.distance, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                           borderValue=-30000)
    mask = cv2.convertScaleAbs(np.maximum(field.astype(np.float32) * np.float32(scale / _UNIT) + np.float32(grow + 0.5), 0),
                               alpha=255)
    return mask


def _shape(ink: np.ndarray, thin: bool) -> _Shape:
    """Return the shape of an ink, uint8 (H, W), white on black; small soft pictures get the edges of a pen again."""
    ink = cropped(ink)
    zoom = _WORK / max(ink.shape)
    big = cv2.resize(ink, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
    big = cv2.copyMakeBorder(big, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=0)
    if zoom > 1.5:
        big = cv2.GaussianBlur(big, (0, 0), 0.4 * zoom)
    big = np.where(big > 0.4 * int(big.max()), 255, 0).astype(np.uint8)
    if thin:
        big = np.where(thin_whole(big, 0.88) > 100, 255, 0).astype(np.uint8)
    return _field(big, line=thin)


def _field(ink: np.ndarray, line: bool) -> _Shape:
    """Return the shape of an ink with its margin; of a line only its course counts, so that it never falls apart."""
    solid = (ink > 127).astype(np.uint8)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    distance = cv2.blur(0.9 * solid - outside if line else inside - outside, (3, 3))
    stroke = 4 * float(inside.sum()) / max(1, int(np.count_nonzero(solid)))
    _, _, w, h = cv2.boundingRect(solid)
    return _Shape((np.clip(distance, -400, 400) * _UNIT).astype(np.int16), stroke, float(h), float(w))


def _drawn(label: int, rng: np.random.Generator) -> _Shape:
    hand = random_hand(rng)
    hand = type(hand)(**{**vars(hand), "width": 0.035, "slant": hand.slant * 0.7, "pressure": 0.0})
    return _shape(draw_digit(label, rng, _WORK, hand), thin=True)


def _letter(rng: np.random.Generator, like: bool) -> _Shape:
    ink = draw_printed_letter(rng, _WORK, training_fonts(), _LIKE_DIGITS if like else LETTERS)
    return _shape(ink, thin=rng.random() < 0.7)


def _drawing(rng: np.random.Generator) -> _Shape:
    for _ in range(20):
        ink = draw_non_digit(rng, _WORK, pairs=False)
        if ink.max() >= FAINTEST and len(ink_points(ink)) > 8:
            break
    return _shape(ink, thin=rng.random() < 0.5)


def _printed(text: str, font: int) -> _Shape:
    """Return text in one of the training fonts, or, for the higher numbers, in one of OpenCV's."""
    fonts = training_fonts()
    if font < 2 or not fonts:
        face = HERSHEY_FONTS[(0, 2)[font % 2]]
        canvas = np.zeros((160, 100 + 90 * len(text)), np.uint8)
        cv2.putText(canvas, text, (30, 120), face, 3.2, 255, 4 + 3 * (font % 2), cv2.LINE_AA)
        return _line(canvas)
    from PIL import Image, ImageDraw, ImageFont  # only here: Pillow comes with matplotlib

    page = Image.new("L", (100 + 110 * len(text), 200))
    ImageDraw.Draw(page).text((40, 30), text, fill=255, font=ImageFont.truetype(fonts[font % len(fonts)], 110))
    return _line(np.array(page))


def _line(ink: np.ndarray) -> _Shape:
    """Return text as a shape whose height, not longer side, has the working size."""
    ink = cropped(ink)
    scale = _WORK / ink.shape[0]
    if ink.shape[1] > ink.shape[0]:
        ink = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        big = cv2.copyMakeBorder(ink, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=0)
        return _field(big, line=False)
    return _shape(ink, thin=False)
