"""Reading at scale: the plain loop, the same pictures with Ray, then with a node lost and the driver killed on the way.

    python benchmarks/scale.py                       70,000 small photographs
    python benchmarks/scale.py --pictures 8000       fewer: about 8 minutes on two cores that others use, too
    python benchmarks/readme_numbers.py              put the results into docs/scale.md

Compares every row with the plain loop's, prints, and writes benchmarks/results/scale.json. Overhead is in CPU time,
which a busy machine changes little: that of all processes of the run, less what a start takes, over that of the plain
loop. Linux alone.
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

from digits.cluster.pictures import find_files, write_list
from digits.cluster.read import block_size
from digits.cluster.rows import row_of
from digits.learning.shared.workers import available_cores
from digits.paths import RUNS_DIR
from digits.reading.images import load_image
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering.handwriting import draw_digit
from digits.rendering.photographs import photograph_one

DRAWINGS = 2000  # different photographs; the others are these, darker or brighter
MARK = b"DIGITS_SCALE=1"  # in the environment of all processes of a run
FEW = 4  # the part of the pictures that is read, too, to tell what a start costs from what a picture costs
TICK = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, compare, print, write."""
    parser = common.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=70_000, metavar="N", help="default: 70000")
    options = parser.parse_args()
    work = RUNS_DIR / "scale"
    shutil.rmtree(work, ignore_errors=True)
    few_count = options.pictures // FEW
    for name, count in (("few", few_count), ("all", options.pictures)):
        draw(work / name, count)
    facts = {"pictures": options.pictures, "block": block_size(options.pictures), **listing(work / "all")}
    plain, facts["plain_loop"] = plain_loop(work / "all")
    few = facts["few"] = {"pictures": few_count, **clean_run(work / "few", work / "few_rows")}
    run = facts["ray"] = clean_run(work / "all", work / "all_rows")
    run["rows_equal"] = rows_of(work / "all_rows") == plain
    run["bytes_a_row"] = round(sum(path.stat().st_size for path in (work / "all_rows").rglob("*")) / options.pictures)
    facts |= compared(few, run, options.pictures, facts["plain_loop"]["ms"])
    facts["again"] = clean_run(work / "all", work / "all_rows")  # all is done: what a second start takes
    facts["again"]["rows_equal"] = rows_of(work / "all_rows") == plain
    lost_and_killed(work / "all", work / "drill_rows", options.pictures)
    facts["node_lost_and_driver_killed"] = {"rows_equal": rows_of(work / "drill_rows") == plain}
    for name, value in facts.items():
        print(name, value)
    common.write(options.out, {**common.made_with(), **facts})
    return 0 if all(facts[name]["rows_equal"] for name in ("ray", "again", "node_lost_and_driver_killed")) else 1


def listing(folder: Path) -> dict:
    """Return what listing the pictures of a folder takes, their size, and what Ray holds of one that is done."""
    began = time.process_time()
    paths = [*find_files(str(folder))]
    write_list(iter(paths), str(folder.parent / "list"))
    spent = (time.process_time() - began) / len(paths)
    # A restart holds the path of what is done as text of Arrow, and sorted as objects of Python.
    held = sum(len(path) + 4 + sys.getsizeof(path) + 8 for path in paths) / len(paths)
    size = sum(os.path.getsize(path) for path in paths) / len(paths)
    return {"bytes_a_picture": round(size), "listing_us_a_picture": round(1e6 * spent, 1),
            "restart_bytes_a_picture": round(held)}  # fmt: skip


def compared(few: dict, run: dict, count: int, plain_ms: float) -> dict:
    """Return in CPU time what a start costs, and what a picture costs more than in the plain loop, of two runs."""
    each = (run["cpu_seconds"] - few["cpu_seconds"]) / (count - few["pictures"])
    driver = (run["driver_cpu_seconds"] - few["driver_cpu_seconds"]) / (count - few["pictures"])
    return {"start_cpu_seconds": round(run["cpu_seconds"] - count * each, 1), "ms": round(1000 * each, 3),
            "overhead": round(1000 * each / plain_ms - 1, 4),
            "driver_ms_a_block": round(1000 * driver * block_size(count), 1)}  # fmt: skip


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
    reader, rows = Reader(load_model(threads=1), finder=load_finder(threads=1)), {}
    began, cpu = time.monotonic(), time.process_time()
    for path in folder.rglob("*.jpg"):
        rows[str(path)] = comparable(row_of(str(path), reader.read(load_image(path))))
    spent = time.process_time() - cpu
    return rows, {"seconds": round(time.monotonic() - began, 1), "cpu_seconds": round(spent, 1),
                  "ms": round(1000 * spent / len(rows), 3)}  # fmt: skip


def comparable(row: dict) -> tuple:
    """Return what must be the same in a row, however it was made."""
    digits = [(*digit["box"].values(), digit["digit"], np.float32(digit["confidence"])) for digit in row["digits"]]
    return row["width"], row["height"], row["rows"], digits, row["hint"]


def rows_of(output: Path) -> dict:
    """Return the rows of a run by path; fail where one path has two."""
    import pyarrow.parquet

    (folder,) = output.glob("reader=*")
    rows = pyarrow.parquet.read_table(folder / "table=pictures").to_pylist()
    found = {row["path"]: comparable(row) for row in rows}
    assert len(found) == len(rows) and not (folder / "table=bad").exists()
    return found


def clean_run(source: Path, output: Path) -> dict:
    """Return seconds, CPU seconds of all processes and their memory over time of one run on this machine."""
    began, spent, ended = time.monotonic(), Spent(), Event()
    watcher = Thread(target=spent.watch, args=(ended,), daemon=True)
    watcher.start()
    process = start(source, output)
    if process.wait():
        raise SystemExit("the run failed")
    seconds = time.monotonic() - began
    ended.set()
    watcher.join()
    parts = np.array_split(np.array(spent.memory), 4)
    return {"seconds": round(seconds, 1), "cpu_seconds": round(sum(spent.cpu.values()), 1), "cores": available_cores(),
            "driver_cpu_seconds": spent.cpu[str(process.pid)],
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

    while sum(sum(count_rows(str(folder)).values()) for folder in output.glob("reader=*")) < rows:
        if process.poll() is not None:
            raise SystemExit("the run ended too early")
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
