"""Spread picture work over processes, in the same way on Linux, macOS and Windows.

Processes are started afresh (`spawn`): forking one that has TensorFlow's threads in it can hang. They do not load
the caller's script again, so scripts and notebooks need no guard and no worker imports TensorFlow for nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import cv2

Progress = Callable[[int, int], None]

_MOST_WORKERS = 8  # more wait for the disk rather than work


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_chunks(
    function: Callable,
    chunks: Sequence[tuple],
    workers: int | None = None,
    done: Callable[[int], None] | None = None,
) -> list:
    """Return [function(*chunk) for chunk in chunks], computed in several processes.

    Args:
        function: importable from a module other than the script that runs.
        chunks: arguments of each call; calls must not depend on each other's order.
        workers: processes; None for one a core; 1 computes here.
        done: called with the position of each chunk as it is finished.
    Returns:
        The results in the order of `chunks`. Where processes cannot be started, they are computed here.
    """
    workers = min(workers or min(available_cores(), _MOST_WORKERS), len(chunks))
    results: dict[int, object] = {}
    if workers > 1:
        with contextlib.suppress(BrokenProcessPool, OSError):  # no semaphores, no memory for a process, ...
            _map_in_pool(function, chunks, workers, results, done)
    for position, chunk in enumerate(chunks):
        if position not in results:
            results[position] = function(*chunk)
            if done:
                done(position)
    return [results[position] for position in range(len(chunks))]


def _map_in_pool(function, chunks, workers, results, done) -> None:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare_worker)
    try:
        with _script_hidden():
            waiting = {pool.submit(function, *chunk): position for position, chunk in enumerate(chunks)}
        for future in as_completed(waiting):
            results[waiting[future]] = future.result()
            if done:
                done(waiting[future])
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


class ProgressLines:
    """Report how far a long job is, in plain lines at most every fifth of it; silent when it is short."""

    def __init__(self, title: str, report: Callable[[str], None]):
        self.title, self.report = title, report
        self.began, self.fifths, self.total = time.monotonic(), 0, 0

    def __call__(self, done: int, total: int) -> None:
        """Take note that `done` of `total` pieces are finished; another `total` is another job."""
        if total != self.total:
            self.began, self.fifths, self.total = time.monotonic(), 0, total
        seconds = time.monotonic() - self.began
        fifths = 5 * done // max(total, 1)
        if fifths > self.fifths and seconds > 2 and done < total:
            left = seconds * (total - done) / done
            self.report(f"{self.title}: {done:,} of {total:,}, about {left:.0f} s left.")
        self.fifths = max(fifths, self.fifths)


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Yield a function (done, total) that draws a bar with an estimate, or plain lines outside a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield ProgressLines(title, lambda line: print(line, file=sys.stderr, flush=True))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
