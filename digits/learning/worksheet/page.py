"""The printed worksheet: where its boxes, markers and code lie, and the page as a matplotlib figure.

All lengths are millimetres from the sheet's top left corner, x to the right and y down.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from digits.reading.models.contract import CLASSES

PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
COLUMNS = 12
DICTIONARY = cv2.aruco.DICT_6X6_50  # few markers, far apart: handwriting and print are never taken for one
MARKER_SIDE = 14.0
LINE_WIDTH = 0.35
# Light enough to be told from any pen, dark enough that a photocopier keeps it: red, green, blue.
GUIDE = (0.60, 0.82, 0.90)
_MARGIN = 10.0  # what printers leave white at most
_SIDE_ROOM = 8.0  # for the wanted digit, left and right of its row
_HEAD, _FOOT = 38.0, 28.0  # above and below the boxes
_GAP_X, _GAP_Y = 2.0, 3.0  # between boxes: room for strokes that leave theirs
_CODE_SIDE = 22.0
_CODE_FORMAT = "DIGITS1"
_HINT = (0.35, 0.35, 0.35)
_OVERLAP = 0.03  # black squares of one marker lap over, or viewers show hairlines between them
_ABOUT = {"CreationDate": None, "Title": "Digits worksheet"}
_MM = 1 / 25.4
_POINTS = 72 * _MM


@dataclass(frozen=True)
class PrintedBox:
    """One box of the sheet: the digit wanted in it, its place in the row (0 to 11), and (x, y, w, h) in mm."""

    label: int
    column: int
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Layout:
    """Where everything lies on one paper size.

    Attributes:
        width, height: of the sheet.
        boxes: row by row.
        markers: id -> float32 (4, 2), its corners clockwise from its top left.
        code: float32 (4, 2), the corners of the code with its white rim.
    """

    width: float
    height: float
    boxes: tuple[PrintedBox, ...]
    markers: dict[int, np.ndarray]
    code: np.ndarray


@dataclass(frozen=True)
class Code:
    """What the code on a sheet says: the session's name and the page's number."""

    session: str
    page: int

    def text(self) -> str:
        """Return the text of the QR code."""
        return f"{_CODE_FORMAT};{self.page};{self.session}"

    @classmethod
    def parse(cls, text: str) -> Code | None:
        """Return what a QR code's text says, or None if it is none of ours."""
        fields = text.split(";", 2)
        if len(fields) != 3 or fields[0] != _CODE_FORMAT or not fields[1].isascii() or not fields[1].isdigit():
            return None
        return cls(fields[2], int(fields[1]))


@cache
def sheet_layout(paper: str) -> Layout:
    """Return the layout of "a4" or "letter" paper.

    Raises:
        KeyError: if there is no such paper.
    """
    width, height = PAPERS[paper]
    left, right = _MARGIN, width - _MARGIN - MARKER_SIDE
    top, bottom = _MARGIN, height - _MARGIN - MARKER_SIDE
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    first = 4 * list(PAPERS).index(paper)
    markers = {first + place: _square(x, y, MARKER_SIDE) for place, (x, y) in enumerate(corners)}
    code = _square(right - 6 - _CODE_SIDE, top - 2, _CODE_SIDE)
    return Layout(width, height, tuple(_boxes(width, height)), markers, code)


def _square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float32)


def _boxes(width: float, height: float) -> list[PrintedBox]:
    left, top = _MARGIN + _SIDE_ROOM, _HEAD
    step_x = (width - 2 * left + _GAP_X) / COLUMNS
    step_y = (height - _FOOT - top + _GAP_Y) / CLASSES
    return [
        PrintedBox(label, column, left + column * step_x, top + label * step_y, step_x - _GAP_X, step_y - _GAP_Y)
        for label in range(CLASSES)
        for column in range(COLUMNS)
    ]


def paper_of_marker(marker: int) -> str | None:
    """Return the paper whose corner marker has this id, or None."""
    return next((paper for paper in PAPERS if marker in sheet_layout(paper).markers), None)


