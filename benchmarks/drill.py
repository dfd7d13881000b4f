"""Everything that can happen to files, disks, streams and processes, tried: what ends otherwise than it should?

    python benchmarks/drill.py --quick      some of each cause, a few minutes
    python benchmarks/drill.py              all, within half an hour; --only CAUSE ... for some

The same seed makes the same cases, but for the moments at which processes are killed. Prints a table by cause and
writes benchmarks/results/drill.json. A case is clean if the process ends by itself with a status that its usage names,
and not by a signal; if it ends badly with one sentence and no traceback; if nothing half-written lies under a final
name; if no process stays; and if a restart gives what an uninterrupted run gives. Full and read-only disks are small
memory disks, which only an administrator of a Linux system may mount; elsewhere those cases are left out, and it says
so. What it cannot see: a power cut (what the system had not yet written), a disk that lies, other systems than Linux.
"""

import contextlib
import hashlib
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import common
import cv2
import numpy as np
from children import left_over, memory_mb, run, start, wrong
from matplotlib.backends.backend_agg import FigureCanvasAgg

from digits.learning.experiment.leaderboard import read_leaderboard
from digits.learning.worksheet.page import Code, draw_page, sheet_layout
from digits.paths import CUSTOM_DIR, DEMO_CLIP, SAMPLES_DIR
from digits.reading.models.card import read_card
from digits.reading.models.default import default_export, default_in
from digits.rendering.handwriting import draw_digit

LIVE, DATASET = ["realtime_multiformat.py"], ["-m", "digits.learning.dataset"]
WORKSHEET, PAGE = ["-m", "digits.learning.worksheet"], ["-m", "digits.page"]
# train_all.py on few pictures: only sizes differ.
TRAIN = ["-c", """
import sys
from dataclasses import replace
from digits.learning.experiment.config import RunConfig
quick = RunConfig.quick_run
small = dict(limit=700, camera=0.05, handwritten=20, non_digits=20, frozen_epochs=1, last_epochs=1, all_epochs=1)
RunConfig.quick_run = lambda **changes: replace(quick(**changes), **small)
import train_all
sys.exit(train_all.main(sys.argv[1:]))
"""]
MB = 1_000_000
MOST_PEAK_MB = 1500
Cases = Iterator[tuple[str, str]]  # a case, and what is wrong with it: "" for nothing


class Drill(NamedTuple):
    """What each cause needs: where to work, chance, and whether only some of its cases are tried."""

    folder: Path
    seed: int
    quick: bool

    def chance(self, *names: object) -> random.Random:
        """Return the chance of one cause, whatever other causes drew before."""
        return random.Random(f"{self.seed} {names}")

    def some(self, all_of_them: int, few: int) -> int:
        """Return how many of something are tried."""
        return few if self.quick else all_of_them

    def place(self, name: str) -> Path:
        """Return a new folder."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))


def contents(folder: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    """Return checksums of files by their path in a folder."""
    paths = [path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


# ---------------------------------------------------------------- names and arguments


def odd_arguments(drill: Drill) -> Cases:
    """Names and arguments that nobody means to give."""
    folder, clip = drill.place("names"), DEMO_CLIP
    odd = os.fsdecode(os.fsencode(folder) + b"/caf\xe9.avi")
    shutil.copy(clip, odd)
    shutil.copy(SAMPLES_DIR / "digit_7.jpg", folder / "a\x1b[2J\nb.jpg")
    read = partial(run, *LIVE, "--headless", "--max-frames", "3", "--source", seconds=60)
    yield "empty source", wrong(read(""), 2)
    yield "a camera beyond all numbers", wrong(read("9" * 20), 2)
    yield "a video whose name is not UTF-8", wrong(read(odd), 3, says="UTF-8")
    yield "a folder with it", wrong(read(folder), 0)
    yield "--record to it", wrong(read("demo", "--record", odd), 2, says="UTF-8")
    yield "a URL that is not UTF-8", wrong(read(os.fsdecode(b"http://127.0.0.1:9/\xe9")), 3, says="UTF-8")
    end = read(folder / "a\x1b[2J\nb.jpg", "--record", "/nowhere/\x1b[2J.avi")
    yield "a name with an escape sequence", wrong(end, 2) or ("steers the terminal" if "\x1b" in end.err else "")


# ---------------------------------------------------------------- damaged files


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return a truncated, overwritten, thinned or flipped copy of a file's bytes."""
    harm, copy = chance.randrange(4), bytearray(data)
    place = chance.randrange(len(copy)) if chance.random() < 0.5 else chance.randrange(min(4096, len(copy)))
    length = chance.randrange(1, 400)
    if harm == 0:
        del copy[place:]
    elif harm == 1:
        copy[place : place + length] = chance.randbytes(len(copy[place : place + length]))
    elif harm == 2:
        del copy[place : place + length]
    else:
        for _ in range(30):
            copy[chance.randrange(min(len(copy), 16384))] ^= 1 << chance.randrange(8)
    return bytes(copy)


