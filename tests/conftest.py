"""Fixtures that several test files share."""

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from digits.reading.models.card import CARD, write_sums
from digits.reading.models.default import default_in
from digits.reading.models.errors import ModelError
from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise

ROOT = Path(__file__).resolve().parents[1]
POOL = 8  # the tiny model sees a tile as 12 x 12 averages
WORKERS = 2  # processes that share out the whole suite: each takes up to 4 GB where networks train
# The files that take longest. A file runs in one process; these begin first, so that none is left over at the end.
LONGEST = ("test_readme", "test_notebooks", "test_train_all", "test_teach", "test_export")


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory) -> Path:
    """An export folder whose model reads printed digits: a small ONNX model made in a second.

    DIGITS_TEST_EXPORT names another one, to put a real export through the same tests.
    """
    if os.environ.get("DIGITS_TEST_EXPORT"):
        return Path(os.environ["DIGITS_TEST_EXPORT"])
    pytest.importorskip("onnx", reason="the dev extra is not installed")
    folder = tmp_path_factory.mktemp("exports") / "tiny"
    folder.mkdir()
    data = _onnx_model(*_fit_printed_digits())
    (folder / "model.onnx").write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "temperature": 1.0, "threshold": 0.5}
    card = {
        "name": "tiny", "labels": [str(digit) for digit in range(10)],
        "tile": {"rule": TILE_RULE, "size": TILE_SIZE},
        "input": {"shape": [None, TILE_SIZE, TILE_SIZE, 3], "dtype": "float32"},
        "files": {"model.onnx": entry},
    }  # fmt: skip
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    write_sums(folder, ["model.onnx", CARD])
    return folder


def _fit_printed_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return weights (144, 10) and bias (10,) of a linear model of printed digits, turned and scaled a little."""
    features, labels = [], []
    side = TILE_SIZE // POOL
    for digit, turn, thickness in itertools.product(range(10), (-10, -6, -2, 2, 6, 10), (6, 9, 13)):
        ink = np.zeros((160, 160), np.uint8)
        cv2.putText(ink, str(digit), (45, 115), cv2.FONT_HERSHEY_SIMPLEX, 3.0, 255, thickness, cv2.LINE_AA)
        ink = cv2.warpAffine(ink, cv2.getRotationMatrix2D((80, 80), turn, 1.0), (160, 160))
        tile = cv2.resize(normalise(ink), (side, side), interpolation=cv2.INTER_AREA)
        features.append(tile.reshape(-1) / 255)
        labels.append(digit)
    x = np.asarray(features)
    targets = 20.0 * np.eye(10)[labels]
    mean = x.mean(axis=0)
    weights = np.linalg.solve((x - mean).T @ (x - mean) + 1.0 * np.eye(x.shape[1]), (x - mean).T @ targets)
    return weights.astype(np.float32), (targets.mean(axis=0) - mean @ weights).astype(np.float32)


def _onnx_model(weights: np.ndarray, bias: np.ndarray) -> bytes:
    import onnx

    model = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["": 13]>
        tiny (float[n, {TILE_SIZE}, {TILE_SIZE}, 3] input) => (float[n, 10] output) {{
            planes = Transpose <perm = [0, 3, 1, 2]> (input)
            grey = Conv <kernel_shape = [1, 1]> (planes, mean)
            small = AveragePool <kernel_shape = [{POOL}, {POOL}], strides = [{POOL}, {POOL}]> (grey)
            flat = Flatten (small)
            scores = Gemm (flat, weights, bias)
            output = Softmax <axis = 1> (scores)
        }}""")
    constants = {"mean": np.full((1, 3, 1, 1), 1 / 3, np.float32), "weights": weights, "bias": bias}
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in constants.items())
    return model.SerializeToString()


@pytest.fixture(scope="session")
def display(tmp_path_factory):
    """The environment of a process that can open windows: a virtual screen, which keeps its pixels in a file."""
    if not (sys.platform.startswith("linux") and shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("Xvfb and xdotool are not installed")
    number_out, number_in = os.pipe()
    folder = tmp_path_factory.mktemp("screen")
    command = ["Xvfb", "-displayfd", str(number_in), "-screen", "0", "1280x800x24", "-fbdir", str(folder)]
    command += ["-noreset"]  # without it the server starts anew, refusing all, whenever its last window goes
    server = subprocess.Popen(command, pass_fds=[number_in], stderr=subprocess.DEVNULL)
    os.close(number_in)
    with open(number_out) as pipe:
        number = pipe.readline().strip()  # comes when Xvfb is ready
    if not number:
        pytest.fail("Xvfb did not start")
    yield {**os.environ, "DISPLAY": f":{number}", "SCREEN_FILE": str(folder / "Xvfb_screen0")}
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=10)


