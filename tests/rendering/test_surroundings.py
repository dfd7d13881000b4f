"""What the finder's training frames show beside digits, and frames without any."""

import numpy as np
import pytest

from digits.box import Box
from digits.rendering.frames import backgrounds, scenes
from digits.rendering.frames.canvas import Frame
from digits.rendering.frames.packing import packed, with_bars
from digits.rendering.frames.shapes import Bank
from digits.rendering.frames.surroundings import add_hands, behind, held_view, random_pose, through
from digits.rendering.frames.writers import Shapes

SIZE = (200, 160)


def _frame(rng, labels: list[int]) -> Frame:
    """A frame with a block of ink, 20 pixels tall and 10 wide, for each label."""
    ink, owner = np.zeros(SIZE[::-1], np.uint8), np.zeros(SIZE[::-1], np.int16)
    boxes = [Box(15 + 50 * place, 60, 10, 20) for place in range(len(labels))]
    for index, box in enumerate(boxes, 1):
        ink[box.window], owner[box.window] = 255, index
    grey = rng.integers(0, 255, SIZE[::-1]).astype(np.uint8)
    return Frame(grey, ink, owner, boxes, labels, [1.0] * len(labels), [Box(90, 10, 30, 10)])


def test_photographs_are_small_and_in_range():
    rng = np.random.default_rng(0)
    assert len(backgrounds.photographs()) >= 150
    assert max(max(photograph.shape) for photograph in backgrounds.photographs()) <= 512
    for size in (SIZE, (320, 320), (50, 400)):
        for scene in (backgrounds.photograph(rng, size), behind(rng, size)):
            assert scene.shape == size[::-1] and scene.dtype == np.float32
            assert scene.min() >= 0 and scene.max() <= 1


def test_packed_keeps_the_truth_of_both():
    rng = np.random.default_rng(0)
    first, second = _frame(rng, [1, 2, 3]), _frame(rng, [4, 5, 6])
    frame = packed(first, second, Box(70, 0, 130, 160))  # cuts the second digit of both in the middle
    assert frame.labels == [1, 2, 3, 4, 5, 6]
    assert frame.seen == pytest.approx([1, 0.5, 0, 0, 0.5, 1])
    assert frame.boxes[1] == Box(65, 60, 5, 20) and frame.boxes[4] == Box(70, 60, 5, 20)
    assert set(np.unique(frame.owner)) == {0, 1, 2, 5, 6}
    np.testing.assert_array_equal(frame.owner > 0, frame.ink > 0)
    np.testing.assert_array_equal(frame.grey[:, :70], first.grey[:, :70])
    assert frame.others == [Box(90, 10, 30, 10)]


def test_bars_hide_the_digits_under_them():
    for seed in range(20):
        frame = with_bars(np.random.default_rng(seed), _frame(np.random.default_rng(0), [1, 2, 3]))
        for index, (box, seen) in enumerate(zip(frame.boxes, frame.seen, strict=True), 1):
            assert np.count_nonzero(frame.owner == index) == round(200 * seen) == box.area
        assert not np.any(frame.ink[frame.owner == 0])


def test_held_digits_stay_legible_and_hands_off_them():
    rng = np.random.default_rng(1)
    for _ in range(30):
        pose = random_pose(rng, SIZE, "paper")
        matrix = held_view(rng, pose, SIZE, (20.0, 40.0))
        corners = through(matrix, np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * pose.canvas_size)
        middle = np.array(pose.canvas_size) / 2
        tall = np.linalg.norm(np.diff(through(matrix, [middle, middle + (0, 20)]), axis=0))
        assert 4 < tall < 200
        frame = _frame(rng, [1, 2, 3])
        scene = np.full(SIZE[::-1], 0.5, np.float32)
        add_hands(scene, frame, corners, rng)
        assert np.all(scene[frame.ink > 0] == 0.5)


FEW = {"drawn": 3, "letter": 30, "like": 10, "drawing": 30}


@pytest.mark.parametrize("kind", ["empty_photo", "empty_drawn", "empty_text"])
def test_empty_kinds_hold_no_digit(kind, monkeypatch):
    monkeypatch.setattr(scenes, "_SPLIT", 0.0)
    rng, shapes = np.random.default_rng(2), Shapes(Bank.make(None, 0, FEW))
    frames = [scenes.render(rng, SIZE, shapes, kind) for _ in range(25)]
    assert all(frame.grey.shape == SIZE[::-1] and not frame.labels and not frame.ink.any() for frame in frames)
    assert sum(frame.grey.std() > 5 for frame in frames) > 15
    assert (kind == "empty_text") == any(frame.others for frame in frames)
