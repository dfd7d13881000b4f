"""Where a number comes from: the commit, the machine and the versions that are noted beside it."""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np

import digits
from digits.paths import ROOT

# How files are written and work is spread over processes does not decide what is made.
_PLUMBING = {"digits.files", "digits.paths", "digits.learning.experiment.config", "digits.learning.shared.provenance",
             "digits.learning.shared.workers"}


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


@cache
def code_of(*modules: str) -> str:
    """Return a hash of modules of this project and of all they import from it.

    What such code made is kept under this name, so that it is never mixed with what the code makes after a change.
    """
    sources: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = _source_of(name)
        if name in sources or name in _PLUMBING or path is None:
            continue
        sources[name] = path.read_bytes()
        waiting += [found for node in ast.walk(ast.parse(sources[name])) for found in _imported(node)]
    return hashlib.sha256(b"".join(sources[name] for name in sorted(sources))).hexdigest()[:16]


def _imported(node: ast.AST) -> list[str]:
    """Return the full names that a node may import: of `from a import b`, b can be a module or not."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _source_of(name: str) -> Path | None:
    """Return the file of a module of this project; None for any other name."""
    first, *rest = name.split(".")
    path = Path(digits.__file__).parent.joinpath(*rest).with_suffix(".py")
    return path if first == "digits" and path.is_file() else None
