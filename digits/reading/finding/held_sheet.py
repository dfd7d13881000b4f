"""The outline of a sheet that is held up, and what stands on it seen as from straight before it, and nothing else.

Two sides of a rectangle that are parallel on the sheet meet in the picture, and the ray of the camera through that
point runs along them. Two pairs of sides give both axes of the sheet, with no need of its format; where they are not at
right angles to each other, the outline is not that of a rectangle, and is left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.ink import WORK_SIDE

# The outline is looked for on a picture with this longer side ...
_SIDE = 160
# ... where strokes narrower than this have been closed: 20 px of a 640 px frame.
_STROKE = 5
# An even region ends where a channel of neighbours differs by more than this (of 255).
_STEPS = (12, 24)
# The sheet takes up at least and at most these shares of the picture, and is seen on so much of its perimeter.
_SMALLEST, _LARGEST, _SEEN = 0.12, 0.92, 0.7
# A side is straight: its points lie within this many pixels of a line (of the small picture), its pieces (a finger
# covers the middle) within this many degrees of each other.
_OFF_LINE, _SAME_LINE = 2.0, 8.0
_CORNER = 1.5  # px of the small picture that a contour may leave its pieces by
# Along each side, this share of places is of another brightness or colour outside, by this much (of 255); looked at so
# many pixels inside and outside the region.
_DIFFERS, _BY = 0.75, 12.0
_INSIDE, _OUTSIDE = 1.0, 4.0
# Cameras see between 49 and 71 degrees from left to right: a focal length of 0.7 to 1.1 frames. A wrong one changes
# how much is stretched, not which way.
_FOCAL = 0.85
# Sides at right angles come out within this many degrees: of 600 rendered sheets, tilted by up to 55 degrees and taken
# with another lens, 11 fail this or the limits below, most of them cut in two by the edge of a shadow.
_RIGHT_ANGLE = 12.0
# A sheet is turned by no more than this: beyond, which side is the upper one is a guess. Nor is it tilted by more.
_MOST_TURNED, _MOST_TILTED = 30.0, 60.0


@dataclass(frozen=True, eq=False)
class HeldSheet:
    """A sheet that is held up.

    Attributes:
        outline: float32 (4, 2): its corners in frame pixels, in turn, a little inside its edge.
        upright: float (3, 3): takes frame pixels to those of the view from straight before the sheet.
        size: (width, height) of that view.
        tilt: degrees that the sheet faces away from the camera.
        turn: degrees that it is turned by, clockwise.
    """

    outline: np.ndarray
    upright: np.ndarray
    size: tuple[int, int]
    tilt: float
    turn: float

    def view(self, frame: np.ndarray) -> np.ndarray:
        """Return the sheet, and nothing else, as it is seen from straight before it: uint8 of `size`."""
        matrix = self.upright
        shrunk = self.scale_of(frame.shape)
        if shrunk > 1:  # warping alone would skip pixels
            size = round(frame.shape[1] / shrunk), round(frame.shape[0] / shrunk)
            matrix = matrix @ _resized(size, frame.shape[1::-1])
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        return cv2.warpPerspective(frame, matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    @staticmethod
    def scale_of(shape: tuple[int, ...]) -> float:
        """Return how many frame pixels a pixel of the view has in each direction, about."""
        return max(max(shape[:2]) / WORK_SIDE, 1.0)

    def frame_box(self, points: np.ndarray) -> Box:
        """Return the box in frame pixels round points (n, 2) of the view."""
        points = np.asarray(points, np.float32).reshape(-1, 1, 2)
        return Box(*cv2.boundingRect(cv2.perspectiveTransform(points, np.linalg.inv(self.upright))))


def find_sheet(frame: np.ndarray) -> HeldSheet | None:
    """Return the sheet in a frame where its outline is certain.

    One that faces the camera is worth it too: what is behind it, and its rim, are out of sight then.

    Args:
        frame: uint8 (H, W, 3) BGR.
    Returns:
        The sheet, or None: there is none, or its outline is doubtful, or it is turned or tilted too far.
    """
    scale = max(frame.shape[:2]) / _SIDE
    size = tuple(max(1, round(side / scale)) for side in frame.shape[1::-1])
    small = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)  # a mean of all pixels would take 0.2 ms
    small = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_STROKE, _STROKE), np.uint8))
    outlines = (_four_sides(contour, small.shape[:2]) for contour in _regions(small))
    outlines = [outline for outline in outlines if outline is not None and _stands_out(small, outline)]
    if not outlines:
        return None
    largest = max(outlines, key=cv2.contourArea)  # the edge of a shadow may cut a sheet in two
    largest = cv2.perspectiveTransform(largest.reshape(-1, 1, 2), _resized(size, frame.shape[1::-1]))
    return _as_rectangle(largest.reshape(-1, 2).astype(np.float64), frame.shape[:2])


def _resized(before: tuple[int, int], after: tuple[int, int]) -> np.ndarray:
    """Return float (3, 3): where pixels go when a picture is resized, given as (width, height)."""
    across, down = after[0] / before[0], after[1] / before[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def _regions(small: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the outlines (n, 2) of the even regions inside the frame: what a sheet without its strokes is."""
    slope = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    slope = cv2.max(cv2.max(slope[..., 0], slope[..., 1]), slope[..., 2])
    low, high = np.array([0, 0]), np.array(slope.shape[::-1]) - 1
    for step in _STEPS:
        # Two levels: what lies in the hole of another region is listed like all others.
        even = cv2.compare(slope, step, cv2.CMP_LT)
        contours, levels = cv2.findContours(even, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        for contour, level in zip(contours, levels[0] if contours else (), strict=True):
            if level[3] < 0 and len(contour) > 4 * _SMALLEST * max(slope.shape):
                points = contour.reshape(-1, 2)
                inside = (points.min(0) > low).all() and (points.max(0) < high).all()
                if inside and _SMALLEST < cv2.contourArea(contour) / slope.size < _LARGEST:
                    yield points


def _four_sides(contour: np.ndarray, shape: tuple[int, int]) -> np.ndarray | None:
    """Return the corners float32 (4, 2) of the four straight lines that a contour follows, or None."""
    length = cv2.arcLength(contour, True)
    corners = cv2.approxPolyDP(contour, _CORNER, True).reshape(-1, 2).astype(np.float64)
    steps = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*steps.T)
    sides: list[tuple[np.ndarray, np.ndarray, float]] = []  # a point of the line, its direction, the length seen
    for i in np.argsort(-lengths):
        if lengths[i] < 0.04 * length:
            break
        place, along = corners[i] + steps[i] / 2, steps[i] / lengths[i]
        for j, (point, direction, seen) in enumerate(sides):
            off = abs(_cross(direction, place - point))
            if direction @ along > np.cos(np.radians(_SAME_LINE)) and off < 2 * _OFF_LINE:
                sides[j] = (point, direction, seen + lengths[i])
                break
        else:
            sides.append((place, along, lengths[i]))
    sides = sorted(sides, key=lambda side: -side[2])[:4]
    if len(sides) < 4:
        return None
    sides.sort(key=lambda side: np.arctan2(side[1][1], side[1][0]))
    lines = [_fitted(contour, *side[:2]) for side in sides]
    outline = [_meeting(lines[i - 1], lines[i]) for i in range(4)]
    if any(corner is None for corner in outline):
        return None
    outline = np.array(outline, np.float32)
    whole = cv2.isContourConvex(outline) and bool((outline > 0).all() and (outline < np.array(shape[::-1]) - 1).all())
    if not whole or sum(side[2] for side in sides) < _SEEN * cv2.arcLength(outline, True):
        return None
    return outline


