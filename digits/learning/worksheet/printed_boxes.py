"""The printed boxes of a straightened worksheet: where each really is, and how it is taken out."""

import cv2
import numpy as np

from digits.box import Box
from digits.learning.worksheet.page import LINE_WIDTH, Layout, PrintedBox
from digits.learning.worksheet.straighten import SCALE, SheetError

# Printed lines are looked for so far (mm) from where the markers put them: as far as a sheet bends between them.
_REACH = 3.5
_BAND = 0.9  # mm on either side of a line's middle that its print may colour
_OWN_PLACE = 0.4  # mm that one box may differ from what the boxes around it say
DARKEST_LINE = 90  # of 255: what is darker than any printed line is ink, and counts no more than a line
_LEAST_LINE = 10  # of 255: contrast of the printed lines, below which they cannot be told from noise
_SEEN = 0.35  # a line weaker than this share of the usual is covered
INSIDE = LINE_WIDTH / 2 + 0.55  # mm from the middle of a line that a picture stays inside of it


def darkest_channel(image: np.ndarray) -> np.ndarray:
    """Return the darkest of the three channels at each pixel."""
    blue, green, red = cv2.split(image)
    return cv2.min(cv2.min(blue, green), red)


def find_boxes(response: np.ndarray, layout: Layout) -> tuple[list[Box], np.ndarray]:
    """Return where each box really is, however the sheet bends, and whether all its sides are in sight.

    A place is a box on the straightened page, in pixels, through the middle of the printed line.

    Args:
        response: uint8 (H, W), darker than paper.
    """
    thin = cv2.blur(cv2.min(response, np.full_like(response, DARKEST_LINE)), (3, 3))
    profiles = np.array([_profiles(thin, box) for box in layout.boxes], np.float32)  # (N, 2, shifts)
    strength = profiles.max(axis=2).min(axis=1)
    typical = float(np.percentile(strength, 75))  # also where many are hidden
    if typical < _LEAST_LINE:
        raise SheetError("its printed boxes cannot be made out; print them darker, or photograph them in better light.")
    reach = profiles.shape[2] // 2
    peaks = np.array([[_peak(profile) - reach for profile in pair] for pair in profiles])
    surface = _smooth_shifts(layout, peaks, strength > 0.6 * typical)
    places, seen = [], []
    for box, pair, expected in zip(layout.boxes, profiles, surface, strict=True):
        (dx, across), (dy, down) = (_peak_near(profile, shift) for profile, shift in zip(pair, expected, strict=True))
        left, top = round(box.x * SCALE + dx), round(box.y * SCALE + dy)
        places.append(Box(left, top, round(box.w * SCALE), round(box.h * SCALE)))
        seen.append(min(across, down) > _SEEN * typical)
    return places, np.array(seen)


def _profiles(thin: np.ndarray, box: PrintedBox) -> tuple[np.ndarray, np.ndarray]:
    """Return the strength of the weaker of a box's two lines, across and down, at each shift within reach.

    Medians along a side: writing that crosses the line here and there does not move them.
    """
    x, y, w, h = (round(value * SCALE) for value in (box.x, box.y, box.w, box.h))
    reach = round(_REACH * SCALE)
    rows = thin[y + h // 8 : y + h - h // 8]
    columns = thin[:, x + w // 8 : x + w - w // 8]
    left, right = (_median_along(rows[:, at - reach : at + reach + 1], 0) for at in (x, x + w))
    top, bottom = (_median_along(columns[at - reach : at + reach + 1], 1) for at in (y, y + h))
    return np.minimum(left, right), np.minimum(top, bottom)


def _peak(profile: np.ndarray) -> float:
    """Return the middle of a profile's highest places: a line is some pixels wide."""
    return float(np.flatnonzero(profile >= 0.9 * profile.max()).mean()) if profile.max() > 0 else len(profile) // 2


def _peak_near(profile: np.ndarray, shift: float) -> tuple[float, float]:
    """Return the shift of the highest place of a profile near an expected shift, and its height."""
    reach, slack = len(profile) // 2, round(_OWN_PLACE * SCALE)
    start = int(np.clip(round(reach + shift) - slack, 0, len(profile) - 1))
    part = profile[start : start + 2 * slack + 1]
    return start + _peak(part) - reach, float(part.max())


def _smooth_shifts(layout: Layout, shifts: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Return shifts (N, 2) in pixels as a bent sheet has them: a second-order surface through those that are sure."""
    middles = np.array([[box.x + box.w / 2, box.y + box.h / 2] for box in layout.boxes]) / (layout.width, layout.height)
    u, v = 2 * middles.T - 1
    terms = np.stack([np.ones_like(u), u, v, u * v, u * u, v * v, u * u * v, u * v * v], 1)
    weights = sure.astype(float)
    surface = np.zeros_like(shifts)
    for _ in range(8):  # least squares, again and again with less weight for what lies off
        scaled = np.sqrt(weights)[:, None]
        surface = terms @ np.linalg.lstsq(terms * scaled, shifts * scaled, rcond=None)[0]
        away = np.abs(shifts - surface).max(axis=1)
        weights = sure / (1 + (away / (0.2 * SCALE)) ** 2)
    return surface


def without_lines(page: np.ndarray, paper: np.ndarray, share: np.ndarray, places: list[Box]) -> np.ndarray:
    """Return the page with its printed boxes made paper: each row of pixels along a side is lightened by its median.

    What is written over a line stays, because it is darker than the median along that side.
    """
    clean = page.copy()
    band = round(_BAND * SCALE)
    for place in places:
        across = slice(place.x - band, place.right + band + 1)
        down = slice(place.y - band, place.bottom + band + 1)
        for at in (place.x, place.right):
            _lighten(clean, paper, share, (down, slice(at - band, at + band + 1)), axis=0)
        for at in (place.y, place.bottom):
            _lighten(clean, paper, share, (slice(at - band, at + band + 1), across), axis=1)
    return clean


def _lighten(page: np.ndarray, paper: np.ndarray, share: np.ndarray, area: tuple[slice, slice], axis: int) -> None:
    """Divide an area by its profile across the line, in place; nothing becomes lighter than the paper."""
    # No printed line is darker than this: where the median is, somebody wrote along the line.
    profile = np.maximum(np.expand_dims(_median_along(share[area], axis), axis), np.float32(255 - DARKEST_LINE))
    lightened = page[area] * (255 / profile)
    page[area] = np.minimum(lightened, np.maximum(page[area], paper[area])).astype(np.uint8)


def _median_along(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the median of uint8 values along an axis, of every second one: five times faster than NumPy's."""
    values = np.swapaxes(values, 0, axis)[::2]
    middle = len(values) // 2
    return np.partition(values, middle, axis=0)[middle]
