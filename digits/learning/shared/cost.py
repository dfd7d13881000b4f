"""What a run takes: minutes, part by part, and memory."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from digits.files import replacing
from digits.learning.shared.provenance import circumstances


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
        with replacing(path) as beside:
            text = json.dumps(facts | {"from_nothing": from_nothing, **circumstances(command)}, indent=1)
            beside.write_text(text + "\n", encoding="utf-8")
        spent = ", ".join(f"{name} {value}" for name, value in minutes_of.items())
        memory = f"{facts['peak_gb']} GB of memory; " if facts["peak_gb"] else ""
        return f"{memory}minutes: {spent} ({path}). Done in {minutes:.1f} minutes"