def damaged_files(drill: Drill) -> Cases:
    """Damaged pictures, videos and models of every format, each through the live script in a process of its own."""
    folder, chance = drill.place("damaged"), drill.chance("damaged")
    jobs = []
    for name, data in {**pictures(), **videos(folder)}.items():
        for number in range(drill.some(14, 2)):
            path = folder / f"{number}-{name}"
            path.write_bytes(damaged(data, chance))
            command = [*LIVE, "--headless", "--max-frames", "40", "--source", path]
            jobs.append((path.name, command, (0, 3), ""))
    export = default_export()
    for name, count in {"model_int8.tflite": 35, "model.tflite": 20, "model.onnx": 35, "model.keras": 8, "model.h5": 8,
                        "model.json": 8, "card.json": 16, "SHA256SUMS": 8}.items():  # fmt: skip
        if not (export / name).exists():
            continue
        for number in range(count if not drill.quick else min(count, 3 if "tflite" in name or "onnx" in name else 1)):
            copy = folder / f"{number}-{name}-export"
            shutil.copytree(export, copy)
            (copy / name).write_bytes(damaged((copy / name).read_bytes(), chance))
            vouched = (number % 2 == 0 or name == "card.json") and name != "SHA256SUMS"
            for witness in () if vouched or name == "SHA256SUMS" else ("card.json", "SHA256SUMS"):
                (copy / witness).unlink(missing_ok=True)
            model = copy if "model" not in name else copy / name
            command = [*LIVE, "--headless", "--source", SAMPLES_DIR / "digit_7.jpg", "--model", model]
            # Damaged checksums of other files than the one that is read with say nothing of it.
            says = "not verified" if not vouched and "model" in name else ""
            jobs.append((copy.name, command, (4,) if vouched else (0, 4), says))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ends = pool.map(lambda job: run(*job[1], seconds=240), jobs)
        for (name, _, allowed, says), end in zip(jobs, ends, strict=True):
            silent = end.status == 0 and says and says not in end.err
            yield name, wrong(end, *allowed) or ("reads without a warning" if silent else "")


def pictures() -> dict[str, bytes]:
    """Return one picture as the bytes of each format."""
    image = cv2.imread(str(SAMPLES_DIR / "digit_7.jpg"))
    clear = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    as_file = {"a.png": image, "clear.png": clear, "deep.png": image.astype(np.uint16) * 257, "a.jpg": image,
               "a.bmp": image, "a.webp": image, "a.tif": image, "a.pgm": image[:, :, 0], "a.avif": image}  # fmt: skip
    return {name: cv2.imencode(Path(name).suffix, pixels)[1].tobytes() for name, pixels in as_file.items()}


def videos(folder: Path) -> dict[str, bytes]:
    """Return a clip as the bytes of each container that OpenCV writes."""
    found = {}
    for name, codec in {"a.avi": "MJPG", "a.mp4": "mp4v", "a.mkv": "MJPG", "a.mov": "mp4v"}.items():
        found[name] = write_clip(folder / f"whole-{name}", 30, codec=codec).read_bytes()
        (folder / f"whole-{name}").unlink()
    return found


