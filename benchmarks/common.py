"""What the scripts of this folder share: this checkout's code, the command line, and results kept as JSON.

Importing it puts the checkout before any `digits` that is installed, and silences TensorFlow's notes.
"""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.files import write_whole
from digits.learning.shared.provenance import circumstances
from digits.paths import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def parser(description: str) -> argparse.ArgumentParser:
    """Return a parser for the script that runs, with --out, its results file; of `description` the first line."""
    made = argparse.ArgumentParser(description=description.split("\n")[0])
    path = RESULTS / f"{Path(sys.argv[0]).stem}.json"
    made.add_argument("--out", type=Path, default=path, metavar="FILE", help=f"default: benchmarks/results/{path.name}")
    return made


def made_with() -> dict:
    """Return what a result's reader needs to judge it: the command line given, commit, versions, device, time."""
    return circumstances(shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]))


def write(path: Path, facts: dict) -> None:
    """Write facts as a results file, in place of what it held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(facts, indent=1) + "\n").encode())


def add(path: Path, facts: dict) -> None:
    """Put facts into a results file; others stay as they are."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write(path, known | facts)


def table(rows: list[list[str]]) -> str:
    """Return rows of as many cells each as text: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)
