"""The pictures of docs/classroom.md, all of rendered pupils: a filled worksheet, the audit page, the window.

    python benchmarks/make_classroom_pictures.py                docs/classroom-*.webp
    python benchmarks/make_classroom_pictures.py --keep DIR     ... and the filled sheets, to go through the lesson with

Needs chromium for the audit page. Takes half a minute.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from common import ROOT
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from digits.files import write_whole
from digits.learning.worksheet.page import Code, draw_page, sheet_layout
from digits.rendering.handwriting import draw_digit
from digits.rendering.paper import INKS
from digits.rendering.pen import Hand, random_hand

MM = 8  # pixels a mm of a sheet
PUPILS = ("Ana", "Luis", "Eva", "Omar", "Ines")  # five, so that whole sessions go to a split
WIDTH = 900  # of the pictures
SLIP = 34  # the box in which Ana writes something else than what is asked for


def main() -> int:
    """Fill, scan, audit and photograph; 0 done, 1 something is missing."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the filled sheets there too")
    options = parser.parse_args()
    if not shutil.which("chromium"):
        print("chromium is not installed; it looks at the audit page.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sheets").mkdir()
        for number, pupil in enumerate(PUPILS):
            sheet = filled(pupil, number, {SLIP: 7} if number == 0 else {})
            cv2.imwrite(str(folder / "sheets" / f"{pupil}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 90])
        if options.keep:
            shutil.copytree(folder / "sheets", options.keep, dirs_exist_ok=True)
        save("sheet", cv2.imread(str(folder / "sheets" / "Ana.jpg")))
        save("audit", audit_page(folder))
        save("window", window(folder))
    return 0


def filled(pupil: str, seed: int, slips: dict[int, int]) -> np.ndarray:
    """Return a worksheet filled in by one rendered hand, uint8 (H, W, 3); `slips` by box, what is written instead."""
    figure = draw_page("a4", Code(pupil, 1))
    figure.set_dpi(MM * 25.4)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    sheet = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1]).astype(np.float32)
    rng = np.random.default_rng(seed)
    habit = replace(random_hand(rng), width=0.05, jitter=0.012, tremor=0.002)
    cover = np.zeros(sheet.shape[:2], np.float32)
    for position, box in enumerate(sheet_layout("a4").boxes):
        write(cover, slips.get(position, box.label), box, habit, rng)
    return (sheet + cover[..., None] * (np.minimum(INKS[1].astype(np.float32) * 255, sheet) - sheet)).astype(np.uint8)


def write(cover: np.ndarray, digit: int, box, habit: Hand, rng: np.random.Generator) -> None:
    """Write a digit somewhere in its box."""
    hand = replace(habit, slant=habit.slant + 0.05 * rng.standard_normal(), angle=3 * rng.standard_normal())
    ink = draw_digit(digit, rng, 200, hand)
    x, y, w, h = cv2.boundingRect((ink > 100).astype(np.uint8))
    scale = min(rng.uniform(0.5, 0.75) * box.h * MM / h, 0.8 * box.w * MM / w)
    size = max(3, round(w * scale)), max(3, round(h * scale))
    ink = cv2.resize(ink[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    room = np.array([box.w, box.h]) * MM - size
    left, top = np.rint(np.array([box.x, box.y]) * MM + rng.uniform(0.2, 0.8, 2) * room).astype(int)
    area = cover[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(area, ink / np.float32(255), out=area)


def audit_page(folder: Path) -> np.ndarray:
    """Return the upper part of the audit page of the scanned sheets, one of whose sevens was filed as a 2 by hand."""
    custom, page, shot = "data/custom", folder / "audit.html", folder / "audit.png"
    run(folder, "-m", "digits.learning.worksheet", "scan", "sheets", "--custom", custom)
    for doubtful in sorted(folder.glob(f"{custom}/Ana/set_aside/2/*.png"))[:1]:  # as somebody in a hurry would move it
        doubtful.rename(folder / custom / "Ana" / "2" / doubtful.name)
    run(folder, "-m", "digits.learning.dataset", "audit", "--custom", custom, "--out", "merged", "--page", page,
        "--limit", 4000)  # fmt: skip
    look = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1120,1100"]
    subprocess.run([*look, f"--screenshot={shot}", page.as_uri()], check=True, capture_output=True)
    return cv2.imread(str(shot))


def window(folder: Path) -> np.ndarray:
    """Return what the window shows of a page of digits."""
    film = folder / "film.avi"
    run(ROOT, ROOT / "realtime_multiformat.py", "--source", ROOT / "data" / "samples" / "page_2.png", "--headless",
        "--lang", "en", "--record", film, "--jsonl", folder / "out.jsonl")  # fmt: skip
    capture = cv2.VideoCapture(str(film))
    picture = capture.read()[1]
    capture.release()
    return picture


def run(folder: Path, *command: object) -> None:
    """Run one of the project's programs in a folder; its mistakes end this one."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *map(str, command)], cwd=folder, env=environment, check=True)


def save(name: str, picture: np.ndarray) -> None:
    """Write a picture, at most 900 pixels wide, as docs/classroom-<name>.webp."""
    image = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
    image.thumbnail((WIDTH, 2 * WIDTH))
    data = io.BytesIO()
    image.save(data, "WEBP", quality=70, method=6)
    path = ROOT / "docs" / f"classroom-{name}.webp"
    write_whole(path, data.getvalue())
    print(f"{path}: {image.width} x {image.height}, {len(data.getvalue()) / 1e3:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
