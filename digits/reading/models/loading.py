"""One loader for every file of an export folder: each becomes the same `Model` with `predict(tiles)`.

Whatever the file, a `Model` has been checked before anyone sees it: against the checksums in the `card.json` and the
SHA256SUMS beside it, or, without any, by a trial in a process of its own, so that a damaged file ends in one sentence
and never in a wrong reading.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from digits.reading.models.card import CARD, SUMS, card_sums, read_card, read_sums, vouches
from digits.reading.models.contract import CLASSES
from digits.reading.models.default import default_export
from digits.reading.models.errors import EXPORT_AGAIN, MissingRuntimeError, ModelError, brief
from digits.reading.models.keras import H5Model, JSONModel, KerasModel
from digits.reading.models.model import Model, stem
from digits.reading.models.onnx import ONNXModel
from digits.reading.models.tflite import TFLiteModel
from digits.reading.tile import TILE_SIZE

# Probabilities of a sound file sum to 1 within float32 (and 8-bit softmax) rounding.
_SUM_TOLERANCE = 0.02
# Importing TensorFlow takes half a minute on a slow disk; a trial that is still silent after this hangs.
_TRIAL_SECONDS = 180
FORMATS: tuple[type[Model], ...] = (TFLiteModel, ONNXModel, KerasModel, H5Model, JSONModel)
# The order in which a folder is tried, by benchmarks/formats.py: the fastest first. In 8 bits a digit takes less than
# half the time; confidences are a few hundredths off, which the file's own temperature and threshold allow for.
_FASTEST_FIRST = ("model_int8.tflite", "model.tflite", "model.onnx", "model.keras", "model.h5", "model.json")


def load_model(path: Path | str | None = None, threads: int | None = None) -> Model:
    """Return a checked model.

    Args:
        path: a file (exactly that one), an export folder (the fastest format that can run here), or None for
            the default export.
        threads: of the runtime; None leaves half of the processors to the camera and the window.
    Raises:
        ModelError: one sentence on what was found, what was expected and what to do.
    """
    if path is None:
        path = default_export()  # inside a bundle this is no pathlib.Path, but behaves like one
    elif isinstance(path, str):
        path = Path(path)
    if path.is_dir():
        return _load_folder(path, threads)
    if path.name.endswith(".weights.h5"):
        path = path.with_name(stem(path) + ".json")
    return _load_file(path, threads)


def format_of(path: Path) -> type[Model]:
    """Return the class that loads a file, by its suffix; raises ModelError for other files."""
    for kind in FORMATS:
        if path.name.lower().endswith(kind.suffix) and path.name.lower() != CARD:
            return kind
    suffixes = ", ".join(kind.suffix for kind in FORMATS)
    raise ModelError(f"{path} is not a model file; expected one ending in {suffixes}, or an export folder.")


def _load_folder(folder: Path, threads: int | None) -> Model:
    """Load the fastest format of a folder; only a missing runtime leads on to the next."""
    missing = None
    for path in (folder / name for name in _FASTEST_FIRST):
        if path.is_file():
            try:
                return _load_file(path, threads)
            except MissingRuntimeError as error:
                missing = missing or error
    raise missing or ModelError(f"{folder} holds no model, expected model.tflite or another format; {EXPORT_AGAIN}.")


def _load_file(path: Path, threads: int | None) -> Model:
    kind = format_of(path)
    parts = kind.parts(path)
    for part in parts:
        if not part.is_file():
            raise ModelError(f"{part} does not exist; {EXPORT_AGAIN}.")
    card, sums = read_card(path.parent), read_sums(path.parent)
    in_card, in_sums = vouches(CARD, card_sums(card), parts), vouches(SUMS, sums, parts)
    if not (in_card or in_sums):
        _check_magic(kind, path)
        _trial(path)
    model = _open_checked(kind, path, threads)
    if in_card:
        entry = card["files"][path.name]
        model.card, model.name = card, str(card["name"])
        model.verified = in_sums and CARD in sums  # `read_card` has compared the card with them
        model.temperature = float(entry.get("temperature", 1.0))
        model.threshold = float(entry.get("threshold", 0.5))
    return model


def _open_checked(kind: type[Model], path: Path, threads: int | None) -> Model:
    """Open a file and see that it answers like a digit network."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras explains at length what it then gets right or raises
            model = kind(path, threads)
        probe = np.zeros((2, TILE_SIZE, TILE_SIZE), np.uint8)
        probe[1, 20:76, 44:52] = 255  # an upright stroke
        answer = model.predict(probe)
    except ModelError:
        raise
    except ImportError as error:
        raise MissingRuntimeError(f"{path} cannot run here ({brief(error)}); {kind.runtime}.") from error
    except Exception as error:  # a runtime may raise anything at all on a damaged file
        raise ModelError(f"{path} cannot be loaded ({brief(error)}); {EXPORT_AGAIN}.") from error
    if answer.shape != (2, CLASSES) or not np.isfinite(answer).all() or answer.min() < -1e-6:
        raise ModelError(f"{path} does not answer with {CLASSES} probabilities a tile; {EXPORT_AGAIN}.")
    if np.abs(answer.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise ModelError(f"{path} answers with numbers that do not sum to 1, expected probabilities.")
    return model


def _check_magic(kind: type[Model], path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(kind.magic_at + len(kind.magic) + 1)
    if not head:
        raise ModelError(f"{path} is empty; {EXPORT_AGAIN}.")
    if head[kind.magic_at :][: len(kind.magic)] != kind.magic:
        raise ModelError(f"{path} does not begin like a {kind.suffix} file: it is damaged or wrongly named.")


_SAID = "trial: "  # marks the child's answer among whatever the runtime prints
_TRIAL = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from digits.reading.models.loading import _trial_here
sys.exit(_trial_here(sys.argv[2]))
"""


def _trial(path: Path) -> None:
    """Load a file nobody vouches for in a child process first: runtimes may die of a damaged one."""
    search = json.dumps([str(Path(entry).resolve()) for entry in sys.path])
    command = [sys.executable, "-c", _TRIAL, search, str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS, env=environment)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path} did not load within {_TRIAL_SECONDS} s and was given up.") from error
    if done.returncode == 0:
        return
    lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith(_SAID)]
    if not lines:
        raise ModelError(f"{path} makes its runtime crash: it is damaged or not a model; {EXPORT_AGAIN}.")
    kind, _, sentence = lines[-1].removeprefix(_SAID).partition(" ")
    raise (MissingRuntimeError if kind == MissingRuntimeError.__name__ else ModelError)(sentence)


def _trial_here(path: str) -> int:
    """Load `path` in this process and print what is wrong with it; 0 if nothing is."""
    try:
        _open_checked(format_of(Path(path)), Path(path), 1)
    except ModelError as error:
        print(f"{_SAID}{type(error).__name__} {error}", flush=True)
        return 4
    return 0
