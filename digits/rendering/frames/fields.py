"""Digits in the fields of forms, in boxes and circles, and on squared, ruled and dotted paper."""

from dataclasses import replace

import cv2
import numpy as np

from digits.rendering.frames.canvas import Mark
from digits.rendering.frames.grids import Pen, in_sight, number, print_pen, word
from digits.rendering.frames.lines import (
    Lines,
    box_sides,
    cover,
    draw,
    drawn_lines,
    line_mark,
    printed_lines,
    random_bend,
    rounded,
    shade_box,
    stroke_mask,
)
from digits.rendering.frames.sheet import Sheet, random_pens
from digits.rendering.frames.writing import log_uniform

_MOST = 40  # digits on one sheet, for speed


def form(sheet: Sheet) -> None:
    """Print a form: labels, combs of boxes, underlines, check boxes; and fill some of it in by hand."""
    rng = sheet.rng
    tall = log_uniform(rng, 8, 85)
    printer, pen = print_pen(sheet), random_pens(sheet, printed=0.08)[0]
    lines = printed_lines(sheet, tall)
    lines = replace(lines, thickness=min(lines.thickness, 0.08 * tall + 1))
    if rng.random() < 0.3:
        sheet.canvas.paper *= np.float32(rng.uniform(0.75, 0.95))
    style = rng.choice(len(_COMBS), p=_COMB_SHARES)
    height, share = tall * rng.uniform(1.05, 1.9), rng.uniform(0.6, 1.1)
    text = max(5.0, tall * rng.uniform(0.3, 0.8))
    y, left = rng.uniform(0, 1.5) * height, rng.uniform(-0.1, 0.4) * sheet.size[0]
    while y < sheet.size[1] + 0.5 * height and len(sheet.canvas.labels) < _MOST:
        x = left + rng.uniform(0, 0.1) * sheet.size[0] * (rng.random() < 0.3)
        while x < sheet.size[0]:
            if rng.random() < 0.6:
                width = text * rng.uniform(2, 5)
                word(sheet, x + width / 2, y, text, width, printer)
                x += width + 0.6 * text
            x = _field(sheet, x, y, (height * share, height), tall, lines, style, pen) + height * rng.uniform(0.3, 1.5)
            if rng.random() < 0.5:
                break
        y += height * rng.uniform(1.1, 2.2)
        if rng.random() < 0.3:
            y = _small_print(sheet, y, tall, printer)


def _small_print(sheet: Sheet, y: float, tall: float, printer: Pen) -> float:
    rng, size = sheet.rng, max(5.0, tall * sheet.rng.uniform(0.2, 0.5))
    x = rng.uniform(0, 0.2) * sheet.size[0]
    for _ in range(int(rng.integers(2, 9))):
        width = size * rng.uniform(2, 5)
        word(sheet, x + width / 2, y, size, width, printer)
        x += width + size
    return y + 1.5 * size + 0.6 * tall


def _field(sheet: Sheet, x: float, y: float, box: tuple[float, float], tall: float, lines: Lines, style: int,
           pen: Pen) -> float:
    """Print a field from x on and fill it in; return where it ends."""
    rng, (width, height), kind = sheet.rng, box, sheet.rng.random()
    if kind < 0.12:
        return _check_boxes(sheet, x, y, tall, lines, pen)
    count = int(rng.integers(3, 11)) if rng.random() < 0.75 else int(rng.integers(1, 4))
    count = max(1, min(count, int((sheet.size[0] - x) / width) + 2))
    top, bottom, right = y - height / 2, y + height / 2, x + count * width
    filled = rng.choice([0.0, 0.5, 1.0], p=[0.12, 0.28, 0.6])
    if kind < 0.3:  # an underline, or dots to write on
        dash = max(2.0, 0.08 * tall) if rng.random() < 0.3 else 0.0
        draw(sheet, replace(lines, dash=dash, double=0.0), [((x, bottom), (right, bottom))])
        if filled:
            number(sheet, rng.integers(0, 10, count), (x + right) / 2, bottom - tall * rng.uniform(0.4, 0.75),
                   min(tall, 1.4 * width), pen, rng.uniform(0, 0.3))
        return right
    if rng.random() < 0.15:
        shade_box(sheet, x, top, right, bottom, rng.uniform(0.8, 1.25))
    _COMBS[style](sheet, lines, x, y, width, height, count)
    loose = rng.uniform(0.02, 0.2)
    for place in range(count):
        middle = x + (place + 0.5) * width
        if rng.random() < filled and in_sight(sheet, middle, y, 0.3 * width):
            jitter = loose * np.clip(rng.standard_normal(2), -2, 2) * (width, 0.6 * height)
            sheet.write(int(rng.integers(10)), middle + jitter[0], y + jitter[1], tall * rng.uniform(0.9, 1.1), *pen)
    return right


