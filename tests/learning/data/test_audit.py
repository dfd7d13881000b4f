"""The audit of the own images: what it finds, and the page as a browser shows it."""

import os
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from own_pictures import photo, save, small_mnist

from digits.learning.data.audit import audit, render, write_page
from digits.learning.data.merge import build_merged
from digits.learning.data.splits import RENDERED_SESSION


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two sessions of own images with known faults, merged with a few pictures that stand for MNIST."""
    folder = tmp_path_factory.mktemp("audit")
    custom = folder / "custom <1>"
    for session, first in (("ana", 0), ("bea", 500)):
        for digit in range(10):
            for seed in range(1 if (session, digit) == ("bea", 7) else 3):
                save(custom / session / str(digit) / f"{seed}.png", photo(digit, first + seed))
    save(custom / "ana" / "4" / "really a 1.png", photo(1, 77))
    save(custom / "ana" / "5" / "near.png", cv2.resize(photo(5, 1), (288, 216), interpolation=cv2.INTER_AREA))
    save(custom / "ana" / "6" / "blank.png", np.full((240, 320), 215, np.uint8))
    save(custom / "ana" / "8" / "cut.png", photo(8, 9)[:160])
    save(custom / "ana" / "9" / "not wanted.png", photo(9, 50))
    save(custom / RENDERED_SESSION / "1" / "0.png", photo(1, 900))
    save(custom / "exclude.txt", b"ana/9/not wanted.png\n")
    build_merged(custom, folder / "merged", mnist=small_mnist(100, 30), workers=1)
    return custom, folder / "merged"


@pytest.fixture(scope="module")
def result(folders):
    return audit(*folders, workers=1)


def _name(result, position: int) -> str:
    return result.images[position].original


def test_wrong_label_is_the_first_in_doubt(result):
    position, taken_for, probability = result.doubts[0]
    assert (_name(result, position), taken_for) == ("ana/4/really a 1.png", 1)
    assert probability < 0.05 and len(result.doubts) < 4


def test_near_duplicates_and_problems_are_found(result):
    assert any({_name(result, p) for p in group} >= {"ana/5/1.png", "ana/5/near.png"} for group in result.groups)
    problems = {_name(result, position): look.problem for position, look in enumerate(result.looks) if look.problem}
    assert problems["ana/8/cut.png"] == "cut off" and "ana/3/0.png" not in problems
    assert result.excluded == {"ana/9/not wanted.png"}


def test_advice_names_what_is_missing(result):
    advice = "\n".join(result.advice)
    assert result.advice[0] == "ana/6/blank.png left out, blank: no strokes were found on the paper", "it leads"
    assert "not wanted" not in advice and RENDERED_SESSION not in advice and "0s from" not in advice
    assert "Few 7s from session bea: 1, where other digits have 3." in advice
    assert "3 more sessions" in advice and "No faint pens" in advice


def test_page_needs_nothing_from_elsewhere(folders, tmp_path):
    page = write_page(*folders, tmp_path / "pages" / "audit.html")
    text = page.read_text(encoding="utf-8")
    assert os.listdir(page.parent) == ["audit.html"]
    assert not re.search(r"""(src|href)=['"]?(?!data:)[a-z]""", text) and "http" not in text
    assert "custom &lt;1&gt;" in text and "custom <1>" not in text
    assert text.count("data:image/png") > 50 and "blank: no strokes" in text


def test_page_in_a_browser(folders, tmp_path):
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not browser:
        pytest.skip("no chromium to look at the page with")
    page = write_page(*folders, tmp_path / "audit.html")
    picture = tmp_path / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    options += ["--window-size=1200,3000", f"--screenshot={picture}", "--virtual-time-budget=2000"]
    subprocess.run([browser, *options, page.as_uri()], capture_output=True, timeout=60, check=True)
    shot = cv2.imread(str(picture))
    assert shot.shape[:2] == (3000, 1200)
    assert 0.01 < (shot.max(axis=2) < 60).mean() < 0.5  # tiles and letters are there, and not over all
    command = [browser, *options[:4], "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, timeout=60, check=True)
    assert dom.stdout.decode().count('class="card out"') == 1  # the script ticked what exclude.txt lists


def test_page_without_any_picture_says_what_to_do(tmp_path):
    (tmp_path / "custom").mkdir()
    build_merged(tmp_path / "custom", tmp_path / "merged", mnist=small_mnist(30, 10))
    text = render(audit(tmp_path / "custom", tmp_path / "merged"))
    assert "There is no usable picture of yours yet" in text
