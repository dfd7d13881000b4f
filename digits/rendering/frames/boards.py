"""Whiteboards and blackboards: what is written on them, what was wiped, and what hangs beside it."""

import cv2
import numpy as np

from digits.rendering.frames import writing
from digits.rendering.frames.canvas import Mark, cover_paper
from digits.rendering.frames.grids import number
from digits.rendering.frames.lines import Lines, draw, drawn_lines, stroke_mask
from digits.rendering.frames.sheet import Sheet, random_pens
from digits.rendering.frames.writing import log_uniform


def whiteboard(sheet: Sheet) -> None:
    """Write on a whiteboard with ghosts of what was wiped, brackets and arrows, magnets, its frame, glare."""
    rng = sheet.rng
    if rng.random() < 0.6:
        sheet.canvas.paper *= np.float32(rng.uniform(0.6, 1.0))  # boards look grey beside lamps and windows
    if rng.random() < 0.5:
        _ghosts(sheet)
    _write(sheet)
    if rng.random() < 0.45:
        _pointers(sheet)
    if rng.random() < 0.35:
        _frame(sheet)
    if rng.random() < 0.35:
        _magnets(sheet)
    if rng.random() < 0.5:
        _glare(sheet)


def chalkboard(sheet: Sheet) -> None:
    """Write on a blackboard with chalk dust, wiped places and, seldom, squares."""
    rng = sheet.rng
    for _ in range(int(rng.integers(0, 4))):
        _wiped(sheet)
    if rng.random() < 0.3:
        _ghosts(sheet)
    if rng.random() < 0.25:
        _squares(sheet)
    _write(sheet)
    if rng.random() < 0.25:
        _pointers(sheet)
    if rng.random() < 0.2:
        _frame(sheet)


def _write(sheet: Sheet) -> None:
    kind = sheet.rng.random()
    if kind < 0.4:
        _lines_of_numbers(sheet)
    elif kind < 0.6:
        writing.sums(sheet)
    elif kind < 0.75:
        writing.rows(sheet)
    elif kind < 0.9:
        writing.scattered(sheet)
    else:
        writing.words(sheet)


def _lines_of_numbers(sheet: Sheet) -> None:
    """Write a few numbers, signs and words in big, uneven lines, as people do standing at a board."""
    rng, (width, height) = sheet.rng, sheet.size
    tall = log_uniform(rng, 9, 100)
    writer, mark = random_pens(sheet, printed=0.0)[0]
    left, y = rng.uniform(0, 0.6) * width, rng.uniform(0, 0.8) * height
    for _ in range(int(rng.integers(1, 5))):
        x = left + tall * rng.uniform(-0.5, 0.5)
        for _ in range(int(rng.integers(1, 4))):
            if x > width or len(sheet.canvas.labels) > 40:
                break
            count = int(rng.integers(1, 5))
            if rng.random() < 0.8:
                number(sheet, rng.integers(0, 10, count), x + 0.3 * count * tall, y, tall, (writer, mark),
                       rng.uniform(0.02, 0.4))
            else:
                sign = sheet.shapes.sign(tall * rng.uniform(0.7, 1.5), writer, rng, 0.0)
                sheet.put_other(sign, x + 0.3 * count * tall, y, mark)
            x += tall * (0.75 * count + rng.uniform(0.3, 1.5))
        y += tall * rng.uniform(1.1, 1.9)


