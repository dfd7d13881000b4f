"""Run the notebooks and keep their outputs in place.

    python notebooks/execute.py                    all five, with the networks of models/ and exports/ (some minutes)
    python notebooks/execute.py --preset tiny      all five on a few hundred images, to see that they run
    python notebooks/execute.py 04_compare         just this one

A notebook that fails, or whose outputs name folders of this machine, is left as it was.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from digits.files import write_whole

FOLDER = Path(__file__).resolve().parent
PRESETS = ("full", "tiny")
CELL_SECONDS = 1800  # the longest cell trains fifteen small networks
MAX_BYTES = 1_500_000
# Folders that exist on one machine only; of any system.
MACHINE_PATH = re.compile(r"(?<![\w.])(/(work|tmp|root|home|Users|var|private|mnt|opt)/[\w.]|[A-Z]:\\\\?\w)")


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names; return 0, or 1 if a notebook failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 04_compare (default: all)")
    parser.add_argument("--preset", choices=PRESETS, default="full", help="of what size (default: full)")
    options = parser.parse_args(arguments)
    known = {path.stem: path for path in notebooks()}
    unknown = [name for name in options.names if Path(name).stem not in known]
    if unknown:
        parser.error(f"there is no notebook {unknown[0]}, only {', '.join(known)}")
    failed = 0
    for path in [known[Path(name).stem] for name in options.names] or known.values():
        failed += not _renew(path, options.preset)
    return 1 if failed else 0


def notebooks() -> list[Path]:
    """Return the notebooks in reading order."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def execute(path: Path, preset: str, folder: Path | None = None) -> nbformat.NotebookNode:
    """Return a notebook after running it from a fresh kernel.

    Args:
        path: the notebook; not changed.
        preset: "tiny" or "full".
        folder: where its small experiments keep what they make; None: runs/notebooks/.
    Raises:
        CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    environment = {**os.environ, "DIGITS_NOTEBOOK_PRESET": preset}
    if folder is not None:
        environment["DIGITS_NOTEBOOK_FOLDER"] = str(folder)
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3",
                            record_timing=False,  # times would change with every run
                            resources={"metadata": {"path": str(path.parent)}})  # fmt: skip
    client.execute(env=environment)
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


def _renew(path: Path, preset: str) -> bool:
    began = time.monotonic()
    try:
        notebook = execute(path, preset)
    except CellExecutionError as error:
        print(f"{path.name} failed:\n{error}", file=sys.stderr)
        return False
    wrong = problems(notebook)
    for problem in wrong:
        print(f"{path.name}: {problem}", file=sys.stderr)
    if wrong:
        return False
    write_whole(path, (nbformat.writes(notebook) + "\n").encode())
    print(f"{path.name}: {time.monotonic() - began:.0f} s, {path.stat().st_size:,} bytes", flush=True)
    return True


def _text(output: nbformat.NotebookNode) -> str:
    """Return the words of an output, without its pictures."""
    data = output.get("data", {})
    return "\n".join([output.get("text", ""), *(str(data[kind]) for kind in data if not kind.startswith("image/"))])


def _around(text: str, place: re.Match) -> str:
    return text[max(0, place.start() - 40) : place.end() + 40].replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
