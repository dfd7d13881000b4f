"""Pages, clips and readings that tests make up."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from digits.box import Box
from digits.reading.models.card import SUMS, read_sums, write_sums
from digits.reading.readings import Digit, Reading


def page(digits=(7,), size=(640, 480), shift=(0, 0)) -> np.ndarray:
    """Return a page with printed digits in a row, uint8 (H, W, 3)."""
    frame = np.full((size[1], size[0], 3), 225, np.uint8)
    for index, label in enumerate(digits):
        corner = (60 + 140 * index + shift[0], 280 + shift[1])
        cv2.putText(frame, str(label), corner, cv2.FONT_HERSHEY_SIMPLEX, 4, (50, 40, 40), 11, cv2.LINE_AA)
    return frame


def write_clip(path: Path, pictures) -> Path:
    """Write pictures of one size as a video of 25 frames a second; return its path."""
    writer = None
    for picture in pictures:
        writer = writer or cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, picture.shape[1::-1])
        writer.write(picture)
    writer.release()
    return path


def trembling(frames: int, digits=(2, 7, 3)):
    """Yield frames of a page that a hand holds."""
    rng = np.random.default_rng(0)
    return (page(digits, shift=rng.integers(-2, 3, 2)) for _ in range(frames))


def frame_count(path: Path) -> int:
    """Return how many frames a video says it has."""
    capture = cv2.VideoCapture(str(path))
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    return int(count)


def left_by_the_dead(path: Path) -> Path:
    """Return where a process that is no more had begun to write what was to be `path`."""
    code = "import sys; from pathlib import Path; from digits.files import beside; print(beside(Path(sys.argv[1])))"
    return Path(subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True).stdout.strip())


def edit_json(path: Path, **changes) -> None:
    """Change entries of a JSON file, such as an export's card, and the checksums beside it."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    if (path.parent / SUMS).exists():
        write_sums(path.parent, read_sums(path.parent))


def digit(label: int, box: Box, sure: float = 0.9) -> Digit:
    """Return a digit read with so much confidence; its tile has one upright stroke."""
    probabilities = np.full(10, (1 - sure) / 9, np.float32)
    probabilities[label] = sure
    tile = np.zeros((96, 96), np.uint8)
    tile[20:76, 40:56] = 255
    return Digit(box, label, sure, probabilities, tile)


def reading(digits=(), rejected=(), main=0, hint=None, size=(640, 480)) -> Reading:
    """Return what a frame says; `main` counts only where there are digits."""
    latency = {"find": 1.0, "predict": 0.5, "total": 1.5}
    return Reading(size, list(digits), list(rejected), main if digits else None, hint, latency)
