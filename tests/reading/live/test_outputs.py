import json
import os
import subprocess
import sys

import numpy as np
import pytest
from made_up import digit, frame_count, reading

from digits.box import Box
from digits.reading.live.frames import Frame
from digits.reading.live.outputs import JsonLines, Recorder, TextLines


def test_json_lines_are_there_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "out.jsonl"
    lines = JsonLines(str(path))
    lines.write({"source": "año", "frame": 0})
    lines.write({"source": "b", "frame": 1})
    assert [json.loads(line)["frame"] for line in path.read_bytes().splitlines()] == [0, 1]
    assert path.read_bytes().isascii()
    lines.close()


def test_lines_of_text_come_where_something_changed(capsys):
    def said(*labels):
        return reading([digit(label, Box(20 * place, 0, 10, 20)) for place, label in enumerate(labels)])

    text = TextLines()
    for index, labels in enumerate([(), (1, 2), (1, 2), (), (1, 2), (3,)]):
        text.write(Frame("clip.mp4", index, 0.1 * index, None), said(*labels))
    assert capsys.readouterr().out == "clip.mp4: 12\nclip.mp4: 3\n"
    text.write(Frame("blank\n.png", 0, 0.0, None, still=True), said())
    assert capsys.readouterr().out == "blank\\n.png: \n", "a picture has its line, whatever it holds"


def test_no_target_writes_nothing(capsys):
    lines = JsonLines(None)
    lines.write({"frame": 0})
    lines.close()
    assert capsys.readouterr().out == ""


def test_two_runs_cannot_write_to_one_file_but_to_one_device(tmp_path):
    path = str(tmp_path / "out.jsonl")
    first = JsonLines(path)
    first.write({"frame": 0})
    with pytest.raises(OSError, match="another run is writing to .*out.jsonl"):
        JsonLines(path)
    first.write({"frame": 1})
    first.close()
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    JsonLines(path).close()
    assert (tmp_path / "out.jsonl").read_text() == "", "the next run begins anew"
    for each in [JsonLines(os.devnull), JsonLines(os.devnull)]:
        each.write({"frame": 0})


@pytest.mark.skipif(os.name == "nt", reason="needs a limit to the size of files")
def test_a_line_that_the_disk_cannot_hold_is_taken_back(tmp_path):
    code = (
        "import resource, sys; from digits.reading.live.outputs import JsonLines\n"
        "lines = JsonLines(sys.argv[1]); lines.write({'frame': 0})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: lines.write({'frame': 'x' * 200})\n"
        "except OSError as error: print(error.filename, error.strerror)\n"
    )
    path = tmp_path / "out.jsonl"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.stdout == f"{path} File too large\n" and path.read_text() == '{"frame": 0}\n', done.stderr


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
