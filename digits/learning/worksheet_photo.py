"""From a photograph of a filled worksheet to one picture a box: markers, straightening, guides taken out, boxes cut."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from digits.learning.worksheet_page import (
    DICTIONARY,
    LINE_WIDTH,
    Box,
    Code,
    Layout,
    paper_of_marker,
    sheet_layout,
)

SCALE = 10  # pixels a mm of the straightened page: what a phone gives, and 120 px across a box

EMPTY, CROSSED_OUT, HIDDEN, WRITTEN, DOUBTFUL = "empty", "crossed out", "hidden", "written", "doubtful"

# Below so many pixels a mm somewhere on the sheet, a digit of 10 mm has less detail than MNIST's.
_LEAST_SCALE = 2.0
# Corners of markers may lie so far (mm) from where the others put them: a bent sheet stays below, a wrong marker not.
_MOST_MISFIT = 3.0
# Standard deviation (mm) of the blur at the markers' edges up to which strokes of a pen stay apart.
_MOST_BLUR = 0.55
# Printed lines are looked for so far (mm) from where the markers put them: as far as a sheet bends between them.
_REACH = 3.5
_BAND = 0.9  # mm on either side of a line's middle that its print may colour
_OWN_PLACE = 0.4  # mm that one box may differ from what the boxes around it say
_DARKEST_LINE = 90  # of 255: what is darker than any printed line is ink, and counts no more than a line
_LEAST_LINE = 10  # of 255: contrast of the printed lines, below which they cannot be told from noise
_SEEN = 0.35  # a line weaker than this share of the usual is covered
_MOST_HIDDEN = 1 / 3  # of all boxes
# Ink of a box: contrast (of 255) above this share of its darkest, and above the least that counts.
_LEVEL, _FAINTEST = 0.36, 24
_COLOUR_MARGIN = 20  # of 255: one channel alone is noisier than grey
_PEN = 5.0  # mm: wider dark things are no pen strokes but shadows and fingers
_SPECK = 0.25  # mm^2
_LEAST_SIDE = 2.6  # mm: smaller than this is no digit but dust
_INSIDE = LINE_WIDTH / 2 + 0.55  # mm from the middle of a line that a picture stays inside of it
_TOUCHING = 0.9  # mm: ink so near the picture's rim makes it larger
_OUTSIDE = 3.0  # mm that a picture may reach beyond its box
_PAPER = 1.2  # mm of paper kept round ink that leaves its box
_SHARED = 0.2  # a stroke with this share of its ink in another box belongs to both
_BLOT = 0.5  # share of a box under ink, above which it is blotted out
_CROSS_ZONE, _CROSS_COVER = 0.24, 0.9  # where the arms of a cross begin, and how much of each must be ink
_JOINED = 0.6  # of the way between two ends of a cross: ink there makes it an 8


class SheetError(ValueError):
    """A photograph that cannot be trusted; the message is one sentence for the user."""


@dataclass(frozen=True)
class Straight:
    """A straightened sheet: `page` uint8 (H, W, 3) BGR at SCALE, its layout, and its code if that can be read."""

    page: np.ndarray
    layout: Layout
    code: Code | None


@dataclass(frozen=True)
class Cut:
    """What one box holds.

    Attributes:
        box: where, and which digit is wanted there.
        state: EMPTY, CROSSED_OUT, HIDDEN, WRITTEN, or DOUBTFUL: written, but not certain to be one whole digit.
        picture: uint8 (h, w, 3) BGR at SCALE, without printed lines, of WRITTEN and DOUBTFUL boxes; else None.
    """

    box: Box
    state: str
    picture: np.ndarray | None = None


def straighten(photo: np.ndarray) -> Straight:
    """Return the sheet that a photograph shows, seen from above and the right way up.

    Args:
        photo: uint8 (H, W, 3) BGR; any direction, three of the four corner markers in sight.
    Raises:
        SheetError: if markers are missing or contradict each other, or the photograph is too small or blurred.
    """
    found = _find_markers(photo)
    layout = _layout_of(found)
    to_photo = _fit(layout, found)
    _check_size(layout, to_photo, photo)
    scaling = np.diag([SCALE, SCALE, 1.0])
    size = (round(layout.width * SCALE), round(layout.height * SCALE))
    page = cv2.warpPerspective(
        photo, scaling @ np.linalg.inv(to_photo), size, flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128)
    )
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    blur = _blur(grey, [layout.markers[marker] for marker in found])
    if blur > _MOST_BLUR:
        raise SheetError("it is blurred; hold the camera still, with enough light, and tap the sheet to focus.")
    return Straight(page, layout, _read_code(grey, layout))


# ---------------------------------------------------------------- markers


def _find_markers(photo: np.ndarray) -> dict[int, np.ndarray]:
    """Return the corner markers: id -> float32 (4, 2) in photo pixels, clockwise from each marker's top left."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    detector = cv2.aruco.ArucoDetector(dictionary, parameters)
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    found: dict[int, np.ndarray] = {}
    for scale in (1.0, 0.5):  # what is soft or grainy at full size is found at half
        image = grey if scale == 1 else cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        corners, ids, _ = detector.detectMarkers(image)
        names = [] if ids is None else [int(name) for name in np.ravel(ids)]
        ours = [(name, corner) for name, corner in zip(names, corners, strict=True) if paper_of_marker(name)]
        if len({name for name, _ in ours}) < len(ours):
            raise SheetError("it shows more than one sheet; photograph them one by one.")
        for name, corner in ours:
            found.setdefault(name, (corner.reshape(4, 2) + 0.5) / scale - 0.5)
        if len(found) >= 4:
            break
    return found


