"""`help(digits)` and `help(digits.reading)` teach: their examples run, and the second names every module there is."""

import doctest
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
