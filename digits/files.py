"""Files that nobody ever sees half of: written beside, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet: beside it, onto the disk, then under its name in one step."""
    partial = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, path: Path) -> None:
    """Give a complete file its name, unless another file has it: a plain rename would replace that one."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, as FAT sticks are
        if path.exists():
            raise FileExistsError(f"{path} exists already") from None
        os.rename(partial, path)


_BESIDE = ".tmp-"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`, with its suffix, to write to; it takes the place of `path` if nothing went wrong."""
    beside = path.with_name(f"{_BESIDE}{os.getpid()}-{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or put it in the place of another one."""
    with replacing(path) as beside:
        beside.write_bytes(content)


def left_behind(name: str) -> bool:
    """Return whether a file of that name is what a process that was killed had begun to write."""
    return name.startswith(_BESIDE)


def tidy_up(folder: Path) -> None:
    """Remove what killed processes left behind in a folder that this one alone writes to."""
    for path in folder.glob(f"{_BESIDE}*"):
        path.unlink(missing_ok=True)
