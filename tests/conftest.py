"""Fixtures that several test files share."""

import hashlib
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

from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise

ROOT = Path(__file__).resolve().parents[1]
POOL = 8  # the tiny model sees a tile as 12 x 12 averages


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
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder


def _fit_printed_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return weights (144, 10) and bias (10,) of a linear model of printed digits, turned and scaled a little."""
    features, labels = [], []
    for digit in range(10):
        for turn in (-8, -4, 0, 4, 8):
            for thickness in (6, 8, 11):
                ink = np.zeros((160, 160), np.uint8)
                cv2.putText(ink, str(digit), (45, 115), cv2.FONT_HERSHEY_SIMPLEX, 3.0, 255, thickness, cv2.LINE_AA)
                ink = cv2.warpAffine(ink, cv2.getRotationMatrix2D((80, 80), turn, 1.0), (160, 160))
                side = TILE_SIZE // POOL
                tile = cv2.resize(normalise(ink), (side, side), interpolation=cv2.INTER_AREA)
                features.append(tile.reshape(-1) / 255)
                labels.append(digit)
    x = np.asarray(features)
    targets = 12.0 * np.eye(10)[labels]
    mean = x.mean(axis=0)
    weights = np.linalg.solve((x - mean).T @ (x - mean) + 0.3 * np.eye(x.shape[1]), (x - mean).T @ targets)
    return weights.astype(np.float32), (targets.mean(axis=0) - mean @ weights).astype(np.float32)


def _onnx_model(weights: np.ndarray, bias: np.ndarray) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "mean"], ["grey"], kernel_shape=[1, 1]),
        helper.make_node("AveragePool", ["grey"], ["small"], kernel_shape=[POOL, POOL], strides=[POOL, POOL]),
        helper.make_node("Flatten", ["small"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["output"], axis=1),
    ]
    constants = {"mean": np.full((1, 3, 1, 1), 1 / 3, np.float32), "weights": weights, "bias": bias}
    graph = helper.make_graph(
        nodes, "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", TILE_SIZE, TILE_SIZE, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


@pytest.fixture(scope="session")
def display(tmp_path_factory):
    """The environment of a process that can open windows: a virtual screen, which keeps its pixels in a file."""
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("Xvfb and xdotool are not installed")
    number_out, number_in = os.pipe()
    folder = tmp_path_factory.mktemp("screen")
    command = ["Xvfb", "-displayfd", str(number_in), "-screen", "0", "1280x800x24", "-fbdir", str(folder)]
    command += ["-noreset"]  # without it the server starts anew, refusing all, whenever its last window goes
    server = subprocess.Popen(command, pass_fds=[number_in], stderr=subprocess.DEVNULL)
    os.close(number_in)
    number = b""
    while not number.endswith(b"\n"):
        piece = os.read(number_out, 16)
        if not piece:
            pytest.fail("Xvfb did not start")
        number += piece
    os.close(number_out)
    yield {**os.environ, "DISPLAY": f":{number.decode().strip()}", "SCREEN_FILE": str(folder / "Xvfb_screen0")}
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
