"""Model files: every format through one door; damaged, swapped or hostile ones end in one sentence."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from made_up import edit_json

from digits.reading.models.card import CARD, SUMS, write_sums
from digits.reading.models.errors import ModelError
from digits.reading.models.keras_config import renewed
from digits.reading.models.loading import FORMATS, load_model

FILES = ["model.tflite", "model_int8.tflite", "model.onnx", "model.keras", "model.h5", "model.json"]
TILES = np.random.default_rng(0).integers(0, 256, (23, 96, 96), np.uint8)


@pytest.fixture
def folder(full_export, tmp_path):
    """A copy of a sound export that a test may damage."""
    return Path(shutil.copytree(full_export, tmp_path / "an export"))


@pytest.fixture
def no_card(full_export, tmp_path):
    """The files of a sound export, without card and checksums."""
    return Path(shutil.copytree(full_export, tmp_path / "mine", ignore=shutil.ignore_patterns(CARD, SUMS)))


def refused(path, *words):
    """Load `path`, and see that what comes is one sentence with these words."""
    with pytest.raises(ModelError) as caught:
        load_model(path)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_an_export_is_verified_and_any_number_of_tiles_reads(full_export, name):
    model = load_model(full_export / name)
    entry = json.loads((full_export / CARD).read_text(encoding="utf-8"))["files"][name]
    assert model.verified and model.name == "every_layer" and model.path == full_export / name
    assert (model.temperature, model.threshold) == (entry["temperature"], entry["threshold"])
    together = model.predict(TILES)
    assert together.dtype == np.float32 and together.shape == (23, 10)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([model.predict(TILES[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(one_by_one, together[:5], atol=1e-5)
    assert model.predict(TILES[:0]).shape == (0, 10)


def test_other_arrays_than_tiles_are_refused(full_export):
    model = load_model(full_export / "model.tflite")
    for array in (TILES[0], TILES.astype(np.float32), TILES[:, :28, :28]):
        with pytest.raises(ValueError, match="expected uint8"):
            model.predict(array)


def test_a_folder_gives_the_fastest_format_that_can_run(folder):
    shutil.copy(folder / "model.tflite", folder / "my own.tflite")
    assert not load_model(folder / "my own.tflite").verified, "the card does not know it"
    assert load_model(folder).path.name == "model_int8.tflite"
    (folder / "model_int8.tflite").unlink()
    assert load_model(folder).path.name == "model.tflite"
    (folder / "model.tflite").unlink()
    assert load_model(folder).format == "onnx"
    assert load_model(folder / "model.weights.h5").format == "json", "the weights stand for the .json"


def test_opencv_alone_runs_the_onnx_file(full_export, monkeypatch):
    with_runtime = load_model(full_export / "model.onnx").predict(TILES)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    np.testing.assert_allclose(load_model(full_export / "model.onnx").predict(TILES), with_runtime, atol=1e-5)


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "model.json"])
def test_a_file_that_no_card_knows_runs_unverified(no_card, full_export, name):
    model = load_model(no_card / name)
    assert not model.verified and model.card is None
    assert (model.temperature, model.threshold) == (1.0, 0.5)
    np.testing.assert_array_equal(model.predict(TILES), load_model(full_export / name).predict(TILES))


@pytest.mark.parametrize("name", ["model.tflite", "model.onnx", "model.weights.h5"])
def test_without_a_card_damage_is_seen_by_the_checksums_beside_the_files(folder, name):
    (folder / CARD).unlink()
    assert not load_model(folder / name).verified, "no card says how sure it may be"
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    refused(folder / name, name, "checksum", SUMS)


def test_without_checksums_an_export_runs_unverified_and_a_changed_card_is_seen_with_them(folder):
    other = json.dumps(json.loads((folder / CARD).read_text(encoding="utf-8")) | {"name": "other"})
    (folder / CARD).write_text(other, encoding="utf-8")
    refused(folder, f"{CARD} has not the checksum that {SUMS} names")
    write_sums(folder, ["model_int8.tflite"])
    model = load_model(folder)
    assert not model.verified and model.name == "other", "the card is not among the checksums"
    (folder / SUMS).unlink()
    assert not load_model(folder).verified
    for text in ("", "no checksum", "0" * 64 + "  ../model.tflite"):
        (folder / SUMS).write_text(text, encoding="utf-8")
        refused(folder, SUMS, "something else than checksums")


def mean_of_the_tile(batch: int | str, side: int = 96) -> bytes:
    """Return an ONNX file without much sense, for batches of one size."""
    return onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["": 13]>
        mean (float[{batch}, {side}, {side}, 3] tiles) => (float[{batch}, 10] probabilities)
        <int64[1] one = {{1}}, float[1, 10] weights = {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0}}> {{
            mean = ReduceMean <axes = [1, 2, 3], keepdims = 0> (tiles)
            column = Unsqueeze (mean, one)
            scores = MatMul (column, weights)
            probabilities = Softmax <axis = -1> (scores)
        }}""").SerializeToString()


