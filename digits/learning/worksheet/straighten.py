"""From a photograph of a worksheet to the sheet as seen from above: markers, perspective, its code."""

from dataclasses import dataclass

import cv2
import numpy as np

from digits.learning.worksheet.page import DICTIONARY, Code, Layout, paper_of_marker, sheet_layout

SCALE = 10  # pixels a mm of the straightened page: what a phone gives, and 120 px across a box
# Below so many pixels a mm somewhere on the sheet, a digit of 10 mm has less detail than MNIST's.
_LEAST_SCALE = 2.0
# Corners of markers may lie so far (mm) from where the others put them: a bent sheet stays below, a wrong marker not.
_MOST_MISFIT = 3.0
# Standard deviation (mm) of the blur at the markers' edges up to which strokes of a pen stay apart.
_MOST_BLUR = 0.55


class SheetError(ValueError):
    """A photograph that cannot be trusted; the message is one sentence for the user."""


@dataclass(frozen=True)
class Straight:
    """A straightened sheet: `page` uint8 (H, W, 3) BGR at SCALE, its layout, and its code if that can be read."""

    page: np.ndarray
    layout: Layout
    code: Code | None


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
    page = cv2.warpPerspective(photo, scaling @ np.linalg.inv(to_photo), size, borderValue=(128, 128, 128))
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    if _blur(grey, [layout.markers[marker] for marker in found]) > _MOST_BLUR:
        raise SheetError("it is blurred; hold the camera still, with enough light, and tap the sheet to focus.")
    return Straight(page, layout, _read_code(grey, layout))


def _find_markers(photo: np.ndarray) -> dict[int, np.ndarray]:
    """Return the corner markers: id -> float32 (4, 2) in photo pixels, clockwise from each marker's top left."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY), parameters)
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
        (left, top), (right, bottom) = corners[0], corners[2]
        inset = 0.2 * (right - left)
        across += [_edge_blur(_patch(grey, edge - 1.5, top + inset, 3.0, 3 * inset)) for edge in (left, right)]
        down += [_edge_blur(_patch(grey, left + inset, edge - 1.5, 3 * inset, 3.0).T) for edge in (top, bottom)]
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
    left, top, right, bottom = (max(0, round(length * SCALE)) for length in (x, y, x + w, y + h))
    return image[top:bottom, left:right]


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
