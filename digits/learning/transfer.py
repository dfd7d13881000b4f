"""MobileNetV2 for tiles: its frozen part computed once, its last 20 layers trained on that, then all layers.

    tile (96, 96, 3) in [0, 1] -> Rescaling to [-1, 1]
      -> MobileNetV2 up to block_14_add (3, 3, 160)       <- never changed by stages 1 and 2
      -> its last 20 layers (3, 3, 1280) -> mean (1280)   <- learns from stage 2 on
      -> Dense 128 -> Dropout -> softmax (10)             <- learns from stage 1 on

The part that a stage leaves alone gives the same numbers in every epoch, so `FeatureStore` computes them
once per image and keeps them on disk. Batch norms stay frozen throughout: their statistics come from
photographs or, in weights whose batch norms were folded into the convolutions, say mean 0 and variance 1 for
good; a few epochs of tiles would spoil them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from digits.learning.atomic import replacing
from digits.learning.config import CLASSES
from digits.learning.training import Feed, RunError, Stage, tiles_to_input, to_float32
from digits.reading.tile import TILE_RULE, TILE_SIZE

NAME = "mobilenet_v2"
TRUNK_FILE = "mobilenet_v2_trunk_f16.npz"
LAST_LAYERS = 20
FROZEN_END = "block_14_add"  # the layer before the last 20
POOLED = "global_pool"
_KEY_BYTES = 16  # of a tile's name in the store

# Frozen trunk: only the head learns, from 1,280 numbers an image. Last 20: low rate, since pretrained layers
# move.
FROZEN = Stage("frozen", epochs=12, learning_rate=1e-3, batch=256, patience=4)
LAST = Stage("last_20", epochs=6, learning_rate=3e-4, batch=128, patience=3, clip=1.0, label_smoothing=0.02)
# All layers: warm-up, since Adam's first steps are its wildest, then a cosine; the average of the weights is
# kept.
ALL = Stage(
    "all_layers",
    epochs=3,
    learning_rate=5e-4,
    batch=64,
    warmup_epochs=0.3,
    clip=1.0,
    label_smoothing=0.05,
    average=0.998,
    weight_decay=1e-4,
)


def build_mobilenet_v2(weights_file: Path | None = None) -> keras.Model:
    """Return MobileNetV2 (alpha 1.0) with a head for ten digits, under the model contract.

    Args:
        weights_file: starting weights without top, Keras' own .h5, .weights.h5, or a trunk .npz of this
        project; None:
            random weights.
    Returns:
        float32 (N, 96, 96, 3) in [0, 1] -> float32 (N, 10) probabilities; everything trainable, the batch
        norms included.
    Raises:
        RunError: if the file does not hold MobileNetV2 weights.
    Source: Sandler et al. 2018.
    """
    tile = keras.Input((TILE_SIZE, TILE_SIZE, 3), name="tile")
    scaled = keras.layers.Rescaling(2.0, offset=-1.0, name="to_minus_one_one")(tile)
    base = keras.applications.MobileNetV2(input_tensor=scaled, include_top=False, weights=None)
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(base.output)
    x = keras.layers.Dense(128, activation="relu", name="dense_128")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    probabilities = keras.layers.Dense(CLASSES, activation="softmax", dtype="float32", name="probabilities")(x)
    model = keras.Model(tile, probabilities, name=NAME)
    if weights_file is not None:
        _load_weights(model, Path(weights_file))
    return model


def trunk_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of MobileNetV2 itself, in order: what lies between the rescaling and the pooling."""
    names = [layer.name for layer in model.layers]
    return model.layers[names.index("to_minus_one_one") + 1 : names.index(POOLED)]


def set_trainable(model: keras.Model, last: int | None) -> None:
    """Let the head and the `last` layers of the trunk learn (0: none, None: all), its batch norms never."""
    trunk = trunk_layers(model)
    for layer in model.layers:
        layer.trainable = True
    for layer in trunk:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    for layer in [] if last is None else trunk[: len(trunk) - last]:
        layer.trainable = False


