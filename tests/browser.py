"""The web page in Chromium, for tests: one browser a test file, the page from its file, offline."""

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

PATIENCE_MS = 120_000  # for a computer that is busy with something else
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


def open_tab(context):
    """Return a new tab of a browser, or of a context of one, that waits for long."""
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.set_default_navigation_timeout(PATIENCE_MS)
    return tab


def renderers_mb() -> float:
    """Return the megabytes that the pages of this process's browser hold; skip the test where nobody can say."""
    parents, held = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                held[folder.name] = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    if not held:
        pytest.skip("no /proc to look into")
    return sum(size for process, size in held.items() if _descends(process, str(os.getpid()), parents))


def _descends(process: str | None, ancestor: str, parents: dict[str, str]) -> bool:
    while process not in (None, "0", ancestor):
        process = parents.get(process)
    return process == ancestor


def as_png(image: np.ndarray) -> str:
    """Return a picture, uint8 (H, W, 3) BGR, as a PNG's bytes in base64."""
    return base64.b64encode(cv2.imencode(".png", image)[1]).decode()


def unpacked(text: str, dtype: type, shape: tuple) -> np.ndarray:
    """Return an array that the page sent as base64."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