def _ghosts(sheet: Sheet) -> None:
    """Leave the smeared remains of words and drawings, and the broad traces of the cloth: nothing that can be read."""
    rng = sheet.rng
    tall = log_uniform(rng, 15, 110)
    smear = int(np.clip(tall * rng.uniform(0.2, 0.5), 7, 41))
    kernel = np.zeros((smear, smear), np.float32)
    cv2.line(kernel, (0, int(rng.integers(smear))), (smear - 1, int(rng.integers(smear))), 1.0, 2)
    kernel /= kernel.sum()
    writer, _ = random_pens(sheet, printed=0.0)[0]
    mask = np.zeros(sheet.canvas.paper.shape, np.uint8)
    for _ in range(int(rng.integers(1, 8))):
        sign = sheet.shapes.sign(tall * rng.uniform(0.6, 1.5), writer, rng, 0.0)
        x, y = (int(rng.integers(0, max(1, extent - side))) for extent, side in zip(
            sheet.size, sign.shape[::-1], strict=True))
        part = mask[y : y + sign.shape[0], x : x + sign.shape[1]]
        np.maximum(part, sign[: part.shape[0], : part.shape[1]], out=part)
    mask = cv2.filter2D(mask, -1, kernel)
    tone = 0.9 if sheet.ground == "board" else float(rng.uniform(0.1, 0.5))
    mark = Mark(tone, float(rng.uniform(0.1, 0.45)), float(rng.uniform(0, 0.6)))
    cover_paper(sheet.canvas.paper, mask, mark, rng)


