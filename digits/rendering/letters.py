"""Letters, handwritten as strokes and printed in fonts: what is most often taken for a digit."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from digits.box import Box
from digits.rendering.ink_masks import ink_points
from digits.rendering.pen import FILL, Random

Fonts = Sequence[str | Path]
LETTERS_LIKE_DIGITS = "OoQDIlij|!ZzSsBqgby"  # 0, 1, 2, 5, 8, 9, 6 and 4 in some hand or font
LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhkmnprtuvwx&#@%?+=*{}<>"
HERSHEY_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)  # fmt: skip
# Print to learn from: the DejaVu fonts that come with matplotlib. Letters are tested in all other fonts.
TRAINING_FONTS = tuple(
    f"DejaVu{face}" for family in ("Sans", "SansMono", "Serif")
    for face in (family, f"{family}-Bold", f"{family}-Italic" if family == "Serif" else f"{family}-Oblique")
)  # fmt: skip
# Handwritten letters as strokes; a stroke is one piece unless it holds lists.
LETTER_STROKES: dict[str, list[list]] = {
    "A": [[(0, 1), (0.3, 0)], [(0.3, 0), (0.6, 1)], [(0.1, 0.62), (0.52, 0.6)]],
    "C": [[(0.55, 0.15), (0.3, 0), (0.02, 0.3), (0.02, 0.7), (0.3, 1), (0.6, 0.82)]],
    "E": [[(0.5, 0), (0.02, 0.01)], [(0.02, 0), (0, 1)], [(0, 1), (0.52, 0.98)], [(0.01, 0.5), (0.42, 0.48)]],
    "F": [[(0.5, 0), (0.02, 0.01)], [(0.02, 0), (0, 1)], [(0.01, 0.48), (0.4, 0.46)]],
    "H": [[(0, 0), (0.02, 1)], [(0.55, 0), (0.55, 1)], [(0, 0.52), (0.55, 0.5)]],
    "K": [[(0, 0), (0, 1)], [(0.5, 0), (0.02, 0.55)], [(0.15, 0.42), (0.55, 1)]],
    "M": [[(0, 1), (0.08, 0)], [(0.08, 0), (0.38, 0.7)], [(0.38, 0.7), (0.68, 0)], [(0.68, 0), (0.75, 1)]],
    "N": [[(0, 1), (0.02, 0)], [(0.02, 0), (0.52, 1)], [(0.52, 1), (0.55, 0)]],
    "P": [[(0.02, 0), (0, 1)], [(0.02, 0.02), (0.4, 0.03), (0.5, 0.25), (0.36, 0.48), (0.02, 0.5)]],
    "R": [[(0.02, 0), (0, 1)], [(0.02, 0.02), (0.4, 0.03), (0.48, 0.25), (0.3, 0.48), (0.02, 0.5)],
          [(0.2, 0.5), (0.56, 1)]],
    "V": [[(0, 0), (0.3, 1)], [(0.3, 1), (0.62, 0)]],
    "W": [[(0, 0), (0.2, 1)], [(0.2, 1), (0.42, 0.25)], [(0.42, 0.25), (0.62, 1)], [(0.62, 1), (0.85, 0)]],
    "X": [[(0, 0), (0.6, 1)], [(0.6, 0), (0, 1)]],
    "G": [[(0.56, 0.18), (0.3, 0), (0.02, 0.3), (0.04, 0.75), (0.32, 1), (0.58, 0.85), (0.58, 0.6)],
          [(0.58, 0.58), (0.36, 0.58)]],
    "J": [[(0.42, 0), (0.44, 0.7), (0.3, 1), (0.05, 0.92), (0, 0.72)], [(0.18, 0.01), (0.68, 0)]],
    "L": [[(0.02, 0), (0, 1)], [(0, 1), (0.52, 0.98)]],
    "T": [[(0, 0.01), (0.66, 0)], [(0.33, 0.01), (0.33, 1)]],
    "U": [[(0, 0), (0.01, 0.65), (0.28, 1), (0.56, 0.65), (0.57, 0)]],
    "Y": [[(0, 0), (0.3, 0.48)], [(0.6, 0), (0.3, 0.48)], [(0.3, 0.48), (0.3, 1)]],
    "a": [[(0.5, 0.1), (0.25, 0), (0, 0.4), (0.1, 0.9), (0.35, 0.85), (0.52, 0.1)],
          [(0.52, 0.1), (0.52, 0.8), (0.72, 0.95)]],
    "d": [[(0.5, 0.5), (0.25, 0.42), (0, 0.7), (0.2, 1), (0.5, 0.8)], [(0.52, 0), (0.52, 0.95), (0.64, 0.98)]],
    "e": [[(0.05, 0.5), (0.5, 0.4), (0.4, 0.05), (0.15, 0.05), (0, 0.5), (0.2, 0.98), (0.6, 0.8)]],
    "f": [[(0.5, 0.1), (0.35, 0), (0.2, 0.2), (0.2, 1)], [(0, 0.42), (0.42, 0.4)]],
    "h": [[(0, 0), (0, 1)], [(0, 0.7), (0.2, 0.45), (0.42, 0.55), (0.45, 1)]],
    "k": [[(0, 0), (0, 1)], [(0.36, 0.4), (0.02, 0.72)], [(0.1, 0.65), (0.42, 1)]],
    "m": [[(0, 0), (0, 1)], [(0, 0.4), (0.25, 0.02), (0.42, 0.3), (0.42, 1)],
          [(0.42, 0.4), (0.7, 0.02), (0.88, 0.3), (0.9, 1)]],
    "n": [[(0, 0), (0, 1)], [(0, 0.4), (0.35, 0.02), (0.6, 0.3), (0.62, 1)]],
    "p": [[(0, 0), (0, 1)], [(0, 0.12), (0.3, 0), (0.5, 0.25), (0.3, 0.52), (0, 0.45)]],
    "r": [[(0, 0), (0.02, 1)], [(0.02, 0.45), (0.2, 0.08), (0.45, 0.06)]],
    "t": [[(0.2, 0), (0.18, 0.8), (0.32, 1), (0.5, 0.9)], [(0, 0.3), (0.45, 0.27)]],
    "u": [[(0, 0), (0.02, 0.75), (0.28, 1), (0.58, 0.7), (0.6, 0)], [(0.6, 0), (0.62, 0.85), (0.78, 1)]],
    "w": [[(0, 0), (0.08, 0.9), (0.3, 0.95), (0.42, 0.2)], [(0.42, 0.2), (0.5, 0.95), (0.75, 0.9), (0.85, 0)]],
    "x": [[(0, 0), (0.15, 0.05), (0.55, 0.95), (0.7, 0.9)], [(0.65, 0), (0.05, 1)]],
    "ñ": [[(0, 0.3), (0, 1)], [(0, 0.5), (0.3, 0.3), (0.5, 0.5), (0.5, 1)],
          [(0.0, 0.1), (0.2, 0.02), (0.3, 0.1), (0.5, 0.02)]],
    "&": [[(0.7, 0.55), (0.4, 1), (0.05, 0.85), (0.3, 0.45), (0.4, 0.15), (0.25, 0), (0.12, 0.15), (0.75, 1)]],
    "?": [[(0, 0.15), (0.2, 0), (0.45, 0.15), (0.25, 0.45), (0.22, 0.7)], [(0.22, 0.93), (0.23, 0.97)]],
}  # fmt: skip


# Printed -------------------------------------------------------------------------------------------------------------
def printed_letter(rng: Random, size: int) -> np.ndarray:
    """Return one printed letter in one of OpenCV's fonts, uint8 (size, size)."""
    return _hershey(rng, LETTERS[rng.integers(len(LETTERS))], size)


