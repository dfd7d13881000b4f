"""The tiles that all networks of a run share, on their way to another process."""

import pickle

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digits.learning.data.merged_folder import Tiles
from digits.learning.experiment.data import Data, Examples


def test_tiles_travel_once_and_share_their_memory_where_they_arrive():
    whole = Examples(np.arange(8 * 4, dtype=np.uint8).reshape(8, 2, 2), np.eye(8, 10, dtype=np.float32))
    none = Tiles(*(np.zeros(0) for _ in range(5)))
    data = Data(whole[:3], whole[3:5], whole[:5], whole, none, np.zeros(0), none, none, none, 0, "key", "plain")
    buffers = []
    there = pickle.loads(pickle.dumps(data, protocol=5, buffer_callback=buffers.append), buffers=buffers)
    assert sum(buffer.raw().nbytes for buffer in buffers) == whole.tiles.nbytes + whole.targets.nbytes
    for name in ("train", "extras", "fitted"):
        ours, theirs = getattr(data, name), getattr(there, name)
        assert np.array_equal(ours.tiles, theirs.tiles) and np.array_equal(ours.targets, theirs.targets)
        assert np.shares_memory(theirs.tiles, there.everything.tiles)
    assert there.key == "key" and there.plain_key == "plain"
