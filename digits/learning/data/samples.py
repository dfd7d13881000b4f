"""The pictures that come with the project, all rendered: `python -m digits.learning.data.samples` makes them again.

data/samples/ gets photographs of single digits, pages, a clip, and truth.json; data/custom/rendered-session/ a small
session of "own" images in one hand. Samples show MNIST test digits (never trained on); the session is drawn by
`handwriting`. The same seed gives the same pictures, up to the codecs of the OpenCV at hand.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from digits.files import replacing, write_whole
from digits.learning.data.mnist import Mnist, load_mnist
from digits.learning.data.near_duplicates import fingerprint
from digits.learning.data.splits import RENDERED_SESSION
from digits.paths import CUSTOM_DIR, SAMPLES_DIR
from digits.reading.finding.one_digit import main_tile
from digits.reading.tile import normalise
from digits.rendering.camera import Shot
from digits.rendering.clips import Motion, film
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import Page, photograph, write_sheet
from digits.rendering.paper import INKS, Pen
from digits.rendering.pen import Hand, random_hand
from digits.rendering.photographs import photograph_one
from digits.rendering.scenes import background

PER_DIGIT = 10
# Distance of fingerprints between the tile that is found and the one that was drawn: most whole digits stay below it,
# those with a piece of something else, or of which a piece is missing, lie above.
_WHOLE = 0.2
SESSION_README = """These are no photographs: the project rendered them (python -m digits.learning.data.samples).

