"""`python -m digits.reading.verify`: a sound folder passes, and whatever was changed is named."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import edit_json

from digits.learning.export.card import write_card
from digits.reading.models.card import CARD, SUMS, sha256
from digits.reading.models.golden import GOLDEN, load_golden, machine, save_golden
from digits.reading.models.verify import compare, main, verify
from digits.reading.tile import normalise


@pytest.fixture
def folder(full_export, tmp_path):
    return Path(shutil.copytree(full_export, tmp_path / "cópia"))


def renew_checksum(folder, name):
    """Make the card vouch for what the file holds now, as a clumsy or hostile editor would."""
    files = json.loads((folder / CARD).read_text(encoding="utf-8"))["files"]
    files[name]["sha256"] = sha256(folder / name)
    edit_json(folder / CARD, files=files)


def failed(folder, only=None):
    return {check.file: check.note for check in verify(folder, only) if check.ok is False}


def test_a_sound_folder_passes_in_every_format(full_export):
    checks = verify(full_export)
    assert not [check for check in checks if not check.ok]
    assert len(checks) == 9 + 2 + 6  # checksums, the way to the tile and the finder, formats


def test_the_command_passes_in_under_two_seconds_without_tensorflow(full_export):
    command = [sys.executable, "-X", "importtime", "-m", "digits.reading.verify", str(full_export), "--only", "tflite"]
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    after = os.times()
    assert done.returncode == 0, done.stderr[-500:]
    # Seconds of work, since other tests may run beside this one; Windows counts none for children.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 4
    assert " tensorflow" not in done.stderr
    assert "bit for bit" in done.stdout and "model_int8.tflite" in done.stdout


def test_the_command_names_the_damaged_file_and_exits_1(folder, capsys):
    (folder / "model.onnx").write_bytes(b"\x08" + bytes(100))
    assert main([str(folder), "--only", "onnx"]) == 1
    out, err = capsys.readouterr()
    assert "model.onnx" in err and "checksum" in err and "FAILED" in out
    out.encode("ascii")


def test_a_folder_that_is_not_there_is_a_wrong_argument(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "nowhere")])
    assert stopped.value.code == 2


def test_a_missing_file_fails_unless_only_others_are_asked_for(folder):
    (folder / "model.keras").unlink()
    assert failed(folder, {"tflite"}) == {}
    assert failed(folder, {"keras"}) == {"model.keras": "is missing"}


def test_another_model_under_a_renewed_checksum_is_seen(folder):
    shutil.copy(folder / "model_int8.tflite", folder / "model.tflite")
    renew_checksum(folder, "model.tflite")
    assert "at most 1e-04 expected" in failed(folder, {"tflite"})["model.tflite"]


def test_another_way_to_the_tile_is_seen(folder, monkeypatch):
    monkeypatch.setattr("digits.reading.models.golden.normalise", lambda ink: np.roll(normalise(ink), 1, axis=1))
    assert "pictures to tiles" in failed(folder, {"tflite"})["tiles"]


def test_another_machine_may_differ_by_two_levels_but_not_more(folder):
    golden = load_golden(folder / GOLDEN)
    for levels, passes in ((2, True), (3, False)):
        tiles = np.where(golden.tiles > 128, golden.tiles - levels, golden.tiles).astype(np.uint8)
        save_golden(folder / GOLDEN, replace(golden, tiles=tiles))
        renew_checksum(folder, GOLDEN)
        assert "tiles" in failed(folder, {"onnx"})  # here, bit for bit
        edit_json(folder / CARD, machine={"system": "Elsewhere"})
        assert ("tiles" not in failed(folder, {"onnx"})) == passes
        edit_json(folder / CARD, machine=machine())


def test_a_damaged_golden_file_is_seen(folder):
    whole = (folder / GOLDEN).read_bytes()
    for data in (b"", whole[:1000], b"PK\x03\x04" + bytes(50), whole[: len(whole) // 2]):
        (folder / GOLDEN).write_bytes(data)
        renew_checksum(folder, GOLDEN)
        assert failed(folder, {"tflite"})


def test_verify_says_whether_the_card_is_covered(folder, capsys):
    assert {check.file: check.note for check in verify(folder, {"tflite"})}[CARD] == "checksum"
    (folder / SUMS).unlink()
    assert main([str(folder), "--only", "tflite"]) == 0
    assert "unverified" in capsys.readouterr().out


def test_a_folder_without_a_card_fails(folder):
    (folder / CARD).unlink()
    assert "holds no card.json" in failed(folder)[CARD]


def test_eight_bits_may_differ_only_where_keras_hesitates():
    expected = np.array([[0.5, 0.4, 0.1], [0.7, 0.2, 0.1]])
    found = np.array([[0.4, 0.5, 0.1], [0.2, 0.7, 0.1]])
    assert compare(found[:1], expected[:1], int8=True) == (pytest.approx(0.1), 0)
    assert compare(found, expected, int8=True)[1] == 1
    assert compare(found, expected, int8=False)[1] == 2


normalise = normalise


def test_a_network_that_learnt_from_another_finders_tiles_is_told(folder):
    card = json.loads((folder / CARD).read_text())
    del card["finder"]
    write_card(folder, card)
    (row,) = [check for check in verify(folder, {"tflite"}) if check.file == "finder"]
    assert row.ok is None and "learnt from tiles of finder 1" in row.note
