"""What people write on plain sheets: one digit, rows close and wide, numbers, sums, digits among words."""

from dataclasses import replace

import numpy as np

from digits.rendering.frames.sheet import Sheet, random_pens, rule

_LARGE = 60  # pixels
_SIGNS = "+-=x/.,:"


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a number between `low` and `high`, small ones as likely as large ones."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def one_digit(sheet: Sheet) -> None:
    """Write one digit, from 14 pixels tall to the whole frame, somewhere; seldom with a sign or a stroke beside it."""
    rng, side = sheet.rng, min(sheet.size)
    kind = rng.random()
    low, high = (0.16, 0.9) if kind < 0.65 else (0.05, 0.4) if kind < 0.85 else (0.9, 1.8)  # the last: too near
    height = log_uniform(rng, low * side, high * side)
    rule(sheet, height, 0.4)
    writer, mark = random_pens(sheet)[0]
    if height > _LARGE and rng.random() < 0.35:  # a fine pen that came near
        writer = replace(writer, line=log_uniform(rng, 0.006, 0.02))
    width = 0.7 * height
    room = np.abs(np.array(sheet.size) - (width, height))
    x, y = np.array(sheet.size) / 2 + (rng.random(2) - 0.5) * room
    sheet.write(int(rng.integers(10)), x, y, height, writer, mark)
    if rng.random() < 0.12:
        sign = sheet.shapes.sign(height * rng.uniform(0.1, 0.6), writer, rng)
        angle = rng.uniform(0, 2 * np.pi)
        reach = 0.75 * height + 0.5 * max(sign.shape)
        sheet.put_other(sign, x + reach * np.cos(angle), y + reach * np.sin(angle), mark)


def rows(sheet: Sheet) -> None:
    """Fill the sheet with rows of numbers: groups close or wide, digits that touch, signs between them, a word."""
    rng = sheet.rng
    width, height = sheet.size
    tall = log_uniform(rng, 9, 0.45 * height)
    rule(sheet, tall)
    pens = random_pens(sheet)
    unsteady = rng.uniform(0, 0.12) if rng.random() < 0.8 else rng.uniform(0.1, 0.4)
    close = rng.choice([0.02, 0.12, 0.3, 0.7], p=[0.2, 0.35, 0.25, 0.2]) * rng.uniform(0.5, 1.5)
    gap, length = rng.uniform(0.3, 2.0), int(rng.integers(1, 9))
    leading = rng.uniform(1.15, 2.2)
    extent = tall * log_uniform(rng, 3, 40), tall * log_uniform(rng, 1.2, 10)
    left, top = (np.array(sheet.size) - extent) * rng.uniform(0, 1, 2)
    y = top + tall * rng.uniform(0.3, 0.6)
    while y < min(height + 0.3 * tall, top + extent[1]):
        sides = max(left, -tall) + tall * rng.uniform(-0.3, 0.3), min(width + tall, left + extent[0])
        _row(sheet, y, tall, sides, pens[rng.integers(len(pens))], close, gap, length, unsteady)
        y += leading * tall * rng.uniform(0.95, 1.3)
        if rng.random() < 0.12:
            y += rng.uniform(0.5, 2.5) * tall


def _row(sheet: Sheet, y: float, tall: float, sides, pen, close: float, gap: float, length: int,
         unsteady: float) -> None:
    rng, (writer, mark), (x, right) = sheet.rng, pen, sides
    same = int(rng.integers(10)) if rng.random() < 0.06 else None
    while x < right:
        kind = rng.random()
        if kind < 0.06:
            sign = sheet.shapes.text(_SIGNS[rng.integers(len(_SIGNS))], tall, writer, rng)
            sheet.put_other(sign, x + sign.shape[1] / 2, y, mark)
            x += sign.shape[1] * 0.8 + 0.2 * tall
        elif kind < 0.12:
            sign = sheet.shapes.sign(tall * rng.uniform(0.6, 1.4), writer, rng)
            sheet.put_other(sign, x + sign.shape[1] / 2, y, mark)
            x += sign.shape[1] * 0.9
        else:
            for _ in range(int(rng.integers(1, length + 1))):
                x += _next(sheet, x, y, tall, writer, mark, close, unsteady, same)
        x += gap * tall * rng.uniform(0.5, 1.6)
        if rng.random() < 0.08:
            x += rng.uniform(1, 5) * tall


