"""What each format of an export costs: loading, latency, throughput, memory, size, accuracy.

    python benchmarks/formats.py                            the default export
    python benchmarks/formats.py exports/mobilenet_v2 --tiles 2000 --threads 1

Prints a table and writes benchmarks/results/formats.json. Every format is measured in a process of its
own, one after the other, with as many threads; "model.predict" is the same model the usual way. Accuracy is that of
the file itself on MNIST's test set.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

import common
import numpy as np

from digits.reading.models.card import sha256

FILES = ("model.tflite", "model_int8.tflite", "model.onnx", "model.keras", "model.h5", "model.json")
OPENCV, PREDICT = "model.onnx by cv2.dnn", "model.keras by model.predict"
RUNTIMES = ("ai-edge-litert", "onnxruntime")  # whose versions are noted, beside those of all results
REPEATS = 200  # a 99th percentile of fewer is an accident
COLUMNS = (
    ("load_s", "load s", "{:.2f}"), ("first_ms", "first ms", "{:.1f}"), ("median_1_ms", "1 digit ms", "{:.2f}"),
    ("p99_1_ms", "p99", "{:.2f}"), ("median_20_ms", "20 digits ms", "{:.1f}"), ("p99_20_ms", "p99", "{:.1f}"),
    ("tiles_per_s", "digits/s", "{:.0f}"), ("memory_mb", "memory MB", "{:.0f}"), ("size_mb", "size MB", "{:.2f}"),
    ("accuracy", "accuracy", "{:.2%}"),
)  # fmt: skip


def main() -> int:
    """Measure every format, print, write; 0 done, 4 no model."""
    from digits.reading.models.default import default_export
    from digits.reading.models.errors import ModelError
    from digits.reading.models.model import default_threads

    parser = common.parser(__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="an export folder (default: the default export)")
    parser.add_argument("--tiles", type=int, default=10_000, help="MNIST test pictures read for the accuracy")
    parser.add_argument("--threads", type=int, default=default_threads(), help="threads of every runtime")
    options = parser.parse_args()
    try:
        folder = options.folder or default_export()
    except ModelError as error:
        print(error, file=sys.stderr)
        return 4
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None  # processes that want a processor
    figures = measure_all(folder, options.tiles, options.threads)
    print(table(figures))
    runtimes = {found.name: found.version for found in distributions() if found.name in RUNTIMES}
    facts = {"export": folder.name, "threads": options.threads, "pictures": options.tiles, "load": load}
    common.write(options.out, {**facts, **common.made_with(), "runtimes": runtimes, "formats": figures})
    return 0


def measure_all(folder: Path, count: int, threads: int) -> dict[str, dict]:
    """Return the figures of each format that can run here, by file name."""
    figures = {}
    with tempfile.TemporaryDirectory() as place:
        tiles = Path(place) / "tiles.npz"
        save_tiles(tiles, count)
        for way in (*FILES, OPENCV, PREDICT):
            file = folder / way.split(" ")[0]
            if not file.is_file():
                continue
            command = [sys.executable, __file__, "--one", way, str(file), str(tiles), str(threads)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{way}: {(done.stderr.strip().splitlines() or ['died'])[-1]}", file=sys.stderr)
            else:
                figures[way] = {"sha256": sha256(file)} | json.loads(done.stdout.splitlines()[-1])
    return figures


def save_tiles(path: Path, count: int) -> None:
    """Write the first `count` MNIST test pictures as tiles, with their labels."""
    from digits.learning.data.mnist import load_mnist
    from digits.reading.tile import normalise

    mnist = load_mnist()
    tiles = np.stack([normalise(image) for image in mnist.test_images[:count]])
    np.savez(path, tiles=tiles, labels=mnist.test_labels[:count])


def measure_one(way: str, file: Path, tiles_file: Path, threads: int) -> dict:
    """Return the figures of one format; to be called in a fresh process, since loading is part of them."""
    with np.load(tiles_file) as arrays:
        tiles, labels = arrays["tiles"], arrays["labels"]
    before = memory_mb()
    start = time.perf_counter()
    predict = loaded(way, file, threads)
    load = time.perf_counter() - start
    figures = {"load_s": load, "first_ms": timed(predict, tiles[:1], 1)[0]}
    for count in (1, 20):
        times = timed(predict, tiles[:count], REPEATS)
        figures |= {f"median_{count}_ms": float(np.median(times)), f"p99_{count}_ms": float(np.quantile(times, 0.99))}
    after = memory_mb()
    start = time.perf_counter()
    probabilities = np.concatenate([predict(tiles[i : i + 64]) for i in range(0, len(tiles), 64)])
    figures["tiles_per_s"] = len(tiles) / (time.perf_counter() - start)
    figures["memory_mb"] = None if after is None else after - before
    parts = [file, file.with_name("model.weights.h5")] if file.suffix == ".json" else [file]
    figures["size_mb"] = sum(part.stat().st_size for part in parts) / 1e6
    figures["accuracy"] = float((probabilities.argmax(axis=1) == labels).mean())
    return {key: None if value is None else round(value, 5) for key, value in figures.items()}


def loaded(way: str, file: Path, threads: int):
    """Return a function from tiles to probabilities."""
    from digits.reading.models.loading import load_model
    from digits.reading.tile import to_input

    if way == OPENCV:
        import cv2

        cv2.setNumThreads(threads)
        sys.modules["onnxruntime"] = None  # as if it were not installed
    model = load_model(file, threads=threads)
    if way == PREDICT:
        return lambda tiles: model.keras_model.predict(to_input(tiles), verbose=0)
    return model.predict


def timed(predict, tiles: np.ndarray, repeats: int) -> list[float]:
    """Return the milliseconds of each of `repeats` predictions."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(tiles)
        times.append(1000 * (time.perf_counter() - start))
    return times


def memory_mb() -> float | None:
    """Return the memory that this process holds now; None where the system does not say it in a file."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


def table(formats: dict[str, dict]) -> str:
    """Return the figures as lines of text."""
    rows = [["", *(head for _, head, _ in COLUMNS)]]
    for way, figures in formats.items():
        cells = ("-" if figures[key] is None else form.format(figures[key]) for key, _, form in COLUMNS)
        rows.append([way, *cells])
    return common.table(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        way, file, tiles, threads = sys.argv[2:]
        print(json.dumps(measure_one(way, Path(file), Path(tiles), int(threads))))
        sys.exit(0)
    sys.exit(main())
