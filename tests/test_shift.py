"""benchmarks/shift.py: each of MNIST-C's fifteen corruptions does to a digit what its name and its severity say."""

import cv2
import numpy as np
import pytest
from loading import load

from digits.reading.tile import normalise
from digits.rendering.handwriting import draw_digit

shift = load("benchmarks/shift.py")
TILES = [normalise(draw_digit(label, np.random.default_rng(label))) for label in range(10)]
DIGITS = np.stack([cv2.resize(tile, (28, 28), interpolation=cv2.INTER_AREA) for tile in TILES])


def moments(picture):
    """Return area, centre (x, y) and the slant of a picture: how far x goes with y."""
    found = cv2.moments(picture)
    centre = np.array([found["m10"], found["m01"]]) / found["m00"]
    return found["m00"], centre, found["mu11"] / found["mu02"]


def test_there_are_fifteen():
    assert len(shift.CORRUPTIONS) == 15


@pytest.mark.parametrize("name", shift.CORRUPTIONS)
def test_each_changes_every_digit_the_same_way_every_time_and_leaves_something_to_read(name):
    found = shift.corrupted(DIGITS, name)
    assert found.shape == DIGITS.shape and found.dtype == np.uint8
    assert (np.abs(found.astype(int) - DIGITS).mean((1, 2)) > 2).all()
    assert np.array_equal(found, shift.corrupted(DIGITS, name))
    assert shift.tiles_of(found).shape == (10, 96, 96)


def test_places_and_sizes_are_those_of_the_paper():
    for before, after in zip(DIGITS, shift.corrupted(DIGITS, "translate"), strict=True):
        assert np.allclose(np.abs(moments(after)[1] - moments(before)[1]), 3, atol=0.4)
    for before, after in zip(DIGITS, shift.corrupted(DIGITS, "scale"), strict=True):
        assert moments(after)[0] / moments(before)[0] == pytest.approx(0.49, abs=0.05)
    for before, after in zip(DIGITS, shift.corrupted(DIGITS, "shear"), strict=True):
        assert abs(moments(after)[2] - moments(before)[2]) == pytest.approx(np.tan(0.4), abs=0.12)
    upright = np.zeros((1, 28, 28), np.uint8)
    upright[0, 5:23, 13:15] = 255
    turned = shift.corrupted(upright, "rotate")[0]
    assert abs(moments(turned)[2]) == pytest.approx(np.tan(0.4), abs=0.05)


def test_light_and_noise_are_those_of_the_paper():
    blank = np.zeros((50, 28, 28), np.uint8)
    assert (shift.corrupted(blank, "brightness") == 128).all()
    assert (shift.corrupted(blank, "impulse noise") == 255).mean() == pytest.approx(0.085, abs=0.005)
    assert (shift.corrupted(blank, "shot noise") == 0).all(), "there is no light to count"
    striped = shift.corrupted(blank, "stripe")
    assert (striped[:, :, 7:21] == 0).all() and (striped[:, :, :7] == 255).all() and (striped[:, :, 21:] == 255).all()
    assert set(np.unique(shift.corrupted(DIGITS, "canny edges"))) == {0, 255}
    for added in ("dotted line", "zigzag"):
        assert (shift.corrupted(DIGITS, added) >= DIGITS).all()
