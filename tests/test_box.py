"""The geometry of boxes, checked against cases counted by hand."""

import numpy as np
import pytest

from digits.box import Box

BOX = Box(10, 20, 30, 40)


def test_a_box_is_the_four_numbers_it_has_always_been():
    assert BOX == (10, 20, 30, 40) and [*BOX] == [10, 20, 30, 40]
    assert (BOX.right, BOX.bottom, BOX.side, BOX.area, BOX.centre) == (40, 60, 40, 1200, (25, 40))
    assert np.zeros((100, 100))[BOX.window].shape == (40, 30)


def test_boxes_are_made_of_corners_and_of_boxes():
    assert Box.between(10, 20, 40, 60) == BOX
    assert Box.between(40, 20, 10, 60) == (40, 20, 0, 40), "crossed corners leave nothing"
    assert Box.union([BOX, Box(0, 50, 5, 30)]) == (0, 20, 40, 60)
    assert BOX.moved(-10, 5) == (0, 25, 30, 40)
    assert BOX.grown(3) == (7, 17, 36, 46) and BOX.grown(3).grown(-3) == BOX
    assert BOX.scaled(1.5) == (15, 30, 45, 60)
    assert BOX.grown(30).within(Box(0, 0, 50, 100)) == (0, 0, 50, 90)


@pytest.mark.parametrize(
    ("other", "shared", "gap"),
    [(BOX, 1200, 0), (Box(25, 20, 30, 40), 600, 0), (Box(40, 20, 5, 5), 0, 0), (Box(43, 64, 5, 5), 0, 5)],
)
def test_what_two_boxes_share_and_how_far_apart_they_are(other, shared, gap):
    assert BOX.shared(other) == other.shared(BOX) == shared
    assert BOX.overlap(other) == pytest.approx(shared / (BOX.area + other.area - shared))
    assert BOX.gap(other) == other.gap(BOX) == gap


def test_what_lies_in_a_box():
    assert BOX.contains(BOX) and BOX.contains(Box(10, 20, 5, 5)) and not BOX.contains(BOX.moved(1, 0))
    assert BOX.surrounds((25, 40)) and not BOX.surrounds((10, 40))
    assert BOX.distance(BOX.moved(-3, 7)) == 7
