"""From an ink map to one box a digit, in reading order."""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.faded_strokes import with_faded_ends
from digits.reading.finding.ink import Ink
from digits.reading.finding.printed_lines import looks_ruled, remove_lines
from digits.reading.tile import INK_LEVEL, stroke_width

# A pixel is ink when it has this share of the strongest contrast nearby.
_LOCAL_LEVEL = 0.36
# "Nearby" is this far, as a share of the frame's longer side: less than the distance between two digits.
_NEARBY = 0.04
_GRID = 8
# Plain paper stays below this many standard deviations of its noise, and below this contrast of 255.
_NOISE_FACTOR = 4.5
_FAINTEST = 17.0
# Smaller than this (work pixels, longer side) a digit is not readable, and print and dust are many.
MIN_SIDE = 11
_MIN_AREA = 10
# Pieces smaller than this are dust and print; a stroke broken into such bits is not missed by the network.
_SPECK_SIDE = 6
_MOST_PIECES = 250
# In more pieces than these, or where more than one runs out of the frame, there are printed lines, print or the room
# behind the sheet, which go on as fading strokes do.
_FEW_PIECES, _RUN_OUT = 30, 1
# Two pieces are one digit without asking when the smaller one's box lies inside the other's by this share.
_INSIDE = 0.6
# ... and is no smaller than this share of it: a frame drawn round a page does not swallow what is written there.
_INSIDE_SIDE = 0.2
# ... and perhaps one digit, to be asked of the network, when they are apart by less than this share of their size.
_NEAR = 0.33
# Halves of one digit lie one above the other: they share this much of their width, and nearly touch.
_OVERLAP = 0.5
_TOUCHING = 0.08
# The rim of a sheet runs out of the frame; what runs out joins only with pieces of at least this share of its size.
_RIM_PIECE = 0.3


@dataclass(frozen=True)
class Part:
    """One thing written: the strokes of one digit, or of something else.

    Attributes:
        box: in work pixels.
        ink: uint8 (h, w), these strokes alone, evened out to full contrast.
        contrast: their strength, 0 to 255.
        stroke: their mean width in work pixels.
        cut_off: whether they run out of the frame.
    """

    box: Box
    ink: np.ndarray = field(repr=False)
    contrast: float
    stroke: float
    cut_off: bool

    @cached_property
    def side(self) -> int:
        """The longer side of the box."""
        return self.box.side


def locate(ink: Ink, least: int = _SPECK_SIDE) -> list[Part]:
    """Return what is written, a part a digit where that is certain, in no particular order.

    Args:
        ink: of a whole frame.
        least: parts whose longer side has fewer work pixels are left out.
    Returns:
        Parts. Pieces that may or may not belong together are separate parts: `neighbours` names them, and the
        network decides.
    """
    mask, level, smooth = ink_mask(ink)
    labels, pieces = _pieces(mask)
    whole = remove_lines(mask, ink.contrast) if looks_ruled(pieces, mask.shape) else mask
    if whole is mask and _on_bare_paper(pieces, mask.shape):
        whole, level = with_faded_ends(mask, level, smooth, _NOISE_FACTOR * ink.noise)
    if whole is not mask:
        labels, pieces = _pieces(whole)
    kept = [i for i, piece in enumerate(pieces) if piece[4] >= _MIN_AREA and max(piece[2:4]) >= _SPECK_SIDE]
    kept = sorted(kept, key=lambda i: -pieces[i][4])[:_MOST_PIECES]
    boxes = {i: Box(*pieces[i][:4]) for i in kept}
    groups = _merge_inside(list(boxes.values()), mask.shape)
    parts = []
    for group in groups:
        members = [kept[i] for i in group]
        box = Box.union(boxes[i] for i in members)
        part = _part(ink, level, labels, [i + 1 for i in members], box) if box.side >= least else None
        if part is not None:
            parts.append(part)
    return parts


def merge(first: Part, second: Part) -> Part:
    """Return the two parts as one."""
    box = Box.union([first.box, second.box])
    canvas = np.zeros((box.h, box.w), np.uint8)
    for part in (first, second):
        window = canvas[part.box.moved(-box.x, -box.y).window]
        np.maximum(window, part.ink, out=window)
    contrast, stroke = max(first.contrast, second.contrast), max(first.stroke, second.stroke)
    return Part(box, canvas, contrast, stroke, first.cut_off or second.cut_off)


