"""benchmarks/RESULTS.md is what its script makes of the results, and names them all."""

import json
import re
from pathlib import Path

import pytest
from loading import load

pytest.importorskip("keras")

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "benchmarks" / "RESULTS.md"


@pytest.fixture(scope="module")
def script():
    return load("benchmarks/results_page.py")


def test_the_page_is_what_the_script_makes(script, capsys):
    assert script.main(["--check"]) == 0, capsys.readouterr().err
    text = PAGE.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(targets) > 5 and not [target for target in targets if not (PAGE.parent / target).exists()]


def test_every_result_has_its_command_and_commit_on_the_page(script):
    shown = {made[0] for section in script.SECTIONS for made in section.made}
    results = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    assert results - {"steps"} <= shown, "steps.json says what the measuring took"
    text = PAGE.read_text(encoding="utf-8")
    for section in script.SECTIONS:
        for name, *parts in section.made:
            if name in results:
                facts = script.Results().of(name, *parts)
                assert f"`{facts['command']}`, commit {facts['commit']}" in text


def test_what_was_not_measured_is_pending_and_a_difference_is_one_sentence(script, tmp_path, capsys):
    text = script.page(script.Results(tmp_path))
    assert text.count(script.numbers.PENDING["en"]) > len(script.SECTIONS)
    (tmp_path / "RESULTS.md").write_text(text, encoding="utf-8")
    assert script.main(["--check", "--out", str(tmp_path / "RESULTS.md")]) == 1
    assert capsys.readouterr().err == (
        "RESULTS.md says other numbers than the results; run python benchmarks/results_page.py.\n"
    )


def test_peers_are_shown_and_those_that_are_missing_named(script, tmp_path):
    read = {"photos": {"images": 10, "accuracy": 0.9}, "pages": {"all": 0.5}, "letters": {"pictures": 100, "read": 7},
            "ms_photo": 1.5, "size_mb": 3.0, "examples": {"page": "13", "letter": ""}, "way": "as it is"}  # fmt: skip
    facts = {"command": "python benchmarks/peers.py", "commit": "abc", "pictures_are": "real",
             "contestants": {"ours": read | {"title": "this project", "version": "net", "train_seconds": 600.0},
                             "fastai": read | {"title": "fastai", "version": "2.8"}},
             "left_out": {"tesseract": "not installed"}}  # fmt: skip
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "peers.json").write_text(json.dumps(facts), encoding="utf-8")
    text = script.page(script.Results(tmp_path))
    assert "| **this project** | net |  | 90.0 % | 0.500 |  | 7 of 100 | 600 s | 1.5 ms | 3.0 MB |" in text
    assert "| tesseract | left out: not installed |" in text and "| fastai | 13 | nothing |" in text
