"""Where a number comes from: the commit, the machine and the versions that are noted beside it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from functools import cache

import numpy as np

from digits.paths import ROOT


def circumstances(command: str) -> dict:
    """Return what a result's reader needs to judge it: command, commit, versions, device, time."""
    import cv2
    import keras
    import tensorflow as tf

    gpus = [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    return {
        "command": command,
        "commit": git_commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "device": ", ".join(gpus) or f"{platform.machine()} CPU, {os.cpu_count()} cores",
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
