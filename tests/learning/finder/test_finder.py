"""The finder: targets that decode into the truth, a training that goes on after a cut, an export that runs."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from digits.box import Box
from digits.learning.finder.crops import bank_file, batch, batches
from digits.learning.finder.score import best_dial
from digits.learning.finder.stage import FinderConfig, make_finder
from digits.learning.finder.targets import PLANES, targets
from digits.learning.finder.train import FinderRun, train_finder
from digits.reading.finding.decode import decode
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.looks import Look
from digits.reading.models.errors import ModelError
from digits.reading.models.finder import load_finder
from digits.reading.models.verify import verify
from digits.rendering.frames.scenes import render
from digits.rendering.frames.shapes import Bank
from digits.rendering.frames.writers import Shapes

FEW = {"people": 3, "drawn": 3, "letter": 20, "like": 10, "drawing": 20}
TINY = FinderRun(epochs=2, steps=2, batch=2, workers=1)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return bank_file(None, 0, tmp_path_factory.mktemp("bank"), 1, FEW)


def _maps(answers: np.ndarray) -> np.ndarray:
    """Return the maps of a finder that answers just what it is asked for."""
    answers = answers.astype(np.float32)
    shares = np.clip(answers, 1e-4, 1 - 1e-4)
    odds = np.log(shares / (1 - shares))
    return np.concatenate([odds[..., :2], answers[..., 2:5], odds[..., len(PLANES) :]], axis=-1)


def test_what_the_finder_is_asked_for_decodes_into_the_truth():
    rng, shapes = np.random.default_rng(3), Shapes(Bank.make(None, 0, FEW))
    asked = found = false = 0
    for _ in range(40):
        frame = render(rng, (320, 320), shapes)
        digits = decode([Look(_maps(targets(frame)), frame.grey, 1.0)], Decoding())
        true = [box for box, seen in zip(frame.boxes, frame.seen, strict=True) if seen > 0.8 and box.side > 10]
        hits = [any(_same(box, digit.box) for digit in digits) for box in true]
        asked, found = asked + len(true), found + sum(hits)
        false += sum(not any(box.shared(digit.box) for box in frame.boxes) for digit in digits)
    assert asked > 100
    assert found > 0.9 * asked
    assert false == 0


def _same(first: Box, second: Box) -> bool:
    return first.shared(second) > 0.6 * max(first.area, second.area)


def test_batches_come_in_order_and_depend_on_seed_and_number_alone(bank):
    inline = [batch(bank, 5, number, 2) for number in range(3)]
    pooled = list(batches(bank, 5, range(3), 2, workers=2))
    for (crops, answers), (others, other_answers) in zip(inline, pooled, strict=True):
        assert np.array_equal(crops, others) and np.array_equal(answers, other_answers)
    assert crops.shape == (2, 320, 320, 1) and answers.shape == (2, 80, 80, len(PLANES) + 16)


def test_a_training_that_was_cut_ends_as_one_that_was_not(bank, tmp_path):
    whole = train_finder(TINY, bank, _folder(tmp_path / "whole"), lambda line: None)

    class CutError(Exception):
        pass

    def cut(line):
        raise CutError

    with pytest.raises(CutError):
        train_finder(TINY, bank, _folder(tmp_path / "cut"), cut)
    train_finder(TINY, bank, tmp_path / "cut", lambda line: None)  # the first epoch is lost, or kept: both are well
    again = train_finder(TINY, bank, tmp_path / "cut", lambda line: None)
    for first, second in zip(whole.get_weights(), again.get_weights(), strict=True):
        assert np.allclose(first, second, atol=1e-4)
    history = json.loads((tmp_path / "cut" / "history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2] and all(np.isfinite(row["loss"]) for row in history)


def _folder(path):
    path.mkdir()
    return path


def test_the_stage_writes_an_export_whose_formats_agree(tmp_path):
    config = FinderConfig(replace(TINY, epochs=1, steps=1), frames=2, shapes=0.01)
    figures = make_finder(config, _folder(tmp_path / "finder"), tmp_path / "exports" / "finder", "a test", print)
    assert json.loads(figures.read_text())["frames"]["frames"] == 2
    export = tmp_path / "exports" / "finder"
    card = json.loads((export / "card.json").read_text())
    assert card["parameters"] <= 150_000
    assert all(entry["bytes"] < 600_000 for entry in card["files"].values())
    picture = np.random.default_rng(0).random((640, 640), np.float32)
    maps = [load_finder(export / name)(picture) for name in ("finder.tflite", "finder.onnx")]
    assert maps[0].shape == (160, 160, 21)
    assert np.abs(maps[0] - maps[1]).max() < 1e-3
    assert not [check for check in verify(export) if not check.ok]
    damaged, sound = shutil.copytree(export, tmp_path / "damaged"), dict(card)
    (damaged / "SHA256SUMS").unlink()
    (damaged / "golden.npz").write_bytes(b"PK no longer a zip")
    assert [check.file for check in verify(damaged) if check.ok is False] == ["golden.npz"]
    (export / "finder.tflite").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="checksum"):
        load_finder(export)
    assert [check.file for check in verify(export) if check.ok is False] == ["finder.tflite"]
    card["score"] = [1.0, 2.0]
    (export / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="has not the 11 weights of the score"):
        load_finder(export)
    for number, wrong in (("score", ["a"] * 11), ("accept", "high"), ("accept", 7)):
        (export / "card.json").write_text(json.dumps(sound | {number: wrong}))
        with pytest.raises(ModelError, match="the score|a score from 0 to 1"):
            load_finder(export)


def test_the_dial_is_amid_the_scores_with_as_good_an_f1_as_any():
    score, good = np.array([0.9, 0.8, 0.6, 0.395, 0.2]), np.array([True, True, True, False, False])
    assert best_dial(score, good, asked=3) == pytest.approx(0.5), "0.4 to 0.6 are as good"
    assert best_dial(score, ~good, asked=2) == pytest.approx(0.12), "all of it must pass"
    assert best_dial(score, np.zeros(5, bool), asked=3) == 0.5