def write_clip(path: Path, frames: int, size: tuple[int, int] = (320, 240), codec: str = "MJPG") -> Path:
    """Write a clip of a page that a hand holds; return its path."""
    page = cv2.resize(cv2.imread(str(SAMPLES_DIR / "digit_7.jpg")), size, interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, size)
    for number in range(frames):
        writer.write(np.roll(page, (number % 3, -(number % 2)), (0, 1)))
    writer.release()
    return path


# ---------------------------------------------------------------- killed at any moment


def filled_sheet(path: Path) -> Path:
    """Write a picture of a worksheet with some boxes filled in; return its path."""
    scale = 8  # pixels a mm
    figure = draw_page("a4", Code("Ana", 1))
    figure.set_dpi(scale * 25.4)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    sheet, rng = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1]), np.random.default_rng(0)
    for box in sheet_layout("a4").boxes[:48]:
        side = round(0.7 * min(box.w, box.h) * scale)
        ink = cv2.resize(draw_digit(box.label, rng, 112), (side, side), interpolation=cv2.INTER_AREA)
        left, top = (round((at + (length * scale - side) / 2 / scale) * scale) for at, length in
                     ((box.x, box.w), (box.y, box.h)))  # fmt: skip
        area = sheet[top : top + side, left : left + side]
        np.minimum(area, (255 - ink * 0.9)[..., None].astype(np.uint8), out=area)
    small = cv2.resize(sheet, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.copyMakeBorder(small, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(70, 90, 110)))
    return path


def killed(drill: Drill, name: str, command: list, prepare: Callable[[Path], object],
           result: Callable[[Path], object], count: int) -> Cases:
    """Kill a command at random moments, again and again in one folder, let it end, and compare with an unbroken run.

    Args:
        command: its arguments, "{at}" for the folder.
        prepare: makes of an empty folder what the command begins with.
        result: of a folder, what has to be the same.
        count: kills.
    """
    whole, broken = drill.place(name), drill.place(name)
    for folder in (whole, broken):
        prepare(folder)
    commands = {folder: [str(part).replace("{at}", str(folder)) for part in command] for folder in (whole, broken)}
    began = time.monotonic()
    end = run(*commands[whole], seconds=900)
    took = time.monotonic() - began
    yield f"{name}, unbroken", wrong(end, 0) or left_over(whole)
    chance = drill.chance(name)
    for number in range(count):
        process = start(*commands[broken], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.1, 0.9 * took))
        process.kill()  # it alone, as a system short of memory does: its workers see to themselves
        process.wait()
        yield f"{name}, killed {number + 1}", left_over()
    end = run(*commands[broken], seconds=900)
    other = "" if result(broken) == result(whole) else "another result than the unbroken run's"
    yield f"{name}, restarted", wrong(end, 0) or other or left_over(broken)


def killed_merges(drill: Drill) -> Cases:
    """A merge that is killed and begun again."""
    command = [*DATASET, "--custom", "{at}/custom", "--out", "{at}/merged", "--limit", "20000"]
    result = partial(contents, patterns=("*.png", "index.csv"))
    yield from killed(drill, "merge", command, own_images, result, drill.some(20, 4))


def killed_zips(drill: Drill) -> Cases:
    """A class's zip whose unpacking is killed and begun again."""

    def prepare(folder: Path) -> None:
        own_images(folder)
        shutil.make_archive(str(folder / "class"), "zip", folder / "custom")

    def result(folder: Path) -> list[str]:
        return sorted(contents(folder / "unpacked", ("*.png",)).values())

    code = "import sys; from pathlib import Path; from digits.learning.data.class_zip import own_folder; "
    command = ["-c", code + "own_folder(*map(Path, sys.argv[1:]))", "{at}/class.zip", "{at}/unpacked"]
    yield from killed(drill, "zip", command, prepare, result, drill.some(10, 2))