They stand for one session of own images, so that merging MNIST with own images has something to merge from the
first minute: <digit>/*.jpg, one imagined writer, drawn from splines on rendered paper before a rendered camera.
Put your own beside it as data/custom/<session>/<digit>/*.jpg; delete this folder whenever you like.
"""
DEMO_DIGITS = (3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9)
DEMO_RATE = 20.0  # frames a second: cheap webcams' speed, and half the file of 40
DEMO_SECONDS = 6.5
DEMO_SEED = 12
DIGIT_SEEDS = (0, 10, 1, 7, 8, 4, 2, 9, 11, 6)  # of 0 to 9: clear digits, each on another paper
PAGES = (  # digits, layout, strength, held, seed
    ("1234567890", "grid", 0.35, False, 8),
    ("31415926535897932384", "lines", 0.5, False, 3),
    ("2718281828459045", "scatter", 0.45, True, 8),
)


def make_samples(samples_dir: Path = SAMPLES_DIR, mnist: Mnist | None = None) -> dict[str, list]:
    """Write photographs, pages, clip and truth.json; return the truth: file name -> digits with their boxes.

    Args:
        mnist: whose test pictures to show; None for `load_mnist`.
    Raises:
        digits.learning.shared.download.DownloadError: if MNIST is needed and cannot be had.
        OSError: if the folder cannot be written or OpenCV has no encoder for MP4.
    """
    mnist = mnist or load_mnist()
    images, labels = mnist.test_images, mnist.test_labels
    samples_dir = Path(samples_dir)
    samples_dir.mkdir(parents=True, exist_ok=True)
    truth = {}
    for digit, seed in enumerate(DIGIT_SEEDS):
        inks, rng = _pick(images, labels, [digit], seed), np.random.default_rng(seed)
        page = photograph(inks, [digit], rng, (480, 400), 0.5, "grid", False)
        _save(samples_dir / f"digit_{digit}.jpg", page.frame, [cv2.IMWRITE_JPEG_QUALITY, 88])
        truth[f"digit_{digit}.jpg"] = _true(page)
    for number, (text, layout, strength, held, seed) in enumerate(PAGES, 1):
        digits, rng = [int(letter) for letter in text], np.random.default_rng(seed)
        page = photograph(_pick(images, labels, digits, seed), digits, rng, (640, 480), strength, layout, held)
        _save(samples_dir / f"page_{number}.png", page.frame, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        truth[f"page_{number}.png"] = _true(page)
    _write_clip(samples_dir / "demo.mp4", _pick(images, labels, DEMO_DIGITS, DEMO_SEED))
    truth["demo.mp4"] = [{"digit": digit} for digit in DEMO_DIGITS]
    write_whole(samples_dir / "truth.json", (json.dumps(truth, indent=1) + "\n").encode())
    return truth


def make_session(custom_dir: Path = CUSTOM_DIR, per_digit: int = PER_DIGIT, seed: int = 0) -> Path:
    """Write the rendered session of own images below `custom_dir` and return its folder."""
    folder = Path(custom_dir) / RENDERED_SESSION
    rng = np.random.default_rng(seed + 2000)
    habit = replace(random_hand(rng), slant=0.12, aspect=0.95, width=0.045, jitter=0.014, tremor=0.002)
    for digit in range(10):
        (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        for index in range(per_digit):
            frame = _found_whole(digit, habit, rng)
            _save(folder / str(digit) / f"{digit}_{index:02d}.jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 85])
    write_whole(folder / "README.txt", SESSION_README.encode())
    return folder


def _found_whole(digit: int, habit: Hand, rng: np.random.Generator) -> np.ndarray:
    """Return a photograph in which just the digit is found: a broken tile would show newcomers a fault."""
    while True:
        ink = draw_digit(digit, rng, 160, _same_hand(habit, rng))
        frame, _ = photograph_one(ink, rng, strength=0.4)
        try:
            prints = [np.frombuffer(fingerprint(tile), np.uint8) for tile in (main_tile(frame), normalise(ink))]
        except ValueError:
            continue
        found, drawn = (values / np.linalg.norm(values) for values in prints)
        if np.linalg.norm(found - drawn) < _WHOLE:
            return frame


def _same_hand(habit: Hand, rng: np.random.Generator) -> Hand:
    """The writer's habit, a little different each time."""
    slant, aspect, angle, bend = rng.standard_normal(4)
    return replace(habit, slant=habit.slant + 0.05 * slant, aspect=habit.aspect * (1 + 0.08 * aspect),
                   angle=3 * angle, bend=0.015 * bend)


def _pick(images: np.ndarray, labels: np.ndarray, digits, seed: int) -> list[np.ndarray]:
    """Return one image a digit, no image twice as long as there are others."""
    rng = np.random.default_rng(seed)
    shuffled = {digit: list(rng.permutation(np.flatnonzero(labels == digit))) for digit in set(digits)}
    return [images[left.pop() if len(left) > 1 else left[0]] for left in (shuffled[digit] for digit in digits)]


def _write_clip(path: Path, inks: list[np.ndarray]) -> None:
    """Write the demo: a sheet with digits in four inks is raised before a person, and held by a living hand."""
    rng = np.random.default_rng(DEMO_SEED)
    size = (640, 480)
    pens = [Pen(INKS[kind], 0.92, 0.1) for kind in (0, 3, 5, 6)]
    sheet = write_sheet(inks, rng, size, 0.0, "grid", pens)
    behind = background(rng, size[::-1], "person")
    shot = Shot(gradient=0.18, vignette=0.15, exposure=0.92, warmth=0.02, defocus=0.6, noise=0.004, coarse=0.8)
    motion = Motion(tremor=(9.0, 1.6, 0.3), sway=2.5, entrance=16, frame_rate=DEMO_RATE)
    with replacing(path) as beside:
        writer = cv2.VideoWriter(str(beside), cv2.VideoWriter_fourcc(*"mp4v"), DEMO_RATE, size)
        if not writer.isOpened():
            raise OSError(f"{path}: this OpenCV cannot write MP4; expected a build with FFmpeg, as pip's wheels are")
        try:
            for frame, _ in film(sheet, DEMO_DIGITS, behind, rng, round(DEMO_SECONDS * DEMO_RATE), motion, shot):
                writer.write(frame)
        finally:
            writer.release()


def _true(page: Page) -> list[dict]:
    return [{"digit": digit, "box": list(box)} for digit, box in zip(page.labels, page.boxes, strict=True)]


def _save(path: Path, frame: np.ndarray, options: list[int]) -> None:
    """Write a picture, also where paths hold letters that OpenCV's own writer cannot take."""
    write_whole(path, cv2.imencode(path.suffix, frame, options)[1].tobytes())


def main() -> None:
    """Render everything again, in place."""
    truth = make_samples()
    shutil.rmtree(CUSTOM_DIR / RENDERED_SESSION, ignore_errors=True)
    session = make_session()
    print(f"{len(truth)} samples in {SAMPLES_DIR}, {10 * PER_DIGIT} images in {session}")


if __name__ == "__main__":
    main()
