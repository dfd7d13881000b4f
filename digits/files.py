"""Files and folders that nobody ever sees half of: written beside, then renamed.

What is being written is named `.tmp-<process>.<computer>-<name>`, and a folder that is being replaced `.old-...`, so
that the next start can tell what a process that was killed left behind from what another one is writing.
"""

import os
import platform
import re
import shutil
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

_BESIDE, _OLD = ".tmp-", ".old-"
_COMPUTER = f"{zlib.crc32(platform.node().encode()):08x}"  # a shared disk holds files of several computers' processes
_MARK = re.compile(r"\.(tmp|old)-(\d+)(?:\.([0-9a-f]{8}))?-(.+)", re.DOTALL)
_LOCKED_BYTE = 2**30  # Windows lets nobody read a byte that is locked: one that no file here has
_FORGOTTEN_S = 24 * 3600  # what another computer wrote to so long ago, it no longer writes to
_cleared: set[Path] = set()  # folders that this process has looked into


def beside(path: Path) -> Path:
    """Return where a file is written until it is complete: in its folder, hidden, with its suffix.

    What dead processes left in that folder is removed when this process first writes there.
    """
    if path.parent not in _cleared:
        _cleared.add(path.parent)
        clear_abandoned(path.parent)
    return _marked(_BESIDE, path)


def _marked(kind: str, path: Path) -> Path:
    return path.with_name(f"{kind}{os.getpid()}.{_COMPUTER}-{path.name}")


def clear_abandoned(folder: Path, below: bool = False) -> None:
    """Remove what processes that are no more had begun to write; a folder that one of them had moved away comes back.

    Args:
        folder: need not exist.
        below: look into the folders below it, too.
    """
    for inside, folders, files in os.walk(folder):
        for path in (Path(inside, name) for name in [*folders, *files] if _MARK.fullmatch(name)):
            if _abandoned(path):
                _put_right(path)
        folders[:] = [name for name in folders if below and not _MARK.fullmatch(name)]


def _put_right(path: Path) -> None:
    kind, _, _, name = _MARK.fullmatch(path.name).groups()
    place = path.with_name(name)
    if kind == "old" and not place.exists():
        with suppress(OSError):
            path.rename(place)
    else:
        _remove(path)


def _abandoned(path: Path) -> bool:
    _, process, computer, _ = _MARK.fullmatch(path.name).groups()
    if computer == _COMPUTER:
        return not _alive(int(process))
    try:
        return time.time() - path.stat().st_mtime > _FORGOTTEN_S
    except OSError:
        return False


def _alive(process: int) -> bool:
    """Return whether a process runs on this computer."""
    if sys.platform == "win32":
        return _alive_on_windows(process)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True


def _alive_on_windows(process: int) -> bool:
    import ctypes

    kernel = ctypes.windll.kernel32
    query, still_active, code = 0x1000, 259, ctypes.c_ulong()  # PROCESS_QUERY_LIMITED_INFORMATION, STILL_ACTIVE
    handle = kernel.OpenProcess(query, False, process)
    if not handle:
        return ctypes.GetLastError() == 5  # ERROR_ACCESS_DENIED: another user's
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not known or code.value == still_active


def _remove(path: Path) -> None:
    """Remove a file or a folder, if it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


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
        with _errors_name(path, new):
            yield new
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def _errors_name(path: Path, new: Path) -> Iterator[None]:
    """Let errors of what is written at `new` name `path`, in place of nothing or of a name that nobody asked for."""
    try:
        yield
    except OSError as error:
        if error.errno and str(error.filename or new).startswith(str(new)):
            error.filename = str(path) + str(error.filename or "")[len(str(new)) :]
        raise


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


def printable(text: object) -> str:
    """Return a text as one line without what steers a terminal: names of files come from strangers."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))


def in_words(error: Exception) -> str:
    """Return what an error says, a system's as a sentence that names file and cause: not "[Errno 28] ...: 'a.png'"."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    if not error.filename:
        return error.strerror
    return f"{error.filename} cannot be read or written: {error.strerror}."


def drop_stdout() -> None:
    """Send what standard output still holds nowhere: where it cannot be written, Python would complain at exit too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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


def try_lock(file: IO) -> bool:
    """Lock an open file for this process; return False if another one holds it.

    The system lets go of it when the file is closed, however the process ends.
    """
    try:
        if os.name == "nt":
            import msvcrt

            place = file.tell()
            file.seek(_LOCKED_BYTE)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            finally:
                file.seek(place)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


@contextmanager
def replacing_folder(place: Path) -> Iterator[Path]:
    """Yield a new folder beside `place`; it takes the place of `place`, whole, if nothing went wrong.

    The old folder goes only when the new one is there. What a process that was killed left behind is put right first.
    """
    clear_abandoned(place.parent)
    new, old = _marked(_BESIDE, place), _marked(_OLD, place)
    _remove(new)
    new.mkdir(parents=True)
    try:
        with _errors_name(place, new):
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