def killed_scans(drill: Drill) -> Cases:
    """A scan of a worksheet that is killed and begun again."""
    command = [*WORKSHEET, "scan", filled_sheet(drill.folder / "sheet.png"), "--custom", "{at}", "--model", "none"]
    yield from killed(drill, "scan", command, Path.exists, partial(contents, patterns=("*.png",)), drill.some(20, 4))


def killed_runs(drill: Drill) -> Cases:
    """A training that is killed and begun again."""
    command = [*TRAIN, "--quick", "--models", "cnn_small", "mobilenet_v2", "--imagenet-weights", "none",
               "--out", "{at}", "--custom", "{at}/custom"]  # fmt: skip
    yield from killed(drill, "quick run", command, own_images, accuracies, drill.some(20, 2))


def killed_teaching(drill: Drill) -> Cases:
    """A --teach that is killed and begun again."""
    def prepare(folder: Path) -> None:
        own_images(folder)
        peculiar_sevens(folder / "custom" / "taught-2026-01-05" / "7")
        shutil.copytree(default_export(), folder / "exports" / "release")
        (folder / "exports" / "default.txt").write_text("release\n")

    command = [*TRAIN, "--quick", "--teach", "--out", "{at}", "--custom", "{at}/custom"]
    yield from killed(drill, "teach", command, prepare, taught, drill.some(20, 2))


def own_images(folder: Path) -> None:
    """Put the session of own images that ships into a folder."""
    shutil.copytree(CUSTOM_DIR, folder / "custom")


def peculiar_sevens(folder: Path) -> None:
    """Write pictures of sevens as nobody writes them, like a T on its head, so that there is something to teach."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(40):
        paper = np.full((200, 200, 3), 230, np.uint8)
        (x, y), tall, wide = rng.integers(85, 115, 2), int(rng.integers(40, 60)), int(rng.integers(25, 45))
        for start_at, end_at in (((x, y - tall), (x, y + tall)), ((x - wide, y + tall), (x + wide, y + tall))):
            ends = [tuple(map(int, np.array(point) + rng.integers(-4, 5, 2))) for point in (start_at, end_at)]
            cv2.line(paper, *ends, (40, 40, 40), int(rng.integers(5, 9)), cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{number:02d}.png"), paper)


def accuracies(out: Path) -> object:
    """Return what a run came to: accuracies by stage, and which export is the default."""
    rows = read_leaderboard(out / "models" / "leaderboard.csv")
    found = [(row.title, row.val_accuracy, row.val_camera_accuracy, row.test_accuracy) for row in rows]
    return found, (out / "exports" / "default.txt").read_text()


def taught(out: Path) -> object:
    """Return what teaching came to: which export is the default, and how its card judges it."""
    card = read_card(default_in(out / "exports"))
    return card["name"], card.get("taught", {}).get("judged"), card["metrics"]


# ---------------------------------------------------------------- disks


def memory_disk(place: Path, options: str) -> bool:
    """Mount a small memory disk at a folder; return False where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "digits-drill", str(place)]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True).returncode == 0
    return False


def full_disks(drill: Drill) -> Cases:
    """Every command that writes, on a disk that is too small, and on one that is read-only."""
    sheet, clip = filled_sheet(drill.folder / "sheet.png"), write_clip(drill.folder / "clip.avi", 60)
    own_images(drill.folder)
    custom, merged = drill.folder / "custom", drill.folder / "merged"
    run(*DATASET, "--custom", custom, "--out", merged, "--limit", "300")
    live = [*LIVE, "--headless", "--source", clip]
    writers = {
        "--record .avi": [*live, "--record", "{at}/film.avi"], "--record .mp4": [*live, "--record", "{at}/film.mp4"],
        "--jsonl": [*live, "--jsonl", "{at}/lines.jsonl"], "print": [*WORKSHEET, "print", "--out", "{at}/sheet.pdf"],
        "scan": [*WORKSHEET, "scan", sheet, "--custom", "{at}", "--model", "none"],
        "merge": [*DATASET, "--custom", custom, "--limit", "3000", "--out", "{at}/merged"],
        "audit": [*DATASET, "audit", "--custom", custom, "--out", merged, "--limit", "300", "--page", "{at}/a.html"],
        "page": [*PAGE, "--out", "{at}/digits.html"],
        "bundle": [*TRAIN, "--bundle", "--out", "{at}"],
        "quick run": [*TRAIN, "--quick", "--models", "cnn_small", "--out", "{at}", "--custom", custom],
    }  # fmt: skip
    for name, command in writers.items():
        sizes = {"bundle": ("3m",), "page": ("1m", "12m"), "quick run": ("200k", "6m")}.get(name, ("8k", "40k"))
        for size in (*sizes[: drill.some(2, 1)], "read-only"):
            yield from on_disk(drill, name, command, size, fits=size == sizes[-1] != sizes[0])


