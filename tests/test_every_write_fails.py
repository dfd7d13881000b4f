"""Each command that writes, with each of its writes failing once: the old state or the new one, a sentence, no rest.

As SQLite and curl are tested: the first writing call fails, then the second, and so on until the command succeeds; then
no file can grow beyond a size, from one byte on.
"""

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from faults import failing, small_files
from made_up import digit, frame_count, page, reading, trembling, write_clip
from own_pictures import photo, save, small_mnist

from digits.box import Box
from digits.reading.images import load_image
from digits.reading.models.card import CARD, read_card, sha256

pytestmark = pytest.mark.skipif(os.name == "nt", reason="fails writes the POSIX way")
Act = Callable[[], int]  # runs the command; returns its exit status or raises what train_all.py makes a sentence of


def recording(work: Path, request) -> Act:
    from realtime_multiformat import main

    clip = write_clip(work.parent / "clip.avi", trembling(4))
    (work / "film.avi").write_bytes(clip.read_bytes())  # an earlier recording
    return lambda: main(["--model", str(request.getfixturevalue("tiny_export")), "--source", str(clip), "--headless",
                         "--jsonl", str(work / "lines.jsonl"), "--record", str(work / "film.avi")])


def kept_picture(work: Path, request) -> Act:
    from digits.reading.live.controls import Controls
    from digits.reading.live.frames import Frame

    time_of_day = {"%H%M%S": "120000"}  # is in the name: the same each time
    patch = request.getfixturevalue("monkeypatch")
    patch.setattr("digits.reading.live.collecting.time.strftime", lambda form, *_: time_of_day.get(form, "2026-01-01"))

    def act() -> int:
        said = []
        controls = Controls(work, "en", "tiny", said.append)
        shown = reading([digit(7, Box(62, 194, 78, 88))])
        controls.see(Frame("page.png", 0, 0.0, page()), shown)
        controls.key(ord("7"))
        if not said[0].startswith("Kept"):
            raise OSError(said[0])
        return 0

    return act


def scan(work: Path, request) -> Act:
    from digits.learning.worksheet import filing
    from digits.learning.worksheet.__main__ import main
    from digits.learning.worksheet.box_contents import Cut, State
    from digits.learning.worksheet.page import Code, PrintedBox

    boxes = [PrintedBox(label, 0, 0.0, 0.0, 10.0, 10.0) for label in (1, 2, 3)]
    cuts = [Cut(box, State.WRITTEN, cv2.cvtColor(photo(box.label, 1), cv2.COLOR_GRAY2BGR)) for box in boxes]
    patch = request.getfixturevalue("monkeypatch")  # what is on a sheet is not what is tested here
    patch.setattr(filing, "straighten", lambda image: SimpleNamespace(code=Code("Ana", 1)))
    patch.setattr(filing, "cut_boxes", lambda straight: cuts)
    sheet = save(work.parent / "sheet.png", photo(1, 1))
    return lambda: main(["scan", str(sheet), "--custom", str(work), "--model", "none"])


def class_zip(work: Path, request) -> Act:
    from digits.learning.data.class_zip import own_folder

    pictures = save(work.parent / "class" / "ana" / "7" / "a.png", photo(7, 1)).parents[2]
    handed_in = Path(shutil.make_archive(str(pictures), "zip", pictures))
    earlier = own_folder(handed_in, work)
    (earlier / "exclude.txt").write_text("ana/7/b.png")
    save(pictures / "ana" / "7" / "b.png", photo(7, 2))
    shutil.make_archive(str(pictures), "zip", pictures)
    return lambda: bool(own_folder(handed_in, work)) - 1


def merge(work: Path, request) -> Act:
    from digits.learning.data import merge
    from digits.learning.dataset import main

    custom = work.parent / "custom"
    save(custom / "ana" / "7" / "a.png", photo(7, 1))
    request.getfixturevalue("monkeypatch").setattr(merge, "load_mnist", lambda *_: small_mnist(10, 4))
    return lambda: main(["--custom", str(custom), "--out", str(work)])


def checkpoint(work: Path, request) -> Act:
    fit = pytest.importorskip("digits.learning.training.fit")
    groups = {"model": [np.arange(1000.0)], "optimizer": [], "best": []}
    fit._write_state(work / "train.state.npz", {"epoch": 1}, groups)
    return lambda: fit._write_state(work / "train.state.npz", {"epoch": 2}, groups) or 0


def export(work: Path, request) -> Act:
    exporting = pytest.importorskip("digits.learning.export.exporting")
    released = request.getfixturevalue("released_export")
    shutil.copytree(released, work / "net")
    files = {name: (released / name).read_bytes() for name in ("model.tflite", "model.json", "golden.npz")}

    def write_formats(model, folder, *_):
        for name, data in files.items():
            (folder / name).write_bytes(data)

    def card(name, info, folder, *_):
        known = read_card(released)
        return known | {"name": "newer", "files": {name: {"sha256": sha256(folder / name)} for name in files}}

    patch = request.getfixturevalue("monkeypatch")  # conversion takes long, and has no part in this
    patch.setattr(exporting, "make_golden", lambda *_: None)
    patch.setattr(exporting, "save_golden", lambda *_: None)
    patch.setattr(exporting, "_check_contract", lambda *_: None)
    patch.setattr(exporting, "_write_formats", write_formats)
    patch.setattr(exporting, "make_card", card)
    patch.setattr(exporting, "_check", read_card)

    def act() -> int:
        exporting.export_model(None, "net", work, {}, [], None, None)
        return 0

    return act


