"""The measuring of a release: every benchmark, in order, with the arguments that a release needs.

    python benchmarks/run.py                       what is not done yet; goes on where it was cut off
    python benchmarks/run.py --list                what there is, whether it is done, and what it took last time
    python benchmarks/run.py --only camera latency --fresh
    python benchmarks/run.py --quick               a smoke run on few pictures; writes to runs/measuring-quick/ alone

A step is done, and skipped, as long as its results exist and its key stands: a digest of its commands and of the facts
that it depends on, "exports" (the checksums of all files that ship in exports/), "versions" (of rendering, tiles,
finder and augmentation) and "release" (the version in pyproject.toml). Keys and times are kept in
benchmarks/results/steps.json; what each step prints, in runs/measuring/. Run it on a machine that does nothing else.
"""

import argparse
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import common

from digits.learning.data.augmentation import AUGMENTATION_VERSION
from digits.learning.shared.keys import digest
from digits.learning.shared.progress import Console
from digits.learning.shared.provenance import git_commit
from digits.paths import EXPORTS_DIR, ROOT, RUNS_DIR
from digits.reading.finding import FINDER_VERSION
from digits.reading.tile import TILE_RULE
from digits.rendering import RENDERING_VERSION

STEPS_FILE = common.RESULTS / "steps.json"
LOGS, QUICK = RUNS_DIR / "measuring", RUNS_DIR / "measuring-quick"
REAL = tuple(f"DIGITS_REAL_{kind}" for kind in ("PHOTOS", "SCANS", "TABLET", "SHEETS", "PAGES", "NODIGITS", "VIDEO"))
EXPORTS, VERSIONS, RELEASE = "exports", "versions", "release"
TIMED, TIMED_QUICK = "runs/timed", "runs/timed-quick"
TAKE_OVER = "benchmarks/readme_numbers.py --pending --run"
INTERRUPTED = 130


@dataclass(frozen=True)
class Step:
    """One part of the measuring.

    Attributes:
        commands: what runs, one after the other, as typed after "python".
        quick: the same on few pictures; {out} is a folder for what it writes. Empty: it has no short form.
        depends: the facts that make its results old when they change; none: it takes seconds, and runs every time.
        results: the files it writes, below the checkout.
        needs: environment variables without which its results would be poorer than those that are kept.
        new: folders that it makes, and that must not exist before.
    """

    name: str
    commands: tuple[str, ...]
    quick: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


def of_script(name: str, options: str = "", quick: str | None = None, **facts) -> Step:
    """Return the step of benchmarks/<name>.py, which writes results/<name>.json."""
    few = () if quick is None else (f"benchmarks/{name}.py {quick} --out {{out}}/{name}.json",)
    return Step(name, (f"benchmarks/{name}.py{options}",), few, results=(f"benchmarks/results/{name}.json",), **facts)


