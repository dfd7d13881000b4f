import json

import cv2
import numpy as np
import pytest

from digits.reading import live
from digits.reading.reader import Digit, Reading, Rejected
from digits.reading.sources import Frame


class FakeModel:
    """Says 7 to everything."""

    name, format, path, card, verified, temperature, threshold = "fake", "tflite", "fake.tflite", None, False, 1.0, 0.5

    def predict(self, tiles):
        probabilities = np.full((len(tiles), 10), 0.001, np.float32)
        probabilities[:, 7] = 0.991
        return probabilities


@pytest.fixture
def fake_model(monkeypatch):
    monkeypatch.setattr(live, "load_model", lambda path, threads=None: FakeModel())


def page(digit=7, size=(320, 240)):
    frame = np.full((size[1], size[0], 3), 225, np.uint8)
    cv2.putText(frame, str(digit), (size[0] // 3, 2 * size[1] // 3), cv2.FONT_HERSHEY_SIMPLEX, 3, (50, 40, 40), 8)
    return frame


def run(source, tmp_path, **options):
    said = []
    path = tmp_path / "out.jsonl"
    live.run(live.Options(source=str(source), headless=True, jsonl=str(path), **options), said.append)
    return [json.loads(line) for line in path.read_text().splitlines()], said


def test_a_record_is_what_the_contract_says():
    probabilities = np.full(10, 0.0005, np.float32)
    probabilities[7] = 0.9955
    item = Digit((1, 2, np.int64(3), 4), 7, np.float32(0.9955), probabilities, np.zeros((96, 96), np.uint8))
    reading = Reading((640, 480), [item], [Rejected((5, 6, 7, 8), "low confidence")], 0, None, {"find": 1.111})
    record = json.loads(json.dumps(live.as_record(Frame("a.png", 3, 0.12345, None), reading)))
    assert list(record) == "source frame time_s size digits rejected main hint latency_ms".split()
    assert record["digits"][0]["box"] == [1, 2, 3, 4] and record["digits"][0]["confidence"] == 0.9955
    assert len(record["digits"][0]["probabilities"]) == 10
    assert record["rejected"] == [{"box": [5, 6, 7, 8], "reason": "low confidence"}]


def test_pictures_of_a_folder_are_independent_of_each_other(fake_model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), page())
    cv2.imwrite(str(folder / "c.png"), np.full((240, 320, 3), 225, np.uint8))
    records, said = run(folder, tmp_path)
    assert [len(record["digits"]) for record in records] == [1, 1, 0], "shown at once, and not remembered"
    assert [record["frame"] for record in records] == [0, 0, 0]
    assert records[2]["main"] is None and records[2]["hint"]
    assert "not verified" in said[0]


def test_frames_that_change_size_are_read_and_recorded(fake_model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for index, size in enumerate([(320, 240), (200, 400), (1, 1), (640, 480)]):
        cv2.imwrite(str(folder / f"{index}.png"), page(size=size))
    records, _ = run(folder, tmp_path, record=tmp_path / "out.avi")
    assert [record["size"] for record in records] == [[320, 240], [200, 400], [1, 1], [640, 480]]
    capture = cv2.VideoCapture(str(tmp_path / "out.avi"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    capture.release()


def test_a_frame_the_reader_refuses_is_skipped(fake_model, tmp_path, monkeypatch):
    class Moody(live.Reader):
        def read(self, frame):
            if frame.shape[0] == 100:
                raise ValueError("no such frame")
            return super().read(frame)

    monkeypatch.setattr(live, "Reader", Moody)
    folder = tmp_path / "in"
    folder.mkdir()
    for index, size in enumerate([(320, 240), (100, 100), (320, 240)]):
        cv2.imwrite(str(folder / f"{index}.png"), page(size=size))
    records, said = run(folder, tmp_path)
    assert len(records) == 2
    assert any("Skipped" in sentence and "1.png" in sentence for sentence in said)


def test_max_frames_ends_the_run(fake_model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for index in range(5):
        cv2.imwrite(str(folder / f"{index}.png"), page())
    records, _ = run(folder, tmp_path, max_frames=2)
    assert len(records) == 2


def test_least_confidence_is_the_persons_choice(fake_model, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), page())
    records, _ = run(tmp_path / "a.png", tmp_path, min_confidence=0.995)
    assert records[0]["digits"] == [] and records[0]["rejected"][0]["reason"] == "low confidence"
