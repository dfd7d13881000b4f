"""How long `train_all.py` takes from a fresh copy of this repository, and how much memory.

    python benchmarks/whole_run.py              the default run
    python benchmarks/whole_run.py --quick      or any other options of train_all.py

The last commit is checked out into a new folder, with data/raw/ if that is there (else MNIST is fetched), and the
command runs in it from nothing: merging, rendering, training, figures, exports. Minutes depend on the machine, so its
speed is measured just before and just after: pictures a second through MobileNetV2. Memory is the most that any one
process of the run held, mapped libraries included. Each command has an entry in benchmarks/results/whole_run.json.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.learning.shared.provenance import circumstances, git_commit
from digits.paths import RAW_DIR, ROOT

RESULT = ROOT / "benchmarks" / "results" / "whole_run.json"
SPEED = """
import time, numpy as np, tensorflow as tf
from digits.learning import transfer
run = tf.function(transfer.frozen_part(transfer.build_mobilenet_v2()))
batch = tf.constant(np.random.default_rng(0).random((128, 96, 96, 3), np.float32))
run(batch)
began = time.perf_counter()
for _ in range(32):
    run(batch)
print(32 * 128 / (time.perf_counter() - began))
"""
PART = re.compile(r"^\s*(\d+):(\d\d)  (\w+) \(\d+ of \d+\)", re.MULTILINE)
CLOCK = re.compile(r"^\s*(\d+):(\d\d)  ", re.MULTILINE)


def main() -> int:
    """Run train_all.py with the arguments given, and keep what it took; 1 if it failed."""
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    git_commit()  # noted now: this checkout may have moved on by the end
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name) / "digits"
        try:
            subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
        except (OSError, subprocess.CalledProcessError):
            print(f"{ROOT} cannot be cloned: this needs git, and the repository instead of a download", file=sys.stderr)
            return 1
        if RAW_DIR.is_dir():
            shutil.copytree(RAW_DIR, checkout / "data" / "raw")
        before, began = speed(checkout), time.monotonic()
        log = Path(name) / "log.txt"
        status, peak = run(checkout, arguments, log)
        minutes, text = (time.monotonic() - began) / 60, log.read_text(encoding="utf-8")
        print(text)
        if status:
            return 1
        after = speed(checkout)
    from training import add  # of the script beside this one; with TensorFlow, which nothing needed until now

    facts = {
        "minutes": round(minutes, 1),
        "peak_gb": round(peak, 2),
        "machine_images_per_second": [round(before), round(after)],
        "minutes_of": parts(text),
        **circumstances(" ".join(["python train_all.py", *arguments])),
    }
    add(RESULT, **{facts["command"]: facts})
    print(json.dumps(facts, indent=1))
    return 0


def run(checkout: Path, arguments: list[str], log: Path) -> tuple[int, float]:
    """Run train_all.py there; return its exit status and its peak memory in GB (nan where the system does not say)."""
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "train_all.py", *arguments], cwd=checkout, stdout=file, stderr=subprocess.STDOUT
        )
        if not hasattr(os, "wait4"):
            return process.wait(), float("nan")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def speed(checkout: Path) -> float:
    """Return 96x96 pictures a second through MobileNetV2, in a process of its own."""
    found = subprocess.run([sys.executable, "-c", SPEED], cwd=checkout, check=True, capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def parts(text: str) -> dict[str, float]:
    """Return the minutes of each network, and of what comes before and after them, from a run's log."""
    starts = [(name, int(minutes) + int(seconds) / 60) for minutes, seconds, name in PART.findall(text)]
    *_, (minutes, seconds) = CLOCK.findall(text)
    times = [("data", 0.0), *starts, ("end", int(minutes) + int(seconds) / 60)]
    return {name: round(later - begun, 1) for (name, begun), (_, later) in zip(times, times[1:], strict=False)}


if __name__ == "__main__":
    sys.exit(main())