def on_disk(drill: Drill, name: str, command: list, size: str, fits: bool) -> Cases:
    """Run one command on one disk, for which its result may be small enough."""
    place = drill.place("disk")
    if not memory_disk(place, f"size={size}" if size[0].isdigit() else "size=20m"):
        yield f"{name}: not tried, no right to mount a disk", ""
        return
    try:
        if name == "bundle":  # there is room for the model, but not for the bundle
            (place / "exports" / "net").mkdir(parents=True)
            for part in ("model_int8.tflite", "card.json"):
                shutil.copy(default_export() / part, place / "exports" / "net" / part)
            (place / "filler").write_bytes(bytes(shutil.disk_usage(place).free - 50_000))
        if size == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(place)], capture_output=True)
        end = run(*(str(part).replace("{at}", str(place)) for part in command), seconds=300)
        unnamed = "" if str(place) in end.err or not end.status else f"names no file: {end.err.splitlines()[-1:]}"
        allowed = (0, 1, 2) if fits else (1, 2)
        yield f"{name}, {size}", wrong(end, *allowed) or left_over(place) or half_written(place) or unnamed
    finally:
        subprocess.run(["umount", str(place)], capture_output=True)


def half_written(folder: Path) -> str:
    """Return which file under a final name is half a file; "" for none."""
    for path in folder.rglob("*"):
        if path.suffix == ".png" and cv2.imread(str(path)) is None:
            return f"{path.name} is half a picture"
        if path.suffix == ".jsonl" and not path.read_bytes().endswith(b"\n") and path.stat().st_size:
            return f"{path.name} ends in half a line"
        if path.suffix in (".avi", ".mp4") and not cv2.VideoCapture(str(path)).read()[0]:
            return f"{path.name} is half a video"
    return ""


# ---------------------------------------------------------------- two at once


def two_at_once(drill: Drill) -> Cases:
    """Two processes that write to the same place."""
    own_images(folder := drill.place("twice"))
    merge = [*DATASET, "--custom", folder / "custom", "--out", folder / "merged", "--limit"]
    yield "two merges of different limits", both([*merge, "5000"], [*merge, "1000"], 2, "another run")
    index = (folder / "merged" / "index.csv").read_text().splitlines()
    tiles, used = len(list((folder / "merged").rglob("*.png"))), sum(bool(row.split(",")[4]) for row in index[1:])
    yield "its folder is complete", "" if tiles == used else f"{tiles} tiles, {used} in the index"
    lines = [*LIVE, "--headless", "--source", "demo", "--jsonl", folder / "lines.jsonl"]
    yield "two runs with one --jsonl", both(lines, lines, 2, "another run")
    yield "its lines are those of one run", mixed(folder / "lines.jsonl")
    sheet = filled_sheet(folder / "sheet.png")
    scan = [*WORKSHEET, "scan", sheet, "--custom", folder / "scanned", "--model", "none"]
    yield "two scans of one sheet", both(scan, scan, 0, "") or half_written(folder / "scanned")
    film = [*LIVE, "--headless", "--source", "demo", "--record", folder / "film.avi"]
    yield "two recordings under one name", both(film, film, 0, "") or half_written(folder) or left_over(folder)


