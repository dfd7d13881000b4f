"""Spread picture work over processes, in the same way on Linux, macOS and Windows.

Processes are started afresh (`spawn`): forking one that has TensorFlow's threads in it can hang. They do not load
the caller's script again, so scripts and notebooks need no guard and no worker imports TensorFlow for nothing.
"""

import contextlib
import itertools
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process

import cv2

_MOST_WORKERS = 8  # more wait for the disk rather than work
_AHEAD = 3  # chunks a process that are taken at once: enough that none waits


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_chunks(function: Callable, chunks: Sequence[tuple], workers: int | None = None,
               done: Callable[[int], None] | None = None) -> list:
    """Return [function(*chunk) for chunk in chunks], computed in several processes.

    Args:
        function: importable from a module other than the script that runs.
        chunks: arguments of each call; calls must not depend on each other's order.
        workers: processes; None for one a core; 1 computes here.
        done: called with the position of each chunk as it is finished.
    Returns:
        The results in the order of `chunks`. Where processes cannot be started, they are computed here.
    """
    results: dict[int, object] = {}
    for position, result in each_chunk(function, chunks, min(workers or _usual_workers(), len(chunks))):
        results[position] = result
        if done:
            done(position)
    return [results[position] for position in range(len(chunks))]


def each_chunk(function: Callable, chunks: Iterable[tuple], workers: int | None = None) -> Iterator[tuple[int, object]]:
    """Yield (position, function(*chunk)) as each is finished; otherwise as `map_chunks`.

    Chunks are taken only a few ahead of the processes, so that neither they nor their results pile up in memory.
    """
    workers = workers or _usual_workers()
    left, flying = enumerate(chunks), {}
    if workers > 1:
        with contextlib.suppress(BrokenProcessPool, OSError):  # no semaphores, no memory for a process, ...
            yield from _through_pool(function, left, workers, flying)
    for position, chunk in itertools.chain(sorted(flying.items()), left):
        yield position, function(*chunk)


def _usual_workers() -> int:
    return min(available_cores(), _MOST_WORKERS)


def _through_pool(function, left, workers, flying) -> Iterator[tuple[int, object]]:
    """Yield results from a pool; `flying`, position -> chunk, always has those that are not done yet."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare_worker)
    waiting: dict[Future, int] = {}
    try:
        while True:
            for position, chunk in itertools.islice(left, _AHEAD * workers - len(flying)):
                flying[position] = chunk
                with _script_hidden():
                    waiting[pool.submit(function, *chunk)] = position
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                result, position = future.result(), waiting.pop(future)
                del flying[position]
                yield position, result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _script_hidden() -> Iterator[None]:
    """Keep `spawn` from running the caller's script in every worker: it looks for it in sys.modules."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _prepare_worker() -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle
    threading.Thread(target=_end_with_caller, daemon=True).start()


def _end_with_caller() -> None:
    """End this process when the one that started it was killed: it would go on writing for nobody."""
    parent_process().join()
    os._exit(1)
