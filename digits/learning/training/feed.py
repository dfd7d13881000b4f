"""The rows a network is trained or judged on, in batches, augmented anew in every epoch."""

import itertools
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from digits.learning.networks.inputs import shrink, small_to_input, tiles_to_input
from digits.learning.training.feature_store import FeatureStore
from digits.reading.models.contract import CLASSES

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Feed:
    """The rows a network is trained or judged on.

    inputs: (M, ...) as stored, an array or what is indexed by rows like one; targets: float32 (N, 10);
    rows: (N,) positions in `inputs`, None: all.
    prepare: a batch as stored -> float32 tensor as the network takes it, inside tf.data.
    augment: (batch as stored, Generator) -> batch, anew in every epoch, in a background thread.
    """

    inputs: np.ndarray
    targets: np.ndarray
    prepare: Callable[[tf.Tensor], tf.Tensor]
    rows: np.ndarray | None = None
    augment: Augment | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, picked: np.ndarray) -> np.ndarray:
        """Return the inputs, as stored, of the rows picked (indices into the targets)."""
        return np.asarray(self.inputs[picked if self.rows is None else self.rows[picked]])

    def epochs(self, batch: int, seed: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of epoch `first` and all later ones; the last one of an epoch may be short."""
        for epoch in itertools.count(first):
            rng = np.random.default_rng([seed, epoch])
            order = rng.permutation(len(self))
            for start in range(0, len(self), batch):
                picked = order[start : start + batch]
                inputs = self.take(picked)
                yield (self.augment(inputs, rng) if self.augment else inputs), self.targets[picked]

    def dataset(self, batch: int, seed: int, first: int) -> tf.data.Dataset:
        """Return the same as `epochs`, prepared, some batches ahead of the training step, while this feed lives.

        TensorFlow keeps every generator it was ever given; it must not keep the images with them.
        """
        first_row = next(replace(self, targets=self.targets[:1]).epochs(1, seed, 0))[0]
        stored_as = tf.TensorSpec((None, *first_row.shape[1:]), first_row.dtype)
        signature = stored_as, tf.TensorSpec((None, CLASSES), tf.float32)
        feed = weakref.ref(self)
        stored = tf.data.Dataset.from_generator(lambda: feed().epochs(batch, seed, first), output_signature=signature)
        prepared = stored.map(lambda inputs, targets: (self.prepare(inputs), targets), num_parallel_calls=2)
        # Nothing to tune here, and the end of a stage would wait for the tuner's thread, which sleeps up to a minute.
        untuned = tf.data.Options()
        untuned.autotune.enabled = False
        return prepared.prefetch(8).with_options(untuned)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Return targets float32 (N, 10) of labels (N,)."""
    return np.eye(CLASSES, dtype=np.float32)[np.asarray(labels, np.int64)]


def predict(model: keras.Model, feed: Feed, batch: int = 256) -> np.ndarray:
    """Return float32 (N, 10), the probabilities of every row of the feed, in order, without augmentation."""
    parts = []
    for start in range(0, len(feed), batch):
        picked = np.arange(start, min(start + batch, len(feed)))
        inputs = feed.prepare(tf.convert_to_tensor(feed.take(picked)))
        # On several GPUs each gives all rows, one after the other.
        parts.append(np.asarray(model.predict_on_batch(inputs))[: len(picked)])
    return np.concatenate(parts).astype(np.float32)


def small_feed(tiles: np.ndarray, targets: np.ndarray, augment: Augment | None = None) -> Feed:
    """Return the feed of uint8 tiles (N, 96, 96) for `inner`; `augment` changes tiles anew in every epoch."""
    if augment is not None:
        return Feed(tiles, targets, small_to_input, augment=lambda batch, rng: shrink(augment(batch, rng)))
    return Feed(shrink(tiles), targets, small_to_input)


def tile_feed(tiles: np.ndarray, targets: np.ndarray, augment: Augment | None = None) -> Feed:
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