def settle_batch_norms(model: keras.Model, tiles: np.ndarray) -> None:
    """Set the statistics of all batch norms to those of tiles uint8 (N, 96, 96), for weights that are random.

    They stay frozen later on; left at mean 0 and variance 1, signals of random weights fade to nothing on their way up.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    kept = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # one batch replaces what was there
    model(tiles_to_input(tf.constant(tiles)), training=True)
    for layer, momentum in zip(norms, kept, strict=True):
        layer.momentum = momentum


def head(model: keras.Model) -> keras.Model:
    """Return what follows the pooling, float32 (N, 1280) -> (N, 10); it shares the layers of `model`."""
    return keras.Model(model.get_layer(POOLED).output, model.output, name="head")


def tail(model: keras.Model) -> keras.Model:
    """Return the last 20 layers and the head, float32 (N, 3, 3, 160) -> (N, 10); it shares the layers of `model`."""
    return keras.Model(model.get_layer(FROZEN_END).output, model.output, name="tail")


def frozen_part(model: keras.Model) -> keras.Model:
    """Return tiles -> [output of block_14_add, output of the pooling]; it shares the layers of `model`."""
    return keras.Model(model.input, [model.get_layer(FROZEN_END).output, model.get_layer(POOLED).output], name="frozen")


def save_trunk(model: keras.Model, path: Path) -> Path:
    """Write the trunk's weights as float16 (about 4.5 MB), one array a variable, named by its path."""
    arrays = {variable.path: variable.numpy().astype(np.float16) for variable in _trunk_variables(model)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def load_trunk(model: keras.Model, path: Path) -> None:
    """Put the weights that save_trunk wrote into the model's trunk.

    Raises:
        RunError: if the file holds other weights.
    """
    with np.load(path) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    for variable in _trunk_variables(model):
        if variable.path not in arrays or arrays[variable.path].shape != tuple(variable.shape):
            raise RunError(
                f"{path} has no {variable.path} of shape {tuple(variable.shape)}; expected a MobileNetV2 "
                "trunk written by train_all.py --release"
            )
        variable.assign(arrays[variable.path])


def tile_feed(tiles: np.ndarray, targets: np.ndarray, augment=None) -> Feed:
    """Return the feed of uint8 tiles (N, 96, 96) and targets (N, 10) for the whole network."""
    return Feed(tiles, targets, tiles_to_input, augment=augment)


def block_feed(store: FeatureStore, rows: np.ndarray, targets: np.ndarray) -> Feed:
    """Return the feed for `tail`, of rows of the store."""
    return Feed(store.blocks, targets, _to_float, rows=rows)


def pooled_feed(store: FeatureStore, rows: np.ndarray, targets: np.ndarray) -> Feed:
    """Return the feed for `head`, of rows of the store."""
    return Feed(store.pooled, targets, _to_float, rows=rows)


def _to_float(stored: tf.Tensor) -> tf.Tensor:
    return tf.cast(stored, tf.float32)


def _trunk_variables(model: keras.Model) -> list:
    return [variable for layer in trunk_layers(model) for variable in layer.variables]


def _load_weights(model: keras.Model, path: Path) -> None:
    if path.suffix == ".npz":
        load_trunk(model, path)
        return
    plain = keras.applications.MobileNetV2(input_shape=(TILE_SIZE, TILE_SIZE, 3), include_top=False, weights=None)
    try:
        plain.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"{path} does not hold weights of MobileNetV2 without top: {str(error).splitlines()[0]}"
        ) from error
    for variable, loaded in zip(_trunk_variables(model), plain.variables, strict=True):
        variable.assign(loaded)


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
        keys = [_tile_key(tile) for tile in tiles]
        missing = list({key: i for i, key in enumerate(keys) if key not in self._known}.values())
        for start in range(0, len(missing), self.CHUNK):
            self._append(
                [keys[i] for i in missing[start : start + self.CHUNK]], tiles[missing[start : start + self.CHUNK]]
            )
            if hasattr(report, "advance"):
                report.advance("frozen part of MobileNetV2", min(start + self.CHUNK, len(missing)), len(missing))
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
    for variable in _trunk_variables(model):
        sha.update(np.ascontiguousarray(variable.numpy()).data)
    return sha.hexdigest()[:16]


def _tile_key(tile: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(tile).data, digest_size=_KEY_BYTES).digest()