def test_a_file_for_single_tiles_reads_any_number(tmp_path):
    (tmp_path / "open.onnx").write_bytes(mean_of_the_tile("N"))
    (tmp_path / "single.onnx").write_bytes(mean_of_the_tile(1))
    single, together = [load_model(tmp_path / name).predict(TILES) for name in ("single.onnx", "open.onnx")]
    np.testing.assert_allclose(single, together, atol=1e-6)
    (tmp_path / "four.onnx").write_bytes(mean_of_the_tile(4))
    refused(tmp_path / "four.onnx", "takes (4, 96, 96, 3)")
    (tmp_path / "small.onnx").write_bytes(mean_of_the_tile("N", side=28))
    refused(tmp_path / "small.onnx", "takes (N, 28, 28, 3)")


@pytest.mark.parametrize("name", [*FILES, "model.weights.h5"])
def test_damage_is_seen_by_the_checksum(folder, name):
    for damaged in damaged_copies((folder / name).read_bytes(), 40):
        (folder / name).write_bytes(damaged)
        refused(folder / name, name, "checksum")


@pytest.mark.parametrize("changes, words", [
    ({"labels": [str(n) for n in range(1, 11)]}, "labels"),
    ({"input": {"shape": [None, 28, 28, 1], "dtype": "float32"}}, "input shape"),
    ({"input": {"shape": [None, 96, 96, 3], "dtype": "uint8"}}, "input dtype"),
    ({"tile": {"rule": 0, "size": 96}}, "tile rule"),
    ({"tile": {"rule": "1", "size": 96}}, "tile rule"),
    ({"tile": {"rule": 1, "size": 64}}, "tile size"),
    ({"tile": None}, "no card"),
    ({"files": []}, "no card"),
    ({"files": {"model.tflite": {}}}, "checksum"),
    ({"files": {"model.tflite": {"sha256": "0", "temperature": 9.5947}}}, "temperature"),  # a 0.5947 with a bit flipped
    ({"files": {"model.tflite": {"sha256": "0", "temperature": float("nan")}}}, "temperature"),
    ({"files": {"model.tflite": {"sha256": "0", "threshold": "high"}}}, "threshold"),
    ({"files": {"model.tflite": {"sha256": "0", "threshold": 0.04}}}, "threshold"),
    ({"files": {"model.tflite": {"sha256": "0", "bytes": -1}}}, "bytes"),
    ({"files": {"model.tflite": {"sha256": "0", "strict": {"threshold": 7}}}}, "threshold"),
    ({"files": {"model.tflite": {"sha256": "0", "accepted": {"digits": 98}}}}, "digits"),
    ({"files": {"../model.tflite": {"sha256": "0"}}}, "outside its folder"),
    ({"files": {"C:\\model.tflite": {"sha256": "0"}}}, "outside its folder"),
    ({"name": 7}, "no card"),
])  # fmt: skip
def test_a_card_that_says_something_else_is_refused(folder, changes, words):
    edit_json(folder / CARD, **changes)
    refused(folder, CARD, words)


