"""Sheets held at an angle, through the front door: `Reader.read` on rendered frames with exact truth."""

import cv2
import numpy as np
import pytest

from digits.reading.finding.held_sheet import find_sheet
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import photograph, photograph_held


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(load_model())


def held(labels, seed: int, tilt: float, turn: float, strength: float = 0.2):
    rng = np.random.default_rng(seed)
    inks = [draw_digit(n, rng, 128) for n in labels]
    return photograph_held(inks, labels, rng, tilt, turn, strength=strength, layout="grid")


def right(page, digits) -> int:
    return sum(any(d.digit == n and d.box.overlap(box) > 0.6 for d in digits)
               for box, n in zip(page.boxes, page.labels, strict=True))


def outline_of(width: float, height: float, degrees: float) -> np.ndarray:
    """Return the corners (4, 2) of a sheet in the middle of a 640x480 frame, turned clockwise."""
    turn = np.radians(degrees)
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
    return half @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + (320, 240)


def scene(corners: np.ndarray, brightness: int = 225, behind: int = 90) -> np.ndarray:
    """Return a 640x480 frame in which a sheet without writing has these corners."""
    frame = np.full((480, 640, 3), behind, np.uint8)
    cv2.fillPoly(frame, [np.rint(corners).astype(np.int32)], (brightness,) * 3, cv2.LINE_AA)
    return cv2.add(frame, np.random.default_rng(2).integers(0, 4, frame.shape, np.uint8))


@pytest.mark.parametrize("tilt, turn", [(0, -20), (0, 20), (30, 0), (45, 0), (40, 15), (40, -15)])
def test_digits_on_a_sheet_held_at_an_angle_are_read_in_order_where_they_are(reader, tilt, turn):
    found = wanted = ordered = 0
    for seed, labels in enumerate(([5], [2, 7, 4], [3], [8, 0, 6, 9, 2, 5])):
        page = held(labels, seed + 30, tilt, turn)
        digits = reader.read(page.frame).digits
        found, wanted = found + right(page, digits), wanted + len(labels)
        ordered += [d.digit for d in digits] == labels
    assert found >= wanted - 2 and ordered >= 3  # half of it, or less, without the outline


@pytest.mark.parametrize("tilt, turn", [(0, 12), (0, -20), (25, 5), (35, -15), (50, 0)])
def test_tilt_and_turn_are_measured(tilt, turn):
    sheet = find_sheet(held([4, 1], 3, tilt, turn).frame)
    assert abs(sheet.tilt - tilt) < 7 and abs(sheet.turn - turn) < 3


def test_boxes_are_in_the_pixels_of_a_large_frame(reader):
    page = held([3, 6], 12, 30, 10)
    large = cv2.resize(page.frame, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    digits = reader.read(large).digits
    assert [d.digit for d in digits] == [3, 6]
    for digit, box in zip(digits, page.boxes, strict=True):
        assert digit.box.overlap(box.scaled(3)) > 0.6


def test_a_view_shows_the_sheet_alone_and_never_mirrored():
    frame = scene(outline_of(360, 240, 15))
    for place, colour in (((180, 150), (0, 0, 255)), ((395, 200), (255, 0, 0))):  # left red, right blue
        cv2.circle(frame, place, 14, colour, -1)
    view = find_sheet(frame).view(frame).astype(int)
    red, blue = view[..., 2] - view[..., 0], view[..., 0] - view[..., 2]
    assert np.argwhere(red > 90)[:, 1].mean() < np.argwhere(blue > 90)[:, 1].mean()
    assert (view.max(axis=2) > 150).all()  # nothing of what is behind
    assert abs(view.shape[1] / view.shape[0] - 1.5) < 0.06


@pytest.mark.parametrize("degrees", [0, 2, -2])
def test_a_sheet_that_faces_the_camera_is_seen_as_it_is(degrees):
    sheet = find_sheet(scene(outline_of(420, 300, degrees)))
    assert sheet.tilt < 3 and abs(sheet.turn - degrees) < 1.5
    assert sheet.size == pytest.approx((420, 300), abs=14)  # a little inside its edge


def test_a_doubtful_outline_is_left_alone():
    turned = outline_of(420, 300, 15)
    assert find_sheet(scene(turned)) is not None
    assert find_sheet(scene(turned + (220, 0))) is None  # three sides in sight
    assert find_sheet(scene(outline_of(380, 260, 40))) is None  # which side is up?
    assert find_sheet(scene(turned, 225, 220)) is None  # hardly stands out
    assert find_sheet(scene(outline_of(120, 90, 15))) is None  # small
    assert find_sheet(scene(turned[[0, 1, 2]])) is None
    skewed = np.array([[150, 100], [450, 130], [520, 400], [150, 330]])
    assert find_sheet(scene(skewed)) is None  # the sides of no rectangle meet so
    around = np.linspace(0, 2 * np.pi, 40)[:, np.newaxis]
    assert find_sheet(scene(np.hstack([320 + 200 * np.cos(around), 240 + 170 * np.sin(around)]))) is None


def test_pages_that_fill_the_frame_have_no_outline():
    rng = np.random.default_rng(4)
    for _ in range(4):
        page = photograph([draw_digit(n, rng, 128) for n in (4, 7, 2)], (4, 7, 2), rng, strength=0.5, held=False)
        assert find_sheet(page.frame) is None


def test_what_is_written_beside_an_empty_rectangle_is_read(reader):
    frame = scene(outline_of(300, 220, 15) - (150, 60), 120, 235)  # a book on a desk of paper
    ink = draw_digit(3, np.random.default_rng(1), 128)
    frame[300:460, 470:600] = np.minimum(frame[300:460, 470:600], 255 - cv2.resize(ink, (130, 160))[..., np.newaxis])
    assert find_sheet(frame) is not None
    assert [d.digit for d in reader.read(frame).digits] == [3]


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 640, 3), (640, 1, 3), (5, 7, 3), (2, 3000, 3)])
def test_frames_of_any_size_are_looked_at_without_a_crash(shape):
    rng = np.random.default_rng(0)
    for frame in (np.zeros(shape, np.uint8), rng.integers(0, 255, shape).astype(np.uint8)):
        assert find_sheet(frame) is None
