"""Turned and mirrored pictures: which way up they are, and where boxes lie in them."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import digits
from digits.box import Box
from digits.reading.images import load_image
from digits.reading.orientation import UP, WAYS, orientation_of

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
BACK = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def given(upright, way):
    """Return the picture that `way` sets upright."""
    picture = cv2.rotate(upright, BACK[way.turned]) if way.turned else upright
    return cv2.flip(picture, 1) if way.mirrored else picture


@pytest.mark.parametrize("way", WAYS)
def test_pixels_and_boxes_go_there_and_back(way):
    upright, box = np.zeros((48, 64), np.uint8), Box(3, 5, 20, 11)
    upright[box.window] = 255
    picture = given(upright, way)
    assert (way.upright(picture) == upright).all()
    assert way.size_as_given((64, 48)) == picture.shape[::-1]
    assert way.box_as_given(box, (64, 48)) == cv2.boundingRect(picture)


@pytest.mark.parametrize("way", WAYS)
def test_a_page_is_set_upright_from_every_way(reader, way):
    picture = given(load_image(SAMPLES / "page_2.png"), way)
    assert orientation_of(picture, reader.read(picture), reader) == way


def test_the_front_door_of_the_package_hints(reader):
    page = load_image(SAMPLES / "page_1.png")
    hints = [digits.read(picture).hint for picture in (page, cv2.rotate(page, cv2.ROTATE_180), page[:, ::-1].copy())]
    assert hints == [None, "turned?", "mirrored?"]


def test_digits_that_look_the_same_both_ways_are_left_as_they_are(reader):
    page = np.full((300, 640), 230, np.uint8)
    for index, digit in enumerate("8018"):
        cv2.putText(page, digit, (60 + 140 * index, 190), cv2.FONT_HERSHEY_SIMPLEX, 4, 40, 9, cv2.LINE_AA)
    assert digits.read(cv2.rotate(page, cv2.ROTATE_180)).hint is None


@pytest.mark.real
@pytest.mark.parametrize(("name", "pattern"), [
    ("PAGES", "*.[jp]*g"), ("SHEETS", "*"), ("NODIGITS", "*"), ("PHOTOS", "*/*_01.jpg"),
])  # fmt: skip
def test_no_upright_picture_gets_a_hint(reader, name, pattern):
    if not os.environ.get(f"DIGITS_REAL_{name}"):
        pytest.skip(f"DIGITS_REAL_{name} names no real pictures")
    pictures = sorted(Path(os.environ[f"DIGITS_REAL_{name}"]).glob(pattern))
    frames = {path.name: load_image(path) for path in pictures}
    turned = [path for path, frame in frames.items() if orientation_of(frame, reader.read(frame), reader) != UP]
    assert frames and not turned
