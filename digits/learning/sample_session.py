"""The session of own images that ships under data/custom/: drawn and photographed by the project, by nobody's hand.

    python -m digits.learning.sample_session          writes data/custom/rendered-sample/

It is there so that the merge has something to merge from the first minute. Its name says that it is rendered.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from digits.learning.config import CLASSES, CUSTOM_DIR
from digits.learning.pages import photograph_one
from digits.learning.pen import Hand, random_hand
from digits.learning.strokes import draw_digit
from digits.reading.reader import main_tile
from digits.reading.tile import normalise

SESSION = "rendered-sample"
PER_DIGIT = 4
_SEED = 3
_STRENGTH = 0.15  # even light and plain paper: an example of pictures as they should be
_ALIKE = 0.7  # cosine of the tile found in the photograph and that of the drawing; another pen leaves 0.8 and more
_JPEG_QUALITY = 85


def render_session(custom_dir: Path = CUSTOM_DIR, per_digit: int = PER_DIGIT) -> list[Path]:
    """Write <custom_dir>/rendered-sample/<digit>/<n>.jpg, all of one pretended writer; return the paths."""
    rng = np.random.default_rng(_SEED)
    hand = random_hand(rng, wildness=0.5)
    paths = []
    for digit in range(CLASSES):
        folder = Path(custom_dir) / SESSION / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(per_digit):
            frame = _photographed(digit, hand, rng)
            paths.append(folder / f"{number}.jpg")
            paths[-1].write_bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())
    return paths


def _photographed(digit: int, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 (h, w, 3) of one digit; taken again, as a person would, if something else is in it too."""
    while True:
        ink = draw_digit(digit, rng, hand=hand)
        frame, _ = photograph_one(ink, rng, _STRENGTH)
        try:
            found, meant = main_tile(frame).astype(np.float32), normalise(ink).astype(np.float32)
        except ValueError:
            continue
        if (found * meant).sum() > _ALIKE * np.linalg.norm(found) * np.linalg.norm(meant):
            return frame


if __name__ == "__main__":
    print(f"{len(render_session())} pictures written to {CUSTOM_DIR / SESSION}", file=sys.stderr)