def _wiped(sheet: Sheet) -> None:
    """Wipe over the board: broad bands of dust."""
    rng, size = sheet.rng, (sheet.size[0] // 4, sheet.size[1] // 4)
    band = np.zeros(size[::-1], np.float32)
    points = np.cumsum(rng.uniform(-0.5, 0.5, (6, 2)), axis=0) * size + rng.uniform(0, 1, 2) * size
    cv2.polylines(band, [points.astype(np.int32)], False, 1.0, int(rng.integers(3, max(4, size[0] // 4))))
    band = cv2.resize(cv2.GaussianBlur(band, (0, 0), float(rng.uniform(0.7, 4))), sheet.size)
    sheet.canvas.paper += band * np.float32(rng.uniform(-0.03, 0.12))
    np.clip(sheet.canvas.paper, 0, 1, out=sheet.canvas.paper)


def _squares(sheet: Sheet) -> None:
    pitch, (width, height) = log_uniform(sheet.rng, 20, 110), sheet.size
    thickness = float(np.clip(0.03 * pitch, 1, 3))
    lines = Lines(Mark(0.8, float(sheet.rng.uniform(0.1, 0.5)), 0.4), thickness)
    down = [((x, 0), (x, height)) for x in np.arange(sheet.rng.uniform(0, pitch), width, pitch)]
    draw(sheet, lines, [((0, y), (width, y)) for y in np.arange(sheet.rng.uniform(0, pitch), height, pitch)] + down)


def _frame(sheet: Sheet) -> None:
    """Show the board's edge at a side where nothing is written: frame, wall, now and then a tray with markers."""
    rng, width = sheet.rng, int(sheet.rng.integers(4, 26))
    for _ in range(5):
        side, share = int(rng.integers(4)), rng.uniform(0.75, 0.97)
        paper, ink = np.rot90(sheet.canvas.paper, side), np.rot90(sheet.canvas.ink, side)  # views: the edge is below
        edge = int(len(paper) * share)
        if not ink[edge - 2 :].any():
            break
    else:
        return
    profile = np.float32(rng.uniform(0.2, 0.85)) * (1 + 0.25 * np.sin(np.linspace(0, rng.uniform(2, 9), width)))
    rows = paper[edge : edge + width]
    rows[...] = np.clip(profile[: len(rows), None], 0, 1)
    paper[edge + width :] = np.float32(rng.uniform(0.1, 0.95))
    if side == 0 and rng.random() < 0.5:
        _markers(sheet, edge)


def _markers(sheet: Sheet, edge: int) -> None:
    """Lay markers onto the tray at the board's lower edge."""
    rng = sheet.rng
    for _ in range(int(rng.integers(1, 4))):
        x, thick = rng.uniform(0, sheet.size[0]), rng.uniform(4, 11)
        y = edge + 0.3 * thick
        draw(sheet, Lines(Mark(float(rng.uniform(0.05, 0.9))), thick), [((x, y), (x + thick * rng.uniform(7, 11), y))])


def _magnets(sheet: Sheet) -> None:
    rng, radius = sheet.rng, float(sheet.rng.uniform(5, 26))
    for _ in range(int(rng.integers(1, 4))):
        reach = int(radius) + 3
        mask = np.zeros((2 * reach, 2 * reach), np.uint8)
        cv2.circle(mask, (reach, reach), int(radius), 255, -1, cv2.LINE_AA)
        x, y = (rng.uniform(0, 1, 2) * sheet.size).astype(int)
        window = np.s_[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach]
        if any(left - reach < x < right + reach and top - reach < y < bottom + reach
               for left, top, right, bottom in sheet.canvas.boxes + sheet.canvas.others):
            continue
        part = mask[max(0, reach - y) :, max(0, reach - x) :]
        paper = sheet.canvas.paper[window]
        cover_paper(paper, part[: paper.shape[0], : paper.shape[1]], Mark(float(rng.uniform(0.05, 0.75))), rng)


def _pointers(sheet: Sheet) -> None:
    """Set brackets, corner marks or arrows beside some of the digits."""
    rng, canvas = sheet.rng, sheet.canvas
    if not canvas.boxes:
        return
    found = np.array(canvas.boxes)
    middle = found[rng.integers(len(found))]
    tall = max(8.0, float(middle[3] - middle[1]))
    near = found[np.abs(found[:, :2] - middle[:2]).max(1) < tall * rng.uniform(1, 6)]
    left, top = near[:, :2].min(0) - tall * rng.uniform(0.2, 0.6)
    right, bottom = near[:, 2:].max(0) + tall * rng.uniform(0.2, 0.6)
    arm = tall * rng.uniform(0.3, 0.8)
    kinds = {
        "brackets": [[(left + arm, top), (left, top), (left, bottom), (left + arm, bottom)],
                     [(right - arm, top), (right, top), (right, bottom), (right - arm, bottom)]],
        "corners": [[(left, top + arm), (left, top), (left + arm, top)],
                    [(right - arm, top), (right, top), (right, top + arm)],
                    [(left, bottom - arm), (left, bottom), (left + arm, bottom)],
                    [(right - arm, bottom), (right, bottom), (right, bottom - arm)]],
    }
    lines = drawn_lines(sheet, tall, sheet.random_mark())
    shapes = kinds["brackets" if rng.random() < 0.5 else "corners"] if rng.random() < 0.65 else []
    for shape in shapes:
        if rng.random() < 0.8:
            mask, *at = stroke_mask([np.array(shape) + lines.wobble * rng.standard_normal((len(shape), 2))],
                                    lines.thickness)
            sheet.put_other(mask, *at, lines.mark)
    if not shapes:
        _arrow(sheet, np.array([left, (top + bottom) / 2]), tall, lines)


def _arrow(sheet: Sheet, tip: np.ndarray, tall: float, lines: Lines) -> None:
    angle = np.pi + sheet.rng.uniform(-0.8, 0.8)
    shaft = tip + tall * sheet.rng.uniform(1, 3) * np.array([np.cos(angle), np.sin(angle)])
    barbs = [tip + 0.35 * tall * np.array([np.cos(angle + turn), np.sin(angle + turn)]) for turn in (-0.5, 0.5)]
    mask, *at = stroke_mask([np.array([shaft, tip]), np.array([barbs[0], tip, barbs[1]])], lines.thickness)
    sheet.put_other(mask, *at, lines.mark)


def _glare(sheet: Sheet) -> None:
    """Mirror lamps in the board: soft bright streaks that wash strokes out, though never altogether."""
    rng, size = sheet.rng, (sheet.size[0] // 4, sheet.size[1] // 4)
    streaks = np.zeros(size[::-1], np.float32)
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    for _ in range(int(rng.integers(1, 4))):
        centre, reach = rng.uniform(0, 1, 2) * size, size[0] * rng.uniform(0.2, 1)
        ends = np.array([centre - reach * along, centre + reach * along]).astype(np.int32)
        cv2.line(streaks, ends[0].tolist(), ends[1].tolist(), 1.0, int(rng.integers(2, 16)))
    streaks = cv2.resize(cv2.GaussianBlur(streaks, (0, 0), float(rng.uniform(0.6, 5))), sheet.size)
    sheet.canvas.paper += np.float32(rng.uniform(0.1, 0.6)) * streaks * (1 - sheet.canvas.paper)