def _touching(sheet: Sheet, lines: Lines, x: float, y: float, width: float, height: float, count: int) -> None:
    top, bottom, right = y - height / 2, y + height / 2, x + count * width
    walls = [((x + k * width, top), (x + k * width, bottom)) for k in range(count + 1)]
    draw(sheet, lines, [((x, top), (right, top)), ((x, bottom), (right, bottom)), *walls])


def _apart(sheet: Sheet, lines: Lines, x: float, y: float, width: float, height: float, count: int) -> None:
    gap = 0.08 * width
    draw(sheet, lines, [side for k in range(count) for side in box_sides(
        x + k * width + gap, y - height / 2, x + (k + 1) * width - gap, y + height / 2)])


def _dashed(sheet: Sheet, lines: Lines, x: float, y: float, width: float, height: float, count: int) -> None:
    dash = max(2.0, height * sheet.rng.uniform(0.04, 0.12))
    whole = _touching if sheet.rng.random() < 0.7 else _apart
    whole(sheet, replace(lines, dash=dash, double=0.0, thickness=min(lines.thickness, 2.0)), x, y, width, height, count)


def _double(sheet: Sheet, lines: Lines, x: float, y: float, width: float, height: float, count: int) -> None:
    _touching(sheet, replace(lines, double=lines.thickness + max(2.0, 0.06 * height)), x, y, width, height, count)


def _toothed(sheet: Sheet, lines: Lines, x: float, y: float, width: float, height: float, count: int) -> None:
    bottom, tooth = y + height / 2, height * sheet.rng.uniform(0.15, 0.4)
    teeth = [((x + k * width, bottom - tooth), (x + k * width, bottom)) for k in range(count + 1)]
    draw(sheet, replace(lines, double=0.0), [((x, bottom), (x + count * width, bottom)), *teeth])


_COMBS = (_touching, _apart, _dashed, _double, _toothed)
_COMB_SHARES = (0.38, 0.22, 0.18, 0.1, 0.12)


def _check_boxes(sheet: Sheet, x: float, y: float, tall: float, lines: Lines, pen: Pen) -> float:
    """Print boxes to tick, with a tick, a cross or nothing."""
    rng, side, (writer, mark) = sheet.rng, tall * sheet.rng.uniform(0.5, 1.0), pen
    for _ in range(int(rng.integers(1, 4))):
        draw(sheet, replace(lines, double=0.0), box_sides(x, y - side / 2, x + side, y + side / 2))
        kind = rng.random()
        unit = {True: [[(-0.5, 0.0), (-0.2, 0.5), (0.6, -0.6)]],
                False: [[(-0.5, -0.5), (0.5, 0.5)], [(-0.5, 0.5), (0.5, -0.5)]]}[kind < 0.35]
        if kind < 0.7:
            strands = [np.array(part) * side * rng.uniform(0.7, 1.3) + 0.06 * side * rng.standard_normal(
                (len(part), 2)) + (x + side / 2, y) for part in unit]
            mask, *middle = stroke_mask(strands, max(1.0, max(writer.line, 0.05) * tall))
            sheet.put_other(mask, *middle, mark)
        x += side * rng.uniform(1.4, 3)
    return x


