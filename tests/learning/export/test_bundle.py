"""`digits_webcam.pyz`: one file that reads digits where only numpy, OpenCV and LiteRT are installed."""

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

import train_all
from digits.learning.export.bundle import BUNDLE, MOST_BYTES, main, write_bundle
from digits.reading.models.errors import ModelError

# As in an environment that holds nothing else: whatever else is imported from outside the standard library fails.
ALONE = """
import importlib.abc, runpy, sys
class Guard(importlib.abc.MetaPathFinder):
    refused = {"tensorflow", "keras", "sklearn", "matplotlib", "rich", "h5py", "onnx", "onnxruntime", "PIL", "scipy"}
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in self.refused:
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, Guard())
bundle = sys.argv[1]
sys.argv = sys.argv[1:]
try:
    runpy.run_path(bundle, run_name="__main__")
except SystemExit as stop:
    import digits.reading.models.loading
    assert digits.reading.models.loading.__file__.startswith(bundle), digits.reading.models.loading.__file__
    raise
"""


@pytest.fixture(scope="module")
def bundle(full_export, tmp_path_factory):
    folder = shutil.copytree(full_export, tmp_path_factory.mktemp("bundle") / "export")
    carried = tmp_path_factory.mktemp("élsewhere") / BUNDLE
    return shutil.copy(write_bundle(folder), carried)


def test_it_reads_a_photograph_alone(bundle, rendered_digits, tmp_path):
    ink = cv2.resize(rendered_digits[0][7], (200, 200), interpolation=cv2.INTER_CUBIC)
    paper = np.full((480, 640), 230, np.uint8)
    paper[140:340, 220:420] = 230 - (ink * 0.8).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "seven.png"), paper)
    command = [sys.executable, "-I", "-c", ALONE, str(bundle), "--source", "seven.png", "--headless", "--jsonl", "-",
               "--min-confidence", "0.1"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-1000:]
    assert [digit["digit"] for digit in json.loads(done.stdout.splitlines()[0])["digits"]] == [7]
    assert "not verified" not in done.stderr


def test_it_is_small_and_always_the_same(bundle, full_export, tmp_path):
    assert bundle.stat().st_size < MOST_BYTES
    again = write_bundle(shutil.copytree(full_export, tmp_path / "again"))
    assert again.read_bytes() == bundle.read_bytes()
    assert not list(again.parent.glob("*.tmp-*"))


def test_train_all_bundles_the_default_export(full_export, tmp_path, capsys):
    folder = shutil.copytree(full_export, tmp_path / "exports" / "mine")
    (tmp_path / "exports" / "default.txt").write_text("mine\n", encoding="utf-8")
    assert train_all.main(["--bundle", "--out", str(tmp_path)]) == 0
    assert (folder / BUNDLE).stat().st_size < MOST_BYTES and "digits_webcam.pyz" in capsys.readouterr().out
    shutil.rmtree(folder)
    assert train_all.main(["--bundle", "--out", str(tmp_path)]) == 1


def test_a_folder_without_the_8_bit_model_is_refused(full_export, tmp_path, capsys):
    folder = shutil.copytree(full_export, tmp_path / "half", ignore=shutil.ignore_patterns("*int8*"))
    with pytest.raises(ModelError, match="lacks card.json or model_int8.tflite"):
        write_bundle(folder)
    assert main([str(folder)]) == 1
    assert "lacks" in capsys.readouterr().err
