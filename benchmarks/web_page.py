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
from contextlib import suppress
from pathlib import Path

import common
import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from digits.page import page, tflite_of
from digits.paths import DEMO_CLIP
from digits.reading.finding.looks import look_at
from digits.reading.live.tracking import Tracker
from digits.reading.models.default import default_export
from digits.reading.models.finder import load_finder
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader

CLIP_FPS = 20
WARM_UP = 10
PATIENCE_MS = 300_000
PARTS = ("look", "digits", "predict", "total")  # finder network; decoding and tiles; classifier; all of it
READ = """async ([png, first, times]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const frame = context.getImageData(0, 0, image.width, image.height);
  let reading;
  for (let at = 0; at < times; at++) reading = await digits.worker.frame(frame, first);
  const { look, find, predict, total } = reading.latency_ms;
  return [reading.digits.map(({ digit }) => digit).join(""), { look, digits: find - look, predict, total }];
}"""


def main() -> int:
    """Measure, print, write."""
    parser = common.parser(__doc__)
    parser.add_argument("--frames", type=int, default=500, help="frames over which memory is watched (default: 500)")
    options = parser.parse_args()
    model, finder = load_model(tflite_of(default_export())), load_finder()
    frames = clip_frames()
    texts, python = python_reads(Reader(model, finder=finder), frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.html"
        path.write_text(page(model, finder), encoding="utf-8")
        told, browser = page_reads(path, frames, options.frames)
    same = [text == expected for (text, _), expected in zip(told, texts, strict=True)][CLIP_FPS:]
    result = {"model": model.name, "bytes": len(page(model, finder).encode()), **browser, "frames": len(frames),
              "same_after_a_second": sum(same) / len(same), "page_ms": medians([spent for _, spent in told]),
              "python_ms": medians(python)}  # fmt: skip
    rows = [["ms a frame", "page", "Python"]]
    rows += [[part, *(f"{result[side][part]:.1f}" for side in ("page_ms", "python_ms"))] for part in PARTS]
    print(json.dumps(result, indent=1), common.table(rows), sep="\n")
    common.write(options.out, {**common.made_with(), **result})
    return 0


def page_reads(path: Path, frames: list[np.ndarray], count: int) -> tuple[list, dict]:
    """Return what the page reads frame by frame and the milliseconds of each; and what there is to say of the browser.

    The last frame is read `count` times more, to see the memory stay flat.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        start = time.perf_counter()
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(path.as_uri(), timeout=PATIENCE_MS)
        tab.evaluate("digits.ready")
        ready_s = time.perf_counter() - start
        told = [tab.evaluate(READ, [as_png(frame), index == 0, 1]) for index, frame in enumerate(frames)]
        memory = []
        for _ in range(10):
            tab.evaluate(READ, [as_png(frames[-1]), False, count // 10])
            memory.append(round(renderers_mb()))
        about = {"browser": f"Chromium {browser.version}", "ready_s": round(ready_s, 2), "memory_mb": memory}
        browser.close()
    return told, about


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
        start, taken = time.perf_counter(), reading.latency_ms
        look_at(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), reader.finder)
        look = 1000 * (time.perf_counter() - start)
        spent.append({**taken, "look": look, "digits": taken["find"] - look})
    return texts, spent


def medians(spent: list[dict]) -> dict[str, float]:
    """Return the median of each part, in milliseconds, once all is warm."""
    return {part: round(float(np.median([one[part] for one in spent[WARM_UP:]])), 1) for part in PARTS}


def renderers_mb() -> float:
    """Return the megabytes of the largest page that any browser here shows."""
    sizes = [0.0]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                sizes.append(int((folder / "statm").read_text().split()[1]) * 4096 / 1e6)
    return max(sizes)


def as_png(frame: np.ndarray) -> str:
    """Return a frame as a PNG's bytes in base64."""
    return base64.b64encode(cv2.imencode(".png", frame)[1]).decode()


if __name__ == "__main__":
    sys.exit(main())
