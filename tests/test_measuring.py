"""The measuring of a release: its steps exist, are skipped while they are done, and go on after a failure."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from loading import load

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture()
def script(tmp_path, monkeypatch):
    """The script, with two steps of a second each; one of them needs a variable."""
    found = load("benchmarks/run.py")
    runs = f"-c \"open({str(tmp_path / 'ran')!r}, 'a').write('{{}}')\""
    steps = (
        found.Step("first", (runs.format(1), runs.format(2)), (runs.format("q"),), (found.EXPORTS,), ("README.md",)),
        found.Step("second", (runs.format(3),), depends=(found.RELEASE,), needs=("DIGITS_REAL_PHOTOS",)),
        found.Step("third", (runs.format(4),)),
    )
    for name, value in {"STEPS": steps, "STEPS_FILE": tmp_path / "steps.json"}.items():
        monkeypatch.setattr(found, name, value)
    monkeypatch.setenv("DIGITS_REAL_PHOTOS", str(tmp_path))
    return found


def test_what_is_done_is_skipped_until_what_it_depends_on_changes(script, tmp_path, monkeypatch, capsys):
    def ran(*arguments, status=0):
        (tmp_path / "ran").write_text("")
        assert script.main([*arguments]) == status
        return (tmp_path / "ran").read_text()

    assert ran() == "1234" and ran() == "4", "a step that depends on nothing takes seconds, and always runs"
    assert set(json.loads((tmp_path / "steps.json").read_text())) == {"first", "second"}
    assert ran("--fresh", "--only", "second") == "3" and ran("--quick", "--only", "first") == "q"
    facts = script.current_facts()
    monkeypatch.setattr(script, "current_facts", lambda: facts | {script.EXPORTS: "another"})
    capsys.readouterr()
    assert ran("--list") == ""
    states = dict(line.split()[:2] for line in capsys.readouterr().out.splitlines() if line[0] != " ")
    assert states == {"step": "state", "first": "to", "second": "done", "third": "to"}
    monkeypatch.delenv("DIGITS_REAL_PHOTOS")
    assert ran() == "124", "what is done needs no variable"
    assert ran("--fresh", "--only", "second", "third", status=1) == "4"
    assert "DIGITS_REAL_PHOTOS name nothing" in capsys.readouterr().err


def test_a_step_that_fails_is_one_sentence_and_the_others_run(script, tmp_path, monkeypatch, capsys):
    first, *others = script.STEPS
    broken = replace(first, commands=('-c "print(1); raise SystemExit(\'No camera.\')"', *first.commands))
    monkeypatch.setattr(script, "STEPS", (broken, *others))
    assert script.main([]) == 1
    assert (tmp_path / "ran").read_text() == "34"
    (sentence,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"first: python -c .* ended with 1, see runs/\S+/first\.log: No camera\.", sentence)
    assert set(json.loads((tmp_path / "steps.json").read_text())) == {"second"}


def test_each_command_names_a_script_and_options_that_are_there():
    script = load("benchmarks/run.py")
    shared = (ROOT / "benchmarks" / "common.py").read_text(encoding="utf-8")
    for command in (command for step in script.STEPS for command in (*step.commands, *step.quick)):
        name, *words = shlex.split(command)
        source = (ROOT / name).read_text(encoding="utf-8") + shared
        assert not [word for word in words if word.startswith("--") and f'"{word}"' not in source], command


def test_each_result_is_measured_by_a_step():
    script = load("benchmarks/run.py")
    measured = {Path(name).name for step in script.STEPS for name in step.results}
    others = {"steps.json", "weight_decay.json"}  # what the steps took; what was tried once, and not adopted
    assert {path.name for path in RESULTS.glob("*.json")} <= measured | others
