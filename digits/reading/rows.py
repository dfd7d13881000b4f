"""Digits as people write them: lines of numbers, read from left to right and from top to bottom."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from digits.box import Box

_SAME_LINE = 0.6  # of the smaller height: how far two middles may lie apart, after the line's slope
_WIDER = 2.0  # a gap so many times the line's usual one ends a number
_LEAST = 0.7  # of the digits' height: a smaller gap never ends one
_FARTHEST = 12.0  # heights: what lies farther along is no neighbour to judge a slope by


def lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the digits of each line, as positions in `boxes`, from left to right; lines from top to bottom."""
    slope = _slope(boxes)
    height = [box.h for box in boxes]
    level = [box.centre[1] - slope * box.centre[0] for box in boxes]
    found: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda index: level[index]):
        near = [line for line in found
                if abs(level[index] - median(level[i] for i in line)) < _SAME_LINE * min(
                    height[index], median(height[i] for i in line))]
        fitting = [line for line in near if all(_beside(boxes[index], boxes[i]) for i in line)]
        (fitting[-1].append(index) if fitting else found.append([index]))
    return [sorted(line, key=lambda index: boxes[index].centre[0]) for line in found]


def numbers(boxes: Sequence[Box]) -> list[list[list[int]]]:
    """Return lines as `lines` does, each cut into its numbers where a gap is wider than the line's others."""
    return [_cut(line, boxes) for line in lines(boxes)]


def _cut(line: list[int], boxes: Sequence[Box]) -> list[list[int]]:
    gaps = [boxes[right].x - boxes[left].right for left, right in zip(line, line[1:], strict=False)]
    if not gaps:
        return [line]
    tall = median(boxes[index].h for index in line)
    usual = float(np.percentile(gaps, 40)) if len(gaps) > 2 else min(gaps)
    least = max(_LEAST * tall, _WIDER * max(usual, 0.2 * tall))
    parts = [[line[0]]]
    for gap, index in zip(gaps, line[1:], strict=True):
        if gap > least:
            parts.append([])
        parts[-1].append(index)
    return parts


def _beside(first: Box, second: Box) -> bool:
    """Return whether two boxes lie side by side, not one over the other."""
    shared = min(first.right, second.right) - max(first.x, second.x)
    return shared < 0.6 * min(first.w, second.w)


def _slope(boxes: Sequence[Box]) -> float:
    """Return how steeply the lines fall to the right: the middle slope between neighbours side by side."""
    slopes = []
    for box in boxes:
        right = [other for other in boxes if 0.3 * box.h < other.centre[0] - box.centre[0] < _FARTHEST * box.h
                 and abs(other.centre[1] - box.centre[1]) < 0.5 * (other.centre[0] - box.centre[0])
                 and abs(other.centre[1] - box.centre[1]) < 0.8 * box.h]
        if right:
            nearest = min(right, key=lambda other: other.centre[0])
            across = nearest.centre[0] - box.centre[0]
            slopes.append((nearest.centre[1] - box.centre[1]) / across)
    return median(slopes) if len(slopes) > 1 else 0.0
