import errno
import json
import subprocess
import sys

import cv2
import pytest
from made_up import digit, page, reading

from digits.box import Box
from digits.files import write_new
from digits.reading.finding.one_digit import main_tile
from digits.reading.live.collecting import Album, Prompter, safe_name, subject, thought_of
from digits.reading.readings import Rejected

BOX = Box(62, 194, 78, 88)  # of the 7 on the page


def test_a_kept_picture_is_the_frame_itself_with_paper_round_it(tmp_path):
    frame = page()
    kept = Album(tmp_path, "taught-2025-01-31").keep(frame, BOX, 1, {"thought": thought_of(digit(7, BOX))})
    assert kept.parent == tmp_path / "taught-2025-01-31" / "1"
    image = cv2.imread(str(kept))
    assert image.shape[0] > BOX.h and image.shape[1] > BOX.w
    note = json.loads(kept.with_suffix(".json").read_text())
    assert (image[Box(*note["box"]).window] == frame[BOX.window]).all(), "pixel for pixel"
    assert note["label"] == 1 and note["thought"]["digit"] == 7 and len(note["thought"]["probabilities"]) == 10
    assert main_tile(image).shape == (96, 96), "a reader finds the digit in it again"
    assert len(list(kept.parent.iterdir())) == 2, "nothing half-written beside it"


@pytest.mark.parametrize("box", [Box(0, 0, 5, 5), Box(600, 440, 40, 40), Box(-3, -3, 700, 500)])
def test_boxes_at_the_rim_are_cut_there(tmp_path, box):
    image = cv2.imread(str(Album(tmp_path, "s").keep(page(), box, 0, {})))
    assert image.size and image.shape[0] <= 480 and image.shape[1] <= 640


def test_nothing_is_ever_overwritten(tmp_path):
    first, second = Album(tmp_path, "one"), Album(tmp_path, "one")
    paths = [album.keep(page(), BOX, 4, {}) for album in (first, second, first, second)]
    assert len(set(paths)) == 4 and all(path.exists() for path in paths)
    assert first.counts[4] == 2


WINDOW = """
import sys, time, numpy as np
from pathlib import Path
from digits.box import Box
from digits.reading.live.collecting import Album
time.strftime = lambda *_: "120000"  # all in one second
sys.stdin.readline()
for number in range(20):
    print(Album(Path(sys.argv[1]), "s").keep(np.full((99, 99, 3), 9, np.uint8), Box(30, 30, 20, 20), 3, {}))
"""


def test_windows_that_keep_pictures_in_the_same_second_lose_none(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    windows = [subprocess.Popen([sys.executable, "-c", WINDOW, tmp_path], **pipes) for _ in range(3)]
    for window in windows:  # all are ready by then, or soon are
        window.stdin.write("\n")
        window.stdin.flush()
    kept = [line for window in windows for line in window.communicate()[0].split()]
    assert [window.returncode for window in windows] == [0, 0, 0] and len(set(kept)) == 60
    suffixes = [path.suffix for path in (tmp_path / "s" / "3").iterdir()]
    assert suffixes.count(".png") == suffixes.count(".json") == 60 and len(suffixes) == 120


def test_a_picture_that_cannot_be_written_leaves_no_note(tmp_path, monkeypatch):
    def full(path, data):
        if path.suffix == ".png":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_new(path, data)

    monkeypatch.setattr("digits.reading.live.collecting.write_new", full)
    with pytest.raises(OSError, match="No space left"):
        Album(tmp_path, "s").keep(page(), BOX, 4, {})
    assert not list((tmp_path / "s" / "4").iterdir())


def test_undo_takes_back_only_ones_own(tmp_path):
    Album(tmp_path, "s").keep(page(), BOX, 4, {})
    album = Album(tmp_path, "s")
    assert album.undo() is None
    kept = album.keep(page(), BOX, 5, {})
    assert album.undo() == kept and not kept.exists() and not kept.with_suffix(".json").exists()
    assert album.undo() is None
    assert len(list(tmp_path.rglob("*.png"))) == 1


def test_a_picture_survives_a_kill_right_after_its_message(tmp_path):
    code = (
        "import os, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from digits.box import Box\n"
        "from digits.reading.live.collecting import Album\n"
        "kept = Album(Path(sys.argv[1]), 's').keep(np.full((99, 99, 3), 9, np.uint8), Box(30, 30, 20, 20), 3, {})\n"
        "os.write(1, str(kept).encode())\n"
        "os.abort()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True)
    assert done.returncode != 0
    assert cv2.imread(done.stdout.decode()) is not None


@pytest.mark.parametrize("name, safe", [
    ("María José", "María José"), ("../../etc", "etc"), ("a/b\\c", "a-b-c"), ("..", "session"), ("", "session"),
    ("C:\\x", "C-x"), ("v1.2 ", "v1-2"), ("x" * 200, "x" * 60),
    ("Con", "Con-session"), ("lpt1", "lpt1-session"), ("Conny", "Conny"),
])  # fmt: skip
def test_session_names_are_safe(name, safe, tmp_path):
    assert safe_name(name) == safe
    kept = Album(tmp_path, name).keep(page(), BOX, 3, {})
    assert kept.resolve().is_relative_to(tmp_path.resolve()) and kept.parent.parent.parent == tmp_path


def test_the_prompter_asks_in_turn_when_the_hand_is_still():
    prompter = Prompter()
    asked = []
    for label in range(11):
        box = Box(100 + 150 * (label % 2), 100, 60, 90)
        held = [prompter.ready(box) for _ in range(8)]
        assert held == [False] * 7 + [True]
        asked.append(prompter.label)
        prompter.done(box)
        assert not any(prompter.ready(box) for _ in range(30)), "the same digit is not kept twice"
    assert asked == [*range(10), 0]


def test_a_moving_hand_is_waited_for():
    prompter = Prompter()
    assert not any(prompter.ready(Box(100 + 10 * step, 100, 60, 90)) for step in range(30))
    for _ in range(8):
        now = prompter.ready(Box(300, 100, 60, 90))
    assert now
    prompter.done(Box(300, 100, 60, 90))
    for _ in range(3):
        prompter.ready(None)
    assert [prompter.ready(Box(300, 100, 60, 90)) for _ in range(8)][-1], "gone and back: the next sheet"


def test_keys_speak_of_the_highlighted_digit_or_of_what_was_not_read():
    pair = [digit(7, BOX), digit(1, Box(10, 10, 20, 40))]
    assert subject(reading(pair, main=1)) == ((10, 10, 20, 40), pair[1])
    rejected = [Rejected(Box(0, 0, 9, 9), "low confidence"), Rejected(Box(0, 0, 90, 90), "low confidence"),
                Rejected(Box(0, 0, 600, 400), "off the paper")]  # fmt: skip
    assert subject(reading(rejected=rejected)) == ((0, 0, 90, 90), None)
    assert subject(reading()) is None