def _layout_of(found: dict[int, np.ndarray]) -> Layout:
    papers = {paper_of_marker(name) for name in found}
    if len(papers) > 1:
        raise SheetError("it shows sheets of two paper sizes; photograph them one by one.")
    if len(found) < 3:
        seen = "none" if not found else f"only {len(found)}"
        raise SheetError(
            f"{seen} of the four black corner squares can be seen, three are needed;"
            " photograph the whole sheet, not mirrored, in even light."
        )
    return sheet_layout(papers.pop())


def _fit(layout: Layout, found: dict[int, np.ndarray]) -> np.ndarray:
    """Return the 3x3 matrix from mm to photo pixels, from all corners of the markers found.

    Four corners of each of three markers are enough: twelve points for eight unknowns.
    """
    sheet = np.concatenate([layout.markers[name] for name in found])
    seen = np.concatenate(list(found.values())).astype(np.float32)
    matrix, _ = cv2.findHomography(sheet, seen, 0)
    wrong = SheetError("its corner squares do not lie as on one flat sheet; smooth the sheet out and try again.")
    if matrix is None or abs(np.linalg.det(matrix)) < 1e-9:
        raise wrong
    back = cv2.perspectiveTransform(seen.reshape(-1, 1, 2), np.linalg.inv(matrix)).reshape(-1, 2)
    if not np.isfinite(back).all() or np.abs(back - sheet).max() > _MOST_MISFIT:
        raise wrong
    return matrix


def _check_size(layout: Layout, to_photo: np.ndarray, photo: np.ndarray) -> None:
    """Refuse a photograph with too few pixels a mm at one of the sheet's corners."""
    corners = np.array([[0, 0], [layout.width, 0], [layout.width, layout.height], [0, layout.height]], np.float32)
    steps = np.stack([corners, corners + (1, 0), corners + (0, 1)], 1).reshape(-1, 1, 2)
    places = cv2.perspectiveTransform(steps, to_photo).reshape(4, 3, 2)
    least = min(float(np.linalg.svd((place[1:] - place[0]).T, compute_uv=False)[-1]) for place in places)
    if least < _LEAST_SCALE:
        raise SheetError(
            f"the sheet is too small in it ({photo.shape[1]} x {photo.shape[0]} pixels, {least:.1f} a millimetre at its"
            f" far end, {_LEAST_SCALE:.0f} are needed); come closer, from straight above, or use a larger picture."
        )


