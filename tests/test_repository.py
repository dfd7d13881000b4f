"""What holds for the repository as a whole: set-up, what may lie in it, and who may import whom."""

import ast
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from digits.reading.models.card import SUMS, read_sums, vouches
from digits.reading.models.golden import GOLDEN

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LARGEST_BYTES = 25_000_000  # a .keras of MobileNetV2 has 10 million
CARDS = {path: json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("exports/*/card.json")
         if path.parent.name != "taught"}  # fmt: skip
MODELS = {path: card for path, card in CARDS.items() if "rows" in card}  # the finder reads no digits
posix = pytest.mark.skipif(os.name == "nt", reason="a matter of bash")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git keeps."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout, or no git")
    return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts(paths):
    """Yield path and text of the files that are text."""
    for path in paths:
        data = path.read_bytes()
        if b"\0" not in data[:4096]:
            yield path, data.decode("utf-8", "replace")


@posix
def test_ci_runs_the_test_command_of_the_readme():
    done = subprocess.run(["bash", str(ROOT / ".ci" / "run"), "--show"], capture_output=True, text=True, check=True)
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[1].splitlines()[1:]
    assert done.stdout.strip() == block[1].replace(".venv", ".venv-ci")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_skipped_tests_of_required_marks_fail(tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    real: x\n    window: x\n")
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "@pytest.mark.real\n@pytest.mark.skipif(True, reason='no photographs')\ndef test_mark(): pass\n"
        "@pytest.mark.real\ndef test_inside(): pytest.skip('unset')\n"
        "@pytest.mark.window\ndef test_window(): pytest.skip('no screen')\n"
        "def test_other(): pytest.skip('other')\n"
        "@pytest.mark.real\ndef test_runs(): pass\n"
    )
    expected = {"real": (1, ["1 failed", "1 passed", "2 skipped", "1 error"]), "": (0, ["1 passed", "4 skipped"])}
    for required, counts in expected.items():
        environment = {**os.environ, "DIGITS_REQUIRE": required, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path,
                              env=environment, capture_output=True, text=True)  # fmt: skip
        closing = done.stdout.splitlines()[-1]
        assert (done.returncode, re.findall(r"\d+ (?:failed|passed|skipped|error)", closing)) == counts


def test_conda_environment_has_the_same_dependencies():
    lines = {line.strip() for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()}
    needed = [f"python{PROJECT['requires-python']}", *PROJECT["dependencies"]]
    assert {"name: digits", *(f"- {package}" for package in needed)} <= lines


def test_the_newest_entry_of_the_changelog_is_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", text, re.MULTILINE)[0] == PROJECT["version"]


def test_nothing_tracked_is_large_or_left_over(tracked):
    large = [path.name for path in tracked if path.stat().st_size > LARGEST_BYTES]
    ignored = [path for path in tracked if path.relative_to(ROOT).parts[:2] in (("data", "raw"), ("data", "merged"))]
    assert not large and not ignored
    assert not [path for path in tracked if ".tmp-" in path.name or path.suffix in (".pyc", ".log")]


