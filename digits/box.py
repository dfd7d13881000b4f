"""A box round something in a picture, and the geometry of boxes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle: its upper left corner, its width and its height, in pixels. It ends before `right` and `bottom`."""

    x: int
    y: int
    w: int
    h: int

    @classmethod
    def between(cls, left: int, top: int, right: int, bottom: int) -> Box:
        """Return the box from one corner to the opposite one; without width or height where they are crossed."""
        return cls(left, top, max(right - left, 0), max(bottom - top, 0))

    @classmethod
    def union(cls, boxes: Iterable[Box]) -> Box:
        """Return the smallest box that holds all of the given ones, one or more."""
        left, top, right, bottom = zip(*((box.x, box.y, box.right, box.bottom) for box in boxes), strict=True)
        return cls.between(min(left), min(top), max(right), max(bottom))

    @property
    def right(self) -> int:
        """The first column beyond the box."""
        return self.x + self.w

    @property
    def bottom(self) -> int:
        """The first row beyond the box."""
        return self.y + self.h

    @property
    def side(self) -> int:
        """The longer side."""
        return max(self.w, self.h)

    @property
    def area(self) -> int:
        """How many pixels it holds."""
        return self.w * self.h

    @property
    def centre(self) -> tuple[float, float]:
        """The middle, (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns: `picture[box.window]` is what lies in the box."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def moved(self, x: int, y: int) -> Box:
        """Return the box moved to the right and down."""
        return Box(self.x + x, self.y + y, self.w, self.h)

    def grown(self, margin: int) -> Box:
        """Return the box with a margin on every side; a negative margin makes it smaller."""
        return Box(self.x - margin, self.y - margin, self.w + 2 * margin, self.h + 2 * margin)

    def scaled(self, factor: float) -> Box:
        """Return the box in a picture that is larger by a factor, in whole pixels."""
        return Box(*(round(length * factor) for length in self))

    def within(self, other: Box) -> Box:
        """Return what the box shares with another one."""
        return Box.between(max(self.x, other.x), max(self.y, other.y),
                           min(self.right, other.right), min(self.bottom, other.bottom))

    def shared(self, other: Box) -> int:
        """Return how many pixels two boxes have in common."""
        w = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        h = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0

    def overlap(self, other: Box) -> float:
        """Return the intersection over the union of two boxes, 0 to 1."""
        both = self.shared(other)
        return both / (self.area + other.area - both)

    def gap(self, other: Box) -> float:
        """Return the distance between two boxes, 0 where they touch or overlap."""
        across = max(self.x, other.x) - min(self.right, other.right)
        down = max(self.y, other.y) - min(self.bottom, other.bottom)
        return math.hypot(max(across, 0), max(down, 0))

    def distance(self, other: Box) -> float:
        """Return how far apart the centres of two boxes are: across or down, whichever is farther."""
        return max(abs(mine - its) for mine, its in zip(self.centre, other.centre, strict=True))

    def contains(self, other: Box) -> bool:
        """Return whether a box holds all of another one."""
        return self.x <= other.x and self.y <= other.y and other.right <= self.right and other.bottom <= self.bottom

    def surrounds(self, point: tuple[float, float]) -> bool:
        """Return whether a point (x, y) lies inside, off the sides."""
        return self.x < point[0] < self.right and self.y < point[1] < self.bottom
