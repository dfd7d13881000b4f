"""Digits as another hand might have written them: still tiles by the contract, never the same, never lost."""

import cv2
import numpy as np

from digits.learning.data import augmentation
from digits.learning.data.augmentation import UNTOUCHED, frayed, geometric, often_geometric
from digits.reading.tile import LONG_SIDE, normalise
from digits.rendering.handwriting import draw_digit

TILES = np.stack([normalise(draw_digit(i % 10, np.random.default_rng(i))) for i in range(20)])


def test_some_tiles_stay_as_they_are():
    tiles = np.repeat(TILES, 20, axis=0)
    same = (often_geometric(tiles, np.random.default_rng(3)) == tiles).all((1, 2))
    assert abs(same.mean() - UNTOUCHED) < 0.08


def test_another_hand_keeps_to_the_contract_of_tiles():
    tiles = np.repeat(TILES, 10, axis=0)
    changed = geometric(tiles, np.random.default_rng(7))
    assert np.array_equal(changed, geometric(tiles, np.random.default_rng(7)))
    for tile in changed:
        rows, columns = np.nonzero(tile > 127)
        assert abs(max(np.ptp(rows), np.ptp(columns)) + 1 - LONG_SIDE) < 6
        assert np.abs(np.array([rows.mean(), columns.mean()]) - 47.5).max() < 4
        assert tile[[0, -1]].max() == 0 and tile[:, [0, -1]].max() == 0


def test_rough_strokes_stay_where_they_are_and_the_same_digit():
    rough = frayed(TILES, np.random.default_rng(5))
    assert np.array_equal(rough, frayed(TILES, np.random.default_rng(5)))
    for before, after in zip(TILES, rough, strict=True):
        ink, near = before > 127, cv2.dilate(before, np.ones((9, 9), np.uint8)) > 127
        assert not np.array_equal(before, after)
        assert (after > 127)[ink].mean() > 0.6 and not (after > 127)[~near].any()


def test_strokes_have_gaps_here_and_there(monkeypatch):
    monkeypatch.setattr(augmentation, "UNTOUCHED", 0.0)
    monkeypatch.setattr(augmentation, "_ROUGH", 0.0)
    whole, gaps = (often(monkeypatch, share) for share in (0.0, 1.0))
    less = np.count_nonzero(whole > 127, axis=(1, 2)) - np.count_nonzero(gaps > 127, axis=(1, 2))
    assert less.min() > 0 and (gaps <= whole).all()


def often(monkeypatch, share):
    monkeypatch.setattr(augmentation, "_GAPS", share)
    return often_geometric(TILES, np.random.default_rng(4))


def test_no_digit_at_all_stays_none():
    """A last, short batch may have none that is to be changed."""
    assert geometric(TILES[:0], np.random.default_rng(7)).shape == (0, 96, 96)


def test_another_hand_changes_every_digit_and_none_is_lost():
    changed = geometric(TILES, np.random.default_rng(2))
    assert changed.shape == TILES.shape
    for before, after in zip(TILES, changed, strict=True):
        assert not np.array_equal(before, after) and after.max() > 200
