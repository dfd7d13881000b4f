"""`train_all.py --teach` through the front door, on a small release and a user with a peculiar seven."""

import io
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

keras = pytest.importorskip("keras")

import train_all
from digits.learning.experiment.config import RunConfig
from digits.learning.networks import registry
from digits.learning.teaching import teach
from digits.learning.teaching.fit_last_layers import MAY_FALL, Versions, refit
from digits.learning.teaching.kept_features import KeptFeatures
from digits.learning.teaching.last_layers import CutNetwork, Recipe, TeachingError
from digits.reading.finding.one_digit import main_tile
from digits.reading.models.card import read_card
from digits.reading.models.default import default_in
from digits.reading.models.loading import load_model
from digits.reading.models.verify import verify
from digits.reading.tile import to_input
from digits.rendering.handwriting import draw_digit
from digits.rendering.pen import random_hand, write
from digits.rendering.photographs import photograph_one

SEVENS = 12


def peculiar_seven(rng):
    """An upside-down U, which no style of the project's own has."""
    corners = np.array([(0.0, 1.0), (0.02, 0.1), (0.3, 0.0), (0.5, 0.1), (0.5, 0.55), (0.5, 1.0)])
    a, b, c, d, e, f = map(tuple, corners + rng.normal(0, 0.03, corners.shape))
    return write([[[a, b], [b, c, d], [d, e, f]]], random_hand(rng, 0.7), rng, 128)


def photograph(ink, rng):
    """Return a photograph of a drawing in which it can be found."""
    while True:
        frame = photograph_one(ink, rng, 0.5)[0]
        try:
            main_tile(frame)
        except ValueError:
            continue
        return frame


def put(custom, session, label, inks, rng):
    folder = custom / session / str(label)
    folder.mkdir(parents=True, exist_ok=True)
    for number, ink in enumerate(inks):
        cv2.imwrite(str(folder / f"{number:02d}.png"), photograph(ink, rng))


def put_ordinary(custom, session, rng, label_of=lambda digit: digit):
    for digit in range(10):
        if digit != 7:
            put(custom, session, label_of(digit), [draw_digit(digit, rng) for _ in range(2)], rng)


@pytest.fixture(scope="module")
def root(tmp_path_factory, full_export):
    """A root with a release, and the pictures of a user: some captured, the peculiar sevens corrected."""
    root, rng = tmp_path_factory.mktemp("root"), np.random.default_rng(6)
    shutil.copytree(full_export, root / "exports" / "release")
    (root / "exports" / "default.txt").write_text("release\n")
    put_ordinary(root / "custom", "captured Ana", rng)
    put(root / "custom", "taught-2026-01-05", 7, [peculiar_seven(rng) for _ in range(SEVENS)], rng)
    return root


def run(root, custom=None):
    """Return exit status, stdout and stderr of train_all.py --teach, on fewer pictures."""
    arguments = ["--teach", "--quick", "--out", str(root), "--custom", str(custom or root / "custom")]
    quick, out, err = RunConfig.quick_run, io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(RunConfig, "quick_run", lambda **changes: replace(quick(**changes), limit=2000))
        status = train_all.main(arguments)
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def taught(root):
    """The root after `train_all.py --teach`, and what that printed."""
    before = {path.name: path.read_bytes() for path in (root / "exports" / "release").iterdir()}
    status, told, said = run(root)
    assert status == 0, said
    assert before == {path.name: path.read_bytes() for path in (root / "exports" / "release").iterdir()}
    return root, told


def test_corrections_are_learnt_and_exported(taught):
    root, told = taught
    folder = root / "exports" / "taught"
    assert default_in(root / "exports") == folder and "is now the default" in told
    assert re.search(r"Of your 30 pictures \d+ were read before, \d+ are read now; 30 of them were learnt from", told)
    pupils = [line for line in told.splitlines() if re.search(r"(captured Ana|taught-2026-01-05) +train +\d", line)]
    assert len(pupils) == 2, "pupil by pupil"
    assert "taught-2026-01-05, learnt without it" in told and "by thirds" in told and "Calibration images" in told
    card, release = read_card(folder), read_card(root / "exports" / "release")
    assert card["parent"]["sha256"] == release["files"]["model.keras"]["sha256"]
    assert set(card["files"]) == set(release["files"]) and "threshold" in card["files"]["model.tflite"]
    assert [check for check in verify(folder, {"tflite", "onnx"}) if check.ok is False] == []
    assert not list(root.rglob("*.tmp-*"))
    thirds = card["taught"]["judged"][-1]
    assert thirds["after"] > thirds["before"] + SEVENS // 4
    before, after = (card["metrics"]["calibration"][when]["clean"] for when in ("before", "after"))
    assert after >= before - MAY_FALL
    rng = np.random.default_rng(8)
    tiles = np.stack([main_tile(photograph(peculiar_seven(rng), rng)) for _ in range(20)])
    answers = (load_model(root / "exports" / name / "model.tflite").predict(tiles) for name in ("release", "taught"))
    before, after = ((said.argmax(1) == 7).sum() for said in answers)
    assert before <= 6 and after >= before + 6


def test_the_same_pictures_again_change_nothing(taught):
    root, _ = taught
    status, told, _ = run(root)
    assert status == 0 and "nothing was changed" in told
    assert teach.find_release(root / "exports").folder == root / "exports" / "release", "never from what was taught"


