"""Where the finder looks: what it says of its one picture comes back to the right place of the frame."""

import cv2
import numpy as np
import pytest

from digits.box import Box
from digits.reading.finding.decode import decode
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.looks import look_at
from digits.reading.rows import lines, numbers


def _network(picture: np.ndarray) -> np.ndarray:
    """Answer for black squares on white as a finder would for digits."""
    maps = np.zeros((160, 160, 21), np.float32)
    maps[..., 0] = maps[..., 1] = -9
    ink = (picture < 0.5).astype(np.uint8)
    fine = np.where(ink.reshape(160, 4, 160, 4).transpose(0, 2, 1, 3).reshape(160, 160, 16), 9.0, -9.0)
    maps[..., 5:] = fine
    _, labels, stats, centres = cv2.connectedComponentsWithStats(ink)
    for index in range(1, len(stats)):
        x, y = centres[index]
        column, row, side = int(x / 4), int(y / 4), stats[index, 2:4].max()
        maps[row, column, 0] = 4.0
        maps[row, column, 2] = np.log2(side / 32)
        own = (labels == index).astype(np.uint8)
        rows, columns = np.nonzero(cv2.resize(own, (160, 160), interpolation=cv2.INTER_AREA))
        maps[rows, columns, 3] = (x - (columns + 0.5) * 4) / 32
        maps[rows, columns, 4] = (y - (rows + 0.5) * 4) / 32
    return maps


SIZES = (480, 640), (640, 480), (720, 1280), (500, 500), (100, 90), (1500, 2000), (3000, 1000)


@pytest.mark.parametrize("size", SIZES)
def test_squares_are_found_where_they_are(size):
    height, width = size
    frame = np.full(size, 255, np.uint8)
    short = min(size)
    true = [Box(short // 10, short // 8, short // 12, short // 9),
            Box(width - short // 3, height - short // 2, short // 6, short // 5),
            Box(width // 2, height // 3, short // 20, short // 16)]
    for box in true:
        frame[box.window] = 0
    found = decode(look_at(frame, _network), Decoding())
    slack = 2 + max(size) / 200
    for box in true:
        assert any(max(abs(a - b) for a, b in zip(box, digit.box, strict=True)) <= slack for digit in found), box
    for digit in found:
        assert any(box.grown(int(slack)).contains(digit.box) for box in true), digit.box


def test_lines_and_numbers():
    def at(x, y, h=20):
        return Box(x, y, h // 2, h)

    first = [at(10, 10), at(24, 12), at(38, 11), at(100, 10), at(114, 12)]
    second = [at(10, 60), at(60, 58), at(110, 61)]
    boxes = [*second, *reversed(first)]
    texts = [[[boxes[i] for i in number] for number in line] for line in numbers(boxes)]
    assert texts == [[first[:3], first[3:]], [second]]


def test_lines_that_fall_to_the_right_stay_lines():
    boxes = [Box(30 * column, 100 * row + 6 * column, 14, 24) for row in range(3) for column in range(12)]
    shuffled = np.random.default_rng(0).permutation(len(boxes)).tolist()
    found = [[shuffled[i] for i in line] for line in lines([boxes[i] for i in shuffled])]
    assert found == [list(range(12 * row, 12 * row + 12)) for row in range(3)]
