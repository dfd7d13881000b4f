"""One run at a time in a folder."""

import os
from contextlib import contextmanager
from pathlib import Path

from digits.learning.shared.errors import RunError


@contextmanager
def run_lock(folder: Path):
    """Hold the folder for this process; the system lets go of it however the process ends.

    Raises:
        RunError: if another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+b") as file:
        if not _try_lock(file):
            raise RunError(
                f"another run is writing to {folder}; wait for it to end, or give this one another folder with --out"
            )
        yield


def _try_lock(file) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
