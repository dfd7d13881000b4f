"""The moving picture at the top of the README: the live window reading the demo clip, as the script draws it.

    python benchmarks/make_live_picture.py                             docs/live.webp, with the default export
    python benchmarks/make_live_picture.py --model FOLDER --out FILE   another export; .webp, .gif or .png by name

Run it on a machine that does nothing else: the picture shows frames a second and milliseconds. Takes half a minute.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from digits.files import replacing
from digits.paths import ROOT

MOST_BYTES = 3_000_000  # README pages open on phones
EVERY = 2  # the clip has 20 frames a second; 10 are smooth enough, and half the size
WIDTHS = (800, 720, 640, 560)  # tried in turn until the file is small enough; the window is 940 wide
QUALITIES = (70, 55, 40)  # of WebP
COLOURS = 128  # of GIF
LAST_MS = 1500  # rest on the last frame, for those who look up late


def main(arguments: list[str] | None = None) -> int:
    """Record, shrink, write; 0 done, 1 it did not come out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, metavar="FILE|FOLDER", help="as for realtime_multiformat.py")
    parser.add_argument("--source", default="demo", help="as for realtime_multiformat.py (default: demo)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "live.webp", metavar="FILE")
    parser.add_argument("--max-frames", type=int, metavar="N", help="of the clip (default: all)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "live.avi"
        failed = record(film, options)
        if failed:
            print(failed, file=sys.stderr)
            return 1
        frames, rate = read(film)
    size = write(frames, round(1000 * EVERY / rate), options.out)
    if size is None:
        most = f"{MOST_BYTES / 1e6:.0f} MB"
        print(f"{options.out} would be larger than {most}; use .webp, or --max-frames.", file=sys.stderr)
        return 1
    print(f"{options.out}: {len(frames)} frames, {size / 1e6:.2f} MB")
    return 0


def record(film: Path, options: argparse.Namespace) -> str:
    """Let the camera script record what its window would show; return why it could not, or nothing."""
    command = [sys.executable, str(ROOT / "realtime_multiformat.py"), "--headless", "--lang", "en"]
    command += ["--source", options.source, "--record", str(film), "--jsonl", str(film.with_suffix(".jsonl"))]
    command += ["--model", str(options.model)] if options.model else []
    command += ["--max-frames", str(options.max_frames)] if options.max_frames else []
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 and film.is_file() else done.stderr.strip() or "Nothing was recorded."


def read(film: Path) -> tuple[list[Image.Image], float]:
    """Return every EVERYth frame of a video, and the frames a second it has."""
    capture = cv2.VideoCapture(str(film))
    rate, frames, index = capture.get(cv2.CAP_PROP_FPS), [], 0
    while True:
        good, frame = capture.read()
        if not good:
            break
        if index % EVERY == 0:
            frames.append(Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)))
        index += 1
    capture.release()
    return frames, rate


def write(frames: list[Image.Image], milliseconds: int, path: Path) -> int | None:
    """Write the largest and finest version that is small enough; return its bytes, or None if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [milliseconds] * (len(frames) - 1) + [LAST_MS]
    for width in WIDTHS:
        height = round(frames[0].height * width / frames[0].width)
        small = [frame.resize((width, height), Image.LANCZOS) for frame in frames]
        for quality in QUALITIES if path.suffix == ".webp" else (None,):
            data = _encoded(small, durations, path.suffix, quality)
            if len(data) <= MOST_BYTES:
                with replacing(path) as beside:
                    beside.write_bytes(data)
                return len(data)
    return None


def _encoded(frames: list[Image.Image], durations: list[int], suffix: str, quality: int | None) -> bytes:
    options = {"format": Image.registered_extensions()[suffix], "save_all": True, "duration": durations, "loop": 0}
    if suffix == ".webp":
        options |= {"quality": quality, "method": 4}
    elif suffix == ".gif":
        frames = [frame.quantize(COLOURS, dither=Image.Dither.NONE) for frame in frames]
    buffer = io.BytesIO()
    frames[0].save(buffer, append_images=frames[1:], **options)
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
