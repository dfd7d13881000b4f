"""Ruled and squared paper: find the printed lines in a mask of ink and take them out, strokes across them kept."""

import cv2
import numpy as np

# A printed line is looked for from a straight run of at least this share of the frame's shorter side on. Where pen
# strokes are near, lines are too faint to be ink: what is left above and below a row of digits can be this short.
_SHORTEST = 0.2
# A frame with a side no longer than this is filled by strokes, so there it has that many work pixels at least.
_LOW, _FEWEST_PIXELS = 128, 48
# Lengthened to the frame's edges, it is there along this share: strokes end, printed lines go on. One that belongs to
# no family of parallels must be there all along, because a tall 1 is long, thin and straight too.
_COVERED = 0.5
_LENGTH = 0.75  # from where it is there first to where it is last, of the way through the frame
_LENGTH_LOW = 0.93  # ... and through a low one: a strip with a row of ones has strokes nearly from edge to edge
_COVERED_ALONE = 0.85
_COVERED_BY_TWO = 0.65
# It is there where there is ink, or this share of the contrast that the line has where it is ink.
_THERE = 0.6
_FAMILY = 3
_LEAST_DISTANCE = 14  # between two lines, work pixels
_ANGLE_TOLERANCE = np.deg2rad(4.0)
# Lines are looked for only where something spans this share of the frame without filling it, or is a strip: of this
# share of the frame's shorter side, and no wider than that.
_SPAN = 0.6
_SPARSE = 0.35
_STRIP, _STRIP_WIDTH = 0.38, 0.04
# A stroke crosses a line where it is this much thicker, across the line, than the line itself ...
_CROSSING = 2.0
# ... or this much darker.
_DARKER = 1.5
_REACH = 8  # half of the profile sampled across a line, work pixels
_BROAD = 24  # thicker than any printed line, work pixels
_TRIES = 60  # segments looked at, at most


