"""Frames for the finder: their truth is exact, whatever the kind."""

import numpy as np
import pytest

from digits.rendering.frames import scenes
from digits.rendering.frames.shapes import Bank, Inks
from digits.rendering.frames.writers import Shapes, Writer

SIZE = 320, 320
FEW = {"people": 3, "drawn": 3, "letter": 20, "like": 10, "drawing": 20}


@pytest.fixture(scope="module")
def shapes() -> Shapes:
    return Shapes(Bank.make(None, 0, FEW))


@pytest.mark.parametrize("kind", scenes.KINDS)
def test_every_kind_is_reproducible_and_its_truth_fits_together(kind, shapes):
    for seed in range(4):
        frame = scenes.render(np.random.default_rng(seed), SIZE, shapes, kind)
        again = scenes.render(np.random.default_rng(seed), SIZE, shapes, kind)
        assert np.array_equal(frame.grey, again.grey) and frame.boxes == again.boxes
        assert frame.grey.dtype == frame.ink.dtype == np.uint8 and frame.grey.shape == frame.ink.shape == SIZE[::-1]
        assert len(frame.boxes) == len(frame.labels) == len(frame.seen)
        for index, (box, seen) in enumerate(zip(frame.boxes, frame.seen, strict=True), 1):
            rows, columns = np.nonzero(frame.owner == index)
            if seen <= 0.6:  # cut, or hardly to be seen
                continue
            assert len(rows)
            if seen == 1:  # neighbours may cover some of it
                assert box.x <= columns.min() and columns.max() < box.right
                assert box.y <= rows.min() and rows.max() < box.bottom
        assert not np.any((frame.owner > 0) & (frame.ink == 0))


def test_ink_of_the_truth_is_where_the_picture_is_dark(shapes):
    """On plain paper the truth explains the picture: inked pixels differ from what is around them."""
    agreed = []
    for seed in range(60):
        frame = scenes.render(np.random.default_rng(seed), SIZE, shapes, "one")
        inked = frame.owner > 0
        if len(frame.labels) != 1 or frame.others or frame.seen[0] < 1 or frame.boxes[0].side < 60:
            continue
        box = frame.boxes[0].grown(8)
        window = np.s_[max(0, box.y) : box.bottom, max(0, box.x) : box.right]
        ink, paper = frame.grey[window][inked[window]], frame.grey[window][frame.ink[window] == 0]
        agreed.append(abs(float(np.median(ink)) - float(np.median(paper))) > 0.8 * float(paper.std()))
    assert len(agreed) > 10 and np.mean(agreed) > 0.9


def test_writers_keep_to_the_height_and_the_line_that_they_are_asked_for(shapes):
    rng = np.random.default_rng(0)
    for height in (20, 80, 250):
        for line in (0.04, 0.12):
            writer = Writer("drawn", line, unsteady=0.0)
            for label in range(10):
                mask = shapes.digit(label, height, writer, rng) > 60
                rows = np.flatnonzero(mask.any(1))
                assert abs((rows[-1] - rows[0] + 1) - height) < 0.2 * height + 3
                edge = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
                width = 2 * mask.sum() / (0.8 * edge)  # a stroke of width w has two edges a pixel of its length
                assert width == pytest.approx(max(line * height, 1.1), rel=0.5, abs=1.5)


def test_people_s_digits_are_written_where_there_are_some():
    images = np.zeros((10, 28, 28), np.uint8)
    images[:, 4:24, 12:16] = 255  # an upright bar, whatever the label
    bank = Bank.make(Inks(images, np.arange(10)), 0, {**FEW, "people": 2, "drawn": 1})
    mask = Shapes(bank).digit(8, 60, Writer("people", 0.05, unsteady=0.0), np.random.default_rng(0)) > 127
    assert np.ptp(np.nonzero(mask)[1]) < 12
