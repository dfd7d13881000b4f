"""The finder as files that run without Keras: `.tflite` and `.onnx`, with a card that vouches for them."""

import json
import shutil
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.files import replacing_folder, write_whole
from digits.learning.export.onnx_file import save_onnx
from digits.learning.finder.network import build_finder
from digits.outputs import diverted
from digits.reading.finding import FINDER_VERSION
from digits.reading.finding.decode import decode
from digits.reading.finding.looks import SIDE, look_at
from digits.reading.models.card import CARD, sha256, write_sums
from digits.reading.models.default import FINDER
from digits.reading.models.finder import load_finder

GOLDEN = "golden.npz"


def export_finder(model: keras.Model, folder: Path, facts: dict, golden: list[np.ndarray]) -> None:
    """Write the finder's export folder, whole or not at all.

    Args:
        facts: what the card says besides: how it was trained, with what result, the weights of its score.
        golden: frames, uint8 (H, W), whose digits are kept beside it, to prove other machines and formats by.
    """
    fixed = build_finder((SIDE, SIDE))
    fixed.set_weights(model.get_weights())
    with replacing_folder(folder) as fresh:
        _save_tflite(fixed, fresh / "finder.tflite")
        save_onnx(fixed, fresh / "finder.onnx", ("picture", "answer"))
        files = {path.name: {"sha256": sha256(path), "bytes": path.stat().st_size} for path in sorted(fresh.iterdir())}
        card = {"name": FINDER, "version": FINDER_VERSION, "parameters": fixed.count_params(),
                "input": {"shape": [1, SIDE, SIDE, 1], "dtype": "float32", "range": [0, 1]}, "files": files}
        _vouch(fresh, card | facts, golden)


def renew_card(folder: Path, facts: dict) -> None:
    """Write other facts into the card of a finder's export folder, and what it finds in its golden frames with them."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    with np.load(folder / GOLDEN) as kept:
        golden = [kept[name] for name in kept.files if name.startswith("frame_")]
    with replacing_folder(folder) as fresh:
        for name in card["files"]:
            shutil.copyfile(folder / name, fresh / name)
        _vouch(fresh, card | facts, golden)


def _vouch(folder: Path, card: dict, golden: list[np.ndarray]) -> None:
    write_whole(folder / CARD, (json.dumps(card, indent=2) + "\n").encode())
    _save_golden(folder, golden)
    write_sums(folder, [*card["files"], CARD, GOLDEN])


def _save_tflite(model: keras.Model, path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec((1, SIDE, SIDE, 1), tf.float32, name="picture")])
    def run(picture):
        return model(picture, training=False)

    with diverted(1, 2), warnings.catch_warnings(action="ignore"):
        converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()], run)
        path.write_bytes(converter.convert())


def _save_golden(folder: Path, frames: list[np.ndarray]) -> None:
    network = load_finder(folder)
    arrays = {}
    for number, frame in enumerate(frames):
        digits = decode(look_at(frame, network), network.decoding)
        arrays[f"frame_{number}"] = frame
        arrays[f"boxes_{number}"] = np.array([digit.box for digit in digits], np.int32).reshape(-1, 4)
        arrays[f"centres_{number}"] = np.array([digit.centre for digit in digits], np.float32)
    np.savez_compressed(folder / GOLDEN, **arrays)