def split(part: Part) -> tuple[Part, Part] | None:
    """Return the two halves of a part at its thinnest upright cut, or None where it cannot be two digits."""
    x, y, w, h = part.box
    if w < 0.7 * h or w < 2 * MIN_SIDE:
        return None
    low, high = round(w * 0.25), round(w * 0.75)
    column = part.ink.sum(axis=0, dtype=np.int64)[low:high]
    # The cut nearest the middle among the thinnest, so that a long bar is not cut at its end.
    centre = np.abs(np.arange(low, high) - w / 2) / w
    cut = low + int(np.argmin(column * (1 + centre)))
    halves = (_cropped((x, y), part.ink[:, :cut], part), _cropped((x + cut, y), part.ink[:, cut:], part))
    return halves if halves[0] is not None and halves[1] is not None else None


def neighbours(parts: list[Part]) -> list[tuple[int, int]]:
    """Return the pairs of parts that may be pieces of one digit, nearest first."""
    boxes = np.array([part.box for part in parts], np.int64).reshape(-1, 4)
    first, second = np.triu_indices(len(parts), 1)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    apart = np.maximum(low[first], low[second]) - np.minimum(high[first], high[second])  # (pairs, 2): across, down
    gap = np.hypot(*np.maximum(apart, 0).T)
    whole = (np.maximum(high[first], high[second]) - np.minimum(low[first], low[second])).max(axis=1, initial=0)
    sides, cut_off = boxes[:, 2:].max(axis=1, initial=0), np.array([part.cut_off for part in parts], bool)
    size, smaller = np.maximum(sides[first], sides[second]), np.minimum(sides[first], sides[second])
    rim = (cut_off[first] | cut_off[second]) & (smaller < _RIM_PIECE * size)
    near = np.flatnonzero(~rim & (gap < _NEAR * size) & (whole < 2.2 * size))
    nearest = near[np.argsort(gap[near] / size[near], kind="stable")]
    return list(zip(first[nearest].tolist(), second[nearest].tolist(), strict=True))


def stacked(first: Part, second: Part) -> bool:
    """Return whether two parts touch one above the other, as the halves of one broken digit do."""
    over = min(first.box.right, second.box.right) - max(first.box.x, second.box.x)
    narrow = min(first.box.w, second.box.w)
    return over > _OVERLAP * narrow and touching(first, second)


def touching(first: Part, second: Part) -> bool:
    """Return whether two parts nearly touch for their size."""
    return first.box.gap(second.box) < _TOUCHING * max(first.side, second.side)


def reading_order(boxes: list[Box]) -> list[int]:
    """Return the order of boxes as one reads: lines from the top, and from the left within a line."""
    lines: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: boxes[i].centre[1]):
        across, down = boxes[i].centre
        for line in reversed(lines):
            last = boxes[min(line, key=lambda j: abs(across - boxes[j].centre[0]))]
            if abs(last.centre[1] - down) < 0.5 * max(last.h, boxes[i].h):
                line.append(i)
                break
        else:
            lines.append([i])
    return [i for line in lines for i in sorted(line, key=lambda i: boxes[i].x)]


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int, int, int]]]:
    """Return labels int32 (h, w) and (x, y, w, h, area) of each connected piece; the first has label 1."""
    # Numbers pieces as the default does, in 0.5 ms where that takes 1.4 (640x480, one core).
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)
    return labels, [tuple(row) for row in stats.reshape(-1, 5)[1:].tolist()]


def _on_bare_paper(pieces: list[tuple[int, int, int, int, int]], shape: tuple[int, int]) -> bool:
    """Return whether the pieces may all be pen strokes on paper that nothing else is on."""
    run_out = sum(x == 0 or y == 0 or x + w == shape[1] or y + h == shape[0] for x, y, w, h, _ in pieces)
    return run_out <= _RUN_OUT and len(pieces) <= _FEW_PIECES


