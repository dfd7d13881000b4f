"""One run at a time in a folder."""

from contextlib import contextmanager
from pathlib import Path

from digits.files import try_lock
from digits.learning.shared.errors import RunError


@contextmanager
def run_lock(folder: Path):
    """Hold the folder for this process; the system lets go of it however the process ends.

    Raises:
        RunError: if another run holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+b") as file:
        if not try_lock(file):
            raise RunError(
                f"another run is writing to {folder}; wait for it to end, or give this one another folder with --out"
            )
        yield
