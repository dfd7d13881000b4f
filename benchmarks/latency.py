"""How long a frame takes, beside the usual way: `model.predict` on the resized frame, timed in the same run.

    python benchmarks/latency.py            the released model
    python benchmarks/latency.py --model exports/mobilenet_v2 --runs 200

Prints medians and writes benchmarks/results/latency.json. Frames are 640x480 and rendered by the project
from a fixed seed: one digit, and twenty. A cluttered room is the one of ten photographs of everyday things, without
a digit, that takes longest.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import common
import cv2
import numpy as np

from digits.paths import ROOT, SAMPLES_DIR
from digits.reading.live.drawing import Screen, Status
from digits.reading.models.card import sha256
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.rendering.frames.backgrounds import photograph as everyday
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import photograph

SEED = 3
COUNTS = (1, 20)
ROOMS = 10
WARM_UP = 5


def main() -> int:
    """Measure, print, write."""
    parser = common.parser(__doc__)
    parser.add_argument("--model", type=Path, help="export folder or file (default: the released model)")
    parser.add_argument("--runs", type=int, default=100, help="frames timed for each figure (default: 100)")
    options = parser.parse_args()
    model = load_model(options.model)
    result = {"file": model.path.name, "sha256": sha256(model.path), "first_reading_s": first_reading_s(model.path)}
    frames, reader = {count: page(count) for count in COUNTS}, Reader(model)
    for count, frame in frames.items():
        result[f"{count}_digits"] = timed_frame(reader, frame, options.runs)
    rooms = [timed_frame(reader, room(number), max(1, options.runs // ROOMS)) for number in range(ROOMS)]
    result["cluttered_room"] = max(rooms, key=lambda timed: timed["whole_ms"])
    result["usual_way_ms"] = usual_way_ms(model.path.parent / "model.keras", frames[1], options.runs)
    print(json.dumps(result, indent=1))
    common.write(options.out, {"seed": SEED, **common.made_with(), **result})
    return 0


def page(count: int) -> np.ndarray:
    """Return a 640x480 photograph of so many digits."""
    rng = np.random.default_rng([SEED, count])
    labels = np.arange(count) % 10
    inks = [draw_digit(int(label), rng, 128) for label in labels]
    return photograph(inks, labels, rng, strength=0.3, layout="grid", held=False).frame


def room(number: int) -> np.ndarray:
    """Return a 640x480 photograph of everyday things, from the pack that comes with the project."""
    grey = everyday(np.random.default_rng([SEED, 100 + number]), (640, 480))
    return cv2.cvtColor((255 * grey).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def timed_frame(reader: Reader, frame: np.ndarray, runs: int) -> dict:
    """Return medians in ms: finding, predicting, drawing, and the whole frame."""
    screen, rows = Screen((frame.shape[1], frame.shape[0])), []
    for _ in range(WARM_UP + runs):
        start = time.perf_counter()
        reading = reader.read(frame)
        drawn = time.perf_counter()
        screen.draw(frame, reading, Status(model="latency"))
        end = time.perf_counter()
        parts = reading.latency_ms
        rows.append([parts["find"], parts["predict"], 1000 * (end - drawn), 1000 * (end - start)])
    find, predict, draw, whole = np.median(rows[WARM_UP:], axis=0).round(3).tolist()
    return {"read": len(reading.digits), "find_ms": find, "predict_ms": predict, "draw_ms": draw, "whole_ms": whole}


def usual_way_ms(path: Path, frame: np.ndarray, runs: int) -> float:
    """Return the median in ms of resizing one frame and calling `model.predict` on it."""
    import keras

    network, times = keras.saving.load_model(path), []
    for _ in range(WARM_UP + runs):
        start = time.perf_counter()
        small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (96, 96)).astype("float32") / 255
        network.predict(small[np.newaxis], verbose=0)
        times.append(time.perf_counter() - start)
    return round(1000 * float(np.median(times[WARM_UP:])), 3)


def first_reading_s(model: Path, runs: int = 5) -> float:
    """Return the median seconds from the start of the process to the first reading of a photograph."""
    script = [sys.executable, str(ROOT / "realtime_multiformat.py"), "--headless", "--jsonl", "-"]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen([*script, "--model", str(model), "--source", str(SAMPLES_DIR / "digit_3.jpg")],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.readline()
        times.append(time.perf_counter() - start)
        process.communicate()
    return round(float(np.median(times)), 3)


if __name__ == "__main__":
    sys.exit(main())
