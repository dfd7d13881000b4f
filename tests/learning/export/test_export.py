"""Exports: every format agrees with the Keras model, in both generations of Keras, or there is no export."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from made_up import edit_json, left_by_the_dead

from digits.learning.export import exporting, keras_files
from digits.learning.export.__main__ import main
from digits.learning.export.exporting import ExportError, export_model
from digits.learning.export.golden_pictures import golden_sources
from digits.reading.models.card import CARD, SUMS, sha256
from digits.reading.models.golden import GOLDEN, load_golden, save_golden
from digits.reading.models.loading import load_model
from digits.reading.models.verify import verify
from digits.reading.tile import to_input

ALL_FILES = {"model.keras", "model.h5", "model.json", "model.weights.h5", "model.tflite", "model_int8.tflite",
             "model.onnx", CARD, SUMS, GOLDEN}
OLD_KERAS = Path(__file__).resolve().parents[2] / "check_old_keras.py"


def test_the_folder_holds_every_file_and_nothing_else_and_the_card_says_what_the_contract_asks_for(full_export):
    assert {path.name for path in full_export.iterdir()} == ALL_FILES
    assert [path.name for path in full_export.parent.iterdir()] == [full_export.name]
    card = json.loads((full_export / CARD).read_text(encoding="utf-8"))
    assert card["labels"] == list("0123456789")
    assert card["metrics"] == {"mnist": 0.5}
    assert set(card["files"]) == ALL_FILES - {CARD, SUMS}
    for name, entry in card["files"].items():
        assert entry["sha256"] == sha256(full_export / name)
        assert entry["bytes"] == (full_export / name).stat().st_size
    entry = card["files"]["model_int8.tflite"]
    assert {"temperature", "threshold", "max_difference", "accepted"} <= set(entry)
    assert entry["accepted"]["digits"] >= 0.98


def test_golden_pictures_are_half_digits_half_photographs(full_export):
    golden = load_golden(full_export / GOLDEN)
    assert len(golden.tiles) == len(golden.sources) == 32
    assert sorted({source.ndim for source in golden.sources}) == [2, 3]


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.json", "model.tflite", "model.onnx"])
def test_float_formats_answer_as_the_model(full_export, every_layer_model, rendered_digits, name):
    tiles = rendered_digits[1][:50]
    expected = every_layer_model(to_input(tiles), training=False).numpy()
    found = load_model(full_export / name).predict(tiles)
    assert np.abs(found - expected).max() < 1e-4
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


def test_the_onnx_file_is_what_the_standard_says(full_export):
    model = onnx.load(full_export / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert (model.opset_import[0].version, model.ir_version, model.producer_name) == (13, 8, "digits")
    assert [size.dim_param or size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim] == [
        "N", 96, 96, 3]  # fmt: skip


def test_eight_bits_read_nearly_as_well_and_finely(full_export, rendered_digits):
    _, tiles, labels = rendered_digits
    whole, int8 = [load_model(full_export / name).predict(tiles) for name in ("model.tflite", "model_int8.tflite")]
    assert (int8.argmax(axis=1) == whole.argmax(axis=1)).mean() >= 0.98
    assert (full_export / "model_int8.tflite").stat().st_size < 0.5 * (full_export / "model.tflite").stat().st_size
    # An 8-bit softmax would give multiples of 1/256.
    assert np.abs(int8 * 256 - np.round(int8 * 256)).max() > 0.1


def test_old_keras_reads_the_old_formats(full_export):
    pytest.importorskip("tf_keras")
    command = [sys.executable, str(OLD_KERAS), str(full_export), "--package", "tf_keras"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stdout.count(": ok") == 2


def test_the_keras_file_holds_no_optimizer_and_no_code(full_export):
    with zipfile.ZipFile(full_export / "model.keras") as archive:
        text = archive.read("config.json").decode()
    assert not json.loads(text).get("compile_config")
    assert "Lambda" not in text
    assert getattr(keras.models.load_model(full_export / "model.keras"), "optimizer", None) is None


def test_an_export_that_fails_leaves_the_old_one(full_export, every_layer_model, rendered_digits, monkeypatch):
    inks, tiles, labels = rendered_digits
    before = {path.name: path.read_bytes() for path in full_export.iterdir()}
    another = full_export / "model_int8.tflite"
    monkeypatch.setattr(exporting, "save_tflite", lambda flat, path: shutil.copy(another, path))
    monkeypatch.setattr(exporting, "save_int8", lambda *arguments: None)
    with pytest.raises(ExportError, match="model.tflite largest difference"):
        export_model(every_layer_model, full_export.name, full_export.parent, {},
                            golden_sources(inks, count=4), (tiles, labels), tiles[:20])
    assert {path.name: path.read_bytes() for path in full_export.iterdir()} == before
    assert [path.name for path in full_export.parent.iterdir()] == [full_export.name]


def test_golden_pictures_are_renewed_when_the_way_to_the_tile_has_changed(full_export, tmp_path, capsys):
    folder = shutil.copytree(full_export, tmp_path / "older")
    golden = load_golden(folder / GOLDEN)
    blank = np.full((60, 60, 3), 200, np.uint8)
    save_golden(folder / GOLDEN, replace(golden, sources=[*golden.sources[:-1], blank], tiles=255 - golden.tiles))
    files = json.loads((folder / CARD).read_text(encoding="utf-8"))["files"]
    files[GOLDEN]["sha256"] = sha256(folder / GOLDEN)
    edit_json(folder / CARD, files=files)
    assert [check.file for check in verify(folder, {"tflite"}) if check.ok is False][0] == "tiles"
    assert main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert "1 of 32 golden pictures left out: the finder finds no digit there" in out and "renewed" in out
    assert all(check.ok for check in verify(folder)) and len(load_golden(folder / GOLDEN).sources) == 31
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    save_golden(folder / GOLDEN, replace(golden, sources=[blank] * 32))
    assert main([str(folder)]) == 1
    assert "was left as it is: the finder finds a digit in none of 32 golden pictures" in capsys.readouterr().err
    (folder / GOLDEN).write_bytes(left[GOLDEN])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == left
    (folder / "model.onnx").write_bytes(b"")
    assert main([str(folder)]) == 1
    assert "was left as it is: model.onnx" in capsys.readouterr().err


@pytest.mark.parametrize("killed", [False, True])
def test_another_contract_is_refused_and_a_killed_export_put_right(tmp_path, rendered_digits, killed):
    inks, tiles, labels = rendered_digits
    if killed:
        new = left_by_the_dead(tmp_path / "odd")
        new.mkdir()
        old = new.with_name(new.name.replace("tmp", "old"))
        old.mkdir()
        (old / CARD).write_text("{}", encoding="utf-8")
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    with pytest.raises(ExportError, match=r"takes \(28, 28, 1\)"):
        export_model(model, "odd", tmp_path, {}, golden_sources(inks, count=2), (tiles, labels), tiles)
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")]
    assert left == ["odd", f"odd/{CARD}"] * killed


def test_a_layer_without_a_place_in_every_format_is_refused():
    model = keras.Sequential([keras.Input((96, 96, 3)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()])
    with pytest.raises(keras_files.UnportableError, match="is a Lambda"):
        keras_files.flatten(model)


def test_flatten_renames_layers_that_two_nested_models_call_alike():
    parts = [keras.Sequential([keras.Input((96, 96, 3)), keras.layers.AveragePooling2D(1, name="pool")]) for _ in "ab"]
    tile = keras.Input((96, 96, 3))
    flat = keras_files.flatten(keras.Model(tile, parts[1](parts[0](tile))))
    assert len({layer.name for layer in flat.layers}) == 3