def _merge_inside(boxes: list[Box], shape: tuple[int, int]) -> list[list[int]]:
    """Return groups of boxes, each joined to the smallest larger box that holds most of it."""
    if not boxes:
        return []
    corners = np.array(boxes, np.float32)
    area, side = corners[:, 2] * corners[:, 3], corners[:, 2:].max(axis=1)
    low, high = corners[:, :2], corners[:, :2] + corners[:, 2:]
    whole = (low > 1).all(axis=1) & (high < np.array(shape[::-1]) - 1).all(axis=1)
    sides = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    holds = np.clip(sides, 0, None).prod(axis=2) >= _INSIDE * area[:, None]  # [i, j]: j holds most of i
    holds &= (area[None] > area[:, None]) & whole[None] & (side[:, None] >= _INSIDE_SIDE * side[None])
    owner = np.where(holds.any(axis=1), np.where(holds, area[None], np.inf).argmin(axis=1), np.arange(len(boxes)))
    for i in np.argsort(-area):
        owner[i] = owner[owner[i]]
    groups: dict[int, list[int]] = {}
    for i, j in enumerate(owner.tolist()):
        groups.setdefault(j, []).append(i)
    return list(groups.values())


def _part(ink: Ink, level: np.ndarray, labels: np.ndarray, members: list[int], box: Box) -> Part | None:
    height, width = labels.shape
    window = labels[box.window]
    if len(members) == 1:
        own = (window == members[0]).view(np.uint8)
    else:
        belongs = np.zeros(int(window.max()) + 1, np.uint8)
        belongs[members] = 1
        own = belongs[window]
    area = cv2.countNonZero(own)
    inner = cv2.erode(own, None, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    stroke = stroke_width(area, area - cv2.countNonZero(inner) + 4)  # the outermost pixels are the perimeter
    contrast = ink.contrast[box.window]
    strength = cv2.mean(contrast, own)[0]
    # A pen fades along a stroke; evened out, what is above the level here is what `tile` takes for ink.
    even = cv2.divide(contrast, level[box.window], scale=255 * INK_LEVEL)
    even = cv2.bitwise_and(even, cv2.dilate(own, None) * 255)
    if not cv2.countNonZero(even):
        return None  # the blur of a neighbour
    cut_off = box.x <= 1 or box.y <= 1 or box.right >= width - 1 or box.bottom >= height - 1
    return Part(box, even, strength, stroke, cut_off)


def _cropped(corner: tuple[int, int], ink: np.ndarray, whole: Part) -> Part | None:
    box = Box(*cv2.boundingRect((ink > 0).astype(np.uint8)))
    if box.side < MIN_SIDE:
        return None
    ink = np.ascontiguousarray(ink[box.window])
    return Part(box.moved(*corner), ink, whole.contrast, whole.stroke, whole.cut_off)


def ink_mask(ink: Ink) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pixels of strokes, uint8 (h, w) of 0 and 1, the level they rise above, and what does: both uint8."""
    smooth = cv2.blur(ink.contrast, (3, 3))
    level = cv2.max(_nearby_peak(smooth) * _LOCAL_LEVEL, _floor(ink, smooth.shape))
    level = cv2.resize(level, (smooth.shape[1], smooth.shape[0]), interpolation=cv2.INTER_LINEAR)
    level = cv2.convertScaleAbs(level)
    return cv2.compare(smooth, level, cv2.CMP_GT) & 1, level, smooth


def _nearby_peak(smooth: np.ndarray) -> np.ndarray:
    """Return float32 (h/8, w/8): the strongest contrast in the neighbourhood of each cell."""
    height, width = smooth.shape
    rows, columns = -(-height // _GRID), -(-width // _GRID)
    padded = cv2.copyMakeBorder(smooth, 0, rows * _GRID - height, 0, columns * _GRID - width, cv2.BORDER_REPLICATE)
    peak = cv2.dilate(padded, np.ones((_GRID, _GRID), np.uint8))[_GRID // 2 :: _GRID, _GRID // 2 :: _GRID]
    reach = 2 * max(1, round(_NEARBY * max(height, width) / _GRID)) + 1
    peak = cv2.dilate(peak, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return peak.astype(np.float32)


def _floor(ink: Ink, shape: tuple[int, int]) -> np.ndarray:
    """Return float32 (h/8, w/8): the contrast that plain paper does not reach; dark corners are noisier."""
    size = (-(-shape[1] // _GRID), -(-shape[0] // _GRID))
    paper = cv2.resize(ink.paper, size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    noise = ink.noise * float(np.median(paper)) / np.maximum(paper, 1.0)
    return np.maximum(_NOISE_FACTOR * noise, _FAINTEST)
