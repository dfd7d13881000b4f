"""The ink of a digit as a mask: another pen, a thinner or a thicker line."""

import cv2
import numpy as np

THINNEST = 1.3  # pixels: a thinner line would be lost between the camera's pixels
FAINTEST = 32  # of 255: a picture without a brighter pixel is blank
RIDGE_SLACK = 0.35  # pixels: less leaves gaps in the ridge of a distance map, more makes it branch
WORKING_HEIGHT = 112  # longer side of a digit while its pen is changed: four times MNIST's 28


def ink_points(ink: np.ndarray) -> np.ndarray:
    """Return where there is ink, int32 (n, 1, 2) as (x, y): all above two fifths of the brightest pixel."""
    return cv2.findNonZero((ink > 0.4 * int(ink.max())).astype(np.uint8)).reshape(-1, 1, 2)


def change_pen(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the digit as another pen would write it, cropped, longer side WORKING_HEIGHT plus a margin.

    Small soft pictures (MNIST's 28x28) get the sharp edges of a pen again; then the line is thinned, kept or
    thickened at random. Thinning keeps the ridge of the distance to the paper, so that lines stay connected.

    Args:
        ink: uint8 (H, W), white on black, not blank.
    Raises:
        ValueError: if `ink` is blank.
    """
    if ink.max() < FAINTEST:
        raise ValueError("the ink is blank: expected white strokes on black")
    x, y, w, h = cv2.boundingRect(ink_points(ink))
    x, y, w, h = max(0, x - 1), max(0, y - 1), w + 2, h + 2
    zoom = WORKING_HEIGHT / max(w, h)
    big = cv2.resize(ink[y : y + h, x : x + w], None, fx=zoom, fy=zoom,
                     interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
    margin = WORKING_HEIGHT // 10
    big = cv2.copyMakeBorder(big, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    if zoom > 1.5:  # edges about two pixels soft, without the steps of the small picture's pixels
        big = cv2.GaussianBlur(big, (0, 0), 0.4 * zoom)
        low = 0.35 * float(big.max())
        big = np.clip((big - np.float32(low)) * np.float32(255 / (0.9 * low)), 0, 255).astype(np.uint8)
    coarse = zoom > 2
    choice = rng.random()
    if choice < (0.5 if coarse else 0.15):
        return thin_whole(big, rng.uniform(0.35, 0.88))
    if choice < (0.65 if coarse else 0.25):
        size = int(rng.integers(2, 2 + WORKING_HEIGHT // 12))
        return cv2.dilate(big, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return big


def at_least_wide(mask: np.ndarray, width: float) -> np.ndarray:
    """Return the mask with its line thickened to about `width` pixels where it is thinner on the whole."""
    solid = (mask > 127).astype(np.uint8)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3)
    line = 4 * float(depth.sum()) / max(1, int(np.count_nonzero(solid)))  # depths inside a line: a quarter of its width
    missing = int(np.ceil(width - line))
    if missing < 1:
        return mask
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (missing + 1, missing + 1)))


def thin_whole(mask: np.ndarray, share: float) -> np.ndarray:
    """Return the mask, uint8, with its line thinned by `share`, or by less where it would fall apart."""
    pieces = cv2.connectedComponents((mask > 127).astype(np.uint8))[0]
    for milder in (1.0, 0.75, 0.5):
        thin = _thinned(mask, milder * share)
        if cv2.connectedComponents((thin > 100).astype(np.uint8))[0] <= pieces:
            return thin
    return mask


def _thinned(mask: np.ndarray, share: float) -> np.ndarray:
    """Keep what lies deeper in the line than `share` of its half width there; never under about 2 pixels."""
    depth = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 5)
    typical = 2 * float(depth.sum()) / max(1, int(np.count_nonzero(depth)))  # half the width of most of the line
    window = 2 * int(np.ceil(1.5 * typical)) + 1
    half_width = cv2.dilate(depth, np.ones((window, window), np.uint8))
    kept = depth - np.minimum(share * half_width, np.maximum(half_width - 1.0, 0)) + 0.5
    # Beside a thick spot the rest of a line would go: its own ridge stays, two pixels wide.
    ridge = (depth > 1.0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)) - RIDGE_SLACK)
    ridge = cv2.dilate(ridge.astype(np.float32), np.ones((2, 2), np.uint8))
    return (np.clip(np.maximum(kept, ridge), 0, 1) * (255 * (depth > 0))).astype(np.uint8)
