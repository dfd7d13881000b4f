"""No digits among other things, and digits as before on a sheet, through `Reader.read`."""

import cv2
import numpy as np
import pytest

from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import photograph
from digits.rendering.scenes import texture


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_model())


def sky(rng: np.random.Generator) -> np.ndarray:
    """Return a night sky: some hundred specks, discs and streaks of any size and brightness."""
    frame = np.full((480, 640, 3), 18, np.uint8)
    for _ in range(260):
        middle, light = tuple(rng.integers(0, (640, 480)).tolist()), int(rng.integers(60, 255))
        axes = tuple(int(v) for v in np.exp(rng.uniform(0, 2.6, 2)))
        cv2.ellipse(frame, middle, axes, int(rng.integers(180)), 0, 360, (light,) * 3, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(frame, (0, 0), 1)


def test_stars_are_no_digits(reader):
    read = [len(reader.read(sky(np.random.default_rng(seed))).digits) for seed in range(8)]
    assert sum(map(bool, read)) <= 1, read  # without a look at the surroundings, some dozen in each


def test_textures_hold_hardly_a_digit(reader):
    rng = np.random.default_rng(4)
    frames = [texture(rng, (300, 400)) for _ in range(40)]
    assert sum(bool(reader.read(frame).digits) for frame in frames) <= 3  # without this, one in four


def test_what_is_out_of_place_is_rejected_with_a_reason(reader):
    rng = np.random.default_rng(4)
    reasons = {item.reason for _ in range(12) for item in reader.read(texture(rng, (300, 400))).rejected}
    assert "not on plain paper" in reasons


def test_a_sheet_held_in_a_room_is_read_as_before(reader):
    rng = np.random.default_rng(31)
    read = wanted = 0
    for _ in range(6):
        labels = rng.integers(0, 10, 12)
        page = photograph([draw_digit(int(n), rng, 128) for n in labels], labels, rng, strength=0.4, held=True)
        read, wanted = read + len(reader.read(page.frame).digits), wanted + len(labels)
    assert 0.9 * wanted <= read <= 1.03 * wanted