def _blur(grey: np.ndarray, markers: list[np.ndarray]) -> float:
    """Return the standard deviation in mm of the blur at the markers' edges, in the softer of the two directions."""
    across, down = [], []
    for corners in markers:
        left, top = corners[0]
        side = corners[1, 0] - left
        for edge in (left, left + side):
            across.append(_edge_blur(_patch(grey, edge - 1.5, top + 0.2 * side, 3.0, 0.6 * side)))
        for edge in (top, top + side):
            down.append(_edge_blur(_patch(grey, left + 0.2 * side, edge - 1.5, 0.6 * side, 3.0).T))
    return max(float(np.median(across)), float(np.median(down)))


def _edge_blur(patch: np.ndarray) -> float:
    """Return the blur in mm of an edge that runs down a patch.

    A step of height c, blurred by s, is at its steepest c / (s * sqrt(2 pi)).
    """
    rows = cv2.blur(patch.astype(np.float32), (1, 5))
    height = np.ptp(rows, axis=1)
    steepest = np.abs(np.diff(rows, axis=1)).max(axis=1)
    return float(np.median(height / np.maximum(steepest, 0.5))) / np.sqrt(2 * np.pi) / SCALE


def _patch(image: np.ndarray, x: float, y: float, w: float, h: float) -> np.ndarray:
    """Return the part of a straightened page that a rectangle in mm covers, cut off at the page's rim."""
    return image[_pixels(y) : _pixels(y + h), _pixels(x) : _pixels(x + w)]


def _pixels(length: float) -> int:
    return max(0, round(length * SCALE))


def _read_code(grey: np.ndarray, layout: Layout) -> Code | None:
    """Return what the code on the sheet says, or None if it is covered or cannot be read."""
    (left, top), (right, bottom) = layout.code[0] - 2, layout.code[2] + 2
    patch = _patch(grey, left, top, right - left, bottom - top)
    for zoom in (1.0, 2.0, 0.6):
        image = cv2.resize(patch, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA)
        try:
            text = cv2.QRCodeDetector().detectAndDecode(image)[0]
        except (cv2.error, UnicodeDecodeError):
            continue
        if text:
            return Code.parse(text)
    return None


# ---------------------------------------------------------------- boxes


def cut_boxes(straight: Straight) -> list[Cut]:
    """Return what each box of a straightened sheet holds, in the order of its layout.

    Raises:
        SheetError: if the printed boxes cannot be made out, or too many are hidden.
    """
    page = straight.page
    paper = _paper(page)
    share = cv2.divide(page, paper, scale=255)
    response = 255 - _darkest_channel(share)
    places, seen = _find_boxes(response, straight.layout)
    hidden = np.count_nonzero(~seen)
    if hidden > _MOST_HIDDEN * len(seen):
        raise SheetError(f"{hidden} of its {len(seen)} boxes are hidden; photograph the whole sheet, no hand on it.")
    clean = _without_lines(page, paper, share, places)
    contrast = _contrast(clean, paper)
    mask, levels = _ink_mask(contrast, places)
    owners = _Owners(mask, places)
    cuts = []
    for position, box in enumerate(straight.layout.boxes):
        if not seen[position]:
            cuts.append(Cut(box, HIDDEN))
        elif not levels[position]:
            cuts.append(Cut(box, EMPTY))
        else:
            cuts.append(_cut(box, position, places[position], clean, paper, owners))
    return cuts


