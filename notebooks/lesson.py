"""The few helpers that the six notebooks share; each is shown once, in the notebook that uses it first."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np

from digits.files import write_whole
from digits.paths import RUNS_DIR

RUNS = RUNS_DIR / "notebooks"
RESULTS = Path(__file__).resolve().parent / "results"  # the numbers that findings are checked against


def gallery(pictures: Sequence[np.ndarray], titles: Sequence[str] = (), columns: int = 10, rows: Sequence[str] = (),
            side: float = 1.1, cmap: str = "gray") -> None:
    """Draw pictures in a grid: grey or float (h, w), each shaded by its own range unless uint8, or BGR (h, w, 3).

    Args:
        titles: one above each picture, or none.
        rows: one word at the left of each row, or none.
        side: inches that a picture takes.
    """
    count = max(-(-len(pictures) // columns), 1)
    size = side * columns + bool(rows), (side + 0.25 * bool(titles)) * count
    _, grid = plt.subplots(count, columns, figsize=size, squeeze=False, layout="constrained")
    for place, axes in enumerate(grid.flat):
        axes.set(xticks=[], yticks=[], frame_on=False)
        if place < len(pictures):
            picture = pictures[place]
            shades = {"vmin": 0, "vmax": 255} if picture.dtype == np.uint8 else {}
            axes.imshow(picture[..., ::-1] if picture.ndim == 3 else picture, cmap, **shades)
        if place < len(titles):
            axes.set_title(titles[place], fontsize=8)
        if place % columns == 0 and place // columns < len(rows):
            axes.set_ylabel(rows[place // columns], fontsize=9, rotation=0, ha="right", va="center")


def save(notebook: str, fast: bool, found: Mapping[str, float | str], folder: str | Path = RUNS) -> str:
    """Write the numbers that a notebook found; return where, in words.

    A full run's go to results/ beside the notebooks: the findings, which quote them, are checked against that file.
    The others go to `folder`.
    """
    folder = Path(folder) if fast else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: value if isinstance(value, str) else float(value) for name, value in found.items()}
    write_whole(folder / f"{notebook}.json", (json.dumps(plain, indent=1) + "\n").encode())
    return f"{len(plain)} numbers in {folder.name}/{notebook}.json"


class Field:
    """A black field to draw white on with the mouse; needs ipycanvas. Display its `canvas`."""

    def __init__(self, ask, side: int = 280, pen: int = 18) -> None:
        """Make an empty field; `ask` is called with the ink, uint8 (side, side), whenever a stroke ends."""
        from ipycanvas import Canvas

        self.ink = np.zeros((side, side), np.uint8)
        self.canvas = Canvas(width=side, height=side)
        self._ask, self._pen, self._last = ask, pen, None
        self.wipe()
        self.canvas.on_mouse_down(self._press)
        self.canvas.on_mouse_move(self._move)
        self.canvas.on_mouse_up(self._release)

    def wipe(self, _=None) -> None:
        """Empty the field."""
        self.ink[:] = 0
        self.canvas.fill_style = "black"
        self.canvas.fill_rect(0, 0, self.canvas.width, self.canvas.height)

    def _press(self, x: float, y: float) -> None:
        self._last = x, y

    def _move(self, x: float, y: float) -> None:
        if self._last is None:
            return
        start = tuple(map(round, self._last))
        cv2.line(self.ink, start, (round(x), round(y)), 255, self._pen, cv2.LINE_AA)
        self.canvas.stroke_style, self.canvas.line_width, self.canvas.line_cap = "white", self._pen, "round"
        self.canvas.stroke_line(*self._last, x, y)
        self._last = x, y

    def _release(self, *_) -> None:
        self._last = None
        if self.ink.any():
            self._ask(self.ink)
