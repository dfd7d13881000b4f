"""One trained model -> its export folder: every format, a card that vouches for them, and golden pictures.

The folder is made beside its place, checked there through the same loaders that the camera script uses, and moved in
whole: an export that was cut off, or whose formats do not agree, leaves the old one as it was.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from digits.learning import keras_files
from digits.learning.atomic import replacing
from digits.learning.evaluation import acceptance_threshold, accuracy, fit_temperature, scale
from digits.learning.non_digits import draw_non_digit
from digits.learning.onnx_file import save_onnx
from digits.learning.provenance import git_commit
from digits.learning.tflite_files import Quantiser, save_tflite
from digits.reading.card import CARD, CLASSES, INPUT_SHAPE, LABELS, ModelError, read_card, sha256
from digits.reading.formats import DEFAULT_FILE, load_model
from digits.reading.tile import TILE_RULE, TILE_SIZE, normalise, to_input
from digits.reading.verify import GOLDEN, Golden, compare, golden_tile, load_golden, machine, save_golden, verify

STRICT = 0.98  # share of calibration digits that pass the stricter threshold, for --min-confidence
NON_DIGITS = 400  # drawings that a threshold is measured on
# An 8-bit file that loses more than this on the calibration tiles, or reads more of them differently, gets its first
# layers back in float. Most of the rounding happens there: with 10 of MobileNetV2's 66 layers in float, other winners
# fell from 3.2 % to 1.2 % (a quickly trained model, 600 MNIST tiles) for 20 kB more and the same latency.
INT8_LOSS, INT8_AGREEMENT = 0.0005, 0.998
_FIRST_IN_FLOAT = (0, 6, 10, 16, 30)


class ExportError(Exception):
    """An export that did not come out right; the message is one sentence."""


def export_model(model: keras.Model, name: str, exports_dir: Path, card_info: dict,
                 golden_sources: Sequence[np.ndarray], calibration: tuple[np.ndarray, np.ndarray],
                 representative: np.ndarray, report: Callable[[str], None] = lambda line: None) -> Path:
    """Write `exports_dir/name` in every format and return it.

    Args:
        model: float32 (N, 96, 96, 3) in [0, 1] -> (N, 10), built-in layers only.
        name: of the folder and in the card.
        exports_dir: made if missing.
        card_info: what training knows and the card should say: metrics, data, weights_origin, command, ...
        golden_sources: pictures as `golden_sources` makes them; tiles and answers are computed here.
        calibration: tiles uint8 (N, 96, 96) and labels (N,), never trained on: temperature and threshold.
        representative: tiles uint8 (N, 96, 96) of the train split, camera-made ones among them, for 8-bit ranges.
        report: called with a line a step.
    Raises:
        ExportError: if a layer has no place in some format, or a file does not answer as the model does.
    """
    exports_dir.mkdir(parents=True, exist_ok=True)
    _tidy_up(exports_dir / name)
    beside = exports_dir / f".{name}.tmp-{os.getpid()}"
    beside.mkdir()
    try:
        _check_contract(model)
        golden = _golden(model, golden_sources)
        save_golden(beside / GOLDEN, golden)
        _write_formats(model, beside, golden, representative, calibration, report)
        report("measuring every file")
        card = _card(name, card_info, beside, golden, calibration)
        _write_card(beside, card)
        _check(beside)
        return _move_in(beside, exports_dir / name)
    except (ModelError, keras_files.UnportableError) as error:
        raise ExportError(f"{name} was not exported: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def renew_golden(folder: Path) -> None:
    """Make the golden tiles and answers of an export anew, after the way from picture to tile has changed.

    The model files stay as they are; card and golden file are replaced only if every file then passes.

    Raises:
        ExportError: if a file of the export is damaged, or does not answer as the Keras model does.
    """
    beside = folder.with_name(f".{folder.name}.tmp-{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        shutil.copytree(folder, beside)
        golden = _golden(load_model(beside / "model.keras").keras_model, load_golden(beside / GOLDEN).sources)
        save_golden(beside / GOLDEN, golden)
        card = read_card(beside)
        card |= {"machine": machine(), "commit": git_commit()}
        card["files"][GOLDEN] |= {"sha256": sha256(beside / GOLDEN), "bytes": (beside / GOLDEN).stat().st_size}
        _write_card(beside, card)
        _check(beside)
        for name in (GOLDEN, CARD):
            os.replace(beside / name, folder / name)
    except ModelError as error:
        raise ExportError(f"{folder} was left as it is: {error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def make_default(exports_dir: Path, *names: str) -> None:
    """Name the export that is used where none is asked for, and what takes its place if its folder is gone."""
    with replacing(exports_dir / DEFAULT_FILE) as beside:  # a live window may be looking
        beside.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def golden_sources(digits: np.ndarray, count: int = 32, seed: int = 0) -> list[np.ndarray]:
    """Return golden pictures: half MNIST digits as they are, half rendered photographs of further ones.

    Args:
        digits: MNIST pictures, uint8 (N, 28, 28), N at least 1.
    Returns:
        `count` arrays: uint8 (28, 28), and uint8 (H, W, 3) BGR.
    """
    from digits.learning.pages import photograph_one

    rng = np.random.default_rng(seed)
    chosen = digits[rng.choice(len(digits), count, replace=len(digits) < count)]
    sources = [np.ascontiguousarray(digit) for digit in chosen[: count // 2]]
    for digit in chosen[count // 2 :]:
        photograph = photograph_one(digit, rng)[0]
        while not _readable(photograph):  # a few come out too dark or cut; golden ones should read
            photograph = photograph_one(digit, rng)[0]
        sources.append(photograph)
    return sources


def non_digit_tiles(count: int = NON_DIGITS, seed: int = 0) -> np.ndarray:
    """Return tiles uint8 (count, 96, 96) of drawings that are no digits."""
    rng = np.random.default_rng(seed)
    return np.stack([normalise(draw_non_digit(rng)) for _ in range(count)])


def _readable(photograph: np.ndarray) -> bool:
    try:
        golden_tile(photograph)
    except ValueError:
        return False
    return True


def _check_contract(model: keras.Model) -> None:
    given, taken = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    if given != INPUT_SHAPE or taken != (CLASSES,):
        raise ModelError(f"the model takes {given} and gives {taken}, expected {INPUT_SHAPE} and ({CLASSES},)")


def _golden(model: keras.Model, sources: Sequence[np.ndarray]) -> Golden:
    made = [golden_tile(source) for source in sources]
    tiles = np.stack([tile for tile, _ in made])
    answers = _answers(model, tiles)
    return Golden(list(sources), tiles, [boxes for _, boxes in made], answers)


def _answers(model: keras.Model, tiles: np.ndarray) -> np.ndarray:
    return np.asarray(model(to_input(tiles), training=False), np.float32)


def _write_formats(model: keras.Model, folder: Path, golden: Golden, representative: np.ndarray,
                   calibration: tuple[np.ndarray, np.ndarray], report: Callable[[str], None]) -> None:
    flat = keras_files.flatten(model)
    report("writing .keras, .h5, .json + .weights.h5")
    _without_optimizer(model).save(folder / "model.keras")
    keras_files.save_h5(flat, folder / "model.h5")
    keras_files.save_json(flat, folder / "model.json")
    report("writing .onnx")
    save_onnx(flat, folder / "model.onnx")
    report("writing .tflite")
    save_tflite(flat, folder / "model.tflite")
    report("writing .tflite with 8 bits")
    try:
        _save_int8(flat, folder / "model_int8.tflite", representative, golden, calibration)
    except ModelError as error:
        report(f"model_int8.tflite is left out: {error}")


def _save_int8(flat: keras.Model, path: Path, representative: np.ndarray, golden: Golden,
               calibration: tuple[np.ndarray, np.ndarray]) -> None:
    """Write the 8-bit file, with as many of its first layers in float as its accuracy needs.

    Raises:
        ModelError: if a golden picture is read differently even so.
    """
    tiles, labels = calibration
    expected = _run_file(path.with_name("model.tflite"), tiles)
    quantiser = Quantiser(flat, representative)
    agreement: dict[int, float] = {}
    for count in _FIRST_IN_FLOAT:
        quantiser.save(path, count)
        found = _run_file(path, tiles)
        _, other_winners = compare(_run_file(path, golden.tiles), golden.probabilities, int8=True)
        if not other_winners:
            agreement[count] = float((found.argmax(axis=1) == expected.argmax(axis=1)).mean())
            lost = accuracy(expected, labels) - accuracy(found, labels)
            if lost <= INT8_LOSS and agreement[count] >= INT8_AGREEMENT:
                return
    if not agreement:
        path.unlink()
        raise ModelError("in 8 bits a golden picture is read differently, however many layers stay float")
    quantiser.save(path, max(agreement, key=agreement.get))


def _run_file(path: Path, tiles: np.ndarray) -> np.ndarray:
    return load_model(path).predict(tiles)


def _without_optimizer(model: keras.Model) -> keras.Model:
    """Return a copy that was never compiled: a file half the size, and nothing in it but the network."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _card(name: str, info: dict, folder: Path, golden: Golden, calibration: tuple[np.ndarray, np.ndarray]) -> dict:
    card = {
        **info,
        "name": name,
        "version": importlib.metadata.version("digits"),
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "labels": LABELS,
        "input": {"shape": [None, *INPUT_SHAPE], "dtype": "float32", "range": [0, 1],
                  "meaning": "white ink on black, three equal channels"},
        "output": {"shape": [None, CLASSES], "dtype": "float32", "meaning": "probabilities, sum 1"},
        "tile": {"rule": TILE_RULE, "size": TILE_SIZE},
        "machine": machine(),
        "libraries": {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__,
                      "numpy": np.__version__, "opencv": cv2.__version__},
        "commit": git_commit(),
        "files": {},
    }
    for path in sorted(folder.iterdir()):
        card["files"][path.name] = {"sha256": sha256(path), "bytes": path.stat().st_size}
    _measure(card, folder, golden, calibration)
    return card


