"""What the frozen part of MobileNetV2 says of each tile, computed once and kept on disk."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.learning.networks.inputs import tiles_to_input
from digits.learning.networks.mobilenet import build_mobilenet_v2, frozen_part, trunk_variables
from digits.learning.shared.progress import titled
from digits.learning.training.precision import to_float32
from digits.reading.tile import TILE_RULE

_KEY_BYTES = 16  # of a tile's name in the store


@dataclass(frozen=True)
class _Part:
    """One file of the store: rows of one shape, appended, never changed, taken by number as from an array.

    The file is mapped only while some are taken: what was read once does not stay in the process' memory, however
    many rows there are.
    """

    path: Path
    row_shape: tuple[int, ...]
    dtype: type

    @property
    def row_bytes(self) -> int:
        return int(np.prod(self.row_shape)) * np.dtype(self.dtype).itemsize

    def __len__(self) -> int:
        return self.path.stat().st_size // self.row_bytes if self.path.exists() else 0

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), *self.row_shape

    def __getitem__(self, picked: np.ndarray | slice) -> np.ndarray:
        """Return a copy of some rows, (N, *row_shape)."""
        if len(self) == 0:
            return np.zeros(self.shape, self.dtype)[picked]
        return np.array(np.memmap(self.path, self.dtype, "r", shape=self.shape)[picked])

    def cut(self, rows: int) -> None:
        """Drop what a killed run appended after `rows` rows."""
        with open(self.path, "ab") as file:
            file.truncate(rows * self.row_bytes)

    def append(self, array: np.ndarray) -> None:
        with open(self.path, "ab") as file:
            file.write(np.ascontiguousarray(array, self.dtype).data)


class FeatureStore:
    """What the frozen part says about each tile, computed once and kept on disk in float16.

    `blocks` (rows, 3, 3, 160) is what block_14_add puts out, `pooled` (rows, 1280) what the pooling does before
    anything was trained. The folder is named by weights and tile rule, a row by its tile, so another set of tiles
    computes only those that are new. Rows are appended and their keys last: a run killed on the way loses one chunk
    at most.
    """

    CHUNK = 2048  # tiles between two writes: some seconds of work

    def __init__(self, folder: Path, model: keras.Model):
        own = build_mobilenet_v2()  # a copy: the one given is about to be trained
        to_float32(own)  # what is kept is the same whatever it was computed on
        own.set_weights(model.get_weights())
        self.model = frozen_part(own)
        self._run = tf.function(lambda batch: self.model(tiles_to_input(batch), training=False), reduce_retracing=True)
        self.folder = folder / f"features-{trunk_key(model)}-tile{TILE_RULE}"
        self.folder.mkdir(parents=True, exist_ok=True)
        block, pooled = (tuple(shape[1:]) for shape in self.model.output_shape)
        self.blocks = _Part(self.folder / "block_14_add.f16", block, np.float16)
        self.pooled = _Part(self.folder / "pooled.f16", pooled, np.float16)
        self._keys = _Part(self.folder / "tiles.keys", (_KEY_BYTES,), np.uint8)
        whole = min(map(len, self._parts))
        for part in self._parts:
            part.cut(whole)
        self._known = {key.tobytes(): row for row, key in enumerate(self._keys[:])}

    @property
    def _parts(self) -> tuple[_Part, _Part, _Part]:
        return self.blocks, self.pooled, self._keys

    def rows(self, tiles: np.ndarray, report=None) -> np.ndarray:
        """Return int64 (N,): the row of each of the tiles uint8 (N, 96, 96), computing those that are missing."""
        tiles = np.ascontiguousarray(tiles)
        keys = [hashlib.blake2b(tile.data, digest_size=_KEY_BYTES).digest() for tile in tiles]
        advance = titled(report, "frozen part of MobileNetV2")
        missing = list({key: i for i, key in enumerate(keys) if key not in self._known}.values())
        for start in range(0, len(missing), self.CHUNK):
            chunk = missing[start : start + self.CHUNK]
            self._append([keys[i] for i in chunk], tiles[chunk])
            if advance:
                advance(start + len(chunk), len(missing))
        return np.array([self._known[key] for key in keys], np.int64)

    def _append(self, keys: list[bytes], tiles: np.ndarray, batch: int = 128) -> None:
        outputs = [self._run(tf.constant(tiles[i : i + batch])) for i in range(0, len(tiles), batch)]
        self.blocks.append(np.concatenate([np.asarray(block) for block, _ in outputs]))
        self.pooled.append(np.concatenate([np.asarray(pooled) for _, pooled in outputs]))
        self._keys.append(np.frombuffer(b"".join(keys), np.uint8))
        self._known |= {key: len(self._known) + i for i, key in enumerate(keys)}


def trunk_key(model: keras.Model) -> str:
    """Return 16 hex digits that name the trunk's weights."""
    sha = hashlib.sha256()
    for variable in trunk_variables(model):
        sha.update(np.ascontiguousarray(variable.numpy()).data)
    return sha.hexdigest()[:16]
