"""Reading at scale: Ray Data takes pictures to a pool of readers and their rows to Parquet, and goes on after a cut."""

import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pyarrow.dataset as arrow
import ray
from pyarrow import fs
from ray.data import ActorPoolStrategy, DataContext
from ray.data.checkpoint import CheckpointConfig

from digits.cluster.pictures import filesystem, find_files, whole_path, write_list
from digits.cluster.rows import BAD, PICTURES, PictureReader
from digits.learning.shared.errors import RunError
from digits.learning.shared.keys import digest
from digits.reading.finding import FINDER_VERSION
from digits.reading.models.card import sha256
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.tile import TILE_RULE

_READER_CPUS, _WAITING_CPUS = 0.9, 0.1  # the latter of steps that wait for disks more than they compute
_BATCH = 32  # pictures whose bytes a reader holds
# A block costs the cluster as much as some pictures do, and the driver hands out all, one by one.
_BLOCKS, _SMALLEST_BLOCK, _LARGEST_BLOCK = 200, 32, 1024
_FILES, _MOST_ROWS = 100, 8192  # of Parquet that a run writes, at least, and of one, at most


def read_pictures(source: str, output: str, model: Path | None, readers: int, report: Callable) -> dict[str, int]:
    """Read what this reader has not read before; return how many rows each table in `output` has, by its folder.

    Args:
        source: a folder, a pattern, a picture, or Parquet with the columns `path`, unique, and, if it holds the
            pictures themselves, `bytes`; on a disk or wherever pyarrow's filesystems reach.
        output: a folder that all machines see. Another model, finder or tile has rows of its own there.
        readers: at most so many, one a CPU.
    Raises RunError if there is nothing to read, ModelError if no model can run here.
    """
    loaded, output = load_model(model, threads=1), whole_path(output)
    model_sha256 = sha256(loaded.path)
    key = digest(model_sha256, sha256(load_finder(threads=1).path), FINDER_VERSION, TILE_RULE)[:8]
    rows = f"{output}/reader={key}"
    _set_up(f"{output}/_checkpoint/{key}")
    pictures, total = _pictures(source, output)
    rows_each = min(max(total // _FILES, _SMALLEST_BLOCK), _MOST_ROWS)
    report(f"{total:,} pictures, {readers} readers")
    pool = ActorPoolStrategy(min_size=1, max_size=readers)  # which grows once pictures come, and no step waits for it
    with _progress(rows, total, report):
        read = pictures.map_batches(
            PictureReader, fn_constructor_args=(loaded.path.resolve(), model_sha256), compute=pool,
            num_cpus=_READER_CPUS, batch_size=_BATCH, batch_format="pyarrow")  # fmt: skip
        read.write_parquet(rows, partition_cols=["table"], min_rows_per_file=rows_each,
                           ray_remote_args={"num_cpus": _WAITING_CPUS})  # fmt: skip
    return count_rows(rows)


def block_size(total: int) -> int:
    """Return how many of so many pictures make a block, which a reader takes at once, and again where one dies."""
    return min(max(total // _BLOCKS, _SMALLEST_BLOCK), _LARGEST_BLOCK)


def count_rows(rows: str) -> dict[str, int]:
    """Return how many rows each table in a folder has, by the table's folder."""
    places = {folder: filesystem(folder) for folder in (f"{rows}/table={table}" for table in (PICTURES, BAD))}
    return {folder: arrow.dataset(inner, filesystem=system, format="parquet").count_rows()
            for folder, (system, inner) in places.items() if system.get_file_info(inner).type != fs.FileType.NotFound}


def _set_up(checkpoint: str) -> None:
    """Have Ray Data note in a folder, for good, which paths are written, and be silent; only later datasets obey."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module="ray")
    context = DataContext.get_current()
    context.checkpoint_config = CheckpointConfig("path", checkpoint, delete_checkpoint_on_success=False)
    context.checkpoint_config.checkpoint_actor_pool_max_size = 1  # each takes a whole CPU
    context.use_datasource_v2 = False  # the second reader of Parquet cuts no small blocks
    context.target_max_block_size = 2**24  # bytes: Ray holds back steps whose next block might find no room
    context.enable_progress_bars = False


def _pictures(source: str, output: str) -> tuple[ray.data.Dataset, int]:
    """Return the pictures as rows with `path`, and perhaps `bytes`, and how many there are."""
    found = find_files(source)
    files = [*found] if source.endswith(".parquet") else write_list(found, f"{output}/_list")
    tables = [arrow.dataset(inner, filesystem=system) for system, inner in map(filesystem, files)]
    total = sum(table.count_rows() for table in tables)
    columns = [name for name in ("path", "bytes") if total and name in tables[0].schema.names]
    if "path" not in columns:
        raise RunError(f"{source} holds no pictures; expected a folder of them, a pattern such as 'scans/*.png', or "
                       "Parquet files, 'scans/*.parquet', with the columns path and bytes")  # fmt: skip
    blocks = -(-total // block_size(total))
    options = {"partitioning": None, "num_cpus": _WAITING_CPUS, "override_num_blocks": blocks}
    return ray.data.read_parquet(files, columns=columns, **options), total


@contextmanager
def _progress(rows: str, total: int, report: Callable) -> Iterator[None]:
    """Within it, say now and then how many pictures are done, how fast that goes, and how long the rest will take."""
    ended = Event()

    def speak(first: int | None = None, began: float = 0.0) -> None:
        while not ended.wait(10):
            with suppress(OSError, ValueError):  # a file half-written says nothing; Ray takes away what a kill left
                done, now = sum(count_rows(rows).values()), time.monotonic()
                first, began = (done, now) if first is None else (first, began)
                if rate := (done - first) / max(now - began, 1):
                    left = f"about {max(total - done, 0) / rate / 60:.1f} min left"
                    report(f"{done:,} of {total:,} pictures, {rate:.1f} a second, {left}")

    Thread(target=speak, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
