import json

import numpy as np
import pytest
from made_up import frame_count

from digits.reading.live.outputs import JsonLines, Recorder


def test_json_lines_are_there_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "out.jsonl"
    lines = JsonLines(str(path))
    lines.write({"source": "año", "frame": 0})
    lines.write({"source": "b", "frame": 1})
    assert [json.loads(line)["frame"] for line in path.read_bytes().splitlines()] == [0, 1]
    assert path.read_bytes().isascii()
    lines.close()


def test_no_target_writes_nothing(capsys):
    lines = JsonLines(None)
    lines.write({"frame": 0})
    lines.close()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["clip.mp4", "clip.AVI"])
def test_a_recording_takes_its_name_when_it_is_complete(tmp_path, name):
    recorder = Recorder(tmp_path / name, fps=25.0, live=False)
    for index in range(10):
        recorder.write(np.full((48, 64, 3), 20 * index, np.uint8), index / 25)
    assert not (tmp_path / name).exists()
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert frame_count(tmp_path / name) == 10


def test_a_live_recording_runs_as_fast_as_life_did(tmp_path):
    recorder = Recorder(tmp_path / "clip.avi", fps=25.0, live=True)
    for time_s in (0.0, 0.2, 0.21, 0.22, 0.5, 1.0):
        recorder.write(np.zeros((48, 64, 3), np.uint8), time_s)
    recorder.close()
    assert frame_count(tmp_path / "clip.avi") == pytest.approx(26, abs=1)


def test_a_recording_that_cannot_be_made_is_an_oserror(tmp_path):
    recorder = Recorder(tmp_path / "missing" / "clip.mp4", fps=25.0, live=False)
    with pytest.raises(OSError, match=r"clip\.mp4"):
        recorder.write(np.zeros((48, 64, 3), np.uint8), 0.0)