@pytest.fixture
def script():
    """Start realtime_multiformat.py with arguments; whatever still runs at the end of the test is stopped."""
    started = []

    def start(*arguments, env=None, **options) -> subprocess.Popen:
        command = [sys.executable, str(ROOT / "realtime_multiformat.py"), *map(str, arguments)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"} | options
        started.append(subprocess.Popen(command, env=env, **options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def rendered_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """300 rendered digits: inks uint8 (N, 28, 28), tiles uint8 (N, 96, 96) and labels (N,)."""
    from digits.rendering.handwriting import draw_digit

    rng = np.random.default_rng(0)
    labels = np.arange(300) % 10
    inks = [draw_digit(int(label), rng, 112) for label in labels]
    small = np.stack([cv2.resize(ink, (28, 28), interpolation=cv2.INTER_AREA) for ink in inks])
    return small, np.stack([normalise(ink) for ink in inks]), labels


@pytest.fixture(scope="session")
def every_layer_model(rendered_digits):
    """A Keras model with every kind of layer that our networks use, one part nested, trained for a few seconds."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    block = keras.Input((32, 32, 8))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(block)
    x = layers.DepthwiseConv2D(3, strides=2, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.7)(x)
    x = layers.ReLU(6.0)(x)
    block = keras.Model(block, layers.Conv2D(16, 1)(x), name="block")
    tile = keras.Input((96, 96, 3), name="tile")
    x = layers.Rescaling(2.0, -1.0)(layers.AveragePooling2D(3)(tile))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = block(x)
    x = layers.Add()([x, layers.Conv2D(16, 3, padding="same", activation="relu")(x)])
    x = layers.MaxPooling2D()(x)
    x = keras.Sequential([layers.Conv2D(16, 3), layers.Activation("relu"), layers.Flatten()], name="ending")(x)
    x = layers.Dropout(0.2)(layers.Dense(32, activation="relu")(x))
    model = keras.Model(tile, layers.Dense(10, activation="softmax")(x), name="every_layer")
    _, tiles, labels = rendered_digits
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(np.repeat(tiles[..., None] / np.float32(255), 3, axis=-1), labels, epochs=8, verbose=0)
    return model


@pytest.fixture(scope="session")
def full_export(tmp_path_factory, every_layer_model, rendered_digits) -> Path:
    """An export folder with every format, made by export_model under a path with a space and an accent."""
    from digits.learning.export.exporting import export_model
    from digits.learning.export.golden_pictures import golden_sources

    inks, tiles, labels = rendered_digits
    return export_model(every_layer_model, "every_layer", tmp_path_factory.mktemp("expörts of") / "here",
                        {"metrics": {"mnist": 0.5}}, golden_sources(inks), (tiles, labels), tiles[:100])


@pytest.fixture(scope="session")
def released_export(request) -> Path:
    """The default export that ships, or, in a checkout without one, the small one with every format."""
    try:
        released = default_in(ROOT / "exports")
    except ModelError:
        return request.getfixturevalue("full_export")
    return released if (released / "card.json").is_file() else request.getfixturevalue("full_export")


@pytest.fixture(scope="session")
def reader():
    """A reader with the model that is used when none is named."""
    from digits.reading.models.loading import load_model
    from digits.reading.reader import Reader

    return Reader(load_model())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config) -> int:
    """Return how many processes run the tests: several for the whole suite, one for what was named."""
    if config.option.file_or_dir:
        return 0
    # One thread each: threads that wait for each other's core cost more than they bring.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    return min(WORKERS, os.cpu_count() or 1)


def pytest_collection_modifyitems(items):
    """Put the files that take longest first, and leave the others in their order."""
    items.sort(key=lambda item: (*LONGEST, item.path.stem).index(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail skipped tests of the marks that DIGITS_REQUIRE names: they count where a screen and photographs are."""
    report = yield
    required = os.environ.get("DIGITS_REQUIRE", "").split()
    marks = [mark for mark in required if item.get_closest_marker(mark)]
    if report.skipped and marks and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"DIGITS_REQUIRE={' '.join(required)}, but this test of the mark {marks[0]} did: {reason}"
    return report
