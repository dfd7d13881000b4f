"""The finder network's files: a picture in, maps out, in whichever format can run here."""

import json
import math
import zipfile
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from digits.paths import PACKAGE_ROOT
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.score import WEIGHTS
from digits.reading.models.card import CARD, sha256
from digits.reading.models.default import BUNDLED_FINDER, FINDER
from digits.reading.models.errors import MissingRuntimeError, ModelError, brief
from digits.reading.models.model import default_threads
from digits.reading.models.tflite import tflite_interpreter, without_info

SIDE = 640  # pixels: of its picture
PLANES = 21  # of its maps, a quarter of the picture's size
_FILES = ("finder.tflite", "finder.onnx")
_TRAIN = "get the release's, or run python train_all.py --finder"


class Finder:
    """The loaded network. Call it with a picture, float32 (640, 640) grey in [0, 1]; get maps, float32 (160, 160, 21).

    Attributes:
        path: the file.
        card: what `card.json` beside it says: version, how it was trained, weights of the score.
        decoding: the numbers that its maps are decoded by.
    """

    def __init__(self, path: Path, card: dict, threads: int) -> None:
        self.path, self.card, self.decoding = path, card, Decoding.of(card)
        self._answer = (_tflite if path.name.endswith(".tflite") else _onnx)(path.read_bytes(), threads)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return the maps of one picture."""
        return self._answer(picture[np.newaxis, ..., np.newaxis])[0]


def load_finder(path: Path | None = None, threads: int | None = None) -> Finder:
    """Return the finder of a folder, or the one that a file holds; the project's own if None.

    Raises:
        ModelError: one sentence on what was found, what was expected and what to do.
    """
    path = default_finder() if path is None else path
    if not path.exists():
        raise ModelError(f"There is no finder {path}; {_TRAIN}.")
    folder = path if path.is_dir() else path.parent
    card = read_finder_card(folder)
    missing = None
    for file in [folder / name for name in _FILES if (folder / name).is_file()] if path.is_dir() else [path]:
        entry = card["files"].get(file.name, {})
        if not isinstance(entry, dict) or entry.get("sha256") != sha256(file):
            raise ModelError(f"{file} has not the checksum that {CARD} names; {_TRAIN}.")
        try:
            return _checked(Finder(file, card, threads or default_threads()))
        except ImportError as error:
            sentence = f"{file} cannot run here ({brief(error)}); pip install ai-edge-litert."
            missing = missing or MissingRuntimeError(sentence)
        except Exception as error:  # a runtime may raise anything at all on a damaged file
            raise ModelError(f"{file} cannot be loaded ({brief(error)}); {_TRAIN}.") from error
    raise missing or ModelError(f"{folder} holds no finder, expected {_FILES[0]}; {_TRAIN}.")


def default_finder() -> Path:
    """Return the folder of the project's own finder; in a bundle (`digits_webcam.pyz`) the one inside."""
    if PACKAGE_ROOT.is_file():
        return zipfile.Path(PACKAGE_ROOT, BUNDLED_FINDER)
    roots = [PACKAGE_ROOT / "exports", Path.cwd() / "exports"]
    return next((root / FINDER for root in roots if (root / FINDER).is_dir()), roots[0] / FINDER)


def is_finder(folder: Path) -> bool:
    """Return whether a folder holds a finder rather than a model."""
    return any((folder / name).is_file() for name in _FILES)


def read_finder_card(folder: Path) -> dict:
    """Return the card of a finder's folder.

    Raises:
        ModelError: it cannot be read, or is another's.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or brief(error)}); {_TRAIN}.") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({brief(error)}); {_TRAIN}.") from error
    if not isinstance(card, dict) or not isinstance(card.get("files"), dict) or card.get("name") != FINDER:
        raise ModelError(f"{path} is no card of a finder; {_TRAIN}.")
    score, accept = card.get("score", WEIGHTS), card.get("accept", 0.5)
    again = "get the release's, or run python -m digits.learning.finder."
    if not isinstance(score, list | tuple) or len(score) != len(WEIGHTS) or not all(map(_is_number, score)):
        raise ModelError(f"{path} has not the {len(WEIGHTS)} weights of the score; {again}")
    if not _is_number(accept) or not 0 <= accept <= 1:
        raise ModelError(f"{path} accepts from {accept!r} on, expected a score from 0 to 1; {again}")
    return card


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _checked(finder: Finder) -> Finder:
    maps = finder(np.full((SIDE, SIDE), 0.5, np.float32))
    wanted = SIDE // 4, SIDE // 4, PLANES
    if maps.shape != wanted or not np.isfinite(maps).all():
        raise ModelError(f"{finder.path} answers with {maps.shape}, expected {wanted}; {_TRAIN}.")
    return finder


def _tflite(data: bytes, threads: int):
    with without_info():
        interpreter = tflite_interpreter()(model_content=data, num_threads=threads)
        interpreter.allocate_tensors()
    given, taken = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def answer(pictures: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(given, pictures)
        interpreter.invoke()
        return interpreter.get_tensor(taken)

    return answer


def _onnx(data: bytes, threads: int):
    with suppress(ImportError):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 4
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        return lambda pictures: session.run(None, {session.get_inputs()[0].name: pictures})[0]
    network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

    def answer(pictures: np.ndarray) -> np.ndarray:
        network.setInput(pictures)
        return network.forward()

    return answer
