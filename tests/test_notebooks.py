"""The notebooks run from a fresh kernel on few images; those committed have outputs and say what their results say."""

import json
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
# What each notebook gets to do in a test instead of what its cell of parameters says.
LESS = {
    "01_dataset": {"PHOTOGRAPHS": 5, "LIMIT": 400},
    "02_baselines": {"IMAGES": 256, "EPOCHS": 1, "SEEDS": [0], "CAMERA": 12, "LIMIT": 400},
    "03_transfer": {"IMAGES": 50, "VAL": 50, "HEAD_EPOCHS": 1, "LAST_EPOCHS": 1, "LIMIT": 400},
    "04_compare": {"NEIGHBOURS": 100, "VIEWS": 40},
    "05_exports_and_live": {"TILES": 12, "REPEATS": 3, "FRAMES": 6},
    "06_finder": {"CROPS": 32, "EPOCHS": 1, "FRAMES": 2, "SHAPES": 4},
}
SECTIONS = ("**Question.**", "**What you can do afterwards.**", "**Data.**", "**How long.**", "## What to take along",
            "## Exercises")  # fmt: skip
MOST_LINES = 15  # of a cell
TURN = "# Your turn."
# Exercise 1 of notebook 2, done as its hint says: a sixth network in the table.
SIXTH = """
def cnn_mine():
    return keras.Sequential([
        keras.Input((32, 32, 1)), conv(16), layers.MaxPooling2D(2), conv(32), layers.MaxPooling2D(2),
        layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax"),
    ], name="cnn_mine")
trials["cnn_mine"] = [trial(cnn_mine, seed) for seed in SEEDS]
leaderboard(trials).style.format(columns)
"""

execute = load("notebooks/execute.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all six, as a person has it: the tiles that one notebook made the next one finds."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    monkeypatch.setenv("DIGITS_IMAGENET_WEIGHTS", os.environ.get("DIGITS_IMAGENET_WEIGHTS") or "none")


@pytest.mark.parametrize("name", LESS)
def test_runs_from_a_fresh_kernel(name, folder):
    pytest.importorskip("tensorflow")
    path = ROOT / "notebooks" / f"{name}.ipynb"
    before = path.read_bytes()
    values = LESS[name] | {"MERGED": str(folder / "merged"), "OUT": str(folder / "formats"), "RUNS": str(folder)}
    notebook = execute.execute(path, True, values, [SIXTH] if name == "02_baselines" else [])
    # A temporary folder may have any name, so paths of this machine are looked for in what is committed.
    assert [problem for problem in execute.problems(notebook) if "folder of the machine" not in problem] == []
    assert path.read_bytes() == before
    found = json.loads((folder / f"{name}.json").read_text())
    marks = execute.marks(notebook)
    assert marks and not {mark for mark in marks if mark not in found}, "a finding quotes what is not saved"
    if name == "02_baselines":
        assert "cnn_mine" in str([cell.outputs for cell in notebook.cells if SIXTH in cell.get("source", "")])


def test_all_notebooks_are_known_and_begin_with_the_same_cell_for_hosted_ones():
    assert [path.stem for path in execute.notebooks()] == list(LESS)
    all_cells = [nbformat.read(path, as_version=4).cells for path in execute.notebooks()]
    first = {next(cell.source for cell in cells if cell.cell_type == "code") for cells in all_cells}
    assert len(first) == 1 and 'find_spec("digits") is None' in first.pop()


@pytest.fixture(params=LESS)
def committed(request):
    """Name and content of a notebook as it is committed."""
    return request.param, nbformat.read(ROOT / "notebooks" / f"{request.param}.ipynb", as_version=4)


def test_committed_whole_with_its_sections_and_short_cells(committed):
    name, notebook = committed
    assert execute.problems(notebook) == []
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [section for section in SECTIONS if section not in prose] == []
    assert prose.count("**Finding.**") >= 3
    assert max(len([line for line in source.splitlines() if line.strip()]) for source in code) <= MOST_LINES
    outputs = str([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    assert "full run" in outputs and "fast run" not in outputs, "python notebooks/execute.py renews the outputs"
    assert "FAST = True" in "\n".join(code)
    if name in ("02_baselines", "03_transfer"):
        plain = "image_dataset_from_directory(", ".summary()", ".compile(", ".fit(", "EarlyStopping(", ".evaluate("
        assert [word for word in plain if word not in "\n".join(code)] == []


def test_findings_say_what_the_full_run_saved(committed):
    name, notebook = committed
    results = execute.results_of(ROOT / "notebooks" / f"{name}.ipynb")
    assert execute.outdated(notebook, results) == [], "python notebooks/execute.py fills in the numbers"
    assert len(execute.marks(notebook)) >= 5


def test_every_exercise_has_an_empty_cell_a_hint_and_what_is_to_be_found(committed):
    cells = committed[1].cells
    empty = [place for place, cell in enumerate(cells) if cell.source == TURN]
    assert len(empty) >= 3 and empty[-1] == len(cells) - 1
    for place in empty:
        assert "<summary>Hint</summary>" in cells[place - 1].source
        assert "<summary>What a good answer finds</summary>" in cells[place - 1].source


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


def test_a_number_that_is_not_what_was_saved_is_noticed_and_filled_in():
    mark = "Reads <!-- numbers:share:.1% -->12.0\u00a0%<!-- /numbers --> of <!-- numbers:name: -->a<!-- /numbers -->."
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(mark)])
    results = {"share": 0.123, "name": "a"}
    assert len(execute.outdated(notebook, results)) == 1 and len(execute.outdated(notebook, {})) == 2
    assert "-->12.3\u00a0%<!--" in execute.filled_in(mark, results)
    notebook.cells[0].source = execute.filled_in(mark, results)
    assert execute.outdated(notebook, results) == []


def test_a_stroke_in_the_field_is_drawn_and_asked_about():
    pytest.importorskip("ipycanvas")
    asked = []
    field = load("notebooks/lesson.py").Field(lambda ink: asked.append(ink.copy()))
    field._move(10, 10)
    field._release()
    assert not asked, "nothing is drawn before the button is pressed"
    field._press(60, 60)
    field._move(200.4, 199.6)
    field._release()
    assert len(asked) == 1 and asked[0].shape == (280, 280) and asked[0][130, 130] == 255 and asked[0][130, 30] == 0
    field.wipe()
    assert not field.ink.any()