def _measure(card: dict, folder: Path, golden: Golden, calibration: tuple[np.ndarray, np.ndarray]) -> None:
    """Add to each model file its difference on the golden tiles, its temperature and its threshold."""
    _write_card(folder, card)
    tiles, labels = calibration
    others = non_digit_tiles()
    fitted: dict[bool, dict] = {}
    for file, entry in card["files"].items():
        if file == GOLDEN or file.endswith(".weights.h5"):
            continue
        model, int8 = load_model(folder / file), "int8" in file
        entry["max_difference"], _ = compare(model.predict(golden.tiles), golden.probabilities, int8)
        if int8 not in fitted:  # the float formats differ by 1e-4 at most: what is fitted for one holds for all
            quick = load_model(folder / ("model_int8.tflite" if int8 else "model.tflite"))
            fitted[int8] = _fit(quick.predict(tiles), labels, quick.predict(others))
        entry.update(fitted[int8])


def _fit(digits: np.ndarray, labels: np.ndarray, others: np.ndarray) -> dict:
    """Return temperature, threshold, and what the threshold lets through, from probabilities (N, 10)."""
    temperature = fit_temperature(digits, labels)
    digits, others = (scale(each, temperature).max(axis=1) for each in (digits, others))
    threshold = acceptance_threshold(digits, others)
    return {"temperature": round(temperature, 4), **_let_through(threshold, digits, others),
            "strict": _let_through(float(np.quantile(digits, 1 - STRICT)), digits, others)}


