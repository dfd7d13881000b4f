"""Run the notebooks, keep their outputs in place, and fill in the numbers of their findings.

    python notebooks/execute.py                    all six, in full: outputs, results/ and the numbers in the text
    python notebooks/execute.py 04_compare         just this one
    python notebooks/execute.py --fast             all six as FAST = True has them, changing nothing: do they run?
    python notebooks/execute.py --check            1 if a finding says anything else than results/ does

A notebook that fails, complains, or names folders of this machine is left as it was. In a finding a number stands as
`<!-- numbers:NAME:FORMAT -->98.5 %<!-- /numbers -->`: NAME is a key of results/<notebook>.json, FORMAT is Python's.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from digits.files import write_whole

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER / "results"
SWITCH = "FAST = True"
PARAMETERS = "parameters"  # the tag of the cell with the switch
TURN = "# Your turn."  # the empty cell of an exercise
CELL_SECONDS = 3600  # the longest cell trains fifteen networks
MAX_BYTES = 1_500_000
NUMBER = re.compile(r"(<!-- numbers:(\w+):(\S*) -->).*?(<!-- /numbers -->)")
# Folders that exist on one machine only; of any system.
MACHINE_PATH = re.compile(r"(?<![\w.])(/(work|tmp|root|home|Users|var|private|mnt|opt)/[\w.]|[A-Z]:\\\\?\w)")


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names; return 0, or 1 if a notebook failed or its text is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 04_compare (default: all)")
    parser.add_argument("--fast", action="store_true", help="in minutes, changing nothing")
    parser.add_argument("--check", action="store_true", help="run nothing: only compare the text with results/")
    options = parser.parse_args(arguments)
    known = {path.stem: path for path in notebooks()}
    unknown = [name for name in options.names if Path(name).stem not in known]
    if unknown:
        parser.error(f"there is no notebook {unknown[0]}, only {', '.join(known)}")
    act = _check if options.check else _try if options.fast else _renew
    paths = [known[Path(name).stem] for name in options.names] or list(known.values())
    return 0 if all([act(path) for path in paths]) else 1


def notebooks() -> list[Path]:
    """Return the notebooks in reading order."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def execute(path: Path, fast: bool = True, values: dict | None = None,
            answers: Sequence[str] = ()) -> nbformat.NotebookNode:
    """Return a notebook after running it from a fresh kernel; its cells stay as they are.

    Args:
        path: the notebook; not changed.
        fast: what its switch says.
        values: names that get another value after the cell of parameters, for tests on less data.
        answers: code for the empty cells of the first exercises, which it then holds.
    Raises:
        CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if PARAMETERS in cell.metadata.get("tags", ()))
    written = cell.source
    assert SWITCH in written, f"{path.name} has no switch"
    lines = [f"{name} = {value!r}" for name, value in (values or {}).items()]
    cell.source = "\n".join([written.replace(SWITCH, f"FAST = {fast}"), *lines])
    turns = [each for each in notebook.cells if each.source == TURN]
    for empty, answer in zip(turns, answers, strict=False):
        empty.source = answer
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3",
                            record_timing=False,  # times would change with every run
                            resources={"metadata": {"path": str(path.parent)}})  # fmt: skip
    client.execute(env={"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ})
    cell.source = written
    notebook.metadata.get("language_info", {}).pop("version", None)
    return notebook


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what is wrong with an executed notebook: missing outputs, errors, paths of a machine, size."""
    found = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            found.append(f"cell {number} was not run")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"cell {number} ends in {output.ename}")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"cell {number} complains: {output.text.strip()[:200]}")
            place = MACHINE_PATH.search(_text(output))
            if place:
                found.append(f"cell {number} names a folder of the machine: ...{_around(_text(output), place)}...")
    if not any(cell.get("outputs") for cell in notebook.cells):
        found.append("no cell has an output")
    size = len(nbformat.writes(notebook))
    if size > MAX_BYTES:
        found.append(f"{size:,} bytes, at most {MAX_BYTES:,} expected")
    return found


def filled_in(text: str, results: dict[str, float | str]) -> str:
    """Return a text with every marked number as the results have it.

    Raises:
        KeyError: if a number is not among the results.
    """
    def number(match: re.Match) -> str:
        begin, name, form, end = match.groups()
        return begin + format(results[name], form).replace("%", "\u00a0%") + end

    return NUMBER.sub(number, text)


def marks(notebook: nbformat.NotebookNode) -> set[str]:
    """Return the names of the numbers that the findings quote."""
    return {match.group(2) for match in NUMBER.finditer(_prose(notebook))}


def outdated(notebook: nbformat.NotebookNode, results: dict[str, float | str]) -> list[str]:
    """Return the marked numbers, with their marks, that say anything else than the results."""
    return [match.group() for match in NUMBER.finditer(_prose(notebook))
            if match.group(2) not in results or filled_in(match.group(), results) != match.group()]


def results_of(path: Path) -> dict[str, float | str]:
    """Return what the full run of a notebook saved."""
    return json.loads((RESULTS / f"{path.stem}.json").read_text(encoding="utf-8"))


def _check(path: Path) -> bool:
    wrong = outdated(nbformat.read(path, as_version=4), results_of(path))
    for mark in wrong:
        print(f"{path.name}: {mark} is not what results/{path.stem}.json says", file=sys.stderr)
    return not wrong


def _try(path: Path) -> bool:
    return _run(path, fast=True) is not None


def _renew(path: Path) -> bool:
    notebook = _run(path, fast=False)
    if notebook is None:
        return False
    try:
        for cell in notebook.cells:
            cell.source = filled_in(cell.source, results_of(path)) if cell.cell_type == "markdown" else cell.source
    except KeyError as name:
        print(f"{path.name}: a finding quotes {name}, which the notebook does not save", file=sys.stderr)
        return False
    write_whole(path, (nbformat.writes(notebook) + "\n").encode())
    return True


def _run(path: Path, fast: bool) -> nbformat.NotebookNode | None:
    began = time.monotonic()
    try:
        notebook = execute(path, fast)
    except CellExecutionError as error:
        print(f"{path.name} failed:\n{error}", file=sys.stderr)
        return None
    wrong = problems(notebook)
    for problem in wrong:
        print(f"{path.name}: {problem}", file=sys.stderr)
    print(f"{path.name}: {time.monotonic() - began:.0f} s, {len(nbformat.writes(notebook)):,} bytes", flush=True)
    return None if wrong else notebook


def _prose(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def _text(output: nbformat.NotebookNode) -> str:
    """Return the words of an output, without its pictures."""
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), *(str(data[kind]) for kind in data if not kind.startswith("image/"))])


def _around(text: str, place: re.Match) -> str:
    return text[max(0, place.start() - 40) : place.end() + 40].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