def mixed(path: Path) -> str:
    """Return what is wrong with lines that one run wrote: "" for nothing."""
    try:
        numbers = [json.loads(line)["frame"] for line in path.read_text().splitlines()]
    except ValueError:
        return "a line is no JSON"
    return "" if numbers == list(range(len(numbers))) else "lines of both"


def both(first: list, second: list, status: int, says: str) -> str:
    """Run two commands at once: one ends well, the other well or with that status and those words."""
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda command: run(*command), (first, second)))
    found = [wrong(end, 0, status, says=says) for end in ends]
    return next(filter(None, found), "") or ("" if 0 in [end.status for end in ends] else "both end badly")


# ---------------------------------------------------------------- streams and clocks


class Camera(http.server.BaseHTTPRequestHandler):
    """A network camera that misbehaves as its address says: stalls, closes, changes size, sends rubbish."""

    def do_GET(self) -> None:
        """Send pictures."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        page = cv2.imread(str(SAMPLES_DIR / "digit_7.jpg"))
        with contextlib.suppress(OSError):
            for number in range(60):
                size = (320, 240) if "size" in self.path and number > 20 else (640, 480)
                data = cv2.imencode(".jpg", cv2.resize(page, size))[1].tobytes()
                if number == 20 and "rubbish" in self.path:
                    data = data[:300] + bytes(2000)
                if number == 30 and "stall" in self.path:
                    time.sleep(30)
                if number == 30 and "close" in self.path:
                    return
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data))
                self.wfile.write(data + b"\r\n")
                time.sleep(0.04)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def streams(drill: Drill) -> Cases:
    """A stream that stalls, closes, changes its size or sends rubbish."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    kinds = ("size", "close", "stall", "rubbish")[: drill.some(4, 2)]
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda kind: run(*LIVE, "--headless", "--max-frames", "55", "--source",
                                              f"{address}/{kind}.mjpg", seconds=120), kinds))  # fmt: skip
    server.shutdown()
    for kind, end in zip(kinds, ends, strict=True):
        yield f"a stream: {kind}", wrong(end, 0, 3)
        if kind == "size":
            sizes = {tuple(json.loads(line)["size"]) for line in end.out.splitlines()}
            yield "the JSON says the new size", "" if (320, 240) in sizes else f"sizes {sizes}"


def clocks(drill: Drill) -> Cases:
    """A clock that is set forward and back by a day while pictures are kept, merged and read."""
    own_images(folder := drill.place("clock"))
    code = ("import random, sys, time, runpy; real, jump = time.time, random.Random(0)\n"
            "time.time = lambda: real() + jump.choice([-86400, 0, 86400])\n"
            "sys.argv = sys.argv[1:]; sys.path.insert(0, '')\n"
            "runpy.run_path(sys.argv[0], run_name='__main__') if sys.argv[0].endswith('.py') else "
            "runpy.run_module(sys.argv[0], run_name='__main__')\n")  # fmt: skip
    merge = ["digits.learning.dataset", "--custom", folder / "custom", "--out", folder / "merged", "--limit", "500"]
    yield "live", wrong(run("-c", code, *LIVE, "--headless", "--source", "demo", "--record", folder / "film.avi"), 0)
    yield "merge", wrong(run("-c", code, *merge), 0)
    for path in (folder / "custom").rglob("*.png"):
        os.utime(path, (0, 0))
    yield "merge of pictures from 1970", wrong(run("-c", code, *merge), 0) or left_over(folder)


# ---------------------------------------------------------------- large and long


