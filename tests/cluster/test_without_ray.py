"""What the commands say where Ray is not installed."""

import importlib.util

import pytest

import train_all
from digits.cluster.__main__ import main


@pytest.mark.parametrize("command", [
    lambda: main(["read", "--input", "scans", "--output", "out"]),
    lambda: train_all.main(["--quick", "--cluster"]),
])  # fmt: skip
def test_without_ray_one_sentence_says_what_to_install(command, monkeypatch, capsys):
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command() == 1
    assert capsys.readouterr().err.endswith(' needs Ray: python -m pip install -e ".[cluster]"\n')