def printed_words(rng: Random, size: int) -> np.ndarray:
    """Return a few printed letters in a row, uint8 (size, size)."""
    letters = np.array(list(LETTERS + "  aeinrtm"))
    text = "".join(rng.choice(letters, int(rng.integers(2, 9)))).strip() or "ma"
    return _hershey(rng, "W" + text if len(text) < 2 else text, size)


def _hershey(rng: Random, text: str, size: int) -> np.ndarray:
    canvas = np.zeros((2 * size, 2 * size * (1 + len(text))), np.uint8)
    scale, thickness = size / 32, max(1, int(size / 128 * rng.integers(2, 12)))
    font = HERSHEY_FONTS[rng.integers(len(HERSHEY_FONTS))] | (cv2.FONT_ITALIC if rng.random() < 0.25 else 0)
    cv2.putText(canvas, text, (size // 2, 3 * size // 2), font, scale, 255, thickness, cv2.LINE_AA)
    return fitted(canvas, size, rng.uniform(-10, 10))


def text_block(rng: Random, size: int) -> np.ndarray:
    """Some lines of small print."""
    canvas = np.zeros((4 * size, 4 * size), np.uint8)
    letters = np.array(list("abcdefghiklmnoprstuvw   .,"))
    for line in range(int(rng.integers(2, 9))):
        text = "".join(rng.choice(letters, int(rng.integers(6, 24))))
        thickness = 1 + int(rng.integers(2))
        cv2.putText(canvas, text, (8, 30 + 28 * line), cv2.FONT_HERSHEY_COMPLEX, 0.8, 255, thickness, cv2.LINE_AA)
    return fitted(canvas, size)


def cropped(ink: np.ndarray) -> np.ndarray:
    """Return the ink without the blank margin around it."""
    return ink[Box(*cv2.boundingRect(ink_points(ink))).window]


def fitted(ink: np.ndarray, size: int, degrees: float = 0.0) -> np.ndarray:
    """Return the ink cropped and brought to 84 % of uint8 (size, size), turned by some degrees."""
    ink = cropped(ink)
    scale = FILL * size / max(ink.shape)
    shape = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
    ink = cv2.resize(ink, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = (size - ink.shape[0]) // 2, (size - ink.shape[1]) // 2
    canvas = np.zeros((size, size), np.uint8)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    if degrees:
        canvas = cv2.warpAffine(canvas, cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 0.95), (size, size))
    return canvas


def reshaped(ink: np.ndarray, rng: Random) -> np.ndarray:
    """Return the letter as other fonts would have it: narrower or wider, leaning, a thinner or a thicker line."""
    size = len(ink)
    matrix = np.array([[np.exp(rng.uniform(-0.4, 0.4)), rng.uniform(-0.3, 0.3), 0], [0, 1, 0]])
    matrix[:, 2] = size - matrix[:, :2] @ (size / 2, size / 2)
    ink = cv2.warpAffine(ink, matrix, (2 * size, 2 * size))
    side = int(rng.integers(2, 2 + max(1, size // 24)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    other = (cv2.erode if rng.random() < 0.5 else cv2.dilate)(ink, disc)
    return fitted(other if other.max() > 200 else ink, size)


@lru_cache(maxsize=64)
def _font(path: str, height: int):
    from PIL import ImageFont  # only here: Pillow comes with matplotlib, the camera script lives without it

    return ImageFont.truetype(path, height)


def draw_printed_letter(rng: Random, size: int, fonts: Fonts, letters: str = LETTERS) -> np.ndarray:
    """Return one letter of a TrueType font, uint8 (size, size), white on black.

    Args:
        fonts: paths of font files.
        letters: to choose from; a sensible test leaves out LETTERS_LIKE_DIGITS.
    Raises:
        ImportError: if Pillow is not installed.
    """
    from PIL import Image, ImageDraw

    letter = letters[rng.integers(len(letters))]
    page = Image.new("L", (2 * size, 2 * size))
    font = _font(str(fonts[rng.integers(len(fonts))]), size)
    ImageDraw.Draw(page).text((size // 2, size // 4), letter, fill=255, font=font)
    ink = np.array(page)
    if ink.max() < 65:  # the font lacks the letter
        return printed_letter(rng, size)
    return fitted(ink, size, rng.uniform(-8, 8))


@lru_cache(maxsize=1)
def training_fonts() -> list[str]:
    """Return the paths of TRAINING_FONTS, as far as matplotlib has them."""
    from matplotlib import get_data_path  # only here, as above

    folder = Path(get_data_path()) / "fonts" / "ttf"
    return [str(folder / f"{name}.ttf") for name in TRAINING_FONTS if (folder / f"{name}.ttf").exists()]