STEPS = (
    Step("timed", (f"train_all.py --out {TIMED}", f"{TAKE_OVER} {TIMED}/models/run.json"),
         depends=(VERSIONS, RELEASE), results=("benchmarks/results/whole_run.json",), new=(TIMED,)),
    Step("timed-quick", (f"train_all.py --quick --out {TIMED_QUICK}", f"{TAKE_OVER} {TIMED_QUICK}/models/run.json"),
         ("train_all.py --quick --out {out}/timed",), (VERSIONS, RELEASE), ("benchmarks/results/whole_run.json",),
         new=(TIMED_QUICK,)),
    of_script("latency", quick="--runs 3", depends=(EXPORTS,)),
    of_script("formats", quick="--tiles 100", depends=(EXPORTS,)),
    of_script("camera", " --models exports/cnn_compact exports/mobilenet_v2", "--models exports/cnn_compact --frames 2",
              depends=(EXPORTS, VERSIONS), needs=REAL),
    of_script("training", quick="--merged {out}/timed/merged --images 300", depends=(VERSIONS, RELEASE)),
    Step("growth", ("benchmarks/training.py --growth 1000 70000 700000",),
         ("benchmarks/training.py --merged {out}/timed/merged --growth 300 --out {out}/growth.json",),
         (VERSIONS, RELEASE), ("benchmarks/results/training.json",)),
    of_script("ablation", depends=(VERSIONS,)),
    of_script("own_images", depends=(VERSIONS,), needs=("DIGITS_REAL_PHOTOS",)),
    of_script("peers", quick="--merged {out}/timed/merged --minutes 0.5 --work {out}/peers", depends=(EXPORTS,),
              needs=("DIGITS_REAL_PHOTOS", "DIGITS_REAL_PAGES", "DIGITS_REAL_NODIGITS")),
    of_script("scale", quick="--pictures 400", depends=(EXPORTS,)),
    of_script("web_page", quick="--frames 5", depends=(EXPORTS,)),
    of_script("drill", quick="--quick", depends=(EXPORTS, RELEASE)),
    Step("live-picture", ("benchmarks/make_live_picture.py",),
         ("benchmarks/make_live_picture.py --max-frames 6 --out {out}/live.webp",), (EXPORTS,), ("docs/live.webp",)),
    Step("classroom-pictures", ("benchmarks/make_classroom_pictures.py",), (), (EXPORTS, RELEASE),
         tuple(f"docs/classroom-{name}.webp" for name in ("sheet", "audit", "window"))),
    Step("notebooks", ("notebooks/execute.py",), (), (EXPORTS, VERSIONS)),
    Step("readme", ("benchmarks/readme_numbers.py",), ("benchmarks/readme_numbers.py --check --pending",)),
    Step("page", ("benchmarks/results_page.py",), ("benchmarks/results_page.py --check",)),
)  # fmt: skip


class StepError(Exception):
    """A step that cannot run, or did not end well; one sentence."""


def main(arguments: list[str] | None = None) -> int:
    """Measure or list; 0 all is done, 1 a step failed or was left out, 130 interrupted."""
    names = [step.name for step in STEPS]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="say what would run and what it took last time, and end")
    parser.add_argument("--quick", action="store_true", help="a smoke run on few pictures that keeps no result")
    parser.add_argument("--only", nargs="+", choices=names, metavar="STEP", help=f"these alone: {', '.join(names)}")
    parser.add_argument("--fresh", action="store_true", help="measure again what is done")
    options = parser.parse_args(arguments)
    steps = [step for step in STEPS if not options.only or step.name in options.only]
    known = json.loads(STEPS_FILE.read_text(encoding="utf-8")) if STEPS_FILE.is_file() else {}
    if options.list:
        print(listing(steps, known))
        return 0
    with Console() as report:
        try:
            failed = quick(steps, report) if options.quick else release(steps, known, options.fresh, report)
        except KeyboardInterrupt:
            report("Stopped. The same command goes on from here.")
            return INTERRUPTED
    for sentence in failed:
        print(sentence, file=sys.stderr)
    return 1 if failed else 0


def release(steps: list[Step], known: dict, fresh: bool, report: Console) -> list[str]:
    """Run the steps that are not done, keep what each took; return a sentence about each that failed."""
    facts, failed = current_facts(), []
    for number, step in enumerate(steps, 1):
        key, last = key_of(step, facts), known.get(step.name, {})
        if not fresh and is_done(step, key, last):
            report(f"{number} of {len(steps)}, {step.name}: done at {last['commit']}, skipped.")
            continue
        report(f"{number} of {len(steps)}, {step.name}{took(last)}")
        try:
            check_needs(step)
            for folder in step.new:
                shutil.rmtree(ROOT / folder, ignore_errors=True)
            began = time.monotonic()
            run_all(step.name, step.commands, LOGS, last.get("seconds"), report)
        except StepError as error:
            failed.append(f"{step.name}: {error}")
            report(failed[-1])
            continue
        if step.depends:
            facts_of_run = {"seconds": round(time.monotonic() - began, 1), "commit": git_commit(),
                            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "key": key}  # fmt: skip
            common.add(STEPS_FILE, {step.name: facts_of_run})
    return failed


def quick(steps: list[Step], report: Console) -> list[str]:
    """Run the short form of each step in a new folder; return a sentence about each that failed."""
    shutil.rmtree(QUICK, ignore_errors=True)
    failed = []
    for number, step in enumerate(steps, 1):
        report(f"{number} of {len(steps)}, {step.name}{'' if step.quick else ': has no short form, skipped.'}")
        try:
            run_all(step.name, [command.format(out=QUICK.as_posix()) for command in step.quick], QUICK, None, report)
        except StepError as error:
            failed.append(f"{step.name}: {error}")
            report(failed[-1])
    return failed


