"""Tables and sudokus with digits in their cells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digits.rendering.frames.canvas import Mark
from digits.rendering.frames.lines import (
    box_sides,
    cover,
    draw,
    drawn_lines,
    printed_lines,
    random_bend,
    shade_box,
    thicker,
)
from digits.rendering.frames.sheet import Sheet, random_pens
from digits.rendering.frames.writers import Writer, random_writer
from digits.rendering.frames.writing import log_uniform

Pen = tuple[Writer, Mark]
_INKED = 100  # of 255
# Few words, so that their shapes stay in the bank; none that can be read as digits.
WORDS = ("Name", "Total", "Date", "Summe", "Anzahl", "Preis", "Tag", "Monat", "Mo", "Di", "Code", "Team", "Fecha",
         "Nombre", "Suma", "Curso", "Week", "Year", "Score", "Price", "Amount", "Number", "Phone", "Class", "Notes",
         "Artikel", "Menge", "A", "C", "E", "F", "K", "M", "N", "R", "kg", "cm", "x", "n", "Sum:", "Tel.", "Ort")


def number(sheet: Sheet, labels: Sequence[int], x: float, y: float, height: float, pen: Pen, close: float) -> None:
    """Write a number with its middle at (x, y); `close`: gap between its digits as a share of their height."""
    writer, mark = pen
    masks, widths = [], []
    for label in labels:
        mask = sheet.shapes.digit(int(label), height * float(np.exp(0.06 * sheet.rng.standard_normal())), writer,
                                  sheet.rng)
        columns = np.flatnonzero(mask.max(0) > _INKED)
        left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, mask.shape[1])
        masks.append((mask, left))
        widths.append(right - left)
    gaps = close * height * sheet.rng.uniform(0.4, 1.6, len(widths))
    at = x - (sum(widths) + gaps[1:].sum()) / 2
    for (mask, left), label, width, gap in zip(masks, labels, widths, gaps, strict=True):
        down = y + 0.04 * height * sheet.rng.standard_normal() - mask.shape[0] / 2
        sheet.put_digit(mask, int(label), at - left, down, height, mark)
        at += width + gap


def word(sheet: Sheet, x: float, y: float, height: float, width: float, pen: Pen) -> None:
    """Write or print a word or letter, no digit, at most about `width` pixels wide, with its middle at (x, y)."""
    writer, mark = pen
    if writer.source == "print":
        text = WORDS[sheet.rng.integers(len(WORDS))]
        sign = sheet.shapes.text(text, min(0.8 * height, 1.5 * width / len(text)), writer, sheet.rng)
    else:
        sign = sheet.shapes.sign(min(height * log_uniform(sheet.rng, 0.6, 1.4), width), writer, sheet.rng, 0.0)
    sheet.put_other(sign, x, y, mark)


def print_pen(sheet: Sheet) -> Pen:
    """Return a printer in one font with dark ink (light on dark grounds)."""
    rng = sheet.rng
    tone = float(rng.uniform(0.03, 0.35) if sheet.tone > 0.45 else rng.uniform(0.7, 1.0))
    return random_writer(rng, printed=1.0), Mark(tone, float(rng.uniform(0.6, 1.0)))


def edges(rng: np.random.Generator, extent: float, size: float, most: int, uneven: float) -> np.ndarray:
    """Return where the lines between cells of about `size` pixels lie, float (n + 1,); part may be out of sight."""
    count = int(rng.integers(max(1, most // 3), most + 1))
    sizes = size * np.exp(uneven * rng.standard_normal(count))
    room = extent - sizes.sum()
    first = rng.uniform(min(room, 0) - 0.3 * size, max(room, 0) + 0.3 * size)
    return first + np.concatenate([[0], np.cumsum(sizes)])


def table(sheet: Sheet) -> None:
    """Draw or print a table and fill its cells: digits, numbers, words, nothing; often with a header."""
    rng = sheet.rng
    tall = log_uniform(rng, 8, 95)
    pens = random_pens(sheet, printed=0.15)
    lines = printed_lines(sheet, tall) if rng.random() < 0.5 else drawn_lines(sheet, tall, pens[0][1])
    uneven = rng.choice([0.0, 0.15, 0.4])
    wide = tall * log_uniform(rng, 0.95, 4.5)
    xs = edges(rng, sheet.size[0], wide, int(np.clip(sheet.size[0] / wide + 2, 2, 9)), uneven)
    high = tall * log_uniform(rng, 0.95, 2.4)
    ys = edges(rng, sheet.size[1], high, int(np.clip(sheet.size[1] / high + 2, 2, 70 / len(xs))), 0.5 * uneven)
    header = _headers(sheet, xs, ys) if rng.random() < 0.5 else (0, 0, None)
    draw(sheet, lines, _table_lines(rng, xs, ys))
    if rng.random() < 0.25:
        draw(sheet, thicker(lines, rng.uniform(1.5, 3)), box_sides(xs[0], ys[0], xs[-1], ys[-1]))
    loose, close = rng.uniform(0.02, 0.25), rng.uniform(-0.05, 0.3)
    kinds = rng.choice(4, len(xs) - 1, p=[0.5, 0.3, 0.12, 0.08])
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            cell = xs[column], ys[row], xs[column + 1], ys[row + 1]
            if row < header[0] or column < header[1]:
                _header_cell(sheet, cell, tall, header[2])
            else:
                kind = kinds[column] if rng.random() < 0.85 else rng.choice(4, p=[0.35, 0.15, 0.2, 0.3])
                _cell(sheet, cell, tall, kind, pens[rng.integers(len(pens))], loose, close)


def _table_lines(rng: np.random.Generator, xs: np.ndarray, ys: np.ndarray) -> list:
    across = [((xs[0], y), (xs[-1], y)) for y in ys]
    down = [((x, ys[0]), (x, ys[-1])) for x in xs]
    style = rng.random()
    if style < 0.08 and len(ys) > 2:
        return across  # as in printed reports
    if style < 0.16:  # open at the sides
        return across[1:-1] + down[1:-1] if len(across) > 2 and len(down) > 2 else across + down
    return across + down


def _headers(sheet: Sheet, xs: np.ndarray, ys: np.ndarray) -> tuple[int, int, Pen]:
    """Shade a header row, column or both; return how many of each, and who writes there."""
    rng = sheet.rng
    rows, columns = ((1, 0), (0, 1), (1, 1))[rng.integers(3)]
    pen = print_pen(sheet)
    factor = float(rng.choice([1.0, rng.uniform(0.65, 0.95), rng.uniform(0.08, 0.35)], p=[0.3, 0.5, 0.2]))
    if sheet.tone < 0.45:
        factor = 1.0
    if factor < 0.5:
        pen = pen[0], Mark(float(rng.uniform(0.8, 1.0)), float(rng.uniform(0.8, 1.0)))
    if rows:
        shade_box(sheet, xs[0], ys[0], xs[-1], ys[1], factor)
    if columns:
        shade_box(sheet, xs[0], ys[rows], xs[1], ys[-1], factor)
    return rows, columns, pen


def _header_cell(sheet: Sheet, cell, tall: float, pen: Pen) -> None:
    rng, (left, top, right, bottom) = sheet.rng, cell
    x, y = (left + right) / 2, (top + bottom) / 2
    height = min(tall * rng.uniform(0.5, 0.9), 0.7 * (bottom - top))
    if not in_sight(sheet, x, y, right - left):
        return
    if rng.random() < 0.75 or height < 8:
        word(sheet, x, y, height, 0.85 * (right - left), pen)
    else:
        number(sheet, rng.integers(0, 10, 1 if right - left < 2 * height else 2), x, y, height, pen, 0.1)


def _cell(sheet: Sheet, cell, tall: float, kind: int, pen: Pen, loose: float, close: float) -> None:
    """Fill a cell with a digit (0), a number (1), a word (2) or nothing (3)."""
    rng, (left, top, right, bottom) = sheet.rng, cell
    x, y = (left + right) / 2, (top + bottom) / 2
    x += loose * (right - left) * float(np.clip(rng.standard_normal(), -2, 2))
    y += 0.5 * loose * (bottom - top) * float(np.clip(rng.standard_normal(), -2, 2))
    if kind == 3 or not in_sight(sheet, x, y, right - left):
        return
    height = tall * float(np.exp(0.08 * rng.standard_normal()))
    if kind == 2:
        word(sheet, x, y, 0.9 * height, 0.9 * (right - left), pen)
        return
    room = max(1, int((right - left) / (0.45 * height)))
    count = 1 if kind == 0 else min(room, int(rng.integers(2, 5)))
    height = max(8.0, min(height, 1.7 * (right - left) / count))
    number(sheet, rng.integers(0, 10, count), x, y, height, pen, close)


def in_sight(sheet: Sheet, x: float, y: float, reach: float) -> bool:
    """Return whether a point lies on the sheet or at most `reach` pixels beside it."""
    return -reach < x < sheet.size[0] + reach and -reach < y < sheet.size[1] + reach


def sudoku(sheet: Sheet) -> None:
    """Print a sudoku, all or part of it in sight, and solve some of it in one hand."""
    rng, side = sheet.rng, min(sheet.size)
    cell = log_uniform(rng, 20, 90)
    tall = max(9.0, cell * rng.uniform(0.5, 0.8))
    if rng.random() < 0.35:  # newspaper
        sheet.canvas.paper *= np.float32(rng.uniform(0.7, 0.95))
    room = np.array(sheet.size) - 9 * cell
    first = rng.uniform(np.minimum(room, 0) - 0.1 * side, np.maximum(room, 0) + 0.1 * side)
    bend = random_bend(rng, sheet.size)
    _shade_cells(sheet, first, cell)
    lines = printed_lines(sheet, tall) if rng.random() < 0.85 else drawn_lines(sheet, 0.5 * tall)
    lines = replace(lines, thickness=min(lines.thickness, 3.0), double=0.0, bend=bend)
    ends = [(first + (0, k * cell), first + (9 * cell, k * cell)) for k in range(10)]
    ends += [(first + (k * cell, 0), first + (k * cell, 9 * cell)) for k in range(10)]
    draw(sheet, lines, ends)
    thick = thicker(lines, rng.uniform(1.3, 4))
    draw(sheet, replace(thick, mark=Mark(thick.mark.tone, min(1.0, thick.mark.opacity * 2))),
         [end for k, end in enumerate(ends) if k % 10 % 3 == 0])
    _solve(sheet, first, cell, tall, bend)


def _shade_cells(sheet: Sheet, first: np.ndarray, cell: float) -> None:
    """Shade single cells, or every second block."""
    rng, style, factor = sheet.rng, sheet.rng.random(), sheet.rng.uniform(0.7, 0.95)
    if style < 0.12:
        for block in range(0, 9, 2):
            left, top = first + 3 * cell * np.array(divmod(block, 3))
            shade_box(sheet, left, top, left + 3 * cell, top + 3 * cell, factor)
    elif style < 0.3:
        for _ in range(int(rng.integers(1, 12))):
            left, top = first + cell * rng.integers(0, 9, 2)
            shade_box(sheet, left, top, left + cell, top + cell, factor)


def _solve(sheet: Sheet, first: np.ndarray, cell: float, tall: float, bend) -> None:
    rng = sheet.rng
    printer, (writer, mark) = print_pen(sheet), random_pens(sheet, printed=0.0)[0]
    given, done = rng.uniform(0.25, 0.6), rng.uniform(0, 1) if rng.random() < 0.6 else 1.0
    by_hand = tall * rng.uniform(0.75, 1.2)
    notes = rng.random() < 0.25
    for x, y in bend(first + cell * (0.5 + np.indices((9, 9)).reshape(2, -1).T)):
        if not in_sight(sheet, x, y, 0.3 * cell):
            continue
        label = int(rng.integers(1, 10))
        if rng.random() < given:
            sheet.write(label, x, y, tall, *printer)
            continue
        if rng.random() < done:
            jitter = 0.07 * cell * np.clip(rng.standard_normal(2), -2, 2)
            sheet.write(label, x + jitter[0], y + jitter[1], by_hand, writer, mark)
            if rng.random() < 0.03:
                _smudge(sheet, x, y, cell)
        elif notes:
            _notes(sheet, x, y, cell, writer, mark)


def _notes(sheet: Sheet, x: float, y: float, cell: float, writer: Writer, mark: Mark) -> None:
    """Write one to three small digits into a cell's corners; below 8 pixels they count as other writing."""
    height = cell * sheet.rng.uniform(0.2, 0.32)
    small = replace(writer, line=min(writer.line, 0.12))
    for corner in sheet.rng.permutation(4)[: sheet.rng.integers(1, 4)]:
        at = x + (corner % 2 - 0.5) * 0.55 * cell, y + (corner // 2 - 0.5) * 0.55 * cell
        label = int(sheet.rng.integers(1, 10))
        if height >= 8:
            sheet.write(label, *at, height, small, mark)
        else:
            sheet.put_other(sheet.shapes.digit(label, height, small, sheet.rng), *at, mark)


def _smudge(sheet: Sheet, x: float, y: float, cell: float) -> None:
    """Rub grey over a spot, as a finger or an eraser does."""
    rng = sheet.rng
    spots = [(x, y) + 0.2 * cell * rng.standard_normal((6, 2)).cumsum(0)]
    cover(sheet, spots, 0.3 * cell, Mark(float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.05, 0.25)), 0.8))
