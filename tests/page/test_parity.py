"""The page reads what Python reads: the same digits, the same tiles, the same probabilities."""

import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import as_png, chromium, open_tab, unpacked

from digits.box import Box
from digits.page import page, tflite_of
from digits.paths import DEMO_CLIP, SAMPLES_DIR
from digits.reading.finding.score import FEATURES
from digits.reading.images import load_image
from digits.reading.models.default import default_export
from digits.reading.models.finder import Finder, load_finder
from digits.reading.models.golden import GOLDEN, load_golden
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.reading.readings import Reading

pytestmark = pytest.mark.page
# Sends a picture through the page's own reading, and what the finder and the classifier saw of it back.
READ = """async (png) => {
  const text = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const reading = await digits.read(image);
  const ink = await digits.worker.ask("ink");
  for (const digit of reading.digits) digit.tile = text(digit.tile);
  return { ...reading, ink: text(new Uint8Array(ink.data.buffer)), inkSize: [ink.height, ink.width] };
}"""


# Cards of finders by which nothing is read: each hint is then given, whatever the weights are.
OTHERWISE = {"centre": -2, "ink": -1, "reach": 0.5, "best_size": 50, "largest": 200, "same": 0.3, "solid": 90,
             "maybe": 0.3, "sure": 0.6, "paper": 0.1, "faintest": 8, "scarce": 0.05, "weak": 0.95,
             "room": 0.5}  # fmt: skip
REFUSING = {"score": [-0.8] + (len(FEATURES) - 1) * [0], "decoding": OTHERWISE}  # whatever it finds may be a digit
BLIND = {"score": [-9] + (len(FEATURES) - 1) * [0]}  # whatever it finds is not even told
# By this card only digits whose strokes were followed by their grey are read: the others have no ink.
FOLLOWING = {"score": [{"one": -1.4, "whole": 1}.get(name, 0) for name in FEATURES], "accept": 0.4,
             "decoding": {"weak": 1.1, "maybe": 1, "solid": 90, "room": 0.7}}  # fmt: skip


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """Opens the page beside a reader, both with a finder whose card is changed.

    Returns a function from a frame to the readings of either, and the ink that either saw.
    """
    model, own = load_model(tflite_of(default_export())), load_finder()

    with chromium() as browser:

        def side_by_side(changes: dict):
            finder = Finder(own.path, own.card | changes, threads=1)
            file = tmp_path_factory.mktemp("page") / "digits.html"
            file.write_text(page(model, finder), encoding="utf-8")
            reader, tab = Reader(model, finder=finder), open_tab(browser)
            tab.goto(file.as_uri())
            tab.evaluate("digits.ready")

            def read(frame: np.ndarray) -> tuple[Reading, dict, np.ndarray, np.ndarray]:
                answer, told = reader.read(frame), tab.evaluate(READ, as_png(frame))
                logits = reader.looks[0].ink(np.s_[:, :]), unpacked(told["ink"], np.float32, told["inkSize"])
                return answer, told, *(1 / (1 + np.exp(-ink)) for ink in logits)

            return read

        yield side_by_side


@pytest.fixture(scope="module")
def both(side_by_side):
    return side_by_side({})


@pytest.fixture(scope="module")
def following(side_by_side):
    return side_by_side(FOLLOWING)


@pytest.fixture(scope="module", params=[REFUSING, BLIND], ids=["refusing", "blind"])
def unreading(request, side_by_side):
    return side_by_side(request.param)


def moment(index: int) -> np.ndarray:
    """Return a frame of the demo clip."""
    clip = cv2.VideoCapture(str(DEMO_CLIP))
    return [clip.read()[1] for _ in range(index + 1)][index]


def golden(index: int) -> np.ndarray:
    """Return one of the photographs among the golden pictures."""
    return [source for source in load_golden(default_export() / GOLDEN).sources if source.ndim == 3][index]


def still() -> np.ndarray:
    """Return a picture so large that it is looked at in windows as well."""
    return cv2.resize(moment(40), (1600, 1200), interpolation=cv2.INTER_CUBIC)


