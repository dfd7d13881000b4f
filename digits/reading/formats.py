"""One loader a format: every file of an export folder becomes the same `Model` with `predict(tiles)`.

A format is one small class: its suffix, how its files begin, and how they run. Whatever the file, a `Model`
has been checked before anyone sees it: against the checksums of the `card.json` beside it, or, without one,
by a trial in a process of its own, so that a damaged file ends in one sentence and never in a wrong reading.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np

from digits.reading.card import (
    CARD,
    CLASSES,
    EXPORT_AGAIN,
    INPUT_SHAPE,
    ModelError,
    brief,
    read_card,
    vouches,
)
from digits.reading.keras_config import refuse_code, renewed
from digits.reading.tile import TILE_SIZE, to_input

DEFAULT_NAME = "mobilenet_v2"
DEFAULT_FILE = "default.txt"  # in exports/: names of folders there, one a line; the first one that exists is used
BUNDLED = "model/"  # where a bundle (learning/bundle.py) keeps its model
# Probabilities of a sound file sum to 1 within float32 (and 8-bit softmax) rounding.
_SUM_TOLERANCE = 0.02
_AT_ONCE = 128  # tiles: 0.1 MB each as numbers, and a network needs several times that between its layers
# Importing TensorFlow takes half a minute on a slow disk; a trial that is still silent after this hangs.
_TRIAL_SECONDS = 180
# A network's description is a few hundred kB; anything far larger is damaged or hostile.
_MAX_CONFIG_BYTES = 20_000_000


class MissingRuntimeError(ModelError):
    """The library that runs this format is not installed here."""


class Model:
    """A loaded model file.

    Attributes:
        name: the model's name (of the card, else of the file).
        format: "tflite", "onnx", "keras", "h5" or "json".
        path: the file.
        card: the export's `card.json`, or None where none vouches for this file.
        verified: True if the file has the checksum its card names.
        temperature: divides the logarithms of the probabilities to make them honest; 1.0 without a card.
        threshold: least confidence (after temperature) at which a reading is accepted; 0.5 without a card.
    """

    format = ""
    suffix = ""
    magic = b""  # how a sound file of the format begins, or has at `magic_at`
    magic_at = 0
    runtime = ""  # what a person without the runtime is told to install

    def __init__(self, path: Path, threads: int | None = None):
        self.path = path
        self.name = _stem(path)
        self.card: dict | None = None
        self.verified = False
        self.temperature = 1.0
        self.threshold = 0.5
        self._one_by_one = False  # some people's own files take a batch of 1 and no other
        self._open(threads or default_threads())

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        """Return the probabilities that the file itself gives, before any temperature.

        Args:
            tiles: uint8 (N, 96, 96).
        Returns:
            float32 (N, 10).
        Raises:
            ValueError: if `tiles` has another shape or dtype.
        """
        tiles = np.asarray(tiles)
        if tiles.dtype != np.uint8 or tiles.ndim != 3 or tiles.shape[1:] != (TILE_SIZE, TILE_SIZE):
            raise ValueError(f"tiles are {tiles.dtype} {tiles.shape}, expected uint8 (N, 96, 96)")
        if len(tiles) == 0:
            return np.zeros((0, CLASSES), np.float32)
        size = 1 if self._one_by_one else _AT_ONCE
        parts = [self._run(to_input(tiles[start : start + size])) for start in range(0, len(tiles), size)]
        return np.concatenate(parts).astype(np.float32)

    @classmethod
    def parts(cls, path: Path) -> list[Path]:
        """Return the files that make up this model; most formats have one."""
        return [path]

    def _check_shapes(self, given, taken) -> None:
        """Raise ModelError unless there is one input (N, 96, 96, 3) and one output (N, 10), N open or 1."""
        given, taken = [[tuple(map(_size, shape)) for shape in shapes] for shapes in (given, taken)]
        fits = [shape[1:] for shape in given] == [INPUT_SHAPE] and [shape[1:] for shape in taken] == [(CLASSES,)]
        if not fits or given[0][0] not in (-1, 1):
            raise ModelError(f"{self.path} takes {_shown(given)} and gives {_shown(taken)}, "
                             f"expected (N, {TILE_SIZE}, {TILE_SIZE}, 3) and (N, {CLASSES}).")
        self._one_by_one = given[0][0] == 1

    def _open(self, threads: int) -> None:
        raise NotImplementedError

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        """Return (N, 10) for float32 (N, 96, 96, 3) in [0, 1], N at least 1."""
        raise NotImplementedError


class TFLiteModel(Model):
    """A `.tflite` file, run by LiteRT (or TensorFlow's own interpreter where only that is installed)."""

    format, suffix, magic, magic_at = "tflite", ".tflite", b"TFL3", 4
    runtime = "pip install ai-edge-litert"
    # Digits of a frame are run in blocks of these sizes, each with an interpreter of its own: changing the
    # batch of one costs as much as a prediction, and padding to one size computes tiles nobody asked for.
    _BLOCKS = (16, 4, 1)

    def _open(self, threads: int) -> None:
        self._interpreter = _tflite_interpreter()
        self._data = self.path.read_bytes()
        self._threads = threads
        self._blocks = {}
        self._block(1)

    def _block(self, size: int):
        if size not in self._blocks:
            interpreter = self._interpreter(model_content=self._data, num_threads=self._threads)
            given, taken = interpreter.get_input_details(), interpreter.get_output_details()
            self._check_shapes([_signature(end) for end in given], [_signature(end) for end in taken])
            if given[0]["dtype"] != np.float32 or taken[0]["dtype"] != np.float32:
                raise ModelError(f"{self.path} does not take and give float32, as models here do.")
            interpreter.resize_tensor_input(given[0]["index"], (size, *INPUT_SHAPE))
            interpreter.allocate_tensors()
            self._blocks[size] = interpreter, given[0]["index"], taken[0]["index"]
        return self._blocks[size]

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        results, start = [], 0
        while start < len(inputs):
            size = next(size for size in self._BLOCKS if size <= len(inputs) - start)
            interpreter, given, taken = self._block(size)
            interpreter.set_tensor(given, inputs[start : start + size])
            interpreter.invoke()
            results.append(interpreter.get_tensor(taken))
            start += size
        return np.concatenate(results)


class ONNXModel(Model):
    """An `.onnx` file, run by onnxruntime where that is installed, else by OpenCV's own `cv2.dnn`."""

    format, suffix, magic = "onnx", ".onnx", b"\x08"  # protobuf's tag of the first field, the version
    runtime = "pip install onnxruntime"

    def _open(self, threads: int) -> None:
        data = self.path.read_bytes()
        try:
            self._answer = self._with_onnxruntime(data, threads)
        except ImportError:
            self._answer = self._with_opencv(data)

    def _with_onnxruntime(self, data: bytes, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 4
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        given, taken = session.get_inputs(), session.get_outputs()
        self._check_shapes([end.shape for end in given], [end.shape for end in taken])
        return lambda inputs: session.run(None, {given[0].name: inputs})[0]

    def _with_opencv(self, data: bytes):
        import cv2

        network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

        def answer(inputs: np.ndarray) -> np.ndarray:
            network.setInput(inputs)
            return network.forward().reshape(len(inputs), -1)

        return answer

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        return self._answer(inputs)


class KerasModel(Model):
    """A `.keras` archive, run by Keras on TensorFlow."""

    format, suffix, magic = "keras", ".keras", b"PK\x03\x04"
    runtime = "pip install tensorflow"

    def _open(self, threads: int) -> None:
        keras, tf = _keras(threads)
        refuse_code(self.path, self._config())
        model = self._build(keras)
        self._check_shapes([end.shape for end in model.inputs], [end.shape for end in model.outputs])
        # A traced function answers in a few ms where `model.predict` takes tens of them.
        signature = [tf.TensorSpec((1 if self._one_by_one else None, *INPUT_SHAPE), tf.float32)]
        self._function = tf.function(lambda inputs: model(inputs, training=False), input_signature=signature)
        self.keras_model = model

    def _config(self) -> object:
        """Return the description of the network, before any of it is built."""
        with zipfile.ZipFile(self.path) as archive:
            entry = archive.getinfo("config.json")
            if entry.file_size > _MAX_CONFIG_BYTES:
                raise ModelError(f"{self.path} describes itself in {entry.file_size} bytes: it is damaged.")
            return json.loads(archive.read(entry))

    def _build(self, keras):
        return keras.models.load_model(os.fspath(self.path), compile=False)

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        return self._function(inputs).numpy()


class H5Model(KerasModel):
    """A `.h5` file of Keras 2 or 3: description and weights in one HDF5 file."""

    format, suffix, magic = "h5", ".h5", b"\x89HDF\r\n\x1a\n"

    def _config(self) -> object:
        import h5py

        with h5py.File(self.path, "r") as file:
            if "model_config" not in file.attrs:
                raise ModelError(f"{self.path} holds weights without a network, expected a whole model; "
                                 "give the .json file beside it instead.")
            return json.loads(file.attrs["model_config"])

    def _build(self, keras):
        model = keras.models.model_from_json(json.dumps(renewed(self._config())))
        model.load_weights(os.fspath(self.path))
        return model


class JSONModel(KerasModel):
    """A `.json` description with its `.weights.h5` beside it."""

    format, suffix, magic = "json", ".json", b""

    @classmethod
    def parts(cls, path: Path) -> list[Path]:
        """Return the description and the weights."""
        return [path, path.with_name(_stem(path) + ".weights.h5")]

    def _config(self) -> object:
        return json.loads(self.path.read_text(encoding="utf-8"))

    def _build(self, keras):
        model = keras.models.model_from_json(json.dumps(renewed(self._config())))
        model.load_weights(os.fspath(self.parts(self.path)[1]))
        return model


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
    path = default_export() if path is None else _as_path(path)
    if path.is_dir():
        return _load_folder(path, threads)
    if path.name.endswith(".weights.h5"):
        path = path.with_name(_stem(path) + ".json")
    return _load_file(path, threads)


def default_threads() -> int:
    """Return the threads a runtime gets if nobody says: more than 4 no longer help networks this small."""
    return max(1, min(4, (os.cpu_count() or 2) // 2))


def default_export() -> Path:
    """Return the export folder used when none is named.

    It is the one that `exports/default.txt` names (see `default_in`); in a bundle (`digits_webcam.pyz`) the one inside.
    """
    around = Path(__file__).resolve().parents[2]
    if around.is_file():
        return zipfile.Path(around, BUNDLED)
    roots = [around / "exports", Path.cwd() / "exports"]
    root = next((root for root in roots if root.is_dir()), None)
    if root is None:
        raise ModelError("no folder exports/ was found; name a model with --model, or make one with "
                         "python train_all.py --quick.")
    return default_in(root)


def default_in(exports_dir: Path) -> Path:
    """Return the default export of a folder of exports.

    It is the first one named in its default.txt that exists (`train_all.py --teach` names the taught one before the
    release), else `mobilenet_v2`, else the only one there.

    Raises:
        ModelError: if there is none, or several and no default.
    """
    named = exports_dir / DEFAULT_FILE
    if named.is_file():
        names = named.read_text(encoding="utf-8", errors="replace").split("\n")
        names = [name.strip() for name in names if name.strip()]
        found = next((name for name in names if (exports_dir / name).is_dir()), None)
        if found is None:
            raise ModelError(f"{named} names {', '.join(names) or 'nothing'}, which is no folder there; name a model "
                             "with --model.")
        return exports_dir / found
    if (exports_dir / DEFAULT_NAME).is_dir():
        return exports_dir / DEFAULT_NAME
    folders = [folder for folder in sorted(exports_dir.glob("*")) if (folder / CARD).is_file()]
    if len(folders) != 1:
        raise ModelError(f"{exports_dir} holds {len(folders)} exports and no default; name one with --model.")
    return folders[0]


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
    for name in _FASTEST_FIRST:
        path = folder / name
        if not path.is_file():
            continue
        try:
            return _load_file(path, threads)
        except MissingRuntimeError as error:
            missing = missing or error
    if missing:
        raise missing
    raise ModelError(f"{folder} holds no model, expected model.tflite or another format; {EXPORT_AGAIN}.")


def _load_file(path: Path, threads: int | None) -> Model:
    kind = format_of(path)
    for part in kind.parts(path):
        if not part.is_file():
            raise ModelError(f"{part} does not exist; {EXPORT_AGAIN}.")
    card = read_card(path.parent)
    verified = card is not None and vouches(card, kind.parts(path))
    if not verified:
        _check_magic(kind, path)
        _trial(path)
    model = _open_checked(kind, path, threads)
    if verified:
        entry = card["files"][path.name]
        model.card, model.verified, model.name = card, True, str(card["name"])
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


def _signature(end: dict) -> list[int]:
    """Return the shape of a TFLite tensor with -1 for what is open."""
    shape = end.get("shape_signature")
    return end["shape"] if shape is None or len(shape) == 0 else shape


def _size(length) -> int:
    return int(length) if isinstance(length, (int, np.integer)) else -1  # None, or ONNX's "N"


def _shown(shapes: list[tuple]) -> str:
    words = [", ".join("N" if size == -1 else str(size) for size in shape) for shape in shapes]
    return " and ".join(f"({word})" for word in words) or "nothing"


_TRIAL = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from digits.reading.formats import _trial_here
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


_SAID = "trial: "  # marks the child's answer among whatever the runtime prints


def _trial_here(path: str) -> int:
    """Load `path` in this process and print what is wrong with it; 0 if nothing is."""
    try:
        _open_checked(format_of(Path(path)), Path(path), 1)
    except ModelError as error:
        print(f"{_SAID}{type(error).__name__} {error}", flush=True)
        return 4
    return 0


def _as_path(path: Path | str):
    """Return a pathlib.Path for text; what behaves like one (a file inside a bundle) stays as it is."""
    return Path(path) if isinstance(path, str) else path


def _stem(path: Path) -> str:
    return path.name.removesuffix(".h5").removesuffix(".weights").rsplit(".", 1)[0] if path.name else "model"


def _tflite_interpreter():
    """Return LiteRT's interpreter class, else the one of an older or larger package."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        try:
            from tflite_runtime.interpreter import Interpreter
        except ImportError:
            import tensorflow

            Interpreter = tensorflow.lite.Interpreter
    return Interpreter


def _keras(threads: int):
    """Return (keras, tensorflow), quiet and on `threads` threads."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import tensorflow

    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    except RuntimeError:
        pass  # TensorFlow is already at work in this process, as in training
    import keras

    return keras, tensorflow
