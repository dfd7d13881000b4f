"""Files and folders that nobody ever sees half of: written beside, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

_BESIDE = ".tmp-"
_remove = partial(shutil.rmtree, ignore_errors=True)


def beside(path: Path) -> Path:
    """Return where a file is written until it is complete: in its folder, hidden, with its suffix."""
    return path.with_name(f"{_BESIDE}{os.getpid()}-{path.name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` if nothing went wrong."""
    with _written_beside(path) as new:
        yield new
        os.replace(new, path)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet: beside it, onto the disk, then under its name in one step."""
    with _written_beside(path) as new:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _name(new, path)


@contextmanager
def _written_beside(path: Path) -> Iterator[Path]:
    """Yield where to write; nothing stays there, and errors name the file that was wanted: a full disk names none."""
    new = beside(path)
    try:
        yield new
    except OSError as error:
        if error.errno and error.filename in (None, str(new)):
            error.filename = str(path)
        raise
    finally:
        new.unlink(missing_ok=True)


def _name(new: Path, path: Path) -> None:
    """Give a complete file its name, unless another file has it: a plain rename would replace that one."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, as FAT sticks are
        if path.exists():
            raise FileExistsError(f"{path} exists already") from None
        os.rename(new, path)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or put it in the place of another one."""
    with replacing(path) as new:
        new.write_bytes(content)


def in_utf8(name: object) -> bool:
    """Return whether a path or URL is UTF-8, as OpenCV's readers and writers of videos need: else the process dies."""
    return str(name).encode(errors="ignore").decode() == str(name)


def left_behind(name: str) -> bool:
    """Return whether a file of that name is what a process that was killed had begun to write."""
    return name.startswith(_BESIDE)


def tidy_up(folder: Path) -> None:
    """Remove what killed processes left behind in a folder that this one alone writes to."""
    for path in folder.glob(f"{_BESIDE}*"):
        path.unlink(missing_ok=True)


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """Yield a new folder beside `place`; it takes the place of `place`, whole, if nothing went wrong.

    The old folder goes only when the new one is there. What a process that was killed left behind is put right first.
    """
    for old in place.parent.glob(f".{place.name}.old-*"):
        if place.exists():
            _remove(old)
        else:
            old.rename(place)
    for half in place.parent.glob(f".{place.name}.tmp-*"):
        _remove(half)
    new, old = (place.with_name(f".{place.name}.{kind}-{os.getpid()}") for kind in ("tmp", "old"))
    new.mkdir(parents=True)
    try:
        yield new
        if place.exists():
            place.rename(old)
        try:
            new.rename(place)
        except OSError:
            if old.exists():
                old.rename(place)
            raise
        _remove(old)
    finally:
        _remove(new)