def test_a_damaged_card_is_refused(folder):
    whole = (folder / CARD).read_bytes()
    for text in (b"", whole[:200], b"\xff\xfe\x00", b"[1, 2]", b"null", b"[" * 100_000):
        (folder / CARD).write_bytes(text)
        refused(folder, CARD)


def test_half_a_folder_says_what_is_missing(folder, tmp_path):
    (folder / "model.weights.h5").unlink()
    refused(folder / "model.json", "model.weights.h5 does not exist")
    for path in folder.glob("model*"):
        path.unlink()
    refused(folder, "holds no model")
    refused(tmp_path / "nothing", "nothing is not a model file")
    refused(tmp_path / "nothing.tflite", "does not exist")


def test_a_renamed_or_empty_file_is_refused(no_card):
    shutil.copy(no_card / "model.tflite", no_card / "renamed.keras")
    refused(no_card / "renamed.keras", "does not begin like a .keras file")
    shutil.copy(no_card / "model.keras", no_card / "renamed.tflite")
    refused(no_card / "renamed.tflite", "does not begin like a .tflite file")
    for kind in FORMATS:
        (no_card / f"model{kind.suffix}").write_bytes(b"")
        refused(no_card / f"model{kind.suffix}", "is empty")
    refused(no_card / CARD)


class TestKerasFilesWithoutACard:
    """Hard files that only Keras can judge; each load costs a process of its own that imports TensorFlow."""

    @pytest.fixture(autouse=True)
    def trial_in_this_process(self, monkeypatch):
        """Skip the trial's process, not the trial: TensorFlow is already here."""
        monkeypatch.setattr("digits.reading.models.loading._trial", lambda path: None)

    def test_lambdas_do_not_run(self, tmp_path):
        import keras

        tile = keras.Input((96, 96, 3))
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.Lambda(lambda x: x * 1.0)(tile))
        model = keras.Model(tile, keras.layers.Dense(10, activation="softmax")(x))
        model.save(tmp_path / "model.keras")
        model.save(tmp_path / "model.h5")
        (tmp_path / "model.json").write_text(model.to_json(), encoding="utf-8")
        model.save_weights(tmp_path / "model.weights.h5")
        for name in ("model.keras", "model.h5", "model.json"):
            refused(tmp_path / name, name, "carries code")

    def test_functions_of_other_modules_do_not_run(self, no_card):
        config = json.loads((no_card / "model.json").read_text(encoding="utf-8"))
        layer = config["config"]["layers"][3]["config"]
        for activation, word in (({"module": "builtins", "class_name": "function", "config": "eval"}, "function"),
                                 ({"module": "os", "class_name": "system", "config": {}}, "os")):  # fmt: skip
            layer["activation"] = activation
            (no_card / "model.json").write_text(json.dumps(config), encoding="utf-8")
            refused(no_card / "model.json", f"carries code ({word})")

    def test_other_shapes_and_no_softmax_are_refused(self, no_card):
        import keras

        small, scores = [
            keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10)])
            for shape in ((28, 28, 1), (96, 96, 3))
        ]
        small.save(no_card / "small.keras")
        refused(no_card / "small.keras", "takes (N, 28, 28, 1)", "expected (N, 96, 96, 3)")
        scores.save(no_card / "scores.keras")
        refused(no_card / "scores.keras", "does not answer with 10 probabilities")
        scores.save_weights(no_card / "model.weights.h5")
        refused(no_card / "model.json", "model.json")  # its weights are those of another network

    def test_files_of_something_else_are_refused(self, no_card):
        with zipfile.ZipFile(no_card / "model.keras", "w") as archive:
            archive.writestr("readme.txt", "hello")
        refused(no_card / "model.keras", "holds 'readme.txt'")
        shutil.copy(no_card / "model.weights.h5", no_card / "alone.h5")
        refused(no_card / "alone.h5", "weights without a network")

    def test_an_h5_file_with_words_of_keras_2_alone_loads(self, no_card, full_export):
        import h5py

        with h5py.File(no_card / "model.h5", "r+") as file:
            config = json.loads(file.attrs["model_config"])
            for layer in config["config"]["layers"]:
                if layer["class_name"] == "DepthwiseConv2D":
                    layer["config"]["groups"] = 1
            file.attrs["model_config"] = json.dumps(config)
        expected = load_model(full_export / "model.h5").predict(TILES)
        np.testing.assert_allclose(load_model(no_card / "model.h5").predict(TILES), expected, atol=1e-5)