def _paper(page: np.ndarray) -> np.ndarray:
    """Return the paper without what is written, uint8 like `page`: a closing, so that edges of shadows stay."""
    coarse = 4
    size = (page.shape[1] // coarse, page.shape[0] // coarse)
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    width = round(_PEN * SCALE / coarse) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed = cv2.morphologyEx(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.MORPH_CLOSE, kernel)
    closed = cv2.max(cv2.GaussianBlur(closed, (0, 0), 2.0), np.full_like(closed, 8))
    return cv2.resize(closed, page.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _contrast(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Return how much darker than the paper each pixel is, uint8: in grey, or, for coloured pens, in one channel."""
    share = cv2.divide(page, paper, scale=255)
    coloured = cv2.subtract(255 - _darkest_channel(share), np.full(share.shape[:2], _COLOUR_MARGIN, np.uint8))
    return cv2.max(255 - cv2.cvtColor(share, cv2.COLOR_BGR2GRAY), coloured)


def _darkest_channel(image: np.ndarray) -> np.ndarray:
    blue, green, red = cv2.split(image)
    return cv2.min(cv2.min(blue, green), red)


@dataclass(frozen=True)
class _Place:
    """Where the middle of a box's printed line is on the straightened page: pixels."""

    left: int
    top: int
    right: int
    bottom: int


def _find_boxes(response: np.ndarray, layout: Layout) -> tuple[list[_Place], np.ndarray]:
    """Return where each box really is, however the sheet bends, and whether all its sides are in sight.

    Args:
        response: uint8 (H, W), darker than paper.
    """
    thin = cv2.blur(cv2.min(response, np.full_like(response, _DARKEST_LINE)), (3, 3))
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
        places.append(_Place(left, top, left + round(box.w * SCALE), top + round(box.h * SCALE)))
        seen.append(min(across, down) > _SEEN * typical)
    return places, np.array(seen)


def _profiles(thin: np.ndarray, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Return the strength of the weaker of a box's two lines, across and down, at each shift within reach.

    Medians along a side: writing that crosses the line here and there does not move them.
    """
    x, y, w, h = (round(value * SCALE) for value in (box.x, box.y, box.w, box.h))
    reach = round(_REACH * SCALE)
    rows = thin[y + h // 8 : y + h - h // 8]
    columns = thin[:, x + w // 8 : x + w - w // 8]
    left, right = (_median(rows[:, at - reach : at + reach + 1], 0) for at in (x, x + w))
    top, bottom = (_median(columns[at - reach : at + reach + 1], 1) for at in (y, y + h))
    return np.minimum(left, right), np.minimum(top, bottom)


def _median(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the median of uint8 values along an axis, of every second one: five times faster than NumPy's."""
    values = np.swapaxes(values, 0, axis)[::2]
    middle = len(values) // 2
    return np.partition(values, middle, axis=0)[middle]


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


def _without_lines(page: np.ndarray, paper: np.ndarray, share: np.ndarray, places: list[_Place]) -> np.ndarray:
    """Return the page with its printed boxes made paper: each row of pixels along a side is lightened by its median.

    What is written over a line stays, because it is darker than the median along that side.
    """
    clean = page.copy()
    band = round(_BAND * SCALE)
    for place in places:
        across = slice(place.left - band, place.right + band + 1)
        down = slice(place.top - band, place.bottom + band + 1)
        for at in (place.left, place.right):
            _lighten(clean, paper, share, (down, slice(at - band, at + band + 1)), axis=0)
        for at in (place.top, place.bottom):
            _lighten(clean, paper, share, (slice(at - band, at + band + 1), across), axis=1)
    return clean


def _lighten(page: np.ndarray, paper: np.ndarray, share: np.ndarray, area: tuple[slice, slice], axis: int) -> None:
    """Divide an area by its profile across the line, in place; nothing becomes lighter than the paper."""
    # No printed line is darker than this: where the median is, somebody wrote along the line.
    profile = np.maximum(np.expand_dims(_median(share[area], axis), axis), np.float32(255 - _DARKEST_LINE))
    lightened = page[area] * (255 / profile)
    page[area] = np.minimum(lightened, np.maximum(page[area], paper[area])).astype(np.uint8)


# ---------------------------------------------------------------- ink


def _ink_mask(contrast: np.ndarray, places: list[_Place]) -> tuple[np.ndarray, np.ndarray]:
    """Return bool-like uint8 (H, W), 1 where there is ink in or beside a box, and the level used in each box (0: none).

    Each box has its own level: pens differ, and so does the light.
    """
    mask = np.zeros_like(contrast)
    levels = np.zeros(len(places))
    inset, outset = round(_INSIDE * SCALE), round(1.4 * SCALE)
    soft = cv2.GaussianBlur(contrast, (0, 0), 0.08 * SCALE)
    for position, place in enumerate(places):
        inside = soft[place.top + inset : place.bottom - inset, place.left + inset : place.right - inset]
        darkest = float(np.percentile(inside, 99.5))
        plain = float(np.percentile(inside, 40))
        level = max(_FAINTEST, plain + _LEVEL * (darkest - plain), 2.2 * plain)
        if darkest <= level:
            level = 255.0
        else:
            levels[position] = level
        area = (slice(place.top - outset, place.bottom + outset), slice(place.left - outset, place.right + outset))
        np.maximum(mask[area], (soft[area] > level).astype(np.uint8), out=mask[area])
    return mask, levels


class _Owners:
    """Which box each stroke belongs to: the one that holds most of its ink, or several that hold much of it.

    `labels` int32 (H, W) numbers the strokes; `stats` is OpenCV's (boxes and areas of the strokes).
    """

    def __init__(self, mask: np.ndarray, places: list[_Place]):
        count, self.labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        speck = stats[:, cv2.CC_STAT_AREA] < _SPECK * SCALE**2
        speck[0] = True
        self.stats = stats
        inset = round(0.3 * SCALE)
        inside = np.zeros((len(places), count), np.int32)
        for position, place in enumerate(places):
            area = self.labels[place.top + inset : place.bottom - inset, place.left + inset : place.right - inset]
            inside[position] = np.bincount(area.ravel(), minlength=count)
        inside[:, speck] = 0
        share = inside / np.maximum(inside.sum(axis=0), 1)
        self._own = (share > _SHARED) | ((share == share.max(axis=0)) & (inside > 0))
        self._shared = self._own & (self._own.sum(axis=0) > 1)

    def of(self, position: int) -> np.ndarray:
        """Return the numbers of the strokes of a box, those that it shares included."""
        return np.flatnonzero(self._own[position])

    def belongs(self, strokes: np.ndarray) -> np.ndarray:
        """Return bool (number of strokes,), True for these: indexed with `labels`, a mask."""
        chosen = np.zeros(len(self.stats), bool)
        chosen[strokes] = True
        return chosen

    def shared(self, position: int) -> bool:
        """Return whether a stroke in this box belongs to another one too."""
        return bool(self._shared[position].any())


def _cut(box: Box, position: int, place: _Place, clean: np.ndarray, paper: np.ndarray, owners: _Owners) -> Cut:
    """Return what a box in sight holds."""
    own = owners.of(position)
    if not len(own):
        return Cut(box, EMPTY)
    stats = owners.stats[own]
    left, top = stats[:, cv2.CC_STAT_LEFT].min(), stats[:, cv2.CC_STAT_TOP].min()
    right = (stats[:, cv2.CC_STAT_LEFT] + stats[:, cv2.CC_STAT_WIDTH]).max()
    bottom = (stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]).max()
    if max(right - left, bottom - top) < _LEAST_SIDE * SCALE:
        return Cut(box, EMPTY)
    ink = owners.belongs(own)[owners.labels[place.top : place.bottom, place.left : place.right]]
    if _crossed_out(ink):
        return Cut(box, CROSSED_OUT)
    view = _view(place, (left, top, right, bottom))
    most = round(_OUTSIDE * SCALE)
    cut_off = (left < place.left - most or top < place.top - most
               or right > place.right + most or bottom > place.bottom + most)  # fmt: skip
    picture = _picture(view, own, clean, paper, owners)
    return Cut(box, DOUBTFUL if cut_off or owners.shared(position) else WRITTEN, picture)


def _view(place: _Place, ink: tuple[int, int, int, int]) -> _Place:
    """Return the part of the page to keep: inside the printed line, or round ink that comes near it."""
    inset, near, paper, most = (round(length * SCALE) for length in (_INSIDE, _TOUCHING, _PAPER, _OUTSIDE))
    left, top, right, bottom = (int(value) for value in ink)
    view = [place.left + inset, place.top + inset, place.right - inset, place.bottom - inset]
    if left < view[0] + near:
        view[0] = max(min(left - paper, view[0]), place.left - most)
    if top < view[1] + near:
        view[1] = max(min(top - paper, view[1]), place.top - most)
    if right > view[2] - near:
        view[2] = min(max(right + paper, view[2]), place.right + most)
    if bottom > view[3] - near:
        view[3] = min(max(bottom + paper, view[3]), place.bottom + most)
    return _Place(*view)


def _picture(view: _Place, own: np.ndarray, clean: np.ndarray, paper: np.ndarray, owners: _Owners) -> np.ndarray:
    """Return the part of the page, with strokes of other boxes made paper."""
    area = (slice(view.top, view.bottom), slice(view.left, view.right))
    labels = owners.labels[area]
    ours = owners.belongs(own)[labels]
    foreign = ((labels > 0) & ~ours).astype(np.uint8)
    width = round(0.5 * SCALE) | 1
    foreign = cv2.dilate(foreign, np.ones((width, width), np.uint8)) > 0
    foreign &= ~ours
    picture = clean[area].copy()
    picture[foreign] = paper[area][foreign]
    return picture


def _crossed_out(ink: np.ndarray) -> bool:
    """Return whether a box is blotted out, or has two straight strokes from corner to corner.

    An 8 like an hourglass has them too, but its ends are joined above and below.

    Args:
        ink: bool (h, w), this box's strokes between the middles of its printed lines.
    """
    if ink.mean() > _BLOT:
        return True
    small = cv2.resize(cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)), (48, 72))
    falling, rising = _arm(small), _arm(small[:, ::-1])
    if falling is None or rising is None:
        return False
    rising[:, 0] = small.shape[1] - 1 - rising[:, 0]
    joined = (_covered(small, falling[end], rising[end]) for end in (0, 1))
    return not all(share >= _JOINED for share in joined)


def _arm(ink: np.ndarray) -> np.ndarray | None:
    """Return the ends, float (2, 2), of a straight stroke from the top left to the bottom right; None without one.

    Args:
        ink: uint8 (72, 48), not 0 where there is ink.
    """
    height, width = ink.shape
    zone = (round(_CROSS_ZONE * height), round(_CROSS_ZONE * width))
    if not (ink[: zone[0], : zone[1]].any() and ink[-zone[0] :, -zone[1] :].any()):
        return None
    near = np.linspace(0.04, _CROSS_ZONE, 6)
    starts = np.stack(np.meshgrid(near * width, near * height), -1).reshape(-1, 2)
    ends = np.stack(np.meshgrid((1 - near) * width, (1 - near) * height), -1).reshape(-1, 2)
    shares = _covered(ink, starts[:, None], ends[None])
    start, end = np.unravel_index(shares.argmax(), shares.shape)
    return np.stack([starts[start], ends[end]]) if shares[start, end] >= _CROSS_COVER else None


def _covered(ink: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the share of ink along straight lines between points (..., 2) as (x, y)."""
    points = start[..., None, :] + np.linspace(0, 1, 40)[:, None] * (end - start)[..., None, :]
    points = np.clip(points.round().astype(int), 0, (ink.shape[1] - 1, ink.shape[0] - 1))
    return (ink[points[..., 1], points[..., 0]] > 0).mean(axis=-1)