def test_git_never_takes_somebodys_handwriting(tracked, tmp_path):
    """`git add .` after a lesson: of data/custom only what the project ships, and nothing that was made of the rest."""
    private = ["data/custom/Ana/7/a.png", "data/custom/train/3/b.jpg", "data/custom/exclude.txt", "data/custom/3B.zip",
               "data/merged/train/7/custom_ana_1.png", "runs/audit.html", "runs/own_mistakes.png",
               "exports/taught/model.keras", "worksheet-Ana-1.pdf"]  # fmt: skip
    shipped = [path.relative_to(ROOT).as_posix() for path in tracked if ROOT / "data" / "custom" in path.parents]
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for name in private + shipped:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    added = subprocess.run(["git", "ls-files"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(added.stdout.split()) == {".gitignore", *shipped} and len(shipped) > 100


def test_no_paths_of_somebodys_machine(tracked):
    # Assembled here, so that this file does not hold what it looks for.
    homes = [f"/{name}/" for name in ("root", "Users", "home/runner")] + ["/tmp" + "/venv", "/work" + "/main"]
    found = [(path.name, home) for path, text in texts(tracked) for home in homes if home in text]
    assert not found


@pytest.mark.real
def test_no_real_photograph_was_copied_in(tracked):
    kinds = "PHOTOS", "SCANS", "TABLET", "SHEETS", "PAGES", "NODIGITS", "VIDEO"
    folders = [os.environ.get(f"DIGITS_REAL_{kind}") for kind in kinds]
    if not all(folders):
        pytest.skip("the DIGITS_REAL_* variables are not set")
    files = [path for folder in map(Path, folders) for path in (folder.rglob("*") if folder.is_dir() else [folder])]
    theirs = {hashlib.sha256(path.read_bytes()).digest() for path in files if path.is_file()}
    assert len(theirs) > 1000
    assert not [path for path in tracked if hashlib.sha256(path.read_bytes()).digest() in theirs]


def test_exported_files_are_those_of_their_cards():
    assert CARDS
    for path, card in CARDS.items():
        assert {path.name for path in path.parent.iterdir()} - {GOLDEN} == {*card["files"], path.name, SUMS} - {GOLDEN}
        assert vouches(SUMS, read_sums(path.parent), [path, *(path.parent / name for name in card["files"])])
        for name, entry in card["files"].items():
            assert hashlib.sha256((path.parent / name).read_bytes()).hexdigest() == entry["sha256"], name


def test_results_speak_of_the_exports_that_ship():
    shipped = {entry["sha256"] for card in CARDS.values() for entry in card["files"].values()}
    wrong, named = [], set()
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        for entry in dicts_in(json.loads(path.read_text(encoding="utf-8"))):
            # Networks that do not ship may be measured too; they are named by their file in models/.
            if "sha256" in entry and not str(entry.get("file")).startswith("models/"):
                wrong += [path.name] if entry["sha256"] not in shipped else []
                named.add(path.stem)
    assert not wrong, "run the benchmark again with the export that ships"
    assert named >= {"camera", "formats", "latency"}, "those that measure an export say which"


def test_exports_are_those_of_the_leaderboard_whose_rows_can_be_compared():
    with open(ROOT / "models" / "leaderboard.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["judged_on"] for row in rows if row.get("superseded") != "True"}) == 1
    assert all(row["judged_on"] for row in rows)
    assert not [row["commit"] for row in rows if not row["commit"] or row["commit"].endswith("+")]
    names = "model", "stage", "with_val"
    released = [row for row in rows if (row["seed"], row["no_camera"]) == ("0", "False")]
    first = {tuple(row[name] for name in names): row for row in released}
    for card in MODELS.values():
        for exported in card["rows"]:
            row = first[tuple(str(exported[name]) for name in names)]
            for name in ("val_accuracy", "val_camera_accuracy", "test_accuracy"):
                assert float(row[name] or "nan") == pytest.approx(exported[name] or float("nan"), nan_ok=True)


def dicts_in(value):
    """Yield every dict inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dicts_in(inner)


# Who may import whom: each wing, and in learning each folder, from those named here and from itself.
FOUNDATION = {"digits.box", "digits.files", "digits.outputs", "digits.paths"}
WINGS = {
    "reading": FOUNDATION,
    "rendering": FOUNDATION,
    "learning": FOUNDATION | {"digits.reading", "digits.rendering"},
    "cluster": FOUNDATION | {"digits.reading", "digits.learning"},
}
FLOORS = ("shared", "data", "networks", "training", "experiment", "export", "finder", "teaching")  # from those before
LIGHT = sys.stdlib_module_names | {"numpy", "cv2", "digits"}  # what reading and rendering load when they are imported


def imports_of(path):
    """Yield (full name, whether it is loaded with the module) of all that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node in tree.body) for alias in node.names)


@pytest.mark.parametrize("wing", WINGS)
def test_imports_go_one_way(wing):
    allowed, wrong = (f"digits.{wing}", *WINGS[wing]), []
    for path in (ROOT / "digits" / wing).rglob("*.py"):
        for name, at_import in imports_of(path):
            inside = name.startswith("digits.") and not name.startswith(allowed)
            heavy = wing in ("reading", "rendering") and at_import and name.split(".")[0] not in LIGHT
            wrong += [f"{path.relative_to(ROOT)}: {name}"] if inside or heavy else []
    assert not wrong


def test_learning_has_floors():
    wrong = []
    for number, floor in enumerate(FLOORS):
        above = tuple(f"digits.learning.{name}" for name in (*FLOORS[number + 1 :], "worksheet", "dataset"))
        for path in (ROOT / "digits" / "learning" / floor).rglob("*.py"):
            wrong += [f"{path.relative_to(ROOT)}: {name}" for name, _ in imports_of(path) if name.startswith(above)]
    assert not wrong
    folders = {path.name for path in (ROOT / "digits" / "learning").iterdir() if (path / "__init__.py").exists()}
    assert folders == {*FLOORS, "worksheet"}


def test_no_two_files_import_each_other_in_a_circle():
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in (ROOT / "digits").rglob("*.py")}
    arrows = {name: {known for full, _ in imports_of(path) for known in (full, full.rpartition(".")[0])
                     if known in files} for name, path in files.items()}  # fmt: skip
    while arrows:  # take out, again and again, what imports nothing that is left
        free = {name for name, targets in arrows.items() if not targets & (arrows.keys() - {name})}
        assert free, sorted(arrows)
        arrows = {name: targets for name, targets in arrows.items() if name not in free}


