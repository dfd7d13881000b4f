"""A disk that fails once: the n-th time that something is to be written below a folder, or past a size of file.

Python tells its audit hooks before it opens, renames, links or makes anything, and an error raised there is what the
caller gets. What libraries write past Python, and writing and flushing themselves, fail by the limit that the system
puts on the size of files.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_EVENTS = {"open": 1, "os.mkdir": 1, "os.rename": 2, "os.link": 2}  # and how many of its arguments are paths


class Disk:
    """Where the n-th writing call fails; `calls` counts those seen, `failed` says whether one was made to fail."""

    def __init__(self, folder: Path, fail_at: int):
        self.folder, self.fail_at, self.calls, self.failed = str(folder), fail_at, 0, False

    def call(self, path: str) -> None:
        """Count a call that writes to a path; raise OSError if it is the one that fails."""
        if not path.startswith(self.folder):
            return
        self.calls += 1
        if self.calls == self.fail_at:
            self.failed = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


_disk: Disk | None = None
_hooked = False


def _hook(event: str, arguments: tuple) -> None:
    if _disk is None or event not in _EVENTS:
        return
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _WRITING):
        return
    path = arguments[_EVENTS[event] - 1]
    if isinstance(path, str | bytes | os.PathLike):
        _disk.call(os.fsdecode(path))


@contextmanager
def failing(folder: Path, fail_at: int) -> Iterator[Disk]:
    """Within it the n-th call (from 1 on) of this process that writes below a folder fails."""
    global _disk, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    synced, _disk = os.fsync, Disk(folder, fail_at)

    def fsync(file):
        if os.path.exists(path := f"/proc/self/fd/{file}"):
            try:
                _disk.call(os.readlink(path))
            except OSError as error:
                raise OSError(error.errno, error.strerror) from None  # as the system does: it names no file
        synced(file)

    os.fsync = fsync
    try:
        yield _disk
    finally:
        os.fsync, _disk = synced, None


@contextmanager
def small_files(most: int) -> Iterator[None]:
    """Within it no file can grow beyond so many bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
