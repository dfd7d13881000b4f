"""The released model reading rendered frames through the front door of the package: `Reader.read`."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from digits.box import Box
from digits.reading.finding.one_digit import main_tile
from digits.reading.images import load_image
from digits.reading.reader import Reader
from digits.reading.readings import Digit
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import photograph

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
WHITE = (235, 238, 236)


def paper(width: int = 640, height: int = 480) -> np.ndarray:
    """Return a sheet with a little grain under even light."""
    frame = np.full((height, width, 3), WHITE, np.float32)
    frame += np.random.default_rng(5).normal(0, 1.5, frame.shape[:2])[..., None]
    return frame.clip(0, 255).astype(np.uint8)


def write(frame: np.ndarray, digit: int, x: int, y: int, height: int, colour=(60, 45, 40), seed: int = 1) -> None:
    """Write one digit with its upper left corner near (x, y), in place."""
    ink = draw_digit(digit, np.random.default_rng([seed, digit]), 128)
    rows, columns = np.flatnonzero(ink.max(1) > 60), np.flatnonzero(ink.max(0) > 60)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(2, round(ink.shape[1] * height / ink.shape[0]))
    ink = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255.0
    area = frame[y : y + height, x : x + width]
    area[:] = (area * (1 - ink) + np.array(colour) * ink).astype(np.uint8)


def read(reader: Reader, frame: np.ndarray) -> str:
    return "".join(str(digit.digit) for digit in reader.read(frame).digits)


def row_of_digits(height: int = 90, colour=(60, 45, 40)) -> np.ndarray:
    frame = paper(960, 300)
    write_row(frame, 100, height, colour)
    return frame


def write_row(frame: np.ndarray, y: int, height: int, colour=(60, 45, 40), seed: int = 1) -> None:
    for i, digit in enumerate((2, 7, 3, 5, 8, 4)):
        write(frame, digit, 60 + 145 * i, y, height, colour, seed)


def count_right(found: list[Digit], truth) -> int:
    """Return how many of the true (digit, box) were found."""
    return sum(any(d.digit == digit and d.box.overlap(box) > 0.4 for d in found) for digit, box in truth)


def test_a_row_is_read_in_order_with_tight_boxes(reader):
    reading = reader.read(row_of_digits())
    assert [d.digit for d in reading.digits] == [2, 7, 3, 5, 8, 4]
    assert reading.size == (960, 300) and reading.hint is None and reading.main in range(6)
    for i, digit in enumerate(reading.digits):
        assert abs(digit.box.x - (60 + 145 * i)) < 8 and abs(digit.box.y - 100) < 8 and abs(digit.box.h - 90) < 12
        assert digit.probabilities.shape == (10,) and digit.probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert digit.confidence == pytest.approx(digit.probabilities.max(), abs=1e-6)
        assert digit.tile.shape == (96, 96) and digit.tile.dtype == np.uint8


@pytest.mark.parametrize("colour", [(40, 40, 200), (190, 60, 30), (60, 130, 40), (150, 150, 150), (60, 190, 200),
                                    (60, 45, 40)], ids=["red", "blue", "green", "pencil", "yellow", "black"])
def test_inks_of_any_colour_and_chalk(reader, colour):
    row = row_of_digits(colour=colour)
    assert read(reader, row) == read(reader, cv2.bitwise_not(row)) == "273584"


def test_lamp_gradient_and_cast_shadow(reader):
    frame = row_of_digits().astype(np.float32)
    lamp = np.tile(np.linspace(0.35, 1.0, frame.shape[1], dtype=np.float32), (frame.shape[0], 1))
    lamp[150:, :400] *= 0.65
    lamp = cv2.GaussianBlur(lamp, (0, 0), 10)  # the half-shadow of a hand above a sheet
    assert read(reader, (frame * lamp[..., None]).astype(np.uint8)) == "273584"


def in_shadow(frame: np.ndarray, tip: tuple[int, int]) -> np.ndarray:
    """Halve the light in the soft shadow of a finger that points at `tip` from the left."""
    mask = np.zeros(frame.shape[:2], np.float32)
    cv2.line(mask, (0, tip[1] + 60), tip, 1.0, 110)
    return (frame * (1 - 0.5 * cv2.GaussianBlur(mask, None, 8)[..., None])).astype(np.uint8)


def test_a_shadow_across_a_digit_or_a_row(reader):
    assert read(reader, in_shadow(row_of_digits(), (700, 150))) == "273584"
    right = 0
    for digit in range(10):
        frame = paper()
        write(frame, digit, 210, 120, 240)
        right += read(reader, in_shadow(frame, (320, 300))) == str(digit)
    assert right >= 8  # a bare 1 in a narrow shadow is hard


def on_printed_lines(seed: int, squares: bool) -> np.ndarray:
    """Return a row of six digits on dark lines 40 px apart, ruled or squared."""
    frame = paper(960, 300)
    for y in range(20, 300, 40):
        cv2.line(frame, (0, y), (959, y + 4), (215, 190, 160), 2)
    for x in range(10, 960, 40) if squares else ():
        cv2.line(frame, (x, 0), (x + 3, 299), (215, 190, 160), 2)
    write_row(frame, 103, 90, seed=seed)
    return frame


def test_ruled_and_squared_paper(reader):
    for squares in (False, True):
        read_there = [read(reader, on_printed_lines(seed, squares)) for seed in range(1, 7)]
        assert sum(text == "273584" for text in read_there) >= 5, read_there
        assert all(len(text) in (5, 6) for text in read_there), read_there


def test_ones_that_fill_a_strip_are_no_printed_lines(reader):
    strip = paper(530, 72)
    for i in range(8):
        write(strip, 1, 8 + 55 * i, 6, 60, seed=8 + i)
    assert read(reader, strip) == "11111111"


def test_forty_small_digits_on_a_page(reader):
    frame = paper()
    truth = [((3 * line + column) % 10, 30 + 75 * column, 25 + 90 * line) for line in range(5) for column in range(8)]
    for i, (digit, x, y) in enumerate(truth):
        write(frame, digit, x, y, 34, seed=i // 8)
    found = reader.read(frame).digits
    assert 39 <= len(found) <= 40
    right = sum(any(d.digit == digit and abs(d.box.x - x) < 12 and abs(d.box.y - y) < 12 for d in found)
                for digit, x, y in truth)
    assert right >= 38


def test_strokes_that_belong_together_stay_together(reader):
    frame = paper()
    five = np.array([[150, 130], [145, 190], [190, 195], [200, 250], [140, 265]])
    cv2.polylines(frame, [five], False, (50, 50, 50), 7)
    cv2.line(frame, (158, 112), (205, 108), (50, 50, 50), 7)  # a 5 whose bar is apart
    cv2.line(frame, (430, 105), (425, 260), (50, 50, 50), 7)
    cv2.line(frame, (385, 282), (470, 278), (50, 50, 50), 7)  # a 1 with a line under it
    reading = reader.read(frame)
    assert [d.digit for d in reading.digits] == [5, 1]
    assert reading.digits[0].box.overlap(Box(138, 105, 70, 165)) > 0.7


@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_turned_sheet_is_read(reader, degrees):
    frame = cv2.copyMakeBorder(row_of_digits(70), 200, 200, 20, 20, cv2.BORDER_REPLICATE)
    middle = (frame.shape[1] / 2, frame.shape[0] / 2)
    turned = cv2.warpAffine(frame, cv2.getRotationMatrix2D(middle, degrees, 0.9), frame.shape[1::-1],
                            borderMode=cv2.BORDER_REPLICATE)
    assert sum((Counter("273584") - Counter(read(reader, turned))).values()) <= 1


def test_rendered_pages_are_found_and_read(reader):
    rng = np.random.default_rng(21)
    right = wanted = read_there = 0
    for _ in range(8):
        labels = rng.integers(0, 10, int(rng.integers(3, 16)))
        page = photograph([draw_digit(int(n), rng, 128) for n in labels], labels, rng, strength=0.5, held=False)
        digits = reader.read(page.frame).digits
        right += count_right(digits, zip(page.labels, page.boxes, strict=True))
        wanted, read_there = wanted + len(labels), read_there + len(digits)
    assert right >= 0.93 * wanted
    assert read_there <= 1.03 * wanted  # squared paper among them: lines that were missed are no ones


def test_blank_paper_noise_and_a_black_frame_hold_no_digit(reader):
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    for frame in (paper(), noise, np.full((480, 640, 3), 255, np.uint8), np.zeros((480, 640, 3), np.uint8)):
        assert reader.read(frame).digits == []


def test_photographs_of_other_things_hold_no_digit(reader):
    datasets = pytest.importorskip("sklearn.datasets")
    for image in datasets.load_sample_images().images:
        assert read(reader, np.ascontiguousarray(image[..., ::-1])) == ""


def test_hints_say_what_to_change(reader):
    assert reader.read(paper()).hint == "no contrast"
    assert reader.read((paper() * 0.06).astype(np.uint8)).hint == "too dark"
    small = paper()
    write(small, 3, 300, 200, 13)
    assert reader.read(small).digits or reader.read(small).hint == "too small"
    blurred = paper()
    write(blurred, 8, 250, 150, 160)
    blurred = cv2.blur(blurred, (1, 91))  # moved down by more than half its height while the shutter was open
    assert reader.read(blurred).hint == "blurred" and not reader.read(blurred).digits
    cut = paper()
    cv2.putText(cut, "8", (240, 560), cv2.FONT_HERSHEY_SIMPLEX, 10, (60, 50, 50), 18, cv2.LINE_AA)  # half of it
    assert reader.read(cut).hint == "cut off" and not reader.read(cut).digits


def test_a_page_on_which_nothing_is_read_says_why(reader):
    letters = paper()
    for line, words in enumerate(["Dear reader this is", "a printed page with", "words and no digits"]):
        cv2.putText(letters, words, (30, 120 + 120 * line), cv2.FONT_HERSHEY_COMPLEX, 1.6, (40, 40, 40), 2, cv2.LINE_AA)
    tiny = paper(800, 600)
    for x, y in np.ndindex(46, 25):
        cv2.ellipse(tiny, (12 + 17 * x, 14 + 23 * y), (3, 4), 0, 0, 360, (60, 60, 60), 1, cv2.LINE_AA)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    readings = [reader.read(frame) for frame in (letters, tiny, noise)]
    assert [len(reading.digits) for reading in readings] == [0] * 3
    assert [reading.hint for reading in readings] == ["not digits", "too small", "busy background"]
    framed = paper()
    framed[:, :200] = framed[:, 440:] = 0
    assert reader.read(framed).hint != "too dark", "bright between black bars, as in films of phones"


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 640, 3), (5, 5), (480, 640), (2, 3000, 3), (3000, 2, 3)])
def test_frames_of_any_size_are_read_without_a_crash(reader, shape):
    rng = np.random.default_rng(0)
    for frame in (np.zeros(shape, np.uint8), rng.integers(0, 255, shape).astype(np.uint8)):
        assert reader.read(frame).size == (shape[1], shape[0])


def test_a_large_photograph_gives_boxes_in_its_own_pixels(reader):
    frame = cv2.resize(row_of_digits(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    reading = reader.read(frame)
    assert [d.digit for d in reading.digits] == [2, 7, 3, 5, 8, 4]
    assert abs(reading.digits[0].box.x - 240) < 30


def test_min_confidence_rules(reader):
    strict = Reader(reader.model, min_confidence=1.01)
    reading = strict.read(row_of_digits())
    assert reading.digits == [] and reading.main is None and len(reading.rejected) >= 6


def test_main_tile_is_the_tile_the_reader_shows(reader):
    frame = paper()
    write(frame, 6, 260, 140, 180)
    reading = reader.read(frame)
    assert [d.digit for d in reading.digits] == [6]
    assert (main_tile(frame) == reading.digits[0].tile).all()
    with pytest.raises(ValueError, match="blank"):
        main_tile(paper())


def test_main_tile_of_a_fat_zero_in_a_small_picture_is_its_stroke_and_not_the_hole_in_it():
    for tilt in range(-40, 41, 10):
        picture = np.zeros((28, 28, 3), np.uint8)
        cv2.ellipse(picture, (14, 14), (6, 9), tilt, 0, 360, (255, 255, 255), 4, cv2.LINE_AA)
        for frame in (picture, 255 - picture):
            tile = main_tile(frame)
            assert tile[44:52, 44:52].max() == 0, (tilt, frame[0, 0, 0])
            assert tile[8:20].max() > 200 and tile[-20:-8].max() > 200


def test_samples_are_read(reader):
    truth = json.loads((SAMPLES / "truth.json").read_text(encoding="utf-8"))
    wanted = found = right = 0
    for name, digits in truth.items():
        if not name.endswith(".mp4"):
            read_there = reader.read(load_image(SAMPLES / name)).digits
            wanted, found = wanted + len(digits), found + len(read_there)
            right += count_right(read_there, [(true["digit"], Box(*true["box"])) for true in digits])
    assert right >= 0.95 * wanted and found <= 1.05 * wanted


def test_fingers_at_the_rim_of_a_held_sheet_are_no_ones(reader):
    wanted = Counter(str(item["digit"]) for item in json.loads((SAMPLES / "truth.json").read_text())["demo.mp4"])
    clip = cv2.VideoCapture(str(SAMPLES / "demo.mp4"))
    for number in (20, 74, 92):
        clip.set(cv2.CAP_PROP_POS_FRAMES, number)
        found = Counter(read(reader, clip.read()[1]))
        assert found.total() >= 14 and not found - wanted, number


def test_a_lamp_across_a_small_picture_is_no_ink(reader):
    for digit in (2, 3, 5, 8):
        frame = paper(120, 160)
        write(frame, digit, 38, 40, 70)
        lit = frame * np.linspace(1.0, 0.45, 120)[None, :, None] * np.linspace(1.0, 0.7, 160)[:, None, None]
        reading = reader.read(lit.astype(np.uint8))
        assert [d.digit for d in reading.digits] == [digit]
        assert reading.digits[0].box.side < 85


@pytest.mark.parametrize("negative", [False, True])
def test_thin_strokes_on_a_sheet_before_a_dark_room(reader, negative):
    frame = paper(800, 600)
    for i, digit in enumerate((2, 7, 3, 5, 8, 4)):
        write(frame, digit, 130 + 190 * (i % 3), 120 + 210 * (i // 3), 80, (150, 150, 150))
    frame[:, :70], frame[:50], frame[:, 760:] = 25, 30, 28  # the room is most of what is darker or lighter
    assert read(reader, 255 - frame if negative else frame) == "273584"


def test_an_arm_and_a_stem_that_nearly_touch_are_a_4(reader):
    frame = paper(400, 400)
    arm = np.array([(130, 90), (140, 170), (185, 215), (238, 190)])
    cv2.polylines(frame, [arm], False, (50, 40, 40), 9, cv2.LINE_AA)
    cv2.line(frame, (262, 80), (250, 330), (50, 40, 40), 9, cv2.LINE_AA)
    assert read(reader, frame) == "4"


def test_few_strokes_that_stay_sharp_on_a_moving_sheet_are_digits(reader):
    frame = row_of_digits()
    smeared = cv2.filter2D(frame, -1, np.full((91, 1), 1 / 91, np.float32))  # by their height: upright strokes stay
    assert read(reader, frame) == "273584"
    assert len(read(reader, smeared)) <= 2


def test_a_bare_line_is_a_1(reader):
    frame = paper(480, 480)
    cv2.line(frame, (240, 100), (236, 380), (50, 45, 40), 12, cv2.LINE_AA)
    assert read(reader, frame) == "1"


def test_the_edge_of_a_dark_thing_is_no_0(reader):
    for thickness, found in ((cv2.FILLED, ""), (14, "0")):
        frame = paper()
        cv2.ellipse(frame, (320, 240), (90, 140), 0, 0, 360, (70, 70, 70), thickness, cv2.LINE_AA)
        assert read(reader, frame) == found
