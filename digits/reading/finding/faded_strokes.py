"""Strokes that fade: where a pen runs dry, its line goes on below what counts as ink, and a 0 would be read as open.

What is weaker is taken for ink where it goes on from ink, as in Canny's edge detector (1986), and where the page bears
it: on plain, clean paper. Creases, shadows, print from behind and printed lines are as weak, and they show elsewhere
on the page as well.
"""

import cv2
import numpy as np

from digits.reading.tile import stroke_width

# Weak ink reaches this share of the level of ink, and this contrast of 255. Of 810 scans of pale digits 27 tiles change
# by more than 4 of 255 on average, of 270 photographs none.
_WEAK = 0.45
_WEAKEST = 8.0
_BESIDE = 2  # px around strong ink are its own blur
_NEXT_TO = 4  # px from strong ink is where what goes on from it begins
_SHORTEST = 4  # px, longer side
# A page bears it when weak pieces next to no stroke are fewer pixels than this share of those next to one, and these
# fewer than this share of all strong ink: strokes fade at their ends.
_ELSEWHERE = 0.25
_MOST = 0.35
# It goes on by this many widths of the stroke (a halo does not), and is no more than this much thicker (a shadow is).
_AWAY = 0.8
_THICKER = 1.5


def with_faded_ends(mask: np.ndarray, level: np.ndarray, smooth: np.ndarray,
                    least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mask and level with the faded parts of strokes in them; themselves if there are none.

    Args:
        mask: uint8 (h, w) of 0 and 1, strong ink.
        level: uint8 (h, w), above which `smooth` is ink.
        smooth: uint8 (h, w), the contrast.
        least: contrast that plain paper does not reach.
    Returns:
        The mask with weak ink added, and a level that is lower there.
    """
    weak_level = cv2.max(cv2.convertScaleAbs(level, alpha=_WEAK), np.full_like(level, min(max(_WEAKEST, least), 255)))
    weak_level = cv2.min(weak_level, level)
    weak = cv2.compare(smooth, weak_level, cv2.CMP_GT) & 1
    beyond = cv2.bitwise_and(weak, cv2.bitwise_not(cv2.dilate(mask, _square(_BESIDE))))
    strong = cv2.countNonZero(mask)
    if not 0 < cv2.countNonZero(beyond) < (1 + _ELSEWHERE) * _MOST * strong:
        return mask, level
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(beyond, 8, cv2.CV_32S, cv2.CCL_BBDT)
    stats = stats.reshape(-1, 5)[1:]
    area, side = stats[:, cv2.CC_STAT_AREA], stats[:, cv2.CC_STAT_WIDTH : cv2.CC_STAT_HEIGHT + 1].max(axis=1)
    places = np.flatnonzero(beyond)
    piece = labels.ravel()[places] - 1

    def reaches(marked: np.ndarray) -> np.ndarray:
        """Return bool (count - 1,): whether any pixel of each piece is marked."""
        found = np.zeros(count - 1, bool)
        found[piece[marked.ravel()[places] > 0]] = True
        return found

    next_to = reaches(cv2.dilate(mask, _square(_NEXT_TO)))
    going_on = next_to & (side >= _SHORTEST)
    fading = area[going_on].sum()
    if area[~next_to].sum() > _ELSEWHERE * fading or fading > _MOST * strong:
        return mask, level
    edge = strong - cv2.countNonZero(cv2.erode(mask, _square(1), borderType=cv2.BORDER_CONSTANT, borderValue=0))
    width = stroke_width(strong, edge)
    going_on &= reaches(1 - cv2.dilate(mask, _square(round(_AWAY * width))))
    going_on &= ~reaches(cv2.erode(weak, _square(round(_THICKER * width / 2))))
    if not going_on.any():
        return mask, level
    added = np.zeros_like(mask)
    added.ravel()[places[going_on[piece]]] = 1
    added = cv2.dilate(added, _square(_BESIDE + 1)) & weak
    return mask | added, cv2.copyTo(weak_level, added, level.copy())


def _square(reach: int) -> np.ndarray:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