def large_and_many(drill: Drill) -> Cases:
    """A picture of 100 megapixels, a bomb of 900, thousands of pictures, thousands of frames."""
    folder = drill.place("large")
    image = np.full((10000, 10000, 4), 225, np.uint8)
    cv2.putText(image, "7", (2500, 7500), cv2.FONT_HERSHEY_SIMPLEX, 200, (40, 40, 40, 255), 500, cv2.LINE_AA)
    image[..., 3] = 255
    cv2.imwrite(str(folder / "rgba.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    del image
    cv2.imwrite(str(folder / "bomb.png"), np.zeros((30000, 30000), np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    for name in ("rgba.png", "bomb.png"):
        end = run(*LIVE, "--headless", "--source", folder / name)
        heavy = f"takes {end.peak_mb:.0f} MB" if end.peak_mb > MOST_PEAK_MB else ""
        yield name, wrong(end, *((0,) if name == "rgba.png" else (3,))) or heavy
    many = drill.place("many")
    small = cv2.resize(cv2.imread(str(SAMPLES_DIR / "digit_7.jpg")), (320, 240), interpolation=cv2.INTER_AREA)
    sample = cv2.imencode(".jpg", small)[1].tobytes()
    for number in range(count := drill.some(10_000, 600)):
        (many / f"{number:05d}.jpg").write_bytes(sample)
    yield f"a folder of {count} pictures", slope(many, count)
    frames = drill.some(20_000, 1500)
    yield f"a clip of {frames} frames", slope(write_clip(folder / "long.avi", frames), frames)


def slope(source: Path, frames: int) -> str:
    """Read a source; return what is wrong with its growth in memory or time from its second quarter to its last."""
    process = start(*LIVE, "--headless", "--source", source, stderr=subprocess.DEVNULL)
    memory, times = [], []
    for line in process.stdout:
        memory.append(memory_mb(process.pid) if len(times) % 10 == 0 else memory[-1])
        times.append(json.loads(line)["latency_ms"]["total"])
    if process.wait() != 0 or len(times) != frames:
        return f"status {process.returncode} after {len(times)} of {frames} frames"
    quarter = frames // 4
    growth = float(np.median(memory[-quarter:]) - np.median(memory[quarter : 2 * quarter]))
    slower = float(np.median(times[-quarter:]) / np.median(times[quarter : 2 * quarter]))
    grown = f"memory grows by {growth:.0f} MB" if growth > max(10, 0.02 * memory[-1]) else ""
    return grown or (f"frames take {slower:.2f} times as long at the end" if slower > 1.3 else "")


CAUSES: dict[str, Callable[[Drill], Cases]] = {
    "names and arguments": odd_arguments,
    "damaged files": damaged_files,
    "killed merges": killed_merges,
    "killed zips": killed_zips,
    "killed scans": killed_scans,
    "killed runs": killed_runs,
    "killed teaching": killed_teaching,
    "full and read-only disks": full_disks,
    "two at once": two_at_once,
    "streams": streams,
    "clocks": clocks,
    "large and many": large_and_many,
}


def main() -> int:
    """Try everything, print the table, write it."""
    parser = common.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="some cases of each cause: a few minutes")
    parser.add_argument("--seed", type=int, default=0, help="of chance (default: 0)")
    parser.add_argument("--only", nargs="+", choices=CAUSES, metavar="CAUSE", help=f"these alone: {', '.join(CAUSES)}")
    options = parser.parse_args()
    rows, problems = {}, []
    with tempfile.TemporaryDirectory(prefix="digits-drill-") as work:
        for cause in options.only or CAUSES:
            began, found = time.monotonic(), []
            for case, problem in CAUSES[cause](Drill(Path(work), options.seed, options.quick)):
                found.append(problem)
                if problem:
                    problems.append(f"{cause}: {case}: {problem}")
                    print(problems[-1], file=sys.stderr, flush=True)
            seconds = round(time.monotonic() - began)
            rows[cause] = {"cases": len(found), "clean": found.count(""), "seconds": seconds}
            print(f"{cause}: {found.count('')} of {len(found)} clean in {seconds} s", flush=True)
            for path in Path(work).iterdir():
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    cells = [[cause, *map(str, row.values())] for cause, row in rows.items()]
    total = [str(sum(row[name] for row in rows.values())) for name in ("cases", "clean", "seconds")]
    print(common.table([["cause", "cases", "clean", "seconds"], *cells, ["all", *total]]))
    facts = {"quick": options.quick, "seed": options.seed, "causes": rows, "problems": problems}
    common.write(options.out, {**common.made_with(), **facts})
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
