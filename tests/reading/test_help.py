"""`help(digits)` and `help(digits.reading)` teach: their examples run, and the second names every module there is."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import digits.reading
from digits.reading.images import load_image
from digits.reading.models import loading
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model

ROOT = Path(__file__).resolve().parents[2]


def test_every_module_is_named():
    modules = {path.stem for path in (ROOT / "digits" / "reading").iterdir() if not path.stem.startswith("_")}
    assert modules - set(re.findall(r"\w+", digits.reading.__doc__.split("in this order")[1])) == set()


@pytest.mark.parametrize(("module", "least"), [(digits, 5), (digits.reading, 11)])
def test_its_examples_run(monkeypatch, module, least):
    monkeypatch.chdir(ROOT)
    try:
        load_model()
    except ModelError as error:
        pytest.skip(f"no model to read with: {error}")
    results = doctest.testmod(module)
    assert results.failed == 0 and results.attempted >= least


def test_the_front_door_is_light_until_something_is_read():
    heavy = "[name for name in ('numpy', 'cv2', 'ai_edge_litert', 'tensorflow') if name in sys.modules]"
    code = f"import sys, digits; print({heavy}); from digits import Reader, load_model; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "True"]
    with pytest.raises(AttributeError, match="no attribute 'raed'"):
        digits.raed  # noqa: B018


@pytest.mark.parametrize(("program", "advice"), [
    ("train_all.py --quick", "-e ."), ("train_all.py --bundle", "ai-edge-litert"),
    ("realtime_multiformat.py --headless", "ai-edge-litert"), ("realtime_multiformat.py --list-cameras", "litert"),
    ("-m digits.learning.dataset", "-e ."), ("-m digits.learning.worksheet print", "-e ."),
    ("-m digits.reading.verify exports", "ai-edge-litert"), ("-m digits.page", "ai-edge-litert"),
    ("-m digits.learning.export.bundle x", "ai-edge-litert"),
])  # fmt: skip
def test_every_program_says_in_one_sentence_what_to_install(program, advice):
    """Python without its packages, as in a fresh environment."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-S", *program.split()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode in (1, 2) and len(done.stderr.splitlines()) == 1, done.stderr
    assert re.match(r"The package \S+ is not installed in this Python; type: .* -m pip install ", done.stderr)
    assert done.stderr.rstrip().endswith(advice)


def test_who_only_imports_the_package_sees_the_error_itself():
    code = "import digits; digits.load_model"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" in done.stderr and "ModuleNotFoundError" in done.stderr


def test_the_front_door_reads_files_and_frames_with_one_model(monkeypatch):
    class ReadsFours:
        temperature, threshold, loaded = 1.0, 0.5, 0

        def __init__(self):
            ReadsFours.loaded += 1

        def predict(self, tiles):
            return np.tile(np.eye(10, dtype=np.float32)[4], (len(tiles), 1))

    monkeypatch.setattr(loading, "load_model", ReadsFours)
    digits._released_reader.cache_clear()
    path = ROOT / "data" / "samples" / "digit_7.jpg"
    readings = [digits.read(picture) for picture in (path, str(path), load_image(path))]
    digits._released_reader.cache_clear()
    assert [[digit.digit for digit in reading.digits] for reading in readings] == [[4]] * 3
    assert ReadsFours.loaded == 1
