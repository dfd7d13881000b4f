"""Reading at scale: the plain loop, the same pictures with Ray, then with a node lost and the driver killed on the way.

    python benchmarks/scale.py                       70,000 small photographs, about 15 minutes on two cores
    python benchmarks/scale.py --pictures 5000       fewer

Compares every row with the plain loop's, prints, and writes benchmarks/results/scale.json. Overhead is in CPU time,
which a busy machine changes little: that of all processes of the run over that of the plain loop. Linux alone.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import common
import cv2
import numpy as np

os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "PYTHONPATH": str(common.ROOT)}

from digits.cluster.rows import row_of
from digits.learning.shared.workers import available_cores
from digits.paths import RUNS_DIR
from digits.reading.images import load_image
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering.handwriting import draw_digit
from digits.rendering.photographs import photograph_one

DRAWINGS = 2000  # different photographs; the others are these, darker or brighter
MARK = b"DIGITS_SCALE=1"  # in the environment of all processes of a run
FEW = 128  # pictures of the run that shows what a start costs
TICK = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, compare, print, write."""
    parser = common.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=70_000, metavar="N", help="default: 70000")
    options = parser.parse_args()
    work = RUNS_DIR / "scale"
    shutil.rmtree(work, ignore_errors=True)
    for name, count in (("few", FEW), ("all", options.pictures)):
        draw(work / name, count)
    size = sum(path.stat().st_size for path in (work / "all").rglob("*.jpg")) / options.pictures
    facts = {"pictures": options.pictures, "bytes_a_picture": round(size)}
    plain, facts["plain_loop"] = plain_loop(work / "all")
    start = clean_run(work / "few", work / "few_rows")
    facts["start"] = {"seconds": start["seconds"], "cpu_seconds": start["cpu_seconds"]}
    run = facts["ray"] = clean_run(work / "all", work / "all_rows")
    run["rows_equal"] = rows_of(work / "all_rows") == plain
    run["bytes_a_row"] = round(sum(path.stat().st_size for path in (work / "all_rows").rglob("*")) / options.pictures)
    run["overhead"] = round(run["cpu_seconds"] / facts["plain_loop"]["cpu_seconds"] - 1, 4)
    run["overhead_without_start"] = round((run["cpu_seconds"] - start["cpu_seconds"])
                                          / facts["plain_loop"]["cpu_seconds"] - 1, 4)  # fmt: skip
    lost_and_killed(work / "all", work / "drill_rows", options.pictures)
    facts["node_lost_and_driver_killed"] = {"rows_equal": rows_of(work / "drill_rows") == plain}
    for name, value in facts.items():
        print(name, value)
    common.write(options.out, {**common.made_with(), **facts})
    return 0 if run["rows_equal"] and facts["node_lost_and_driver_killed"]["rows_equal"] else 1


def draw(folder: Path, count: int) -> None:
    """Write so many small photographs of one digit each; no two files are the same."""
    photographs = []
    for number in range(min(count, DRAWINGS)):
        rng = np.random.default_rng(number)
        photographs.append(photograph_one(draw_digit(number % 10, rng, 96), rng, 0.6)[0])
    for number in range(count):
        place = folder / f"{number // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        brighter = photographs[number % DRAWINGS] * (0.8 + 0.005 * (number // DRAWINGS % 40))
        cv2.imwrite(str(place / f"{number:07}.jpg"), brighter.astype(np.uint8))


