import json

import numpy as np
import pytest
from made_up import digit, reading

from digits.box import Box
from digits.reading.live.controls import BACKSPACE, TAB, Controls
from digits.reading.live.drawing import Status
from digits.reading.live.frames import Frame
from digits.reading.live.words import WORDS

FRAME = Frame("clip.avi", 5, 0.2, np.full((480, 640, 3), 200, np.uint8))


def row(*labels_and_xs, sure=0.9):
    """Return the reading of digits side by side, each named by its label and its place."""
    return reading([digit(label, Box(x, 100, 60, 90), sure) for label, x in labels_and_xs])


def hold(controls, shown):
    for _ in range(12):
        controls.see(FRAME, shown)


@pytest.fixture
def said():
    return []


@pytest.fixture
def controls(tmp_path, said):
    return Controls(tmp_path, "en", "mobilenet_v2", said.append)


def pictures(folder):
    return sorted(path.parent.name for path in folder.rglob("*.png"))


def test_a_digit_key_files_the_highlighted_digit(controls, tmp_path, said):
    controls.see(FRAME, row((1, 100), (7, 300)))
    assert controls.key(ord("7"))
    assert controls.key(TAB) and controls.reading().main == 1
    assert controls.key(ord("2"))
    assert pictures(tmp_path) == ["2", "7"]
    note = json.loads(next(tmp_path.glob("taught-*/2/*.json")).read_text())
    assert note["thought"]["digit"] == 7 and note["source"] == "clip.avi" and note["model"] == "mobilenet_v2"
    assert len(said) == 2 and controls.status(Status()).notice == "Kept as 2 (1)"
    assert controls.key(BACKSPACE) and pictures(tmp_path) == ["7"]


def test_the_chosen_highlight_follows_its_digit(controls):
    controls.see(FRAME, row((1, 100), (7, 300), (3, 450)))
    controls.key(TAB)
    moved = controls.see(FRAME, row((1, 130), (7, 325), (3, 480)))
    assert moved.main == 1
    gone = controls.see(FRAME, row((1, 130)))
    assert gone.main == 0
    assert controls.see(FRAME, row((1, 130), (7, 325))).main == 0, "a new one is not the old one"


def test_with_nothing_in_sight_nothing_is_kept(controls, tmp_path):
    assert not controls.key(ord("3")), "no frame yet"
    controls.see(FRAME, reading())
    controls.key(ord("3"))
    controls.key(TAB)
    assert pictures(tmp_path) == []
    assert controls.status(Status()).notice == WORDS["en"]["nothing"]
    controls.key(BACKSPACE)
    assert pictures(tmp_path) == []


def test_capture_keeps_each_digit_when_held_still(controls, tmp_path):
    controls.see(FRAME, reading())
    controls.key(ord("c"))
    assert controls.status(Status()).asked == 0
    for label in range(3):
        hold(controls, row((9, 100 + 200 * (label % 2))))
    status = controls.status(Status())
    assert status.asked == 3 and status.counts[:4] == (1, 1, 1, 0)
    assert pictures(tmp_path) == ["0", "1", "2"]
    controls.key(ord("8"))
    controls.key(ord(" "))
    assert pictures(tmp_path) == ["0", "1", "2", "8"], "a digit key chooses what is asked, space keeps at once"
    controls.key(BACKSPACE)
    assert pictures(tmp_path) == ["0", "1", "2"] and controls.status(Status()).asked == 8
    controls.key(ord("c"))
    assert controls.status(Status()).asked is None


def test_capture_asks_back_before_it_keeps_what_is_not_what_it_asked_for(controls, tmp_path):
    controls.see(FRAME, reading())
    controls.key(ord("c"))
    hold(controls, row((0, 100), (1, 300)))
    assert pictures(tmp_path) == [] and controls.status(Status()).notice == WORDS["en"]["several"]
    hold(controls, row((5, 100), sure=0.99))
    assert pictures(tmp_path) == [] and controls.status(Status()).notice == "Looks like a 5: Space keeps it as 0"
    controls.key(ord(" "))
    assert pictures(tmp_path) == ["0"], "the person knows better"
    hold(controls, row((1, 400), sure=0.99))
    assert pictures(tmp_path) == ["0", "1"], "what is asked for is kept at once"


def test_capture_skips_a_digit_and_says_nothing_of_a_sheet_that_is_gone(controls, tmp_path):
    controls.see(FRAME, reading())
    controls.key(ord("c"))
    hold(controls, row((5, 100), sure=0.99))
    assert controls.status(Status()).notice == "Looks like a 5: Space keeps it as 0"
    controls.see(FRAME, reading())
    assert controls.status(Status()).notice == "Write the digit 0 and hold it still"
    hold(controls, row((5, 100), sure=0.99))
    assert controls.key(ord("s")) and controls.status(Status()).asked == 1
    assert controls.status(Status()).notice == "Write the digit 1 and hold it still"
    assert pictures(tmp_path) == [] and controls.kept == 0
    controls.key(ord("c"))
    assert not controls.key(ord("s")) and controls.status(Status()).notice == ""


def test_a_picture_that_cannot_be_kept_is_said(controls, tmp_path, said):
    tmp_path.rmdir()
    tmp_path.write_text("in the way")
    controls.see(FRAME, row((1, 100)))
    controls.key(ord("1"))
    assert controls.status(Status()).notice == WORDS["en"]["failed"] and len(said) == 1