def test_calls_of_nested_networks_are_counted_as_keras_3_does():
    nested = {"class_name": "Functional", "name": "base", "inbound_nodes": [[["tile", 0, 0, {}]]],
              "config": {"layers": [], "input_layers": [["in", 0, 0]], "output_layers": [["out", 0, 0]]}}
    dense = {"class_name": "Dense", "name": "dense", "inbound_nodes": [[["base", 1, 0, {}]]], "config": {}}
    network = {"class_name": "Functional", "config": {"layers": [nested, dense], "output_layers": [["dense", 0, 0]]}}
    new = renewed(network)
    assert (new["module"], new["class_name"]) == ("keras.models", "Model")
    assert new["config"]["layers"][1]["inbound_nodes"] == [[["base", 0, 0, {}]]]
    assert new["config"]["output_layers"] == [["dense", 0, 0]]
    of_keras_3 = {"module": "keras.src.models.functional", "class_name": "Functional", "config": network["config"]}
    assert renewed(of_keras_3) is of_keras_3


def damaged_copies(whole: bytes, count: int):
    """Yield truncated, overwritten, cut and shuffled copies of a file, never the file itself."""
    rng = np.random.default_rng(len(whole))
    for index in range(count):
        data = bytearray(whole)
        start = int(rng.integers(len(data))) if index % 2 else int(rng.integers(min(4096, len(data))))
        length = int(rng.integers(1, 200))
        if index % 4 == 0:
            del data[start:]
        elif index % 4 == 1:
            data[start : start + length] = rng.bytes(len(data[start : start + length]))
        elif index % 4 == 2:
            for place in rng.integers(0, min(len(data), 8192), 20):
                data[place] ^= int(rng.integers(1, 256))
        else:
            del data[start : start + length]
        if bytes(data) != whole:
            yield bytes(data)


# Loads each file named in a list the way a trial does, in a fork of a process that has imported everything once.
FORKS = """
import os, sys
import ai_edge_litert.interpreter, cv2, h5py, onnxruntime
from digits.reading.models.keras import _keras
from digits.reading.models.loading import _trial_here
for line in open(sys.argv[1], encoding="utf-8"):
    if "keras" not in sys.modules and "tflite" not in line and "onnx" not in line:
        _keras(1)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        import signal; signal.alarm(20)
        os._exit(_trial_here(line.strip()))
    print(line.strip(), os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to try hundreds of files in seconds")
def test_damaged_files_without_a_card_never_get_past_their_trial(no_card, tmp_path):
    """A trial ends well only for a file that still answers with probabilities; a crash stays in the child."""
    counts = {"model.tflite": 60, "model_int8.tflite": 30, "model.onnx": 60, "model.keras": 8, "model.h5": 8,
              "model.json": 8}
    paths = []
    for name, count in counts.items():
        for index, data in enumerate(damaged_copies((no_card / name).read_bytes(), count)):
            paths.append(tmp_path / f"{index} {name}")
            paths[-1].write_bytes(data)
            if name == "model.json":
                shutil.copy(no_card / "model.weights.h5", paths[-1].with_suffix(".weights.h5"))
    (tmp_path / "list.txt").write_text("\n".join(map(str, paths)), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", FORKS, str(tmp_path / "list.txt")], capture_output=True, text=True)
    ends = [int(line.rsplit(" ", 1)[1]) for line in done.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert len(ends) == len(paths), done.stderr[-2000:]
    assert set(ends) - {0, 4 << 8} <= {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGALRM}
    assert done.stdout.count("trial: ModelError") == ends.count(4 << 8) > 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a signal to die of")
def test_a_runtime_that_dies_ends_in_a_sentence(no_card, monkeypatch):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr("digits.reading.models.loading._TRIAL", crash)
    refused(no_card / "model.tflite", "makes its runtime crash")
