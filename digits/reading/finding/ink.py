"""From a camera frame to its ink: how much darker (or, on a board, lighter) than the paper each pixel is.

The paper's own brightness is estimated everywhere, so lamp gradients, shadows and coloured light divide out. What is
left is a contrast between 0 and 1 that means the same in a dim corner and under a lamp.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

# Frames are worked on at up to this longer side: a digit of forty on a page keeps about 40 px, and time stays bounded.
WORK_SIDE = 960
# Smaller pictures, such as scanned digits cut out one by one, are enlarged to this: strokes need pixels to be measured.
_SMALL_SIDE = 128
# The paper is looked at on a grid this many times coarser than the frame ...
_GRID = 8
# ... and its brightness is the median of a window of this share of the frame: wider than the widest stroke,
# narrower than a lamp's gradient.
_PAPER_WINDOW = 0.34
# Where shadows are to go, what is darker and narrower than this share of the frame is a stroke, and all else paper. Of
# 20 rendered photographs whose light kept their digit from being read, 15 are read so; 13 with 0.05.
_SHADOW_WINDOW = 0.09
# Strokes narrower than half of these shares of the frame are seen, when light and dark ones are weighed up.
_STROKE_WINDOWS = (0.13, 0.3)
# One polarity is clear where it has that many times the other's structure. Single digits on paper have 3.7 times (99 %
# of the development photographs) and more; a sheet before a dark room has as little as 0.8.
_CLEAR = 2.0
# From this many times on the wide window is not asked: it never said otherwise on 1,090 real pictures and their
# negatives, and it costs a tenth of the time that a frame with one digit takes.
_BEYOND_DOUBT = 12.0
# Weaker structure than this (of 255) is noise or paper grain, and takes no part in that.
_FAINT = 20
# Paper darker than this (of 255) has no brightness to compare with; below it, noise would be amplified without end.
_DARKEST_PAPER = 24.0
# A coloured pen shows in one or two channels only; a channel alone is noisier than grey and counts above this margin.
_COLOUR_MARGIN = 22


@dataclass(frozen=True)
class Ink:
    """The ink of one frame.

    Attributes:
        contrast: uint8 (h, w): 0 is paper, 255 a stroke of full contrast; at work scale.
        grey: uint8 (h, w), the frame's own brightness at work scale, turned round where strokes are light.
        paper: uint8 (h/8, w/8) brightness of the paper, coarse.
        noise: standard deviation of `contrast` on plain paper.
        light_on_dark: whether the strokes are lighter than what they are written on.
        in_doubt: whether that may well be the other way round: then look at both.
        scale: frame pixels per work pixel.
    """

    contrast: np.ndarray
    grey: np.ndarray
    paper: np.ndarray
    noise: float
    light_on_dark: bool
    in_doubt: bool
    scale: float


def find_ink(frame: np.ndarray, light_on_dark: bool | None = None) -> Ink:
    """Return the ink of a frame.

    Args:
        frame: uint8 (H, W, 3) BGR.
        light_on_dark: the polarity if known; None decides by which of the two has more strokes.
    """
    work, scale = _work_frame(frame)
    return _ink(work, scale, *(_polarity(work) if light_on_dark is None else (light_on_dark, False)), _paper)


def find_inks(frame: np.ndarray) -> Iterator[Ink]:
    """Yield the ink of a frame, and where its polarity is in doubt that of the other polarity as well."""
    work, scale = _work_frame(frame)
    light_on_dark, in_doubt = _polarity(work)
    yield _ink(work, scale, light_on_dark, in_doubt, _paper)
    if in_doubt:
        yield _ink(work, scale, not light_on_dark, False, _paper)


def find_ink_in_shadow(frame: np.ndarray, light_on_dark: bool) -> Ink:
    """Return the ink of a frame with shadows across it: neither they nor their edges are ink, but fat strokes go too.

    Args:
        frame: uint8 (H, W, 3) BGR.
        light_on_dark: the polarity.
    Source: closing as an estimate of the background, the black top-hat of Meyer 1979.
    """
    work, scale = _work_frame(frame)
    return _ink(work, scale, light_on_dark, False, _paper_in_shadow)


def _ink(work: np.ndarray, scale: float, light_on_dark: bool, in_doubt: bool, paper_of: Callable) -> Ink:
    if light_on_dark:
        work = cv2.bitwise_not(work)
    paper = paper_of(work)
    contrast = _contrast(work, paper)
    coarse = (max(1, work.shape[1] // _GRID), max(1, work.shape[0] // _GRID))
    brightness = cv2.resize(cv2.cvtColor(paper, cv2.COLOR_BGR2GRAY), coarse, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(work, cv2.COLOR_BGR2GRAY)
    return Ink(contrast, grey, brightness, _noise(contrast), light_on_dark, in_doubt, scale)


def _work_frame(frame: np.ndarray) -> tuple[np.ndarray, float]:
    longest = max(frame.shape[:2])
    scale = max(longest / WORK_SIDE, 1.0) if longest > _SMALL_SIDE else longest / _SMALL_SIDE
    if scale == 1.0:
        return frame, 1.0
    size = (max(1, round(frame.shape[1] / scale)), max(1, round(frame.shape[0] / scale)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC), scale


def _grid(work: np.ndarray) -> np.ndarray:
    """Return the frame on the coarse grid, thin dark strokes dropped by keeping the brightest of each cell."""
    height, width = work.shape[:2]
    half = cv2.resize(work, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    # Anchored at its first pixel, the window is the very cell that `resize` picks: half a cell off, a lamp's gradient
    # across a small picture counts as ink (17 of 270 real photographs of 120 px were misread, now 6).
    bright = cv2.dilate(half, np.ones((_GRID // 2, _GRID // 2), np.uint8), anchor=(0, 0))
    size = (max(1, width // _GRID), max(1, height // _GRID))
    return cv2.resize(bright, size, interpolation=cv2.INTER_NEAREST)


def _paper(work: np.ndarray) -> np.ndarray:
    """Return the brightness of the paper, uint8 (h/8, w/8, 3)."""
    grid = _grid(work)
    window = int(max(grid.shape[:2]) * _PAPER_WINDOW) | 1
    if window < 3:
        return grid
    return cv2.medianBlur(grid, window)


def _paper_in_shadow(work: np.ndarray) -> np.ndarray:
    """Return the brightness of the paper, uint8 (h/2, w/2, 3), shadows with it."""
    half = cv2.resize(work, (max(1, work.shape[1] // 2), max(1, work.shape[0] // 2)), interpolation=cv2.INTER_AREA)
    window = max(3, int(max(half.shape[:2]) * _SHADOW_WINDOW) | 1)
    # Closing fills strokes with the paper beside them; a shadow is wider than the window and stays.
    return cv2.blur(cv2.morphologyEx(half, cv2.MORPH_CLOSE, np.ones((window, window), np.uint8)), (3, 3))


def _contrast(work: np.ndarray, paper: np.ndarray) -> np.ndarray:
    size = (work.shape[1], work.shape[0])
    paper = cv2.resize(cv2.max(paper, np.full_like(paper, _DARKEST_PAPER)), size, interpolation=cv2.INTER_LINEAR)
    share = cv2.divide(work, paper, scale=255)
    blue, green, red = cv2.split(share)
    darkest = cv2.min(cv2.min(blue, green), red)
    coloured = cv2.subtract(cv2.bitwise_not(darkest), np.full_like(darkest, _COLOUR_MARGIN))
    return cv2.max(cv2.bitwise_not(cv2.cvtColor(share, cv2.COLOR_BGR2GRAY)), coloured)


def _noise(contrast: np.ndarray) -> float:
    """Return the noise of plain paper, from the difference of neighbours: strokes are too few to move a median."""
    sample = contrast[::4]
    if sample.shape[1] < 3:
        return 0.0
    difference = cv2.absdiff(sample[:, 2:], sample[:, :-2])
    counts = cv2.calcHist([difference], [0], None, [256], [0, 256]).ravel()
    median = int(np.searchsorted(counts.cumsum(), difference.size / 2))
    return median * 1.05 + 0.5


def _polarity(work: np.ndarray) -> tuple[bool, bool]:
    """Return whether strokes are lighter than their surroundings, and whether that is in doubt.

    Structure lighter and darker than a median is weighed up at a quarter of the size. A narrow window is right about
    a white sheet before a dark room, but blind to fat markers; a wide one sees those. Where they differ there is doubt,
    and where the narrow one sees nearly as much of both.
    """
    size = (max(1, work.shape[1] // 4), max(1, work.shape[0] // 4))
    grey = cv2.cvtColor(cv2.resize(work, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    narrow = _lighter_to_darker(grey, int(max(size) * _STROKE_WINDOWS[0]) | 1)
    if not 1 / _BEYOND_DOUBT < narrow < _BEYOND_DOUBT:
        return narrow > 1, False
    wide = _lighter_to_darker(grey, int(max(size) * _STROKE_WINDOWS[1]) | 1)
    return narrow > 1, (narrow > 1) != (wide > 1) or 1 / _CLEAR < narrow < _CLEAR


def _lighter_to_darker(grey: np.ndarray, window: int) -> float:
    """Return how much structure is lighter than its surroundings, beside how much is darker."""
    around = cv2.medianBlur(grey, min(max(3, window), 255))
    brighter = cv2.max(cv2.max(around, grey), _DARKEST_PAPER)
    darker = cv2.subtract(cv2.divide(cv2.subtract(around, grey), brighter, scale=255), _FAINT)
    lighter = cv2.subtract(cv2.divide(cv2.subtract(grey, around), brighter, scale=255), _FAINT)
    return (float(lighter.sum()) + 1) / (float(darker.sum()) + 1)
