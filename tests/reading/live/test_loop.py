import json
import re
import shutil
import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_up import digit, edit_json, page, reading

from digits.box import Box
from digits.reading.live import loop, model_watch
from digits.reading.live.frames import Frame
from digits.reading.live.loop import Options, Reader, _introduction, as_record
from digits.reading.models import default, loading
from digits.reading.models.golden import load_golden, save_golden
from digits.reading.readings import Rejected


class FakeModel:
    """Says 7 to everything."""

    name, format, path, card, verified, temperature, threshold = "fake", "tflite", "fake.tflite", None, False, 1.0, 0.5

    def predict(self, tiles):
        probabilities = np.full((len(tiles), 10), 0.001, np.float32)
        probabilities[:, 7] = 0.991
        return probabilities


@pytest.fixture
def fake_model(monkeypatch):
    monkeypatch.setattr(loop, "load_model", lambda path, threads=None: FakeModel())


@pytest.fixture
def pages(tmp_path):
    """A folder of three pages with a 7 each, the second one smaller."""
    folder = tmp_path / "in"
    folder.mkdir()
    for index, size in enumerate([(640, 480), (400, 300), (640, 480)]):
        cv2.imwrite(str(folder / f"{index}.png"), page(size=size))
    return folder


def run(source, tmp_path, **options):
    said = []
    path = tmp_path / "out.jsonl"
    loop.run(Options(source=str(source), headless=True, jsonl=str(path), **options), said.append)
    return [json.loads(line) for line in path.read_text().splitlines()], said


def test_a_record_is_what_the_contract_says():
    item = digit(7, Box(1, 2, np.int64(3), 4), np.float32(0.9955))
    said = reading([item], [Rejected(Box(5, 6, 7, 8), "low confidence")])
    record = json.loads(json.dumps(as_record(Frame("a.png", 3, 0.12345, None), said)))
    assert list(record) == "source frame time_s size orientation digits rejected rows main hint latency_ms".split()
    assert record["digits"][0]["box"] == [1, 2, 3, 4] and record["digits"][0]["confidence"] == 0.9955
    assert len(record["digits"][0]["probabilities"]) == 10
    assert record["rejected"] == [{"box": [5, 6, 7, 8], "reason": "low confidence"}]


def test_a_frame_the_reader_refuses_is_skipped(fake_model, pages, tmp_path, monkeypatch):
    class Moody(Reader):
        def read(self, frame):
            if frame.shape[0] == 300:
                raise ValueError("no such frame")
            return super().read(frame)

    monkeypatch.setattr(loop, "Reader", Moody)
    records, said = run(pages, tmp_path)
    assert len(records) == 2
    assert any("Skipped" in sentence and "1.png" in sentence for sentence in said)


def test_the_person_says_how_many_frames_and_how_sure(fake_model, pages, tmp_path):
    records, said = run(pages, tmp_path, max_frames=2)
    assert [len(record["digits"]) for record in records] == [1, 1] and "not verified" in said[0]
    records, _ = run(pages, tmp_path, min_confidence=0.995)
    assert records[0]["digits"] == [] and records[0]["rejected"][0]["reason"] == "low confidence"


# ---------------------------------------------------------------- a new model while the window is open


def named_copy(export, place, name):
    """Put a copy of an export, under another name, where `place` is: beside it, then renamed, as exports are made."""
    beside = place.with_name(f".{place.name}.tmp")
    shutil.copytree(export, beside)
    edit_json(beside / "card.json", name=name)
    if place.exists():
        place.rename(place.with_name(f".{place.name}.old"))
    beside.rename(place)
    return place


@pytest.fixture
def exports(tiny_export, tmp_path, monkeypatch):
    """A folder of exports in which `first` is the default."""
    folder = tmp_path / "exports"
    folder.mkdir()
    named_copy(tiny_export, folder / "first", "first")
    (folder / "default.txt").write_text("first\n")
    for module in (loading, model_watch):
        monkeypatch.setattr(module, "default_export", lambda: default.default_in(folder))
    monkeypatch.setattr(model_watch, "_MODEL_CHECK_S", 0.05)
    return folder


def watch(change, tmp_path, monkeypatch, **options):
    """Read a clip; call `change` before its third frame, and let it end when something has been said of that."""
    said = []

    def clip():
        for index in range(400):
            if index == 2:
                change()
            if index > 4 and len(said) > 1:
                return
            time.sleep(0.02)
            yield Frame("clip", index, index / 20, page())

    monkeypatch.setattr(loop, "open_source", lambda *_: clip())
    loop.run(Options(headless=True, jsonl=str(tmp_path / "out.jsonl"), **options), said.append)
    assert re.fullmatch(r"\d+ frames, \d+ digits read. Written: .*out.jsonl.", said.pop()), "every run ends with it"
    return said, (tmp_path / "out.jsonl").read_text().splitlines()


def test_another_default_is_taken_without_a_restart(exports, tiny_export, tmp_path, monkeypatch):
    def teach():
        named_copy(tiny_export, exports / "taught", "taught")
        (exports / "default.tmp").write_text("taught\nfirst\n")
        (exports / "default.tmp").replace(exports / "default.txt")

    said, lines = watch(teach, tmp_path, monkeypatch)
    assert len(said) == 2 and "first" in said[0] and "taught" in said[1] and "not verified" not in said[1]
    frames = [json.loads(line) for line in lines]
    assert [frame["frame"] for frame in frames] == list(range(len(frames))), "none was left out"
    assert frames[-1]["digits"][0]["digit"] == 7

    said, _ = watch(lambda: shutil.rmtree(exports / "taught"), tmp_path, monkeypatch)
    assert "taught" in said[0] and "first" in said[1], "deleting what was taught goes back to the release"


def test_the_same_folder_made_anew_is_taken(exports, tiny_export, tmp_path, monkeypatch):
    change = lambda: named_copy(tiny_export, exports / "first", "made anew")  # noqa: E731
    names = []
    introduce = _introduction
    monkeypatch.setattr(loop, "_introduction", lambda model: names.append(model.name) or introduce(model))
    watch(change, tmp_path, monkeypatch, model=exports / "first")
    assert names == ["first", "made anew"]


@pytest.mark.parametrize("damage", ["torn file", "wrong answers", "no such folder"])
def test_a_new_model_that_is_no_good_leaves_the_old_one(exports, full_export, damage, tmp_path, monkeypatch):
    def change():
        if damage != "no such folder":
            place = named_copy(full_export, exports / "taught", "taught")
        if damage == "torn file":
            (place / "model_int8.tflite").write_bytes((place / "model_int8.tflite").read_bytes()[:1000])
        elif damage == "wrong answers":
            golden = load_golden(place / "golden.npz")
            save_golden(place / "golden.npz", replace(golden, probabilities=golden.probabilities[:, ::-1]))
        (exports / "default.txt").write_text("taught\n")

    said, lines = watch(change, tmp_path, monkeypatch)
    assert len(said) == 2 and said[1].startswith("Keeping the model as it was") and "taught" in said[1]
    assert json.loads(lines[-1])["digits"], "it reads on"