def lesson(heading, language="python"):
    """Return the code block under a heading of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


def test_adding_a_network_works_as_told():
    baselines = pytest.importorskip("digits.learning.networks.baselines")
    names = dict(vars(baselines))
    exec(lesson("Add a network"), names)
    model = names["build_cnn_wide"]()
    assert model.input_shape == (None, 96, 96, 3) and model.output_shape == (None, 10)
    assert baselines.inner_part(model).input_shape == (None, 32, 32, 1)


def test_adding_a_format_works_as_told(tmp_path):
    shutil.copytree(ROOT / "digits", tmp_path / "digits", ignore=shutil.ignore_patterns("learning", "__pycache__"))
    shutil.copy(ROOT / "realtime_multiformat.py", tmp_path)
    shutil.copytree(ROOT / "exports" / "finder", tmp_path / "exports" / "finder")
    models = tmp_path / "digits" / "reading" / "models"
    (models / "linear.py").write_text(lesson("Add a format"), encoding="utf-8")
    text, registry = (models / "loading.py").read_text(encoding="utf-8"), "FORMATS: tuple[type[Model], ...] = ("
    assert text.count(registry) == 1
    text = text.replace(registry, f"from digits.reading.models.linear import LinearModel\n{registry}LinearModel, ")
    (models / "loading.py").write_text(text, encoding="utf-8")
    np.savez(tmp_path / "model.npz", weights=np.zeros((144, 10)), bias=np.eye(10)[4] * 9)  # reads everything as a 4
    command = [sys.executable, "realtime_multiformat.py", "--model", "model.npz", "--headless", "--source"]
    done = subprocess.run([*command, str(ROOT / "data" / "samples" / "digit_7.jpg")], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(linear), not verified" in done.stderr
    assert [digit["digit"] for digit in json.loads(done.stdout)["digits"]] == [4]


def test_adding_a_dataset_works_as_told(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    from digits.learning.data.find_own_images import examine, find_own_images

    monkeypatch.setattr("digits.paths.CUSTOM_DIR", tmp_path)
    exec(lesson("Add a dataset"), {})
    images = find_own_images(tmp_path)
    assert len(images) == 1797 and {image.label for image in images} == set(range(10))
    facts = examine([str(path) for path in sorted(tmp_path.rglob("*.png"))[::100]])
    assert not [fact.reason for fact in facts if fact.reason]