def default_export(work: Path, request) -> Act:
    exporting = pytest.importorskip("digits.learning.export.exporting")
    exporting.make_default(work, "earlier")
    return lambda: exporting.make_default(work, "net", "earlier") or 0


def bundle(work: Path, request) -> Act:
    pytest.importorskip("digits.learning.export.bundle")
    from digits.learning.export.bundle import BUNDLE, main

    shutil.copytree(request.getfixturevalue("released_export"), work / "net")
    (work / "net" / BUNDLE).write_bytes(b"")
    with zipfile.ZipFile(work / "net" / BUNDLE, "w") as earlier:
        earlier.writestr("__main__.py", "")
    return lambda: main([str(work / "net")])


def web_page(work: Path, request) -> Act:
    from digits.page import main

    (work / "digits.html").write_text("an earlier page", encoding="utf-8")
    model = request.getfixturevalue("released_export") / "model.tflite"
    return lambda: main(["--model", str(model), "--out", str(work / "digits.html")])


def leaderboard(work: Path, request) -> Act:
    board = pytest.importorskip("digits.learning.experiment.leaderboard")
    board.update_leaderboard(work / board.LEADERBOARD, [board.Row("cnn_small", "train", 0)])
    return lambda: bool(board.update_leaderboard(work / board.LEADERBOARD, [board.Row("cnn_deep", "train", 0)])) - 1


def summary(path: Path) -> object:
    """Return what a file holds, without what depends on the time of day; fail where it is half a file."""
    if path.suffix == ".png":
        return load_image(path).tobytes()
    if path.suffix == ".json":
        held = json.loads(path.read_text(encoding="utf-8"))
        return held if path.name == CARD else "valid"
    if path.suffix == ".jsonl":
        return all("digits" in json.loads(line) for line in path.read_text().splitlines())
    if path.suffix in (".avi", ".mp4"):
        capture = cv2.VideoCapture(str(path))
        size = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
        assert frame_count(path) == 4
        return size
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {name: file[name].tobytes() for name in file.files}
    if path.suffix == ".pyz":
        with zipfile.ZipFile(path) as file:
            assert file.testzip() is None
            return file.namelist()
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return path.read_bytes()


def state_of(folder: Path) -> dict[str, object]:
    """Return what each file of a folder holds, by path; locks say nothing."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: summary(path) for name, path in found.items() if path.name != ".lock"}


# What a command leaves of the files it had finished, which its next call goes on from; others are all or nothing.
GOES_ON = (scan, merge, recording)
CASES = (recording, kept_picture, scan, class_zip, merge, checkpoint, export, default_export, bundle, web_page,
         leaderboard)


@pytest.mark.parametrize("case", CASES)
def test_old_state_or_new_and_a_sentence(case, tmp_path, request, capsys):
    work, kept = tmp_path / "work", tmp_path / "old"
    work.mkdir()
    act = case(work, request)
    shutil.copytree(work, kept)
    before = state_of(work)
    assert act() == 0
    after = state_of(work)
    assert after != before
    largest = sorted({path.stat().st_size for path in work.rglob("*") if path.is_file()})
    capsys.readouterr()

    def attempt(disk) -> bool:
        """Run the command on a failing disk and check what it leaves; return whether anything was made to fail."""
        shutil.rmtree(work)
        shutil.copytree(kept, work)
        with disk as fault:
            status, said = result_of(act, capsys)
        left = state_of(work)
        rest = [path.name for path in work.rglob(".*") if ".tmp-" in path.name or ".old-" in path.name]
        assert not rest, said
        if status == 0:  # nothing failed, or what failed was not needed
            assert left == after, said
            return bool(fault and fault.failed)
        assert said.count("\n") <= 1 and "Traceback" not in said, said
        assert str(work) in said, f"names no file: {said}"
        assert any(cause in said for cause in ("No space left", "File too large", "disk full")), said
        for name, held in left.items():
            assert held in (before.get(name), after.get(name)), f"{name} is neither as before nor as after: {said}"
        if case not in GOES_ON:
            assert left in (before, after), said
        pairs = {name.rpartition(".")[0] for name in left if "taught" in name}
        assert all(f"{pair}.{kind}" in left for pair in pairs for kind in ("png", "json")), said
        assert result_of(act, capsys)[0] == 0 and state_of(work) == after, "it goes on from there"
        return True

    count = 1
    while attempt(failing(work, count)):
        count += 1
    assert count > 2, "something was made to fail"
    sizes = sorted({1, *(size // 2 for size in largest), *(size - 1 for size in largest if size > 1)})
    assert any([attempt(small_files(size)) for size in sizes[:: max(1, len(sizes) // 8)]])


def result_of(act: Act, capsys) -> tuple[int, str]:
    """Return the exit status of a command and what it says on standard error, or what train_all.py says for it."""
    import train_all
    from digits.learning.shared.errors import RunError

    try:
        status = act()
    except (OSError, RunError) as error:
        return 1, train_all._sentence(error)
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if not line.startswith(("Reading with", "INFO:", "MNIST:"))]
    return status, "\n".join(told)