def run_all(name: str, commands: tuple[str, ...] | list[str], logs: Path, expected: float | None,
            report: Console) -> None:  # fmt: skip
    """Run commands one after the other, each in a process of its own; what they print goes to <logs>/<name>.log.

    Args:
        expected: seconds that all of them took last time; None if that is not known.
    Raises:
        StepError: one ended with another status than 0.
    """
    logs.mkdir(parents=True, exist_ok=True)
    log, began = logs / f"{name}.log", time.monotonic()
    hidden = REAL if logs == QUICK else ()  # thousands of photographs are no smoke run
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | {"PYTHONPATH": str(ROOT)}
    with open(log, "w", encoding="utf-8") as out:
        for command in commands:
            out.write(f"$ python {command}\n")
            out.flush()
            words = [sys.executable, *shlex.split(command)]
            process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
            watch(process, name, began, expected, report)
            if process.returncode:
                lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                place = log.relative_to(ROOT).as_posix()
                raise StepError(f"python {command} ended with {process.returncode}, see {place}: {lines[-1]}")
    if commands:
        report(f"{name}: done in {duration(time.monotonic() - began)}.")


def watch(process: subprocess.Popen, name: str, began: float, expected: float | None, report: Console) -> None:
    """Wait for a process, and show how far it is by what it took last time; end it if this one is interrupted."""
    title, total = f"{name}, seconds", round(expected or 0)
    try:
        while process.poll() is None:
            time.sleep(0.2)
            spent = round(time.monotonic() - began)
            if 1 <= spent < total:
                report.advance(title, spent, total)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
        if total:
            report.advance(title, total, total)


def check_needs(step: Step) -> None:
    """Raise a StepError where a variable that the step needs names nothing."""
    missing = [name for name in step.needs if not Path(os.environ.get(name) or "?").exists()]
    if missing:
        raise StepError(f"left out, because {' and '.join(missing)} name nothing; see CONTRIBUTING.md")


def current_facts() -> dict[str, str]:
    """Return what results depend on, each fact as a digest or a version."""
    shipped = sorted(path for path in EXPORTS_DIR.glob("*/*") if path.parent.name != "taught" and path.suffix != ".pyz")
    sums = [(path.relative_to(ROOT).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in shipped]
    default = (EXPORTS_DIR / "default.txt").read_text(encoding="utf-8").split()[-1:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = RENDERING_VERSION, FINDER_VERSION, TILE_RULE, AUGMENTATION_VERSION
    return {EXPORTS: digest(sums, default), VERSIONS: digest(versions), RELEASE: project["version"]}


def key_of(step: Step, facts: dict[str, str]) -> str:
    """Return what names the results of a step: its commands and the facts they depend on."""
    return digest(step.commands, [facts[name] for name in step.depends])


def is_done(step: Step, key: str, last: dict) -> bool:
    """Return whether a step's results exist and were made under this key."""
    return bool(step.depends) and last.get("key") == key and all((ROOT / name).is_file() for name in step.results)


def listing(steps: list[Step], known: dict) -> str:
    """Return a table of the steps: what runs, whether it is done, what it took last time, what its key is made of."""
    facts, rows = current_facts(), [["step", "state", "last time", "depends on", "command"]]
    for step in steps:
        last = known.get(step.name, {})
        missing = [name for name in step.needs if name not in os.environ]
        state = "done" if is_done(step, key_of(step, facts), last) else "needs variables" if missing else "to do"
        spent = duration(last["seconds"]) if last else "-"
        for number, command in enumerate(step.commands):
            start = [step.name, state, spent, ", ".join(step.depends) or "-"] if number == 0 else [""] * 4
            rows.append([*start, f"python {command}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def took(last: dict) -> str:
    """Return what a step took last time, in words to end a line with."""
    return f": took {duration(last['seconds'])} last time." if last else ": not timed yet."


def duration(seconds: float) -> str:
    """Return seconds as a person says them."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as by Ctrl-C: no script is left running
    sys.exit(main())
