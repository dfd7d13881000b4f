"""What the camera script says to a model it cannot trust: one sentence on stderr, exit 4, and no reading."""

import json
import shutil
from pathlib import Path

import cv2
import pytest

from digits.reading.models.card import CARD
from realtime_multiformat import NO_MODEL, main


@pytest.fixture
def folder(full_export, tmp_path):
    return Path(shutil.copytree(full_export, tmp_path / "mis números"))


@pytest.fixture
def photo(rendered_digits, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.png"), cv2.bitwise_not(rendered_digits[0][0]))
    return tmp_path / "photo.png"


def cut(path):
    path.write_bytes(path.read_bytes()[:1000])


def card_says(**changes):
    def edit(path):
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")

    return edit


@pytest.mark.parametrize("name, harm, word", [
    ("model.tflite", cut, "checksum"),
    ("model.keras", lambda path: path.write_bytes(b""), "checksum"),
    ("model.h5", lambda path: shutil.copy(path.parent / "model.keras", path), "checksum"),
    ("model.onnx", Path.unlink, "does not exist"),
    ("model.json", lambda path: path.write_text(path.read_text().replace("relu", "tanh")), "checksum"),
    ("model.json", lambda path: (path.parent / "model.weights.h5").unlink(), "model.weights.h5"),
    (CARD, card_says(labels=list("abcdefghij")), "labels"),
    (CARD, card_says(tile={"rule": 99, "size": 96}), "newer"),
    ("", lambda path: [file.unlink() for file in path.glob("model*")], "holds no model"),
])  # fmt: skip
def test_exit_4_and_one_sentence(folder, photo, capsys, name, harm, word):
    harm(folder / name)
    model = folder if name in ("", CARD) else folder / name
    if not model.exists():  # what does not exist is a bad argument, said before anything is loaded
        with pytest.raises(SystemExit) as ended:
            main(["--model", str(model), "--source", str(photo), "--headless"])
        assert ended.value.code == 2
    else:
        assert main(["--model", str(model), "--source", str(photo), "--headless"]) == NO_MODEL == 4
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.strip().splitlines()) == 1
    assert word in said.err or "There is no model" in said.err
