"""The web page beside Python, on the same frames: milliseconds a frame, time to ready, memory, agreement.

    python benchmarks/web_page.py             the default export
    python benchmarks/web_page.py --frames 500

Needs Chromium and playwright. Prints a table and writes benchmarks/results/web_page.json.
"""

import base64
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import common
import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from digits.page import page, tflite_of
from digits.paths import DEMO_CLIP
from digits.reading.live.tracking import Tracker
from digits.reading.models.default import default_export
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader

CLIP_FPS = 20
WARM_UP = 10
READ = """async ([png, first]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const frame = context.getImageData(0, 0, image.width, image.height);
  const reading = await digits.worker.frame(frame, first);
  return [reading.digits.map(({ digit }) => digit).join(""), reading.latency_ms];
}"""


def main() -> int:
    """Measure, print, write."""
    parser = common.parser(__doc__)
    parser.add_argument("--frames", type=int, default=500, help="frames over which memory is watched (default: 500)")
    options = parser.parse_args()
    model, finder = load_model(tflite_of(default_export())), load_finder()
    frames = clip_frames()
    python, python_ms = python_reads(Reader(model, finder=finder), frames)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "digits.html"
        path.write_text(page(model, finder), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        start = time.perf_counter()
        tab = browser.new_page()
        tab.goto(path.as_uri())
        tab.evaluate("digits.ready")
        ready_s = time.perf_counter() - start
        told = [tab.evaluate(READ, [as_png(frame), index == 0]) for index, frame in enumerate(frames)]
        memory = memory_over(tab, frames[-1], options.frames)
        result = {"browser": f"Chromium {browser.version}", "bytes": path.stat().st_size, "ready_s": round(ready_s, 2)}
        browser.close()
    same = [text == expected for (text, _), expected in zip(told, python, strict=True)][CLIP_FPS:]
    result |= {"model": model.name, "frames": len(frames), "same_after_a_second": sum(same) / len(same),
               "page_ms": medians([spent for _, spent in told]), "python_ms": medians(python_ms), "memory_mb": memory}
    print(json.dumps(result, indent=1))
    common.write(options.out, {**common.made_with(), **result})
    return 0


def clip_frames() -> list[np.ndarray]:
    """Return the frames of the demo clip."""
    capture, frames = cv2.VideoCapture(str(DEMO_CLIP)), []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame)
    return frames


def python_reads(reader: Reader, frames: list[np.ndarray]) -> tuple[list[str], list[dict]]:
    """Return what Python reads frame by frame, and the milliseconds it takes."""
    tracker, texts, spent = Tracker(), [], []
    for frame in frames:
        reading = tracker.update(reader.read(frame), frame)
        texts.append("".join(str(digit.digit) for digit in reading.digits))
        spent.append(reading.latency_ms)
    return texts, spent


def medians(spent: list[dict]) -> dict[str, float]:
    """Return the median of each part, in milliseconds, once all is warm."""
    return {part: round(float(np.median([one[part] for one in spent[WARM_UP:]])), 1) for part in spent[0]}


def memory_over(tab, frame: np.ndarray, count: int) -> list[float]:
    """Return the megabytes of the page's process after each tenth of so many frames."""
    png, sizes = as_png(frame), []
    for _ in range(10):
        for _ in range(count // 10):
            tab.evaluate(READ, [png, False])
        sizes.append(renderer_mb())
    return sizes


def renderer_mb() -> float:
    """Return what the largest renderer process of Chromium holds, in megabytes."""
    sizes = [0.0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                sizes.append(int((folder / "statm").read_text().split()[1]) * 4096 / 1e6)
        except OSError:
            continue
    return round(max(sizes), 1)


def as_png(frame: np.ndarray) -> str:
    """Return a frame as a PNG's bytes in base64."""
    return base64.b64encode(cv2.imencode(".png", frame)[1]).decode()


if __name__ == "__main__":
    sys.exit(main())