def text(size: int) -> np.ndarray:
    """Return a page of letters."""
    sheet = np.full((480, 640, 3), 230, np.uint8)
    for y in range(20 * size, 460, 20 * size):
        cv2.putText(sheet, "Change what nobody reads", (20, y), cv2.FONT_HERSHEY_PLAIN, size, (40, 40, 40), size)
    return sheet


# Frames of all kinds, each made when its test runs.
FRAMES = {path.stem: partial(load_image, path) for path in sorted(SAMPLES_DIR.glob("*.*g"))}
FRAMES |= {f"demo {index}": partial(moment, index) for index in (0, 40, 80)}
FRAMES |= {f"golden {index}": partial(golden, index) for index in range(0, 8, 2)}
FRAMES |= {"still": still, "dark": lambda: moment(0) // 8, "empty": lambda: np.full((300, 400, 3), 200, np.uint8)}
UNREAD = {"page": FRAMES["page_2"], "dark": FRAMES["dark"], "empty": FRAMES["empty"],
          "small letters": partial(text, 1), "large letters": partial(text, 4),
          "blurred": lambda: cv2.GaussianBlur(moment(40), (0, 0), 6),
          "cut off": lambda: load_image(SAMPLES_DIR / "digit_5.jpg")[:200],
          "busy": lambda: np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8)}  # fmt: skip


def real() -> list[Path]:
    """Return some real pictures of each kind."""
    folders = [os.environ.get(f"DIGITS_REAL_{kind}") for kind in ("PHOTOS", "SCANS", "SHEETS", "PAGES")]
    kinds = [sorted(path for path in Path(folder).rglob("*.*") if path.suffix != ".json")[::2]
             for folder in folders if folder]  # fmt: skip
    return [path for paths in kinds for path in paths[:: max(1, len(paths) // 5)]]


def agree(frame: np.ndarray, both) -> Reading:
    """Assert that Python and the page read a frame alike; return what Python read."""
    answer, told, ink, theirs = both(frame)
    assert [digit["digit"] for digit in told["digits"]] == [digit.digit for digit in answer.digits]
    assert (told["hint"], told["main"]) == (answer.hint, answer.main)
    assert [item["reason"] for item in told["rejected"]] == [item.reason for item in answer.rejected]
    assert all(near(mine["box"], item.box) for mine, item in zip(told["rejected"], answer.rejected, strict=True))
    numbers = [[[told["digits"][index]["digit"] for index in number] for number in row] for row in told["rows"]]
    assert numbers == [[[digit.digit for digit in number] for number in row] for row in answer.rows]
    assert theirs.shape == ink.shape and np.abs(theirs - ink).mean() < 0.002
    for mine, digit in zip(told["digits"], answer.digits, strict=True):
        assert near(mine["box"], digit.box) and abs(mine["score"] - digit.score) < 0.01
        tile = unpacked(mine["tile"], np.uint8, (96, 96)).astype(int)
        assert (np.abs(tile - digit.tile) <= 2).mean() >= 0.99
        assert np.abs(np.array(mine["probabilities"]) - digit.probabilities).max() < 0.02
    return answer


def near(box: dict, expected: Box) -> bool:
    return max(abs(box[side] - value) for side, value in zip("xywh", expected, strict=True)) <= 1


@pytest.mark.parametrize("name", FRAMES)
def test_page_reads_as_python_does(name, both):
    agree(FRAMES[name](), both)


@pytest.mark.parametrize("name", UNREAD)
def test_page_hints_as_python_does(name, unreading):
    agree(UNREAD[name](), unreading)


@pytest.mark.parametrize("name", ["digit_5", "demo 40", "golden 0", "still"])
def test_page_follows_strokes_by_their_grey_as_python_does(name, following):
    assert agree(FRAMES[name](), following).digits


@pytest.mark.real
@pytest.mark.skipif(not real(), reason="no DIGITS_REAL_* variable is set")
@pytest.mark.parametrize("path", real(), ids=lambda path: path.name)
def test_page_reads_real_pictures_as_python_does(path, both):
    agree(load_image(path), both)