def test_pictures_that_teach_nothing_change_nothing(taught, tmp_path):
    root, _ = taught
    put_ordinary(tmp_path / "custom", "mixed up", np.random.default_rng(5), label_of=lambda digit: (digit * 3 + 1) % 10)
    was = (root / "exports" / "taught" / "card.json").read_bytes(), (root / "exports" / "default.txt").read_text()
    status, told, _ = run(root, tmp_path / "custom")
    assert status == 0 and "Not better" in told and "Nothing was changed" in told
    assert was == ((root / "exports" / "taught" / "card.json").read_bytes(),
                   (root / "exports" / "default.txt").read_text())  # fmt: skip


def test_an_empty_folder_starts_from_the_release_that_comes_with_the_project(taught, tmp_path, monkeypatch):
    root, _ = taught
    monkeypatch.setattr(teach, "EXPORTS_DIR", root / "exports")
    release = root / "exports" / "release"
    assert teach.find_release(tmp_path / "exports").folder == release
    shutil.copytree(root / "exports" / "taught", tmp_path / "exports" / "taught")
    (tmp_path / "exports" / "default.txt").write_text("taught\nrelease\n")
    assert teach.find_release(tmp_path / "exports").folder == release, "also once something was taught there"


def test_what_is_missing_is_one_sentence(root, tmp_path, monkeypatch):
    monkeypatch.setattr(teach, "EXPORTS_DIR", tmp_path / "no exports")
    (tmp_path / "custom").mkdir()

    def refused(folder, custom, *words):
        status, _, said = run(folder, custom)
        assert status == 1 and len(said.splitlines()) == 1 and all(word in said for word in words)

    refused(root, tmp_path / "custom", "0 drawings", "keys 0 to 9")
    refused(tmp_path, root / "custom", "no default")
    (tmp_path / "exports" / "bare").mkdir(parents=True)
    (tmp_path / "exports" / "default.txt").write_text("bare")
    refused(tmp_path, root / "custom", "no model.keras with a card")


@pytest.mark.parametrize("name", [*registry.BASELINES, registry.TRANSFER])
def test_every_network_is_cut_before_its_dense_end(name):
    network = CutNetwork(registry.NETWORKS[name].build())
    tiles = np.random.default_rng(0).integers(0, 256, (3, 96, 96), np.uint8)
    inputs = to_input(tiles)
    features = np.asarray(network.trunk(inputs))
    assert name != registry.TRANSFER or features.shape == (3, 1280)
    assert np.allclose(network.probabilities(features), network.flat(inputs), atol=1e-5)
    assert not any(isinstance(layer, keras.layers.Conv2D) for layer in network.head.layers)


def test_a_network_without_a_dense_end_is_refused():
    tile = keras.Input((96, 96, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(10, 3)(tile))
    with pytest.raises(TeachingError, match="does not end in dense layers"):
        CutNetwork(keras.Model(tile, keras.layers.Activation("softmax")(x), name="all_conv"))


def test_what_is_held_out_is_not_learnt_from(monkeypatch):
    count = 30
    pictures = teach.OwnPictures(
        tiles=np.zeros((count, 96, 96), np.uint8),
        labels=np.arange(count) % 10,
        sessions=np.array(["old"] * 20 + ["new"] * 10),
        groups=np.minimum(np.arange(count) // 2, 12),  # pairs of near-duplicates, and six of one drawing
        made_at=np.arange(count),
        names=np.arange(count).astype(str),
    )
    versions = Versions(np.zeros((count, 4), np.float16), pictures.labels, np.arange(count))
    learnt, asked = [], []
    monkeypatch.setattr(teach, "refit_safely", lambda network, kept, new, seed: learnt.append(set(new.of)) or 1.0)
    monkeypatch.setattr(teach, "calibration_accuracy", lambda network, kept: (1.0, 1.0))
    monkeypatch.setattr(teach, "_right", lambda *_: asked.append(len(learnt)) or np.ones(count, bool))
    outcome = teach.judge(SimpleNamespace(reset=lambda: None), None, pictures, versions, 0)
    assert [each.count for each in outcome.judged] == [10, count] and not outcome.better
    session, *thirds, everything = learnt
    assert session == set(range(20)) and everything == set(range(count)) and len(thirds) == teach.PARTS
    part = teach.thirds(pictures, 0)
    for number, rows in enumerate(thirds):
        held = set(np.flatnonzero(part == number))
        assert held and not held & rows and not set(pictures.groups[list(held)]) & set(pictures.groups[list(rows)])


def test_a_refit_is_the_same_each_time_and_blends_back():
    network = CutNetwork(registry.NETWORKS["cnn_small"].build())
    rng = np.random.default_rng(0)
    width = network.trunk.output_shape[1]
    features = rng.random((200, width)).astype(np.float16)
    said = network.probabilities(features)
    kept = KeptFeatures(features, said, features[:20], said[:20].argmax(1), np.zeros((1, 96, 96), np.uint8))
    new = Versions(features[100:140], (said[100:140].argmax(1) + 1) % 10, np.arange(40))
    results = []
    for _ in range(2):
        refit(network, kept, new, Recipe(steps=5), 0)
        results.append(network.probabilities(features))
    assert np.array_equal(*results) and not np.allclose(results[0], said, atol=1e-3)
    network.blend(0.0)
    assert np.allclose(network.probabilities(features), said, atol=1e-6)