def _fitted(contour: np.ndarray, point: np.ndarray, direction: np.ndarray) -> tuple:
    """Return a point and the direction of the line through those points of a contour that lie along another line."""
    for _ in range(3):  # from the longest piece of a side to the whole side
        off = np.abs(_cross(direction, (contour - point).T))
        vx, vy, x, y = cv2.fitLine(contour[off < _OFF_LINE], cv2.DIST_HUBER, 0, 0.01, 0.01).ravel().tolist()
        sign = 1 if vx * direction[0] + vy * direction[1] > 0 else -1
        point, direction = np.array([x, y]), sign * np.array([vx, vy])
    return point, direction


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first[0] * second[1] - first[1] * second[0]


def _meeting(first: tuple, second: tuple) -> np.ndarray | None:
    """Return where two lines meet, None if they hardly do."""
    sine = _cross(first[1], second[1])
    if abs(sine) < 0.3:
        return None
    return first[0] + first[1] * _cross(second[0] - first[0], second[1]) / sine


def _stands_out(small: np.ndarray, outline: np.ndarray) -> bool:
    """Return whether the picture differs from inside to outside of an outline, along each of its sides."""
    places = np.linspace(0.08, 0.92, 24)[:, np.newaxis]
    middle = outline.mean(0)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        along = _unit(end - start)
        inwards = np.array([-along[1], along[0]])
        inwards *= np.sign(inwards @ (middle - start))
        points = start + places * (end - start)
        inside, outside = (_at(small, points + inwards * reach) for reach in (_INSIDE, -_OUTSIDE))
        if np.mean(np.abs(inside - outside).max(axis=1) > _BY) < _DIFFERS:
            return False
    return True


