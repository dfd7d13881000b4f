"""The web page in Chromium, for tests: one browser a test file, the page from its file, offline."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def chromium(*flags: str) -> Iterator:
    """Yield a headless Chromium of Playwright; skip the test, and say so, where either is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright, of the dev extra, is not installed")
    if not CHROMIUM:
        pytest.skip("no chromium to look at the page with")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags])
        yield browser
        browser.close()


def as_png(image: np.ndarray) -> str:
    """Return a picture, uint8 (H, W, 3) BGR, as a PNG's bytes in base64."""
    return base64.b64encode(cv2.imencode(".png", image)[1]).decode()


def unpacked(text: str, dtype: type, shape: tuple) -> np.ndarray:
    """Return an array that the page sent as base64."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