def _next(sheet: Sheet, x: float, y: float, tall: float, writer, mark, close: float, unsteady: float, same) -> float:
    """Write the next digit of a number with its ink from x on; return how far it takes."""
    rng = sheet.rng
    label = int(rng.integers(10)) if same is None else same
    height = tall * float(np.exp(unsteady * rng.standard_normal()))
    if label == 0 and rng.random() < 0.15:
        height *= rng.uniform(0.45, 0.8)  # many write zeros small
    mask = sheet.shapes.digit(label, height, writer, rng)
    columns = np.flatnonzero(mask.max(0) > 60)
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, mask.shape[1])
    down = y + (tall - height) / 2 + 0.4 * unsteady * tall * rng.standard_normal()
    sheet.put_digit(mask, label, x - left, down - mask.shape[0] / 2, height, mark)
    return (right - left) + close * tall * rng.uniform(0.2, 1.8) - (0.05 * tall if close < 0.05 else 0)


def scattered(sheet: Sheet) -> None:
    """Write digits of all sizes here and there, with letters, words and drawings among them."""
    rng = sheet.rng
    tall = log_uniform(rng, 12, 0.4 * min(sheet.size))
    rule(sheet, tall)
    pens = random_pens(sheet)
    taken: list[tuple[float, float, float]] = []
    for _ in range(int(rng.integers(2, 40))):
        height = tall * log_uniform(rng, 0.5, 1.6)
        x, y = rng.uniform(0, 1, 2) * sheet.size
        if any(max(abs(x - a), abs(y - b)) < 0.55 * (height + other) for a, b, other in taken):
            continue
        taken.append((x, y, height))
        writer, mark = pens[rng.integers(len(pens))]
        if rng.random() < 0.62:
            sheet.write(int(rng.integers(10)), x, y, height, writer, mark)
        else:
            sheet.put_other(sheet.shapes.sign(height, writer, rng), x, y, mark)


def sums(sheet: Sheet) -> None:
    """Write sums: numbers under each other, a sign, a bar, the result below, sometimes fractions."""
    rng = sheet.rng
    tall = log_uniform(rng, 10, 0.2 * sheet.size[1])
    rule(sheet, tall)
    writer, mark = random_pens(sheet, printed=0.02)[0]
    columns, lines = int(rng.integers(1, 5)), int(rng.integers(2, 5))
    step, leading = tall * rng.uniform(0.6, 1.3), tall * rng.uniform(1.1, 1.7)
    for _ in range(max(1, int(rng.poisson(sheet.size[0] / ((columns + 3) * step) * 0.6)))):
        right, y = rng.uniform(0.2, 1.0) * sheet.size[0], rng.uniform(0, 0.8) * sheet.size[1]
        for line in range(lines):
            if line == lines - 1 or (lines > 2 and rng.random() < 0.1):
                level = y + (line - 0.5) * leading
                ends = np.array([(right - (columns + 0.8) * step, level), (right + 0.6 * step, level)])
                sheet.line(ends + rng.normal(0, 0.04 * tall, (2, 2)), max(1.0, max(writer.line, 0.05) * tall), mark)
                if rng.random() < 0.25:
                    break
            for column in range(int(rng.integers(1, columns + 1))):
                sheet.write(int(rng.integers(10)), right - column * step, y + line * leading,
                            tall * rng.uniform(0.85, 1.1), writer, mark)
            if line == lines - 2:
                sign = sheet.shapes.text("+-x"[rng.integers(3)], tall, writer, rng)
                sheet.put_other(sign, right - (columns + 0.4) * step, y + line * leading, mark)


def words(sheet: Sheet) -> None:
    """Write or print letters, words and drawings only: nothing of it is to be read."""
    rng = sheet.rng
    tall = log_uniform(rng, 10, 0.8 * min(sheet.size))
    rule(sheet, tall)
    pens = random_pens(sheet, printed=0.3)
    for _ in range(int(rng.integers(1, max(3, min(25, 3e4 / tall**2))))):
        writer, mark = pens[rng.integers(len(pens))]
        if writer.source == "print":
            letters = "".join(rng.choice(list("aaabcdeeeefghiiklmnnoorrssttuvwSBZOlI"), int(rng.integers(2, 10))))
            sign = sheet.shapes.text(letters, tall * 0.6, writer, rng)
        else:
            sign = sheet.shapes.sign(tall * log_uniform(rng, 0.5, 1.5), writer, rng, like_digits=0.08)
        sheet.put_other(sign, *(rng.uniform(0, 1, 2) * sheet.size), mark)
