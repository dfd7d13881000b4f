"""Children of the drill: started in a group of their own, marked, timed, and judged by how they end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from digits.paths import ROOT

MARK = "DIGITS_DRILL"  # an environment variable by which every process that the drill started is known


class End(NamedTuple):
    """How a process ended: its status (negative: the signal), or None if it hung; what it said; its peak memory."""

    status: int | None
    out: str
    err: str
    peak_mb: float


def environment() -> dict[str, str]:
    """Return the environment of a child, which marks it."""
    return {**os.environ, MARK: str(os.getpid()), "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def start(*command: object, **options) -> subprocess.Popen:
    """Start Python with a script, a module or code in a group of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": ROOT, "env": environment()}
    return subprocess.Popen([sys.executable, *map(os.fspath, command)], start_new_session=True, **pipes | options)


def run(*command: object, seconds: float = 120, **options) -> End:
    """Run to its end, at most so long."""
    process, peak = start(*map(str_of, command), **options), [0.0]
    watch = threading.Thread(target=watch_memory, args=(process, peak), daemon=True)
    watch.start()
    try:
        out, err = process.communicate(timeout=seconds)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        (out, err), status = process.communicate(), None
    return End(status, (out or b"").decode("utf-8", "replace"), (err or b"").decode("utf-8", "replace"), peak[0])


def str_of(part: object) -> str:
    """Return an argument of a command as text."""
    return part if isinstance(part, str) else os.fspath(part) if isinstance(part, Path) else str(part)


def watch_memory(process: subprocess.Popen, peak: list[float]) -> None:
    """Note the most memory that a process held, until it ends."""
    while process.poll() is None:
        peak[0] = max(peak[0], memory_mb(process.pid, "VmHWM"))
        time.sleep(0.05)


def memory_mb(process: int, what: str = "VmRSS") -> float:
    """Return what Linux says of a process' memory; 0 where it says nothing."""
    with contextlib.suppress(OSError, IndexError):
        return float(Path(f"/proc/{process}/status").read_text().split(f"{what}:")[1].split()[0]) / 1000
    return 0.0


def wrong(end: End, *allowed: int, says: str = "") -> str:
    """Return what is wrong with an end: "" for nothing. `says` is a word that its sentence has."""
    lines = end.err.splitlines()
    if end.status is None:
        return "hangs"
    if end.status < 0:
        return f"ended by signal {-end.status}"
    if "Traceback" in end.err:
        return f"traceback: {lines[-1]}"
    if end.status not in allowed:
        return f"status {end.status}: {lines[-1] if lines else 'says nothing'}"
    theirs = [line for line in lines if line.startswith(("libpng", "Corrupt JPEG", "Premature end", "["))]
    if theirs:
        return f"a library speaks: {theirs[0]}"
    if end.status and not lines:
        return "says nothing"
    return "" if says in end.err or not end.status else f"does not say {says}: {lines[-1]}"


def left_over(*folders: Path) -> str:
    """Return what is wrong with what a process left: half-written files, or processes of its own."""
    for folder in folders:
        rest = [path for path in folder.rglob(".*") if path.name.startswith((".tmp-", ".old-"))]
        if rest:
            return f"{rest[0].name} stays"
    end = time.monotonic() + 10
    while marked() and time.monotonic() < end:
        time.sleep(0.1)
    return f"{len(marked())} processes stay" if marked() else ""


def marked() -> list[int]:
    """Return the processes that the drill started and that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = f"{MARK}={os.getpid()}".encode() in (entry / "environ").read_bytes().split(b"\0")
            if mine and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
    return found
