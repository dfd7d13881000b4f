"""The tile: MNIST's rule at 96 px, whatever the pen."""

import cv2
import numpy as np
import pytest

from digits.box import Box
from digits.reading.tile import LONG_SIDE, TILE_SIZE, normalise, to_input


def seven(side: int, pen: float, fade: int = 255) -> np.ndarray:
    """Draw a 7 of the given height with a pen of the given width, both in px."""
    ink = np.zeros((side + 40, side + 60), np.uint8)
    points = np.array([[30, 20], [30 + side * 0.55, 20], [30 + side * 0.2, 20 + side]], np.int32)
    cv2.polylines(ink, [points], False, fade, max(1, round(pen)), cv2.LINE_AA)
    return ink


def ink_box(tile: np.ndarray) -> Box:
    return Box(*cv2.boundingRect((tile > 127).astype(np.uint8)))


@pytest.mark.parametrize(("side", "pen"), [(20, 2), (60, 2), (200, 3), (200, 20), (700, 6)])
def test_longer_side_spans_20_of_28_and_the_centre_of_mass_is_in_the_middle(side, pen):
    tile = normalise(seven(side, pen))
    _, _, w, h = ink_box(tile)
    assert tile.shape == (TILE_SIZE, TILE_SIZE) and tile.dtype == np.uint8
    assert abs(max(w, h) - LONG_SIDE) <= 2.5
    moments = cv2.moments(tile)
    middle = (TILE_SIZE - 1) / 2
    assert abs(moments["m10"] / moments["m00"] - middle) < 1.0
    assert abs(moments["m01"] / moments["m00"] - middle) < 1.0


def test_hair_and_marker_and_faint_pencil_give_nearly_the_same_tile():
    tiles = [normalise(seven(200, 2)), normalise(seven(200, 12)), normalise(seven(200, 4, fade=60))]
    for other in tiles[1:]:
        assert np.abs(tiles[0].astype(int) - other).mean() < 12


def test_small_and_large_writing_give_nearly_the_same_tile():
    small, large = normalise(seven(24, 2.4)), normalise(seven(480, 48))
    assert np.abs(small.astype(int) - large).mean() < 14


def test_a_dot_and_a_bar_do_not_fail():
    dot = np.full((9, 9), 255, np.uint8)
    bar = np.full((4, 300), 200, np.uint8)
    assert normalise(dot).max() == 255 and normalise(bar).max() == 255
    assert normalise(np.full((1, 1), 7, np.uint8)).any()


@pytest.mark.parametrize("bad", [np.zeros((30, 30), np.uint8), np.zeros((0, 5), np.uint8)])
def test_blank_ink_is_refused(bad):
    with pytest.raises(ValueError, match="blank"):
        normalise(bad)


def test_wrong_type_is_refused():
    with pytest.raises(ValueError, match="uint8"):
        normalise(np.zeros((30, 30, 3), np.uint8))


def test_network_input_is_three_equal_channels_between_0_and_1():
    tiles = np.stack([normalise(seven(60, 4)), normalise(seven(90, 9))])
    batch = to_input(tiles)
    assert batch.shape == (2, 96, 96, 3) and batch.dtype == np.float32
    assert batch.min() == 0.0 and batch.max() == 1.0
    assert (batch[..., 0] == batch[..., 1]).all() and (batch[..., 0] == batch[..., 2]).all()
    assert np.allclose(batch[..., 0] * 255, tiles)
