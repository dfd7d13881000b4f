"""What is made beside the training tiles: found by the reader's own code, as many as asked for, the same every time."""

import numpy as np
import pytest

from digits.learning.data import rendered_tiles
from digits.learning.data.extras import Extras, enrich
from digits.learning.data.rendered_tiles import camera_tiles
from digits.reading.finding.one_digit import found_tile
from digits.reading.tile import normalise
from digits.rendering import RENDERING_VERSION
from digits.rendering.handwriting import draw_digit
from digits.rendering.photographs import scan_one
from digits.rendering.scenes import texture

LABELS = np.arange(20) % 10
TILES = np.stack([normalise(draw_digit(int(label), np.random.default_rng(i))) for i, label in enumerate(LABELS)])
EXTRAS = Extras(camera=6, handwritten=8, non_digits=6, scraps=4, textures=5)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return enrich(TILES, LABELS, EXTRAS, 3, tmp_path_factory.mktemp("cache"), workers=1)


def test_digits_come_first_and_the_rest_is_nothing_in_particular(made):
    tiles, targets = made
    assert tiles.shape == (29, 96, 96) and tiles.dtype == np.uint8 and targets.shape == (29, 10)
    assert np.allclose(targets.sum(1), 1)
    assert (targets[:14].max(1) == 1).all() and np.allclose(targets[14:], 0.1)


def test_the_same_seed_makes_the_same_tiles_and_they_are_kept(made, tmp_path):
    tiles, targets = enrich(TILES, LABELS, EXTRAS, 3, tmp_path, workers=1)
    assert np.array_equal(tiles, made[0]) and np.array_equal(targets, made[1])
    kept = next(tmp_path.glob("extras-*.npz"))
    before = kept.stat().st_mtime_ns
    assert np.array_equal(enrich(TILES, LABELS, EXTRAS, 3, tmp_path)[0], tiles) and kept.stat().st_mtime_ns == before
    other, _ = enrich(TILES, LABELS, EXTRAS, 4, tmp_path, workers=1)
    assert not np.array_equal(other, tiles)


def test_what_another_version_rendered_is_not_used(tmp_path, monkeypatch):
    few = Extras(camera=1, handwritten=0, non_digits=0)
    for version in (RENDERING_VERSION, RENDERING_VERSION + 1, RENDERING_VERSION + 1):
        monkeypatch.setattr(rendered_tiles, "RENDERING_VERSION", version)
        enrich(TILES, LABELS, few, 3, tmp_path / "cache", workers=1)
    assert len(list((tmp_path / "cache").glob("extras-*.npz"))) == 2


def test_a_photograph_that_shows_more_of_its_paper_than_of_the_digit_is_taken_again(tmp_path, monkeypatch):
    squared = np.zeros((96, 96), np.uint8)
    squared[12:84:14, 12:84] = squared[12:84, 12:84:14] = 255
    answers = iter([squared, None, normalise(TILES[1])])
    monkeypatch.setattr(rendered_tiles, "found_tile", lambda frame, box: next(answers))
    made, _ = enrich(TILES[1:2], LABELS[1:2], Extras(camera=1, handwritten=0, non_digits=0), 0, tmp_path, workers=1)
    assert np.array_equal(made[0], normalise(TILES[1]))


def test_small_scans_are_found_where_they_are():
    rng = np.random.default_rng(0)
    for label in range(10):
        frame, box = scan_one(draw_digit(label, rng), rng)
        assert frame.shape == (len(frame), len(frame), 3) and 28 <= len(frame) <= 64
        assert box.x >= 0 and box.right <= len(frame)
        assert found_tile(frame, box) is not None, label


def test_scans_and_photographs_become_tiles_of_the_contract():
    tiles = camera_tiles(list(TILES[:6]), 5, workers=1, scanned=np.arange(6) % 2 == 0)
    for tile in tiles:
        rows, columns = np.nonzero(tile > 127)
        assert 55 < max(np.ptp(rows), np.ptp(columns)) < 90


def test_textures_are_no_plain_areas():
    rng = np.random.default_rng(1)
    frames = [texture(rng) for _ in range(12)]
    assert all(frame.shape == (240, 320, 3) and frame.dtype == np.uint8 for frame in frames)
    assert sum(frame.std() > 10 for frame in frames) > 8
