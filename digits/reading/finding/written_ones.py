"""A 1 has the least to recognise it by: anything long and upright looks like one. What tells them apart."""

import numpy as np

from digits.reading.finding.ink import Ink
from digits.reading.finding.locate import Part
from digits.reading.tile import INK_LEVEL

# A 1 ends; a printed line, a sheet's rim, a door frame go on. Beyond an end of a straight stick, by this share of its
# length, that many of the places are darker than beside them by this share of the stick's contrast ...
_BEYOND, _GOING_ON, _VISIBLE = 0.5, 0.75, 0.18
# ... and the stick itself is no darker than that many times what goes on: a pen over a printed line is.
_OVER_A_LINE = 2.2
_STRAIGHT = 0.035  # mean distance of a stick's ink from its axis, as a share of its length, its own width apart
# There is paper on both sides of a stroke. Fingers and shadows that lie over a sheet's rim have it on one side: on the
# other the frame is lighter by less than this share of what it is there.
_ONE_SIDED = 0.3
_BARE = 3.0  # a stick without flag and foot is this many strokes wide at most
_BESIDE = np.arange(3, 7)  # px from the stick's flanks that are looked at
_LEAST_PIXELS = 8
# What runs out of the frame is a 1 only if it stands within so many degrees of upright and is this share of the frame's
# shorter side long, as a digit that fills the frame. Of letters with a line at the paper's edge a third fewer are read.
_LEANS_MOST, _FILLS = 25.0, 0.7


def written_stick(part: Part, ink: Ink) -> bool:
    """Return whether what is read as a 1 ends at both ends and has paper on both sides, as far as can be seen.

    Where the frame ends first, it must be large and upright.

    Args:
        part: of `locate`, with its box in work pixels.
        ink: what it was found in.
    """
    x, y, _, _ = part.box
    rows, columns = np.nonzero(part.ink > INK_LEVEL * 255)
    if len(rows) < _LEAST_PIXELS:
        return True
    points = np.column_stack([columns + x, rows + y]).astype(float)
    middle = points.mean(axis=0)
    axis = np.linalg.svd(np.cov((points - middle).T))[0][:, 0]
    if part.cut_off and not _fills_frame(part, ink, axis):
        return False
    along, across = (points - middle) @ axis, (points - middle) @ _normal(axis)
    low, high = np.quantile(across, (0.02, 0.98))
    on = float(np.median(ink.grey[rows + y, columns + x]))
    if high - low < _BARE * part.stroke and _one_sided(ink.grey, on, middle, axis, along, (low, high)):
        return False
    straight = np.abs(across).mean() <= _STRAIGHT * np.ptp(along) + part.stroke / 4
    return not (straight and any(_goes_on(part, ink, middle, axis, along, end) for end in (-1, 1)))


def _fills_frame(part: Part, ink: Ink, axis: np.ndarray) -> bool:
    leaning = np.degrees(np.arctan2(abs(axis[0]), abs(axis[1])))
    return bool(leaning < _LEANS_MOST and part.side > _FILLS * min(ink.contrast.shape))


def _one_sided(grey: np.ndarray, on: float, middle: np.ndarray, axis: np.ndarray, along: np.ndarray,
               flanks: tuple[float, float]) -> bool:
    """Return whether the frame is lighter than the stick, of brightness `on`, on one of its sides only."""
    steps = np.linspace(*np.quantile(along, (0.1, 0.9)), 24)[:, np.newaxis, np.newaxis] * axis
    offsets = flanks[0] - _BESIDE, flanks[1] + _BESIDE
    lighter = [_median(grey, middle + steps + side[:, np.newaxis] * _normal(axis)) - on for side in offsets]
    return max(lighter) > 0 and min(lighter) < _ONE_SIDED * max(lighter)


def _median(grey: np.ndarray, places: np.ndarray) -> float:
    """Return the median of the frame at places (..., 2); those outside count as the frame's rim."""
    columns, rows = np.rint(places).astype(int).reshape(-1, 2).T
    return float(np.median(grey[rows.clip(0, grey.shape[0] - 1), columns.clip(0, grey.shape[1] - 1)]))


def _goes_on(part: Part, ink: Ink, middle: np.ndarray, axis: np.ndarray, along: np.ndarray, end: int) -> bool:
    """Return whether a straight stick goes on, fainter or as something lighter, beyond its first (-1) or last end."""
    length = np.ptp(along)
    steps = np.arange(2 + 0.06 * length, _BEYOND * length + 4)
    places = middle + ((along.min() if end < 0 else along.max()) + end * steps)[:, np.newaxis] * axis
    on, beside = _profile(ink.contrast, places, axis)
    if len(on) < 0.6 * len(steps):
        return False  # the frame ends here
    fainter = on - beside > _VISIBLE * part.contrast
    if fainter.mean() > _GOING_ON and part.contrast < _OVER_A_LINE * np.median(on):
        return True
    on, beside = _profile(ink.grey, places, axis)  # masts and posts stand on something of another colour
    return bool((on - beside > _VISIBLE * part.contrast).mean() > _GOING_ON)


def _profile(contrast: np.ndarray, places: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the contrast at places (N, 2), give or take 2 px across the axis, and the same 6 to 10 px beside them."""
    offsets = np.arange(-10, 11)
    grid = places[:, np.newaxis] + offsets[:, np.newaxis] * _normal(axis)
    columns, rows = np.rint(grid).astype(int).transpose(2, 0, 1)
    height, width = contrast.shape
    inside = ((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)).all(axis=1)
    values = contrast[rows[inside], columns[inside]].astype(float)
    return values[:, np.abs(offsets) <= 2].max(axis=1), np.median(values[:, np.abs(offsets) > 5], axis=1)


def _normal(axis: np.ndarray) -> np.ndarray:
    return np.array([-axis[1], axis[0]])
