"""The ink of one digit, where the finder sees strokes: how much of one each pixel is, by the picture's own grey."""

import cv2
import numpy as np

from digits.reading.finding.decoding import Decoding

_HALF, _SHARE = 127, 0.1  # of 255: what is ink rather than paper; share of it that makes a difference
_SHARPEST = 4  # steps from pixel to pixel that tell how sharp something is


def differ(ink: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two inks of a digit, white on black, hardly have the same area."""
    area, more = np.count_nonzero(ink > _HALF), np.count_nonzero(other > _HALF)
    return abs(area - more) > _SHARE * max(area, more)


def blur_of(grey: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """Return the pixels that the sharpest edges in a box of a look go over, across or up and down: where it is more."""
    left, top, w, h = box
    part = grey[max(0, top - 2) : top + h + 2, max(0, left - 2) : left + w + 2]
    darkest, lightest = cv2.minMaxLoc(part)[:2]
    steps = [cv2.absdiff(part[1:], part[:-1]), cv2.absdiff(part[:, 1:], part[:, :-1])]
    sharpest = min(float(np.partition(step.ravel(), -_SHARPEST)[-_SHARPEST:].mean()) if step.size >= _SHARPEST else 0.0
                   for step in steps)
    return max(lightest - darkest, 1.0) / max(sharpest, 1.0)


def drawn_ink(grey: np.ndarray, share: np.ndarray, own: np.ndarray, rules: Decoding) -> np.ndarray:
    """Return the ink, uint8 (h, w): where the network sees a stroke the picture's own grey says how much of one.

    Args:
        grey: uint8 (h, w), the part of the picture.
        share: float32 (h, w), how probably each pixel is ink.
        own: bool (h, w), whose ink belongs to this digit.
    """
    contrast = contrast_of(grey, share, own, rules)
    if contrast is None:
        return (255 * share * own).astype(np.uint8)
    contrast[~_strokes(own, share, rules)] = 0
    return np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)


def contrast_of(grey: np.ndarray, share: np.ndarray, own: np.ndarray, rules: Decoding) -> np.ndarray | None:
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
