"""A loaded model file, whatever its format: tiles in, probabilities out."""

import os
from pathlib import Path

import numpy as np

from digits.reading.models.contract import CLASSES, INPUT_SHAPE
from digits.reading.models.errors import ModelError
from digits.reading.tile import TILE_SIZE, to_input

_AT_ONCE = 128  # tiles: 0.1 MB each as numbers, and a network needs several times that between its layers


class Model:
    """A loaded model file.

    Attributes:
        name: the model's name (of the card, else of the file).
        format: "tflite", "onnx", "keras", "h5" or "json".
        path: the file.
        card: the export's `card.json`, or None where none vouches for this file.
        verified: True if the file has the checksum that its card and SHA256SUMS name, and the card its own.
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
        self.name = stem(path)
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
        given, taken = [[tuple(map(open_size, shape)) for shape in shapes] for shapes in (given, taken)]
        fits = [shape[1:] for shape in given] == [INPUT_SHAPE] and [shape[1:] for shape in taken] == [(CLASSES,)]
        if not fits or given[0][0] not in (-1, 1):
            raise ModelError(f"{self.path} takes {shown(given)} and gives {shown(taken)}, "
                             f"expected (N, {TILE_SIZE}, {TILE_SIZE}, 3) and (N, {CLASSES}).")
        self._one_by_one = given[0][0] == 1

    def _open(self, threads: int) -> None:
        raise NotImplementedError

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        """Return (N, 10) for float32 (N, 96, 96, 3) in [0, 1], N at least 1."""
        raise NotImplementedError


def default_threads() -> int:
    """Return the threads a runtime gets if nobody says: all cores; more than 4 no longer help such small networks."""
    return max(1, min(4, os.cpu_count() or 1))


def open_size(length) -> int:
    """Return a length as a number, -1 where it is open (None, or ONNX's "N")."""
    return int(length) if isinstance(length, (int, np.integer)) else -1


def shown(shapes: list[tuple]) -> str:
    """Return shapes in words, for a sentence."""
    words = [", ".join("N" if size == -1 else str(size) for size in shape) for shape in shapes]
    return " and ".join(f"({word})" for word in words) or "nothing"


def stem(path: Path) -> str:
    """Return the name of a model file without what says its format."""
    return path.name.removesuffix(".h5").removesuffix(".weights").rsplit(".", 1)[0] if path.name else "model"