def plain_loop(folder: Path) -> tuple[dict, dict]:
    """Return the rows of one process, one thread, by path, and what they took."""
    cv2.setNumThreads(1)
    reader, rows = Reader(load_model(threads=1)), {}
    began, cpu = time.monotonic(), time.process_time()
    for path in folder.rglob("*.jpg"):
        rows[str(path)] = comparable(row_of(str(path), reader.read(load_image(path))))
    spent = {"seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(time.process_time() - cpu, 1)}
    return rows, spent | {"pictures_a_cpu_second": round(len(rows) / spent["cpu_seconds"], 1)}


def comparable(row: dict) -> tuple:
    """Return what must be the same in a row, however it was made."""
    digits = [(*digit["box"].values(), digit["digit"], np.float32(digit["confidence"])) for digit in row["digits"]]
    return row["width"], row["height"], row["rows"], digits, row["hint"]


def rows_of(output: Path) -> dict:
    """Return the rows of a run by path; fail where one path has two."""
    import pyarrow.parquet

    (folder,) = output.glob("model=*")
    rows = pyarrow.parquet.read_table(folder / "table=pictures").to_pylist()
    found = {row["path"]: comparable(row) for row in rows}
    assert len(found) == len(rows) and not (folder / "table=bad").exists()
    return found


def clean_run(source: Path, output: Path) -> dict:
    """Return seconds, CPU seconds of all processes and their memory over time of one run on this machine."""
    began, spent, ended = time.monotonic(), Spent(), Event()
    watcher = Thread(target=spent.watch, args=(ended,))
    watcher.start()
    process = start(source, output)
    if process.wait():
        raise SystemExit("the run failed")
    seconds = time.monotonic() - began
    ended.set()
    watcher.join()
    parts = np.array_split(np.array(spent.memory), 4)
    return {"seconds": round(seconds, 1), "cpu_seconds": round(sum(spent.cpu.values()), 1), "cores": available_cores(),
            "peak_gb_by_quarter": [round(float(part.max()), 2) for part in parts if len(part)]}  # fmt: skip


def start(source: Path, output: Path, *arguments: str) -> subprocess.Popen:
    """Start the command that reads with Ray."""
    command = [sys.executable, "-m", "digits.cluster", "read", "--input", str(source), "--output", str(output)]
    name, _, value = MARK.decode().partition("=")
    return subprocess.Popen([*command, *arguments], env=os.environ | {name: value})


class Spent:
    """CPU seconds, by process, and memory in GB, by time, of all processes with the mark."""

    def __init__(self):
        self.cpu: dict[str, float] = {}
        self.memory: list[float] = []

    def watch(self, ended: Event) -> None:
        """Look every fifth of a second until the event; at memory, which costs more, every other second."""
        looks = 0
        while not ended.wait(0.2):
            folders = [folder for folder in Path("/proc").glob("[0-9]*") if MARK in content(folder / "environ")]
            for folder in folders:
                fields = content(folder / "stat").rpartition(b")")[2].split()
                if fields:
                    self.cpu[folder.name] = (int(fields[11]) + int(fields[12])) / TICK
            if looks % 10 == 0:
                self.memory.append(sum(map(private_gb, folders)))
            looks += 1


def content(path: Path) -> bytes:
    """Return a file of /proc, whose process may have ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def private_gb(folder: Path) -> float:
    """Return a process' share of memory: what several share is counted once over all."""
    lines = content(folder / "smaps_rollup").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(b"Pss:")) / 1e6


def lost_and_killed(source: Path, output: Path, total: int) -> None:
    """Read on two nodes, take one away at a third, kill the driver at two thirds, and start it again."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 3, "include_dashboard": False})
    node = cluster.add_node(num_cpus=2)
    process = start(source, output, "--address", cluster.address)
    wait_for(output, total / 3, process)
    cluster.remove_node(node, allow_graceful=False)
    wait_for(output, total * 2 / 3, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if start(source, output, "--address", cluster.address).wait():
        raise SystemExit("the run that was started again failed")
    cluster.shutdown()


def wait_for(output: Path, rows: float, process: subprocess.Popen) -> None:
    """Return when so many rows are written."""
    from digits.cluster.read import count_rows

    while sum(sum(count_rows(str(folder)).values()) for folder in output.glob("model=*")) < rows:
        if process.poll() is not None:
            raise SystemExit("the run ended too early")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
