"""Work in several processes gives what it gives in one, from any script."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from digits.learning.shared import workers
from digits.learning.shared.workers import each_chunk, map_chunks


def test_results_come_in_order_from_other_processes():
    finished = []
    chunks = [(number,) for number in range(6)]
    assert map_chunks(math.factorial, chunks, workers=2, done=finished.append) == [1, 1, 2, 6, 24, 120]
    assert sorted(finished) == list(range(6))
    assert os.getpid() not in map_chunks(os.getpid, [(), ()], workers=2)
    assert map_chunks(math.factorial, []) == []


def test_scripts_need_no_guard_and_are_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import math\nfrom digits.learning.shared.workers import map_chunks\n"
        "print('once')\nprint(map_chunks(math.factorial, [(3,), (4,)], workers=2))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["once", "[6, 24]"]


def running(process: int) -> bool:
    """Return whether a process is there and no zombie."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_workers_end_with_a_caller_that_is_killed():
    work = "import time; from digits.learning.shared.workers import map_chunks; map_chunks(time.sleep, [(60,)] * 4, 2)"
    caller = subprocess.Popen([sys.executable, "-c", work])
    children = Path(f"/proc/{caller.pid}/task/{caller.pid}/children")
    wait_for(lambda: len(children.read_text().split()) == 3)  # two workers, and Python's own tracker of semaphores
    found = [int(process) for process in children.read_text().split()]
    time.sleep(1)  # so that they are at work
    caller.kill()
    caller.wait()
    wait_for(lambda: not any(map(running, found)))


def test_without_processes_the_work_is_done_here(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no semaphores on this system")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)
    assert map_chunks(math.factorial, [(3,), (4,)], workers=2) == [6, 24]


def test_chunks_are_taken_only_a_few_ahead_of_the_processes():
    taken = []
    chunks = (taken.append(number) or (number,) for number in range(40))
    results = each_chunk(math.factorial, chunks, workers=2)
    first = next(results)
    assert first == (first[0], math.factorial(first[0])) and len(taken) < 10
    rest = dict(results)
    assert sorted([first[0], *rest]) == list(range(40)) and rest[39] == math.factorial(39)


def test_what_a_dying_process_leaves_undone_is_done_here():
    here = os.getpid()
    done = dict(each_chunk(_die_elsewhere, ((here, number) for number in range(9)), workers=2))
    assert done == {number: number for number in range(9)}


def _die_elsewhere(here, number):
    if os.getpid() != here:
        os._exit(1)
    return number


def test_errors_of_the_work_reach_the_caller():
    with pytest.raises(ValueError, match="nonneg|negative"):
        map_chunks(math.factorial, [(3,), (-1,)], workers=2)
