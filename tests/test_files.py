"""Nothing is ever seen half-written, and what killed processes leave is cleared by those that come after."""

import os
import subprocess
import sys

import pytest
from made_up import left_by_the_dead

from digits import files
from digits.files import beside, clear_abandoned, in_words, replacing_folder, write_whole


def test_what_the_dead_left_is_cleared_by_the_next_write_and_the_living_keep_theirs(tmp_path):
    dead = left_by_the_dead(tmp_path / "film.mp4")
    other_computer = dead.with_name(dead.name.replace(files._COMPUTER, "00000000"))
    forgotten = other_computer.with_name(other_computer.name.replace("film", "old"))
    code = "import sys; from pathlib import Path; from digits.files import beside; print(beside(Path(sys.argv[1])))"
    command = [sys.executable, "-c", code + "; sys.stdout.flush(); sys.stdin.read()", tmp_path / "film.mp4"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as living:
        other = tmp_path / os.path.basename(living.stdout.readline().strip())
        for path in (dead, other, other_computer, forgotten):
            path.write_bytes(b"half")
        os.utime(forgotten, (0, 0))
        write_whole(tmp_path / "new", b"whole")
        assert {path.name for path in tmp_path.iterdir()} == {"new", other.name, other_computer.name}
        living.stdin.close()
    clear_abandoned(tmp_path)
    assert not other.exists()


def test_folders_below_are_cleared_and_a_folder_that_was_moved_away_comes_back(tmp_path):
    export = tmp_path / "exports" / "net"
    new = left_by_the_dead(export)
    old = new.with_name(new.name.replace(".tmp-", ".old-"))
    for folder, text in ((new, "half"), (old, "whole")):
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(text)
    clear_abandoned(tmp_path, below=True)
    assert [path.name for path in export.parent.iterdir()] == ["net"]
    assert (export / "card.json").read_text() == "whole"
    with replacing_folder(export) as folder:
        (folder / "card.json").write_text("newer")
    assert (export / "card.json").read_text() == "newer" and len(list(export.parent.iterdir())) == 1


@pytest.mark.parametrize("place", ["custom/taught-2025-01-31/7/120000-01.png", "custom/maria/3/sheet2-01-12345678.png"])
def test_a_scan_clears_what_a_killed_one_left_among_the_own_images(tmp_path, place):
    from digits.learning.worksheet.__main__ import main

    half = left_by_the_dead(tmp_path / place)
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    (tmp_path / "photo.png").write_bytes(b"no picture")
    assert main(["scan", str(tmp_path / "photo.png"), "--custom", str(tmp_path / "custom"), "--model", "none"]) == 1
    assert not half.exists()


def test_a_name_beside_keeps_its_suffix(tmp_path):
    assert beside(tmp_path / "a b.mp4").suffix == ".mp4"


def test_errors_of_the_system_are_sentences():
    full = OSError(28, "No space left on device", "a.png")
    assert in_words(full) == "a.png cannot be read or written: No space left on device."
    assert in_words(OSError(28, "No space left on device")) == "No space left on device"
    assert in_words(ValueError("blank")) == "blank"
