"""Paper and what lies on it before a camera sees it: grain, ruled lines, print from behind, the ink of a pen.

A sheet is planar float32 (3, H, W), blue, green, red reflectance in [0, 1]: planes, because NumPy is several
times faster on them than on pixels of three. Noise is cut from pictures made once with a fixed seed; where it is
cut comes from the caller's generator, so everything stays reproducible and cheap.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

BANK = 1152  # side of the noise pictures: larger than any frame rendered here
# Reflectance of paper (blue, green, red): white, cream, recycled grey, bluish, yellow note, pinkish.
PAPERS = np.array([[0.93, 0.94, 0.94], [0.82, 0.92, 0.95], [0.74, 0.77, 0.78], [0.95, 0.9, 0.86], [0.5, 0.88, 0.95],
                   [0.86, 0.84, 0.95]])
PAPER_SHARES = np.array([0.55, 0.15, 0.15, 0.08, 0.04, 0.03])
BOARDS = np.array([[0.05, 0.05, 0.05], [0.16, 0.24, 0.14], [0.13, 0.13, 0.13], [0.3, 0.16, 0.1]])
# Reflectance of inks (blue, green, red): black, blues, purple, red, green, turquoise, pencil, orange, pink, brown.
INKS = np.array([[0.1, 0.1, 0.1], [0.5, 0.2, 0.12], [0.7, 0.32, 0.2], [0.35, 0.14, 0.12], [0.45, 0.12, 0.4],
                 [0.2, 0.16, 0.75], [0.25, 0.45, 0.15], [0.6, 0.55, 0.12], [0.32, 0.32, 0.33],
                 [0.15, 0.45, 0.9], [0.6, 0.4, 0.85], [0.15, 0.25, 0.4]])
INK_SHARES = np.array([0.27, 0.13, 0.07, 0.12, 0.04, 0.08, 0.06, 0.03, 0.14, 0.02, 0.02, 0.02])
CHALKS = np.array([[0.95, 0.95, 0.95], [0.5, 0.9, 0.95], [0.75, 0.7, 0.95], [0.95, 0.85, 0.6]])


@dataclass(frozen=True)
class Pen:
    """What a pen leaves: `colour` float (3,) reflectance, `opacity` in [0, 1], `grain` of the line in [0, 1]."""

    colour: np.ndarray
    opacity: float
    grain: float


def contrast(sheet: np.ndarray, pen: Pen) -> float:
    """Return how far the pen's ink stands out from the sheet's middle tone, in [0, 1], by brightness."""
    tone = sheet[:, ::8, ::8].mean((1, 2))
    return float(pen.opacity * abs((tone - pen.colour) @ (0.11, 0.59, 0.3)))


def random_pen(rng: np.random.Generator, on_board: bool = False) -> Pen:
    """Return chalk for boards; else a pen or pencil, one in seven so faint that it is hardly seen."""
    if on_board:
        return Pen(CHALKS[rng.choice(4, p=[0.7, 0.1, 0.1, 0.1])], rng.uniform(0.6, 1.0), rng.uniform(0, 0.7))
    colour = np.clip(INKS[rng.choice(len(INKS), p=INK_SHARES)] * rng.uniform(0.6, 1.3) + rng.uniform(-0.04, 0.04, 3),
                     0, 1)
    opacity = rng.uniform(0.14, 0.45) if rng.random() < 0.15 else rng.uniform(0.7, 1.0)
    return Pen(colour, opacity, 0.6 * rng.random() ** 1.7 if rng.random() < 0.45 else 0.05)


@lru_cache(maxsize=4)
def _noise_bank(sigma: float) -> np.ndarray:
    """Return float32 (BANK, BANK) noise of deviation 1, smooth over about `sigma` pixels."""
    noise = np.random.default_rng(int(10 * sigma)).standard_normal((BANK, BANK), np.float32)
    if sigma:
        noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return noise / noise.std()


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float = 0.0) -> np.ndarray:
    """Return float32 `shape` noise of deviation 1; `sigma`: 0 (fine), 1.5 or 5 (blotches) pixels."""
    height, width = shape
    bank = _noise_bank(sigma)
    top, left = int(rng.integers(BANK - height + 1)), int(rng.integers(BANK - width + 1))
    cut = bank[top : top + height, left : left + width]
    return cut[:: 1 if rng.random() < 0.5 else -1, :: 1 if rng.random() < 0.5 else -1]


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Return float32 `shape`, smooth hills of deviation about 1, `cells` of them along each side."""
    hills = rng.standard_normal((cells, cells), np.float32)
    return cv2.resize(hills, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def blank_sheet(rng: np.random.Generator, shape: tuple[int, int], board: bool = False,
                roughness: float = 1.0) -> np.ndarray:
    """Return an empty sheet (or blackboard), float32 (3, H, W): grain, blotches, waves of the paper."""
    base = BOARDS[rng.integers(len(BOARDS))] if board else PAPERS[rng.choice(len(PAPERS), p=PAPER_SHARES)]
    base = base * rng.uniform(0.9, 1.05)
    fine, blotchy, wavy = roughness * rng.uniform(0, 1, 3) ** 2 * (0.02, 0.03, 0.05)
    grain = fine * noise(rng, shape) + blotchy * noise(rng, shape, 1.5 if rng.random() < 0.6 else 5)
    grain += wavy * clouds(rng, shape, int(rng.integers(2, 8)))
    if board:
        grain = grain + 0.07 * rng.random() ** 2 * np.abs(clouds(rng, shape, 5))  # wiped chalk
        return np.clip(base[:, None, None] + grain, 0, 1).astype(np.float32)
    return (base.astype(np.float32)[:, None, None] * (1 + grain)).astype(np.float32)


def add_lines(sheet: np.ndarray, rng: np.random.Generator, pitch: float, angle: float, contrast: float) -> None:
    """Print ruled or squared lines (now and then dots, or one margin) onto a sheet, in place.

    Args:
        pitch: distance of the lines in pixels.
        angle: of the lines, in degrees.
        contrast: 0 invisible, 1 the full ink of the lines.
    """
    height, width = sheet.shape[1:]
    mask = np.zeros((height, width), np.uint8)
    reach = (height + width) / 2
    squared, thickness = rng.random() < 0.5, max(1, round(pitch * rng.uniform(0.01, 0.06)))
    phases = rng.uniform(0, pitch, 2)
    for turn, phase in zip((angle, angle + 90), phases if squared else phases[:1], strict=False):
        _parallel_lines(mask, np.radians(turn), pitch, phase, reach, min(thickness, 3))
    if rng.random() < 0.1:  # a margin
        x = int(rng.integers(width))
        cv2.line(mask, (x, 0), (x + round(height * np.tan(np.radians(-angle))), height), 255, min(thickness, 3),
                 cv2.LINE_AA)
    colour = np.array([[0.8, 0.6, 0.5], [0.55, 0.55, 0.55], [0.5, 0.5, 0.85], [0.75, 0.7, 0.45], [0.85, 0.5, 0.7]])
    _cover(sheet, mask * np.float32(contrast / 255), colour[rng.choice(5, p=[0.4, 0.3, 0.1, 0.1, 0.1])])


def _parallel_lines(mask: np.ndarray, angle: float, pitch: float, phase: float, reach: float, thickness: int) -> None:
    height, width = mask.shape
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    offsets = np.arange(-reach + phase, reach, pitch)
    middles = np.array([width / 2, height / 2]) + offsets[:, None] * across
    ends = np.stack([middles - reach * along, middles + reach * along], axis=1)
    cv2.polylines(mask, list(np.rint(ends * 16).astype(np.int32)), False, 255, thickness, cv2.LINE_AA, 4)


@lru_cache(maxsize=1)
def _printed_page() -> np.ndarray:
    """Return uint8 (BANK, BANK): a printed page seen through from behind (mirrored, soft), white text on black."""
    rng = np.random.default_rng(3)
    page, y = np.zeros((BANK, BANK), np.uint8), 30
    letters = np.array(list("aaabcdeeeefghiiiklmnnnooprrssstttuvw    ,.0123456789"))
    while y < BANK:
        scale = float(rng.choice([0.45, 0.6, 0.6, 0.9, 1.4]))
        text = "".join(rng.choice(letters, 90))
        cv2.putText(page, text, (int(rng.integers(-40, 60)), y), int(rng.choice([0, 2, 3])), scale, 255,
                    1 + (scale > 0.8), cv2.LINE_AA)
        y += int(scale * rng.uniform(32, 60))
        if rng.random() < 0.08:
            cv2.rectangle(page, (40, y), (int(rng.integers(200, BANK)), y + 60), 120, -1)
            y += 100
    return cv2.GaussianBlur(page[:, ::-1], (0, 0), 1.2)


def add_print_behind(sheet: np.ndarray, rng: np.random.Generator, contrast: float) -> None:
    """Let a printed page show through from behind, in place; `contrast` 0.03 to 0.2."""
    height, width = sheet.shape[1:]
    zoom = rng.uniform(0.5, 1.0)
    rows, columns = int(height * zoom), int(width * zoom)
    top, left = int(rng.integers(BANK - rows)), int(rng.integers(BANK - columns))
    part = cv2.resize(_printed_page()[top : top + rows, left : left + columns], (width, height))
    sheet *= 1 - part * np.float32(contrast / 255)


def add_ink(sheet: np.ndarray, mask: np.ndarray, pen: Pen, rng: np.random.Generator) -> None:
    """Write onto a sheet, in place.

    Args:
        mask: uint8 (H, W), where the pen went.
    """
    cover = mask * np.float32(pen.opacity / 255)
    if pen.grain > 0.05:  # paper's teeth: pencil and chalk skip, ballpoints run unevenly
        teeth = noise(rng, mask.shape, 0.0 if rng.random() < 0.5 else 1.5)
        cover *= np.clip(1 - pen.grain * (0.35 + 0.5 * teeth), 0.1, 1)
    _cover(sheet, cover, pen.colour)


def _cover(sheet: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    sheet += cover * (colour.astype(np.float32)[:, None, None] - sheet)
