"""Two frames packed into one, and black bars beside a picture, with the truth that remains."""

from dataclasses import replace

import numpy as np

from digits.box import Box
from digits.rendering.frames.canvas import Frame


def packed(first: Frame, second: Frame, window: Box) -> Frame:
    """Return `first` with the part of `second` within `window` in place of its own; the edge is hard.

    Both frames have the same size. The window must span the frame's full width or height and touch one of its sides,
    so that what remains of `first` is a rectangle too.
    """
    height, width = first.grey.shape
    rest = _rest(window, width, height)
    owner = first.owner.copy()
    taken = second.owner[window.window]
    owner[window.window] = np.where(taken > 0, taken + len(first.labels), 0)
    grey, ink = first.grey.copy(), first.ink.copy()
    grey[window.window], ink[window.window] = second.grey[window.window], second.ink[window.window]
    boxes, seen = _still_seen(first, rest)
    more, more_seen = _still_seen(second, window)
    others = [_common(box, rest) for box in first.others] + [_common(box, window) for box in second.others]
    return replace(first, grey=grey, ink=ink, owner=owner, boxes=boxes + more, labels=first.labels + second.labels,
                   seen=seen + more_seen, others=[box for box in others if box.w > 0 and box.h > 0])


def empty(height: int, width: int, level: int = 0) -> Frame:
    """Return an even picture without digits, `level` its grey value."""
    return Frame(np.full((height, width), level, np.uint8), np.zeros((height, width), np.uint8),
                 np.zeros((height, width), np.int16), [], [], [], [])


def random_window(rng: np.random.Generator, width: int, height: int, low: float, high: float) -> Box:
    """Return a part of a frame at a random side, `low` to `high` of it."""
    share, side = rng.uniform(low, high), int(rng.integers(4))
    w, h = max(1, round(width * share)), max(1, round(height * share))
    return (Box(0, 0, w, height), Box(width - w, 0, w, height), Box(0, 0, width, h), Box(0, height - h, width, h))[side]


def with_bars(rng: np.random.Generator, frame: Frame) -> Frame:
    """Return the frame with black bars at two opposite sides, as wide pictures have in square windows."""
    height, width = frame.grey.shape
    black = empty(height, width, int(rng.choice([0, 0, 0, 16, 128, 255])))
    if rng.random() < 0.5:
        first, second = (max(1, round(width * share)) for share in rng.uniform(0.05, 0.25, 2))
        windows = Box(0, 0, first, height), Box(width - second, 0, second, height)
    else:
        first, second = (max(1, round(height * share)) for share in rng.uniform(0.05, 0.25, 2))
        windows = Box(0, 0, width, first), Box(0, height - second, width, second)
    for window in windows:
        frame = packed(frame, black, window)
    return frame


def _rest(window: Box, width: int, height: int) -> Box:
    if window.h == height:
        return Box(window.right, 0, width - window.w, height) if window.x == 0 else Box(0, 0, window.x, height)
    return Box(0, window.bottom, width, height - window.h) if window.y == 0 else Box(0, 0, width, window.y)


def _common(box: Box, window: Box) -> Box:
    left, top = max(box.x, window.x), max(box.y, window.y)
    return Box(left, top, max(0, min(box.right, window.right) - left), max(0, min(box.bottom, window.bottom) - top))


def _still_seen(frame: Frame, window: Box) -> tuple[list[Box], list[float]]:
    """Return the boxes of the ink within a window and the shares of it seen."""
    boxes, seen = [], []
    for index, (box, share) in enumerate(zip(frame.boxes, frame.seen, strict=True), 1):
        common = _common(box, window)
        if common == box or not box.w:
            boxes.append(box)
            seen.append(share)
            continue
        rows, columns = np.nonzero(frame.owner[common.window] == index)
        if not len(rows):
            boxes.append(Box(0, 0, 0, 0))
            seen.append(0.0)
            continue
        whole = np.count_nonzero(frame.owner[box.window] == index)
        x, y = int(columns.min()), int(rows.min())
        boxes.append(Box(common.x + x, common.y + y, int(columns.max()) - x + 1, int(rows.max()) - y + 1))
        seen.append(share * len(rows) / whole)
    return boxes, seen