def boxes(sheet: Sheet) -> None:
    """Put digits and numbers into single boxes, rounded boxes and circles, or underline them."""
    rng = sheet.rng
    tall = log_uniform(rng, 8, 100)
    pens = random_pens(sheet, printed=0.1)
    lines = drawn_lines(sheet, tall, pens[0][1]) if rng.random() < 0.65 else printed_lines(sheet, tall)
    faint = sheet.contrast < 0.2  # a strong circle round a faint digit reads as 0
    lines = replace(lines, missing=0.0, mark=pens[0][1] if faint else lines.mark)
    room, shape = rng.uniform(0.02, 0.7), int(rng.integers(5))
    aligned = rng.random() < 0.4
    empty = 0.07 + (rng.uniform(0.1, 0.9) if rng.random() < 0.3 else 0.0)  # boxes that nobody has written into yet
    if rng.random() < 0.15:
        lines = replace(lines, dash=max(2.0, tall * rng.uniform(0.04, 0.12)), double=0.0)
    taken: list[tuple[float, float, float, float]] = []
    step = tall * rng.uniform(2.2, 3.5)
    for _ in range(int(rng.integers(1, min(40, 4 + sheet.size[0] * sheet.size[1] / step**2)))):
        count = 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
        half = tall * np.array([0.32 * count + room * rng.uniform(0.5, 1), 0.5 + 0.8 * room * rng.uniform(0.5, 1)])
        x, y = rng.uniform(0, 1, 2) * sheet.size
        if aligned:
            x, y = x, round(y / step) * step + 0.5 * step
        if any(abs(x - a) < 1.05 * (half[0] + w) and abs(y - b) < 1.05 * (half[1] + h) for a, b, w, h in taken):
            continue
        taken.append((x, y, *half))
        one = shape if rng.random() < 0.85 else int(rng.integers(5))
        _frame(sheet, lines, one, (x - half[0], y - half[1], x + half[0], y + half[1]))
        pen = pens[rng.integers(len(pens))]
        kind = rng.random()
        if kind < 0.07:
            word(sheet, x, y, 0.9 * tall, 1.6 * half[0], pen)
        elif kind > empty or one in (2, 3):  # an empty circle would be a 0
            shift = 0.06 * tall * rng.standard_normal(2)
            number(sheet, rng.integers(0, 10, count), x + shift[0], y + shift[1], tall * rng.uniform(0.85, 1.1), pen,
                   rng.uniform(-0.03, 0.15))


def _frame(sheet: Sheet, lines: Lines, shape: int, box: tuple[float, float, float, float]) -> None:
    """Draw a box (0, 1), a rounded box (2), an ellipse (3) or an underline (4), now and then shaded."""
    rng, (left, top, right, bottom) = sheet.rng, box
    if shape < 2:
        if rng.random() < 0.15:
            shade_box(sheet, *box, rng.uniform(0.7, 0.95) if sheet.tone > 0.3 else rng.uniform(1.1, 2))
        sides = box_sides(*box)
        draw(sheet, lines, sides[: 3 if lines.wobble and rng.random() < 0.08 else 4])
    elif shape < 4:
        shortest = min(right - left, bottom - top)
        radius = max(right - left, bottom - top) if shape == 3 else shortest * rng.uniform(0.1, 0.45)
        if shape == 3:  # room for the corners of what stands inside
            left, top, right, bottom = left - 0.15 * shortest, top - 0.15 * shortest, right + 0.15 * shortest, (
                bottom + 0.15 * shortest)
        outline = rounded(left, top, right, bottom, radius)
        if lines.wobble:
            outline = _by_hand(rng, outline, lines)
        if rng.random() < 0.12:
            sheet.shade(outline, rng.uniform(0.7, 0.95))
        cover(sheet, [outline], lines.thickness, lines.mark)
    else:
        draw(sheet, lines, [((left, bottom), (right, bottom))])


def _by_hand(rng: np.random.Generator, outline: np.ndarray, lines: Lines) -> np.ndarray:
    """Return an outline as a hand draws it: uneven, begun anywhere, not closed or closed twice."""
    count = len(outline)
    start, length = int(rng.integers(count)), int(count * rng.uniform(0.9, 1.15))
    outline = outline[(start + np.arange(length)) % count]
    angle = np.linspace(0, 2 * np.pi * length / count, length)
    size = 0.5 * np.ptp(outline, axis=0)
    wave = 0.05 * rng.standard_normal(2) * np.sin(angle[:, None] * rng.integers(1, 4) + rng.uniform(0, 6.3))
    drift = np.linspace(-1, 1, length)[:, None] * 1.5 * lines.wobble * rng.standard_normal(2)
    return outline + wave * size + drift


def squared(sheet: Sheet) -> None:
    """Write on squared, ruled or dotted paper, one digit a square or freely; holes, a spiral or a margin beside it."""
    rng = sheet.rng
    pitch = log_uniform(rng, 10, 95)
    bend = random_bend(rng, sheet.size)
    style = rng.choice(3, p=[0.55, 0.3, 0.15])
    phase = rng.uniform(0, pitch, 2)
    _paper_lines(sheet, pitch, phase, style, bend)
    pen = random_pens(sheet, printed=0.0)[0]
    fits = rng.random() < 0.6
    tall = pitch * rng.uniform(0.65, 1.05) if fits else log_uniform(rng, max(8, 0.6 * pitch), min(100, 4 * pitch))
    tall = max(tall, 8.0)
    lines_apart = pitch * max(1, round(1.1 * tall / pitch)) * rng.choice([1, 2], p=[0.7, 0.3])
    across = pitch * max(1, round(0.8 * tall / pitch))
    y = phase[1] + lines_apart * int(rng.integers(0, max(3, 0.7 * sheet.size[1] / lines_apart)))
    while y < sheet.size[1] + tall and len(sheet.canvas.labels) < _MOST:
        _squared_row(sheet, y, tall, across if fits and style != 1 else 0.0, phase[0], pen, bend)
        y += lines_apart
    if rng.random() < 0.3:
        _binding(sheet, pitch)


