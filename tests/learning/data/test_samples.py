"""The pictures that ship: small, readable, as many as said; and they can be made again."""

import cv2
import numpy as np
import pytest

from digits.learning.data.mnist import Mnist
from digits.learning.data.samples import make_samples, make_session
from digits.learning.data.splits import RENDERED_SESSION
from digits.paths import CUSTOM_DIR, SAMPLES_DIR
from digits.reading.finding.one_digit import main_tile
from digits.reading.images import load_image
from digits.rendering.handwriting import draw_digit


def test_shipped_clip_plays_and_is_small():
    path = SAMPLES_DIR / "demo.mp4"
    assert path.stat().st_size < 1.5e6
    capture = cv2.VideoCapture(str(path))
    assert sum(1 for _ in iter(lambda: capture.read()[0], False)) == 130


def test_shipped_session_holds_ten_of_each_and_says_it_is_rendered():
    folder = CUSTOM_DIR / RENDERED_SESSION
    assert "rendered" in (folder / "README.txt").read_text(encoding="utf-8")
    assert [len(list((folder / str(digit)).glob("*.jpg"))) for digit in range(10)] == [10] * 10
    assert sum(path.stat().st_size for path in folder.rglob("*.*")) < 1.5e6


def test_shipped_session_shows_no_newcomer_a_broken_tile(reader):
    """What training makes of each picture is the digit that was drawn and nothing else: the released model reads it."""
    paths = sorted((CUSTOM_DIR / RENDERED_SESSION).rglob("*.jpg"))
    tiles = np.stack([main_tile(load_image(path)) for path in paths])
    read = reader.model.predict(tiles).argmax(axis=1)
    assert [path.name for path, digit in zip(paths, read, strict=True) if path.parent.name != str(digit)] == []


def test_sessions_are_made_again_the_same(tmp_path):
    folder = make_session(tmp_path, per_digit=1)
    paths = sorted(folder.rglob("*.jpg"))
    assert [path.parent.name for path in paths] == [str(digit) for digit in range(10)]
    first = [cv2.imread(str(path)) for path in paths]
    make_session(tmp_path, per_digit=1)
    assert all(np.array_equal(old, cv2.imread(str(path))) for old, path in zip(first, paths, strict=True))
    assert not list(tmp_path.rglob("*.tmp-*"))


def test_samples_are_made_from_any_digits(tmp_path, monkeypatch):
    monkeypatch.setattr("digits.learning.data.samples.DEMO_SECONDS", 0.3)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 2)
    images = np.stack([draw_digit(label, rng, 28) for label in labels])
    try:
        truth = make_samples(tmp_path, Mnist(images, labels, images, labels))
    except OSError as error:
        pytest.skip(str(error))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*truth, "truth.json"])