def draw_page(paper: str, code: Code) -> Figure:
    """Return the sheet as a figure of exactly the paper's size."""
    layout = sheet_layout(paper)
    figure = Figure(figsize=(layout.width * _MM, layout.height * _MM), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, layout.width)
    axes.set_ylim(layout.height, 0)
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    for marker, corners in layout.markers.items():
        side = dictionary.markerSize + 2  # with the black rim
        _add_modules(axes, cv2.aruco.generateImageMarker(dictionary, marker, side), corners)
    qr = cv2.QRCodeEncoder.Params()
    qr.correction_level = cv2.QRCodeEncoder_CORRECT_LEVEL_M
    _add_modules(axes, cv2.QRCodeEncoder.create(qr).encode(code.text()), layout.code)
    style = {"fill": False, "edgecolor": GUIDE, "linewidth": LINE_WIDTH * _POINTS, "joinstyle": "miter"}
    for box in layout.boxes:
        axes.add_patch(Rectangle((box.x, box.y), box.w, box.h, **style))
    _add_texts(axes, layout, code)
    return figure


def pages_as_pdf(paper: str, codes: Sequence[Code]) -> bytes:
    """Return a PDF with one sheet a code; the same arguments always give the same bytes."""
    buffer = io.BytesIO()
    fonts = rcParams["pdf.fonttype"]
    try:
        rcParams["pdf.fonttype"] = 42  # so that names can be searched and copied
        with warnings.catch_warnings(), PdfPages(buffer, metadata=_ABOUT) as pdf:
            warnings.filterwarnings("ignore", "Glyph")  # a name in a script the font lacks: the code still has it
            for code in codes:
                FigureCanvasPdf(draw_page(paper, code)).print_pdf(pdf)
    finally:
        rcParams["pdf.fonttype"] = fonts
    return buffer.getvalue()


def _add_modules(axes, modules: np.ndarray, corners: np.ndarray) -> None:
    """Draw modules uint8 (N, N), 0 for black, into a square: as shapes, because viewers smooth small pictures."""
    side = (corners[1, 0] - corners[0, 0]) / len(modules)
    left, top = corners[0]
    shapes = []
    for row, values in enumerate(modules):
        edges = np.flatnonzero(np.diff((values == 0).astype(np.int8), prepend=0, append=0))
        for start, end in edges.reshape(-1, 2):
            x, y = left + start * side, top + row * side
            # Over the row below only where that is black too, so that no module grows.
            below = row + 1 < len(modules) and not modules[row + 1, start:end].any()
            right, bottom = left + end * side, y + side + (_OVERLAP if below else 0)
            shapes.append([(x, y), (right, y), (right, bottom), (x, bottom)])
    axes.add_collection(PolyCollection(shapes, facecolor="black", edgecolor="none", linewidth=0))


def _fitting(session: str, page: str, size: float, room: float) -> str:
    """Return the session's name and the page, the name cut where both would be wider than `room` mm."""
    shown = session
    while len(shown) > 1 and TextPath((0, 0), f"{shown}{page}", size=size).get_extents().width > room:
        shown = f"{shown.rstrip('…')[:-1].rstrip()}…"
    return f"{shown}{page}"


def _add_texts(axes, layout: Layout, code: Code) -> None:
    def write(x: float, y: float, text: str, size: float, **style) -> None:
        axes.text(x, y, text, fontsize=size * _POINTS, va="center", **style)

    left = _MARGIN + MARKER_SIDE + 5
    write(left, 13, "Digits", 5.0, weight="bold")
    room = 0.92 * (float(layout.code[0, 0]) - left)  # coarse screens and printers write wider than the outlines are
    write(left, 19, _fitting(code.session, f"  ·  p. {code.page}", 3.4, room), 3.4)
    write(left, 25, "In each box the digit of its row, with any pen. Photograph the whole sheet,", 2.7)
    write(left, 28.6, "all four black squares. A slip? Cross the box out, corner to corner: X.", 2.7)
    foot = layout.height - 19.5
    write(left, foot, "En cada casilla la cifra de su fila, con cualquier bolígrafo. Fotografía la hoja entera,", 2.7)
    write(left, foot + 3.6, "los cuatro cuadrados negros. ¿Un error? Tacha la casilla de esquina a esquina: X.", 2.7)
    for box in layout.boxes[::COLUMNS]:
        for x in (_MARGIN + 2.5, layout.width - _MARGIN - 2.5):
            write(x, box.y + box.h / 2, str(box.label), 6.0, color=_HINT, ha="center")