def _squared_row(sheet: Sheet, y: float, tall: float, across: float, phase: float, pen: Pen, bend) -> None:
    """Write along a line: a digit a square `across` pixels wide, or, with 0, numbers."""
    rng, low = sheet.rng, y - 0.5 * tall * sheet.rng.uniform(0.9, 1.1)
    full, close = rng.uniform(0.2, 1), rng.uniform(0, 0.4)
    x = phase + (across or tall) * (0.5 + int(rng.integers(0, 4)))
    while x < sheet.size[0] + 0.4 * tall and len(sheet.canvas.labels) < _MOST:
        place = bend(np.array([[x, low]]))[0]
        count = 1 if across else int(rng.integers(1, 5))
        if rng.random() < 0.07:
            sign = sheet.shapes.text("+-=x"[rng.integers(4)], tall, pen[0], rng)
            sheet.put_other(sign, *place, pen[1])
        elif rng.random() < full:
            number(sheet, rng.integers(0, 10, count), place[0] + 0.3 * (count - 1) * tall, place[1], tall, pen, close)
        x += across or tall * (0.5 + 0.8 * count) * rng.uniform(0.9, 1.6)


def _paper_lines(sheet: Sheet, pitch: float, phase: np.ndarray, style: int, bend) -> None:
    """Print squares (0), lines (1) or dots (2), and a margin."""
    rng, (width, height) = sheet.rng, sheet.size
    thickness = float(np.clip(pitch * log_uniform(rng, 0.012, 0.08), 0.5, 4))
    lines = Lines(line_mark(sheet), thickness, bend=bend)
    xs, ys = np.arange(phase[0] - pitch, width + pitch, pitch), np.arange(phase[1] - pitch, height + pitch, pitch)
    if style == 2:
        dots = bend(np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2))
        cover(sheet, list(np.repeat(dots[:, None], 2, axis=1)), max(1.5, 1.5 * thickness), lines.mark)
    else:
        draw(sheet, lines, [((-20, y), (width + 20, y)) for y in ys])
    if style == 0:
        draw(sheet, lines, [((x, -20), (x, height + 20)) for x in xs])
    if rng.random() < 0.25:
        x = rng.choice([rng.uniform(0.03, 0.25), rng.uniform(0.75, 0.97)]) * width
        draw(sheet, replace(lines, mark=line_mark(sheet), thickness=max(1.0, 1.5 * thickness)),
             [((x, -20), (x, height + 20))])


def _binding(sheet: Sheet, pitch: float) -> None:
    """Punch holes along the left side or the top, with or without the wire of a spiral."""
    rng, side = sheet.rng, int(sheet.rng.integers(2))
    spiral = rng.random() < 0.5
    radius = float(np.clip(pitch * rng.uniform(0.12, 0.3), 2.5, 8) if spiral else rng.uniform(6, 18))
    step = radius * (rng.uniform(3.5, 5) if spiral else rng.uniform(9, 20))
    edge = radius * rng.uniform(1.5, 3)
    mask = np.zeros(sheet.canvas.paper.shape, np.uint8)
    for along in np.arange(rng.uniform(0, step), max(sheet.size), step):
        centre = (along, edge) if side else (edge, along)
        left, top = np.maximum(0, np.array(centre) - radius - 2).astype(int)
        if sheet.canvas.ink[top : top + int(2 * radius) + 4, left : left + int(2 * radius) + 4].any():
            continue  # nobody writes on a hole
        middle = np.rint(np.array(centre) * 16).astype(int).tolist()
        cv2.circle(mask, middle, round(radius * 16), 255, -1, cv2.LINE_AA, 4)
        if spiral:
            outside = (along - 0.6 * radius, -4.0) if side else (-4.0, along - 0.6 * radius)
            cover(sheet, [np.array([centre, outside])], 0.6 * radius, Mark(float(rng.uniform(0.1, 0.5))))
    sheet.canvas.paper[...] += mask / np.float32(255) * (np.float32(rng.uniform(0.05, 0.6)) - sheet.canvas.paper)
