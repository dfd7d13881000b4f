"""The moving picture at the top of the README: the live window reading the demo clip, as the script draws it.

    python benchmarks/make_live_picture.py                             docs/live.webp, with the default export
    python benchmarks/make_live_picture.py --model FOLDER --out FILE   another export

Run it on a machine that does nothing else: the picture shows frames a second and milliseconds. Takes half a minute.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
from common import ROOT
from PIL import Image

from digits.files import write_whole

MOST_BYTES = 3_000_000  # README pages open on phones
EVERY = 2  # the clip has 20 frames a second; 10 are smooth enough, and half the size
WIDTHS = (800, 720, 640, 560)  # tried in turn until the file is small enough; the window is 940 wide
QUALITY = 70  # of WebP
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
    film = webp(frames, round(1000 * EVERY / rate))
    if film is None:
        print(f"{options.out} would be larger than {MOST_BYTES / 1e6:.0f} MB; use --max-frames.", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(options.out, film)
    print(f"{options.out}: {len(frames)} frames, {len(film) / 1e6:.2f} MB")
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


def webp(frames: list[Image.Image], milliseconds: int) -> bytes | None:
    """Return the largest moving picture, a frame every `milliseconds`, that is small enough; None if there is none."""
    durations = [milliseconds] * (len(frames) - 1) + [LAST_MS]
    for width in WIDTHS:
        height = round(frames[0].height * width / frames[0].width)
        first, *others = [frame.resize((width, height), Image.LANCZOS) for frame in frames]
        film = io.BytesIO()
        first.save(film, "WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=QUALITY,
                   method=4)  # fmt: skip
        if film.tell() <= MOST_BYTES:
            return film.getvalue()
    return None


if __name__ == "__main__":
    sys.exit(main())
