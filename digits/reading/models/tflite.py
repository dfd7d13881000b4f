"""`.tflite` files, run by LiteRT."""

import importlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from digits.outputs import diverted
from digits.reading.models.contract import INPUT_SHAPE
from digits.reading.models.errors import ModelError
from digits.reading.models.model import Model


@contextmanager
def without_info() -> Iterator[None]:
    """Drop what LiteRT tells past Python of how it set itself up; all else, errors first of all, is handed on."""
    with tempfile.TemporaryFile() as said:
        try:
            with diverted(2, to=said):
                yield
        finally:
            said.seek(0)
            with suppress(OSError):  # a process without stderr
                os.write(2, b"".join(line for line in said if not line.startswith(b"INFO:")))


class TFLiteModel(Model):
    """A `.tflite` file, run by LiteRT (or TensorFlow's own interpreter where only that is installed)."""

    format, suffix, magic, magic_at = "tflite", ".tflite", b"TFL3", 4
    runtime = "pip install ai-edge-litert"
    # Digits of a frame are run in blocks of these sizes, each with an interpreter of its own: changing the
    # batch of one costs as much as a prediction, and padding to one size computes tiles nobody asked for.
    _BLOCKS = (16, 4, 1)

    def _open(self, threads: int) -> None:
        self._interpreter = tflite_interpreter()
        self._data = self.path.read_bytes()
        self._threads = threads
        self._blocks = {}
        self._block(1)

    def _block(self, size: int):
        if size not in self._blocks:
            with without_info():
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


def _signature(end: dict) -> list[int]:
    """Return the shape of a TFLite tensor with -1 for what is open."""
    shape = end.get("shape_signature")
    return end["shape"] if shape is None or len(shape) == 0 else shape


def tflite_interpreter():
    """Return LiteRT's interpreter class, else the one of an older or larger package."""
    for package in ("ai_edge_litert", "tflite_runtime"):
        with suppress(ImportError):
            return importlib.import_module(f"{package}.interpreter").Interpreter
    import tensorflow

    return tensorflow.lite.Interpreter