def _at(small: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.rint(points).astype(int).T
    return small[y.clip(0, small.shape[0] - 1), x.clip(0, small.shape[1] - 1)].astype(np.float32)


def _as_rectangle(outline: np.ndarray, shape: tuple[int, int]) -> HeldSheet | None:
    """Return the sheet with an outline in work pixels, or None where it is no rectangle."""
    height, width = shape
    focal = _FOCAL * max(shape)
    lens = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    rays = np.column_stack([outline, np.ones(4)]) @ np.linalg.inv(lens).T
    planes = np.cross(rays, np.roll(rays, -1, axis=0))  # of each side and the camera
    first, second = (_unit(np.cross(planes[i], planes[i + 2])) for i in (0, 1))
    if abs(first @ second) > np.sin(np.radians(_RIGHT_ANGLE)):
        return None
    across, down = (first, second) if abs(first[0]) > abs(second[0]) else (second, first)
    across, down = across * np.sign(across[0]), down * np.sign(down[1])
    both, apart = _unit(across + down), _unit(across - down)  # at right angles, whatever the two are
    across, down = (both + apart) / np.sqrt(2), (both - apart) / np.sqrt(2)
    axes = np.stack([across, down, np.cross(across, down)])
    tilt, turn = _tilt_and_turn(axes)
    if abs(turn) > _MOST_TURNED or tilt > _MOST_TILTED:
        return None
    return _seen_upright(outline, lens @ axes @ np.linalg.inv(lens), HeldSheet.scale_of(shape), tilt, turn)


def _seen_upright(outline: np.ndarray, facing: np.ndarray, scale: float, tilt: float, turn: float) -> HeldSheet:
    """Return the sheet whose outline is a rectangle, but for what the lens is not known, after the matrix `facing`."""
    seen = cv2.perspectiveTransform(outline.reshape(-1, 1, 2), facing).reshape(-1, 2)
    first = int(np.argmin(seen.sum(axis=1)))  # the upper left corner
    outline, seen = np.roll(outline, -first, axis=0), np.roll(seen, -first, axis=0)
    if _cross(seen[1] - seen[0], seen[2] - seen[0]) < 0:  # counted the other way round
        outline, seen = outline[[0, 3, 2, 1]], seen[[0, 3, 2, 1]]
    sides = np.hypot(*(np.roll(seen, -1, axis=0) - seen).T)
    shape = np.array([sides[0] + sides[2], sides[1] + sides[3]]) / 2
    shape *= np.sqrt(cv2.contourArea(outline.astype(np.float32)) / shape.prod()) / scale
    width, height = np.maximum(np.rint(shape), 2).tolist()
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    upright = cv2.getPerspectiveTransform(outline.astype(np.float32), corners - 0.5)
    return HeldSheet(outline.astype(np.float32), upright, (int(width), int(height)), tilt, turn)


def _tilt_and_turn(axes: np.ndarray) -> tuple[float, float]:
    """Return in degrees how far the third axis is from the camera's, and the turn about it that is left then."""
    facing = axes[2]
    tilt = float(np.degrees(np.arccos(np.clip(facing[2], -1, 1))))
    axis = np.cross([0, 0, 1.0], facing)
    length = np.hypot(*axis[:2])
    tipped = cv2.Rodrigues(axis / length * np.radians(tilt))[0] if length > 1e-9 else np.eye(3)
    across = tipped.T @ axes[0]
    return tilt, float(np.degrees(np.arctan2(across[1], across[0])))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
