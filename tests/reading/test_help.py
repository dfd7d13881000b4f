"""`help(digits.reading)` teaches: its examples run, and it names every module there is."""

import doctest
import re
from pathlib import Path

import pytest

import digits.reading
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_named():
    modules = {path.stem for path in (ROOT / "digits" / "reading").iterdir() if not path.stem.startswith("_")}
    assert modules - set(re.findall(r"\w+", digits.reading.__doc__.split("in this order")[1])) == set()


def test_its_examples_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    try:
        load_model()
    except ModelError as error:
        pytest.skip(f"no model to read with: {error}")
    results = doctest.testmod(digits.reading)
    assert results.failed == 0 and results.attempted > 10
