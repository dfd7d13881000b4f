"""Writers: people with a pen, and printers, who put digits and other signs down at any size with any line."""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.rendering.frames.shapes import MARGIN, Bank, Shape, printed

_SIGN_HEIGHT = {"-": 0.1, "=": 0.3, "+": 0.55, "x": 0.5, ".": 0.12, ",": 0.2, ":": 0.4}  # of a digit's
_FONTS = 12
THINNEST = 1.1  # pixels: a finer line covers less of each pixel instead
_FAINTEST = 0.35  # of a pixel that the finest line covers


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
    """What writers write with a bank's shapes."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def digit(self, label: int, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
        """Return the ink of a digit, uint8 (h, w) with a margin, its height about `height` pixels."""
        if writer.source == "print":
            return _set(printed(str(label), writer.font % _FONTS), height, writer, rng)
        group = f"{writer.source} {label}"
        return _set(self._bank.any(group if group in self._bank else f"drawn {label}", rng), height, writer, rng)

    def sign(self, height: float, writer: Writer, rng: np.random.Generator, like_digits: float = 0.04) -> np.ndarray:
        """Return the ink of a letter, word or drawing, uint8 (h, w) with a margin; its longer side has `height`."""
        letter = ("like" if rng.random() < like_digits else "letter") if rng.random() < 0.35 else "drawing"
        shape = self._bank.any(letter, rng)
        return _set(shape, height * shape.height / max(shape.height, shape.width), writer, rng)

    def text(self, text: str, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
        """Return the ink of printed text or of one sign such as + or =, uint8 (h, w) with a margin."""
        return _set(printed(text, writer.font % _FONTS), height * _SIGN_HEIGHT.get(text, 1.0), writer, rng)


def _set(shape: Shape, height: float, writer: Writer, rng: np.random.Generator) -> np.ndarray:
    """Return the shape's ink at its height as the writer writes it."""
    scale = max(height, 3.0) / shape.height
    own = shape.stroke * scale
    wanted, fade = own, 1.0
    if writer.line and writer.source != "print":
        uneven = 1 + 0.1 * writer.unsteady * float(np.clip(rng.standard_normal(), -2, 2))
        thin = writer.line * height * uneven
        wanted, fade = max(THINNEST, thin), min(1.0, max(thin / THINNEST, _FAINTEST))
    grow = float(np.clip((wanted - own) / 2, -0.1 * scale, MARGIN * scale - 2))
    slant = writer.slant + 0.06 * writer.unsteady * rng.standard_normal()
    turn = np.radians(writer.angle + 3 * writer.unsteady * rng.standard_normal())
    stretch = writer.stretch * float(np.exp(0.07 * writer.unsteady * rng.standard_normal()))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = turned @ [[stretch, -slant], [0, 1]] * scale
    h, w = shape.field.shape
    corners = np.array([(0, 0), (w, 0), (w, h), (0, h)]) @ linear.T
    low, high = corners.min(0), corners.max(0)
    size = np.maximum(1, np.ceil(high - low)).astype(int).tolist()
    matrix = np.column_stack([linear, rng.uniform(0, 1, 2) - 0.5 - low])
    away = cv2.warpAffine(shape.distance(), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=-100)
    cover = np.maximum(away * np.float32(scale) + np.float32(grow + 0.5), 0)
    return cv2.convertScaleAbs(np.minimum(cover, 1, out=cover), alpha=255 * fade)