def _let_through(threshold: float, digits: np.ndarray, others: np.ndarray) -> dict:
    """Return a threshold and the shares of digits and of other things whose confidence reaches it."""
    return {"threshold": round(threshold, 4),
            "accepted": {"digits": round(float((digits >= threshold).mean()), 4),
                         "non_digits": round(float((others >= threshold).mean()), 4)}}


def _write_card(folder: Path, card: dict) -> None:
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _check(folder: Path) -> None:
    for check in verify(folder):
        if check.ok is False:
            raise ModelError(f"{check.file} {check.note}")


def _tidy_up(place: Path) -> None:
    """Undo what an export that was killed left behind: half a folder, or the old one moved aside."""
    for old in place.parent.glob(f".{place.name}.old-*"):
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(place)
    for half in place.parent.glob(f".{place.name}.tmp-*"):
        shutil.rmtree(half, ignore_errors=True)


def _move_in(beside: Path, place: Path) -> Path:
    """Put the new folder in its place; the old one goes only when the new one is there."""
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    if place.exists():
        place.rename(old)
    try:
        beside.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return place


def main(arguments: list[str] | None = None) -> int:
    """Renew the golden pictures of the exports named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m digits.learning.export", description=renew_golden.__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="an export folder, such as exports/mobilenet_v2")
    sys.stdout.reconfigure(errors="backslashreplace")  # a cp1252 console cannot write every path
    for folder in parser.parse_args(arguments).folder:
        try:
            renew_golden(folder)
        except (ExportError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{folder}: golden pictures renewed and every file checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
