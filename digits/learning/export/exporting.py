"""One trained model -> its export folder: every format, a card that vouches for them, and golden pictures.

The folder is made beside its place, checked there through the same loaders that the camera script uses, and moved in
whole: an export that was cut off, or whose formats do not agree, leaves the old one as it was.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from digits.files import replacing_folder, write_whole
from digits.learning.export import keras_files
from digits.learning.export.card import make_card, write_card
from digits.learning.export.golden_pictures import make_golden
from digits.learning.export.onnx_file import save_onnx
from digits.learning.export.tflite_files import save_int8, save_tflite
from digits.learning.shared.calibration import CalibrationSet
from digits.learning.shared.errors import RunError
from digits.learning.shared.provenance import git_commit
from digits.reading.models.card import read_card, sha256
from digits.reading.models.contract import CLASSES, INPUT_SHAPE
from digits.reading.models.default import DEFAULT_FILE
from digits.reading.models.errors import ModelError
from digits.reading.models.golden import GOLDEN, Golden, load_golden, machine, save_golden
from digits.reading.models.loading import load_model
from digits.reading.models.verify import verify


class ExportError(RunError):
    """An export that did not come out right; the message is one sentence."""


def export_model(model: keras.Model, name: str, exports_dir: Path, card_info: dict,
                 golden_sources: Sequence[np.ndarray], calibration: CalibrationSet,
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
    try:
        with replacing_folder(exports_dir / name) as beside:
            _check_contract(model)
            golden = make_golden(model, golden_sources, report)
            save_golden(beside / GOLDEN, golden)
            _write_formats(model, beside, golden, representative, calibration, report)
            report("measuring every file")
            write_card(beside, make_card(name, card_info, beside, golden, calibration))
            _check(beside)
    except (ModelError, keras_files.UnportableError) as error:
        raise ExportError(f"{name} was not exported: {error}") from error
    return exports_dir / name


def renew_golden(folder: Path, report: Callable[[str], None] = lambda line: None) -> None:
    """Make the golden tiles and answers of an export anew, after the way from picture to tile has changed.

    The model files stay as they are. Photographs in which the finder finds nothing any more are left out. The folder is
    replaced only if every file then passes.

    Raises:
        ExportError: if a file of the export is damaged, or does not answer as the Keras model does.
    """
    try:
        with replacing_folder(folder) as beside:
            shutil.copytree(folder, beside, dirs_exist_ok=True)
            model, sources = load_model(beside / "model.keras").keras_model, load_golden(beside / GOLDEN).sources
            golden = make_golden(model, sources, report)
            save_golden(beside / GOLDEN, golden)
            card = read_card(beside)
            card |= {"machine": machine(), "commit": git_commit()}
            card["files"][GOLDEN] |= {"sha256": sha256(beside / GOLDEN), "bytes": (beside / GOLDEN).stat().st_size}
            write_card(beside, card)
            _check(beside)
    except ModelError as error:
        raise ExportError(f"{folder} was left as it is: {error}") from error


def make_default(exports_dir: Path, *names: str) -> None:
    """Name the export that is used where none is asked for, and what takes its place if its folder is gone."""
    write_whole(exports_dir / DEFAULT_FILE, "".join(f"{name}\n" for name in names).encode())  # a window may be looking


def _check_contract(model: keras.Model) -> None:
    given, taken = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    if given != INPUT_SHAPE or taken != (CLASSES,):
        raise ModelError(f"the model takes {given} and gives {taken}, expected {INPUT_SHAPE} and ({CLASSES},)")


def _write_formats(model: keras.Model, folder: Path, golden: Golden, representative: np.ndarray,
                   calibration: CalibrationSet, report: Callable[[str], None]) -> None:
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
        save_int8(flat, folder / "model_int8.tflite", representative, golden, calibration)
    except ModelError as error:
        report(f"model_int8.tflite is left out: {error}")


def _without_optimizer(model: keras.Model) -> keras.Model:
    """Return a copy that was never compiled: a file half the size, and nothing in it but the network."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _check(folder: Path) -> None:
    for check in verify(folder):
        if check.ok is False:
            raise ModelError(f"{check.file} {check.note}")
