"""`--custom class.zip`: what a class hands in is read as it is, and a zip that is none, or a trap, does nothing."""

import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest
from own_pictures import photo

from digits.learning.data import class_zip
from digits.learning.data.class_zip import own_folder
from digits.learning.data.find_own_images import find_own_images
from digits.learning.data.merged_folder import DatasetError
from digits.learning.shared.errors import RunError
from digits.learning.shared.lock import run_lock

PICTURE = cv2.imencode(".png", photo(7, 1))[1].tobytes()


def make_zip(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, PICTURE)
    return path


@pytest.mark.parametrize(("names", "sessions"), [
    (["ana/7/a.png", "luis/Siete/b.png"], {"ana", "luis"}),
    (["3B/ana/7/a.png", "3B/luis/07/b.png", "__MACOSX/3B/._a.png", "3B/.DS_Store"], {"ana", "luis"}),
    (["ana/7/a.png"], {"ana"}),
    (["7/a.png", "8/b.png"], {"class"}),
])  # fmt: skip
def test_a_zip_is_read_as_its_folder_would_be(tmp_path, names, sessions):
    folder = own_folder(make_zip(tmp_path / "class.zip", *names), tmp_path / "unpacked")
    images = find_own_images(folder)
    assert {image.session for image in images if not image.reason} == sessions
    assert len(images) == len([name for name in names if name.endswith(".png") and "MACOSX" not in name])


def test_it_is_unpacked_again_only_when_it_has_changed_and_the_list_of_what_to_leave_out_stays(tmp_path):
    path = make_zip(tmp_path / "class.zip", "ana/7/a.png")
    folder = own_folder(path, tmp_path / "unpacked")
    (folder / "exclude.txt").write_text("ana/7/a.png\n")
    (folder / "ana" / "7" / "mine.png").write_bytes(PICTURE)
    assert own_folder(path, tmp_path / "unpacked") == folder and len(find_own_images(folder)) == 2
    make_zip(path, "ana/7/a.png", "eva/3/c.png")
    assert own_folder(path, tmp_path / "unpacked") == folder
    assert [image.original for image in find_own_images(folder) if not image.reason] == ["eva/3/c.png"]


@pytest.mark.parametrize("name", ["../7/a.png", "/7/a.png", "ana/../../7/a.png", "..\\7\\a.png"])
def test_nothing_is_written_outside(tmp_path, name):
    path = make_zip(tmp_path / "class.zip", "ana/7/a.png", name)
    with pytest.raises(DatasetError, match="names a place outside itself"):
        own_folder(path, tmp_path / "in" / "unpacked")
    assert {found.name for found in tmp_path.rglob("*") if found.is_file()} == {path.name, ".lock"}


def test_too_much_damaged_or_no_zip_is_one_sentence(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "class.zip", "ana/7/a.png", "ana/7/b.png")
    monkeypatch.setattr(class_zip, "MOST_FILES", 1)
    with pytest.raises(DatasetError, match="holds 2 files of 0.0 GB unpacked, expected at most 1 of 4 GB"):
        own_folder(path, tmp_path / "unpacked")
    monkeypatch.undo()
    with run_lock(tmp_path / "unpacked"), pytest.raises(RunError, match="another run is writing to"):
        own_folder(path, tmp_path / "unpacked")
    path.write_bytes(path.read_bytes()[:-40])
    command = [sys.executable, "-m", "digits.learning.dataset", "--out", str(tmp_path / "merged"), "--custom"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    assert done.returncode == 2 and "class.zip is no whole zip" in done.stderr and len(done.stderr.splitlines()) == 1