def remove_lines(mask: np.ndarray, contrast: np.ndarray) -> np.ndarray:
    """Return the mask without printed lines, itself if there are none.

    Costs some milliseconds: ask `looks_ruled` first.

    Args:
        mask: uint8 (h, w) of 0 and 1.
        contrast: uint8 (h, w), what the mask was made from.
    """
    lines = _printed(_segments(mask), mask, contrast)
    if not lines:
        return mask
    # One line may run along a stroke, so that its own darkness is the pen's; most lines are bare.
    darkness = [_darkness(_strength(contrast, points), _on_line(mask, points)) for points in lines]
    most = np.percentile(darkness, 75, method="lower")
    limits = [_DARKER * min(own, most) for own in darkness]
    result = mask.copy()
    for points, limit in zip(lines, limits, strict=True):
        _erase(result, mask, contrast, points, limit)
    # What is left of a bent line along its edge is a pixel thin.
    thick = cv2.morphologyEx(result, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    for points, limit in zip(lines, limits, strict=True):
        rows, columns = points[..., 0].ravel(), points[..., 1].ravel()
        thin = (thick[rows, columns] == 0) & (contrast[rows, columns] < limit)
        result[rows[thin], columns[thin]] = 0
    return result


def looks_ruled(pieces: list[tuple[int, int, int, int, int]], shape: tuple[int, int]) -> bool:
    """Return whether a piece (x, y, w, h, area) spans the frame the way lines do."""
    height, width = shape
    return any(max(w / width, h / height) > _SPAN and area < _SPARSE * w * h or _is_strip(w, h, shape)
               for _, _, w, h, area in pieces)


def _is_strip(w: int, h: int, shape: tuple[int, int]) -> bool:
    return max(w, h) > _STRIP * min(shape) and min(w, h) < _STRIP_WIDTH * min(shape)


def _segments(mask: np.ndarray) -> np.ndarray:
    """Return float (N, 4): x1, y1, x2, y2 of straight runs, longest first."""
    half = cv2.resize(mask, (max(1, mask.shape[1] // 2), max(1, mask.shape[0] // 2)), interpolation=cv2.INTER_AREA)
    # Printed lines are thin: without the broad areas of a dark room there is far less to search.
    thin = half - cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((_BROAD // 2, _BROAD // 2), np.uint8))
    shortest = _SHORTEST * min(half.shape)
    if min(mask.shape) <= _LOW:
        shortest = max(shortest, _FEWEST_PIXELS / 2)
    if cv2.countNonZero(thin) < shortest:
        return np.empty((0, 4))
    found = cv2.HoughLinesP(thin, 1, np.pi / 180, threshold=max(20, int(shortest * 0.5)),
                            minLineLength=shortest, maxLineGap=max(4, 0.04 * min(half.shape)))
    if found is None:
        return np.empty((0, 4))
    segments = found.reshape(-1, 4).astype(float) * 2
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    return segments[np.argsort(-length)][:_TRIES]


def _printed(segments: np.ndarray, mask: np.ndarray, contrast: np.ndarray) -> list[np.ndarray]:
    """Return the profile points across each printed line: those in a family of parallels or crossing the frame."""
    distinct: list[tuple[float, np.ndarray, np.ndarray]] = []
    seen: list[np.ndarray] = []
    least = _LENGTH_LOW if min(mask.shape) <= _LOW else _LENGTH
    for segment in segments:
        if any(_same_line(segment, other) for other in seen):
            continue
        seen.append(segment)
        segment = _refined(segment, mask)
        points = _across_points(segment, mask.shape)
        on_line = _there(mask, contrast, points)
        if len(on_line) and on_line.mean() > _COVERED and np.ptp(np.flatnonzero(on_line)) > least * len(on_line):
            distinct.append((_angle(segment), on_line, points))
    angles = [angle for angle, _, _ in distinct]
    ruled = [angle for angle in angles if sum(_apart(angle, other) < _ANGLE_TOLERANCE for other in angles) >= _FAMILY]
    return [points for angle, on_line, points in distinct
            if _belongs(angle, ruled) or _crosses(on_line, sum(_apart(angle, a) < _ANGLE_TOLERANCE for a in angles))]


def _refined(segment: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a segment laid along the middle of the ink it follows, from edge to edge of the frame.

    Its ends are a pixel or two off; on a line through the whole frame that is more than the line is thick.
    """
    points = _across_points(segment, mask.shape)
    ink = mask[points[..., 0], points[..., 1]]
    thick = ink.sum(axis=1)
    places = np.flatnonzero((thick > 0) & (thick <= _REACH))  # strokes along the line are thicker
    off = ink[places] @ np.arange(-_REACH, _REACH + 1.0) / thick[places]
    near = np.ones(len(places), bool)
    for _ in range(2):
        places, off = places[near], off[near]
        if len(places) < 2 * _REACH:
            return segment
        slope, shift = np.polyfit(places, off, 1)
        near = np.abs(off - slope * places - shift) < _REACH / 3
    ends = points[[0, -1], _REACH, ::-1].astype(float)
    across = (ends[1] - ends[0])[::-1] * (-1, 1) / np.hypot(*(ends[1] - ends[0]))
    return (ends + np.array([[shift], [slope * (len(points) - 1) + shift]]) * across).ravel()


def _belongs(angle: float, ruled: list[float]) -> bool:
    """Return whether a line runs along, or at right angles to, the lines of a family."""
    return any(min(_apart(angle, other), _apart(angle, other + np.pi / 2)) < _ANGLE_TOLERANCE for other in ruled)


def _crosses(on_line: np.ndarray, parallels: int) -> bool:
    """Return whether a line, one of so many parallels, runs from edge to edge of the frame, as no stroke does."""
    end = max(3, len(on_line) // 25)
    least = _COVERED_ALONE if parallels == 1 else _COVERED_BY_TWO
    return bool(on_line.mean() > least and on_line[:end].any() and on_line[-end:].any())


def _angle(segment: np.ndarray) -> float:
    return float(np.arctan2(segment[3] - segment[1], segment[2] - segment[0]) % np.pi)


def _same_line(segment: np.ndarray, other: np.ndarray) -> bool:
    """Return whether a segment lies along another one: both edges of a thick line are found, again and again."""
    angle = _angle(other)
    middle = (segment[:2] + segment[2:]) / 2 - other[:2]
    distance = abs(float(middle @ [-np.sin(angle), np.cos(angle)]))
    return _apart(_angle(segment), angle) < 2 * _ANGLE_TOLERANCE and distance < _LEAST_DISTANCE


def _apart(first: float, second: float) -> float:
    difference = abs(first - second) % np.pi
    return min(difference, np.pi - difference)


def _across_points(segment: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return int (N, 17, 2): (row, column) of the profiles across a segment lengthened to the frame's edges."""
    step = segment[2:] - segment[:2]
    step = step / np.hypot(*step)
    reach = int(np.hypot(*shape))
    along = segment[:2] + np.arange(-reach, reach)[:, np.newaxis] * step
    seen = along[((along >= 0) & (along < [shape[1], shape[0]])).all(axis=1)]
    points = seen[:, np.newaxis] + np.arange(-_REACH, _REACH + 1)[:, np.newaxis] * np.array([-step[1], step[0]])
    return np.clip(np.rint(points).astype(int)[..., ::-1], 0, np.array(shape) - 1)


def _on_line(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return bool (N,): whether there is ink on the line itself, give or take two pixels of a bent sheet."""
    middle = points[:, _REACH - 2 : _REACH + 3]
    return (mask[middle[..., 0], middle[..., 1]] > 0).any(axis=1)


def _there(mask: np.ndarray, contrast: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return bool (N,): whether the line is there, as ink or nearly as dark as where it is ink."""
    on_line = _on_line(mask, points)
    if not on_line.any():
        return on_line
    strength = _strength(contrast, points)
    return on_line | (strength > _THERE * _darkness(strength, on_line))


def _strength(contrast: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return uint8 (N,): the contrast on the line itself, give or take two pixels."""
    middle = points[:, _REACH - 2 : _REACH + 3]
    return contrast[middle[..., 0], middle[..., 1]].max(axis=1)


def _darkness(strength: np.ndarray, on_line: np.ndarray) -> float:
    """Return the contrast of a line where it is bare ink: the strongest quarters may lie under strokes."""
    return float(np.percentile(strength[on_line], 35))


def _erase(result: np.ndarray, mask: np.ndarray, contrast: np.ndarray, points: np.ndarray, limit: float) -> None:
    """Take a line, given by the points of its profiles, out of `result`, in place, where contrast is below `limit`."""
    rows, columns = points[..., 0], points[..., 1]
    thickness = max(1.0, float(np.median(mask[rows, columns][_on_line(mask, points)].sum(axis=1))))
    length = int(round(thickness * _CROSSING)) + 1
    upright = np.ptp(rows[:, _REACH]) > np.ptp(columns[:, _REACH])
    crossing = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, length) if upright else (length, 1), np.uint8))
    half = int(np.ceil(thickness / 2)) + 1
    rows, columns = (a[:, _REACH - half : _REACH + half + 1].ravel() for a in (rows, columns))
    gone = (crossing[rows, columns] == 0) & (contrast[rows, columns] < limit)
    result[rows[gone], columns[gone]] = 0
