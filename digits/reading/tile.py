"""From the ink of one digit to its 96x96 tile: the only normalisation in the project.

MNIST pictures, own photographs and camera frames all pass through `normalise`. It redraws the strokes from their
outline, so that a hair-thin ballpoint, a fat marker and a blurred scan end in strokes of similar width and softness.
"""

import cv2
import numpy as np

from digits.box import Box

TILE_SIZE = 96
TILE_RULE = 1  # version of what `normalise` does; exported models name the one they were trained with
# MNIST's rule: the digit's longer side spans 20 of 28 pixels (LeCun et al. 1998).
LONG_SIDE = TILE_SIZE * 20 / 28
# Width of a stroke on the tile. MNIST's own lie between 6 and 15 px at this size (5th and 95th percentile). Thinner
# ones, as most pens before a camera are, get widened; only blots get thinned, since thinning eats small loops.
MIN_STROKE = 7.0
MAX_STROKE = 15.0
# An edge goes from black to white over this many tile pixels: one MNIST pixel.
_EDGE = TILE_SIZE / 28
# The outline is taken at one and a half times the tile's scale: finer costs time and no longer shows on the tile.
_WORK_SIDE = 1.5 * LONG_SIDE
# Ink counts from this share of the darkest stroke on: low enough to keep a stroke whole where the pen lifted.
INK_LEVEL = 0.42
_PAD = 4


def normalise(ink: np.ndarray) -> np.ndarray:
    """Return the 96x96 tile of one digit.

    Args:
        ink: uint8 (H, W), white ink on black, nothing else in it than the one digit.
    Returns:
        uint8 (96, 96): longer side 20/28 of the tile, centre of mass in the middle, strokes 7 to 15 px wide.
    Raises:
        ValueError: if `ink` is blank or not uint8 (H, W).
    Source: MNIST's own rule, LeCun et al. 1998; strokes are redrawn from their signed distance field.
    """
    mask, stroke = _outline(_at_work_size(_cropped(ink)))
    distance = _signed_distance(mask)
    long_side = max(mask.shape) - 2 * _PAD
    scale, grow = _scale_and_grow(long_side, stroke)
    centre = np.array([(mask.shape[1] - 1) / 2, (mask.shape[0] - 1) / 2])
    tile = _draw(distance, scale, grow, centre)
    moments = cv2.moments(tile)
    middle = (TILE_SIZE - 1) / 2
    offset = np.array([moments["m10"], moments["m01"]]) / moments["m00"] - middle
    return _draw(distance, scale, grow, centre + offset / scale)


def to_input(tiles: np.ndarray) -> np.ndarray:
    """Return tiles as the networks take them.

    Args:
        tiles: uint8 (N, 96, 96).
    Returns:
        float32 (N, 96, 96, 3) in [0, 1], three equal channels.
    """
    grey = np.asarray(tiles, np.float32)[..., np.newaxis] * np.float32(1 / 255)
    return np.repeat(grey, 3, axis=-1)


def _cropped(ink: np.ndarray) -> np.ndarray:
    if ink.ndim != 2 or ink.dtype != np.uint8:
        raise ValueError(f"ink is {ink.dtype} {ink.shape}, expected uint8 (height, width)")
    peak = int(ink.max()) if ink.size else 0
    if peak == 0:
        raise ValueError("ink is blank: it has no pixel above 0")
    return ink[Box(*cv2.boundingRect((ink > peak * INK_LEVEL * 0.5).astype(np.uint8))).window]


def _at_work_size(ink: np.ndarray) -> np.ndarray:
    scale = _WORK_SIDE / max(ink.shape)
    if scale < 0.5:
        # A thin stroke would fade away in the reduction: widen it to the width of one pixel of the result.
        ink = cv2.dilate(ink, np.ones((max(1, round(0.5 / scale)),) * 2, np.uint8))
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    work = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(work, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_CONSTANT, value=0)


def _outline(work: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mask uint8 (H, W) of 0 and 1, cropped to the ink with a margin, and its mean stroke width in px."""
    mask = (work > work.max() * INK_LEVEL).astype(np.uint8)
    mask = mask[Box(*cv2.boundingRect(mask)).window]
    mask = cv2.copyMakeBorder(mask, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_CONSTANT, value=0)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    perimeter = sum(cv2.arcLength(contour, True) for contour in contours)
    return mask, stroke_width(cv2.countNonZero(mask), perimeter)


def stroke_width(area: float, perimeter: float) -> float:
    """Return the mean width of strokes from their area and perimeter, in the same unit.

    A stroke of length L and width w has area L w and perimeter 2 (L + w): w is the smaller root of that.
    """
    half = perimeter / 2
    return (half - max(half * half - 4 * area, 0.0) ** 0.5) / 2 + 1e-3


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Return float32 (H, W): distance to the outline in px, positive inside."""
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_5)
    return cv2.blur(inside - outside, (3, 3))  # rounds the pixel steps of the mask


def _scale_and_grow(long_side: float, stroke: float) -> tuple[float, float]:
    """Return the scale to the tile and how far, in tile px, the outline moves outwards on each side."""
    scale = LONG_SIDE / long_side
    if long_side < 2 * stroke:
        return scale, 0.0  # a dot or a blob: there is no stroke to widen
    wanted = min(max(stroke * scale, MIN_STROKE), MAX_STROKE)
    scale = (LONG_SIDE - wanted) / (long_side - stroke)
    return scale, (wanted - stroke * scale) / 2


def _draw(distance: np.ndarray, scale: float, grow: float, centre: np.ndarray) -> np.ndarray:
    """Draw the strokes on a tile whose middle is `centre` (x, y in px of `distance`)."""
    middle = (TILE_SIZE - 1) / 2
    matrix = np.array([[scale, 0, middle - scale * centre[0]], [0, scale, middle - scale * centre[1]]])
    field = cv2.warpAffine(distance, matrix, (TILE_SIZE, TILE_SIZE), flags=cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_CONSTANT, borderValue=-1e3)
    field *= scale * 255 / _EDGE
    field += 127.5 + grow * 255 / _EDGE
    return cv2.convertScaleAbs(np.maximum(field, 0, out=field))  # rounds, and what is above 255 becomes 255
