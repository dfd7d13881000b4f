"""Where a number comes from: the commit, the machine and the versions that are noted beside it, and what a run took."""

import json
import os
import platform
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from digits.files import write_whole
from digits.paths import ROOT


def circumstances(command: str) -> dict:
    """Return what a result's reader needs to judge it: command, commit, versions, device, time."""
    import cv2
    import keras
    import numpy as np
    import tensorflow as tf

    gpus = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    names = ", ".join(gpu.get("device_name", "GPU") for gpu in gpus)
    return {
        "command": command,
        "commit": git_commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "device": names or f"{platform.machine()} CPU, {os.cpu_count()} cores",
        "versions": {
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "platform": sys.platform,
        },
    }


@cache
def git_commit() -> str | None:
    """Return the commit of this checkout, with + if its code differs from it; None outside git.

    It is asked for once a process, at the start: what is committed meanwhile is not the code that runs.
    """
    commit = _git("rev-parse", "--short=10", "HEAD")
    if commit is None or commit.returncode:
        return None
    changed = _git("diff", "--quiet", "HEAD", "--", "*.py")
    return commit.stdout.strip() + "+" * (changed is None or changed.returncode != 0)


def _git(*arguments: str) -> subprocess.CompletedProcess | None:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None


def peak_gb() -> float | None:
    """Return the most memory this process has held, in GB, without its children; None where the system keeps no count.

    Mapped libraries count.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)


class Cost:
    """The clock of a run, which is told when each part begins; the first part, "data", begins with the clock."""

    def __init__(self):
        self._begins = {"data": time.monotonic()}

    def part(self, name: str) -> None:
        """Note that the next part begins."""
        self._begins[name] = time.monotonic()

    def write(self, path: Path, command: str, from_nothing: bool) -> str:
        """Write what the run took and what that depends on to a JSON file; return it as one line that ends the run.

        Args:
            path: the file; its folder exists.
            command: the command line of the run.
            from_nothing: whether nothing was there that an earlier run had made.
        """
        times = [*self._begins.values(), time.monotonic()]
        minutes = (times[-1] - times[0]) / 60
        parts = zip(self._begins, times, times[1:], strict=False)
        minutes_of = {name: round((end - begin) / 60, 1) for name, begin, end in parts}
        facts = {"minutes": round(minutes, 1), "minutes_of": minutes_of, "peak_gb": peak_gb()}
        text = json.dumps(facts | {"from_nothing": from_nothing, **circumstances(command)}, indent=1)
        write_whole(path, f"{text}\n".encode())
        spent = ", ".join(f"{name} {value}" for name, value in minutes_of.items())
        memory = f"{facts['peak_gb']} GB of memory; " if facts["peak_gb"] else ""
        return f"{memory}minutes: {spent} ({path}). Done in {minutes:.1f} minutes"
