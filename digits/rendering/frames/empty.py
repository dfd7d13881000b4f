"""Frames without a digit: photographs, things drawn and things that look like writing, and printed letters.

Nothing here looks like a digit to a person: no lone upright stick, no ring with nothing in or across it.
"""

from functools import lru_cache

import cv2
import numpy as np

from digits.rendering.frames.sheet import Sheet
from digits.rendering.frames.surroundings import add_person, behind, leaves
from digits.rendering.frames.writing import log_uniform
from digits.rendering.letters import HERSHEY_FONTS, training_fonts
from digits.rendering.paper import clouds, noise
from digits.rendering.pen import arc, spline

_LETTERS = list("aaabcdeeeefghiiklmnnoorrssttuvw")
_DECLARED = 10  # pixels: smaller letters are texture


def empty_photo(sheet: Sheet) -> None:
    """Show a photograph, a room, a person, dead leaves or noise in place of a sheet; now and then two of them."""
    rng, paper = sheet.rng, sheet.canvas.paper
    kind = rng.random()
    paper[...] = leaves(rng, sheet.size) if kind < 0.08 else behind(rng, sheet.size)
    if rng.random() < 0.12:
        other = behind(rng, sheet.size)
        x, y = (int(v) for v in rng.uniform(0.1, 0.9, 2) * sheet.size)
        window = (np.s_[:, x:], np.s_[y:, :], np.s_[y:, x:])[rng.integers(3)]
        paper[window] = other[window]
    np.clip(paper, 0, 1, out=paper)


def empty_drawn(sheet: Sheet) -> None:
    """Draw hands, faces, branches, streets, crosses, grids, brush characters and other things that are no digits."""
    rng, paper = sheet.rng, sheet.canvas.paper
    if rng.random() < 0.35:
        paper[...] = behind(rng, sheet.size)
    elif rng.random() < 0.2:
        paper[...] = rng.choice([0.0, 0.05, 0.95, 1.0])
    many = (_hand, _face, _branch, _cables, _street, _crosses, _targets, _keyboard, _hatching, _brush, _brush,
            _fat_figure, _fat_figure, _blobs, _window, _stripes)
    for painter in rng.choice(len(many), 1 if rng.random() < 0.75 else 2):
        many[painter](sheet)
    np.clip(paper, 0, 1, out=paper)


def empty_text(sheet: Sheet) -> None:
    """Print paragraphs of letters; those of fewer than 10 pixels are not declared as other writing."""
    rng = sheet.rng
    width, height = sheet.size
    mark = sheet.random_mark()
    tall = log_uniform(rng, 5, 0.25 * height)
    if tall >= _DECLARED:
        sheet.detail = min(sheet.detail, tall)
    angle = 0.0 if rng.random() < 0.6 else float(rng.normal(0, 0.05))
    font = int(rng.integers(1 << 30))
    words = [_word(rng, font, tall) for _ in range(int(np.clip(2500 / tall**2, 2, 24)))]
    left, right = width * rng.uniform(-0.1, 0.2), width * rng.uniform(0.7, 1.1)
    y = height * rng.uniform(-0.05, 0.4)
    bottom = min(height + tall, y + tall * log_uniform(rng, 2, 40))
    leading = tall * rng.uniform(1.3, 2.2)
    while y < bottom:
        x, end = left, right if rng.random() < 0.85 else rng.uniform(left, right)
        while x < end:
            word = words[int(rng.integers(len(words)))]
            middle = x + word.shape[1] / 2, y + angle * x
            if tall >= _DECLARED:
                sheet.put_other(word, *middle, mark)
            else:
                _lay(sheet, word, *middle, mark.tone, mark.opacity)
            x += word.shape[1] + 0.25 * tall
        y += leading


def _word(rng: np.random.Generator, font: int, tall: float) -> np.ndarray:
    """Return a printed word, uint8 (h, w), its capitals about `tall` pixels high, on the middle of its line."""
    letters = "".join(rng.choice(_LETTERS, int(rng.integers(1, 9)))) + "aeknrt"[rng.integers(6)]  # not o or l alone
    letters = letters.capitalize() if rng.random() < 0.2 else letters.upper() if rng.random() < 0.08 else letters
    fonts = training_fonts()
    if not fonts or font % (len(fonts) + 2) < 2:
        face, scale = HERSHEY_FONTS[font % len(HERSHEY_FONTS)], tall / 22
        (w, h), below = cv2.getTextSize(letters, face, scale, 1)
        ink = np.zeros((h + below + 6, w + 6), np.uint8)
        return cv2.putText(ink, letters, (3, h + 3), face, scale, 255, max(1, round(0.1 * tall)), cv2.LINE_AA)
    printed = _font(fonts[font % len(fonts)], max(5, round(1.38 * tall)))
    left, _, right, _ = printed.getbbox(letters)
    ascent, descent = printed.getmetrics()
    return _set_in_type(printed, letters, (max(1, right - left + 4), ascent + descent), (2 - left, 0))


def _set_in_type(font, letters: str, size: tuple[int, int], start: tuple[int, int]) -> np.ndarray:
    from PIL import Image, ImageDraw  # only here: Pillow comes with matplotlib

    page = Image.new("L", size)
    ImageDraw.Draw(page).text(start, letters, fill=255, font=font)
    return np.array(page)


@lru_cache(maxsize=256)
def _font(path: str, height: int):
    from PIL import ImageFont

    return ImageFont.truetype(path, height)


def _lay(sheet: Sheet, mask: np.ndarray, x: float, y: float, tone: float, opacity: float) -> None:
    """Cover the paper where a mask, uint8 (h, w), lies with its middle at (x, y); declare nothing."""
    width, height = sheet.size
    left, top = round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2)
    part = mask[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    if part.size:
        top, left = max(0, top), max(0, left)
        paper = sheet.canvas.paper[top : top + part.shape[0], left : left + part.shape[1]]
        paper += part * np.float32(opacity / 255) * (np.float32(tone) - paper)


def _ink_tone(sheet: Sheet) -> float:
    """Return a tone that stands out from the middle of the paper."""
    level = float(sheet.canvas.paper[::16, ::16].mean())
    return float(np.clip(level + (1 if level < 0.5 else -1) * sheet.rng.uniform(0.15, 0.9), 0, 1))


def _line(paper: np.ndarray, points: np.ndarray, thickness: float, tone: float) -> None:
    fixed = np.rint(np.clip(points, -2000, 2000) * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(paper, [fixed], False, tone, max(1, round(thickness)), cv2.LINE_AA, 4)


def _fill(paper: np.ndarray, points: np.ndarray, tone: float) -> None:
    cv2.fillPoly(paper, [np.rint(np.clip(points, -2000, 2000) * 16).astype(np.int32)], tone, cv2.LINE_AA, 4)


def _ring(x: float, y: float, rx: float, ry: float, points: int = 32) -> np.ndarray:
    return np.array(arc(x, y, rx, ry, 0, 360, points))


def _place(sheet: Sheet, smallest: float = 0.12, largest: float = 0.6) -> tuple[np.ndarray, float]:
    """Return where a drawing stands and how large it is."""
    rng = sheet.rng
    return rng.uniform(0.2, 0.8, 2) * sheet.size, log_uniform(rng, smallest, largest) * min(sheet.size)


def _hand(sheet: Sheet) -> None:
    """A hand from the wrist, its palm or back seen: fingers spread, closed or folded."""
    rng, shape = sheet.rng, sheet.canvas.paper.shape
    skin, side = float(rng.uniform(0.2, 0.9)), log_uniform(rng, 0.35, 0.9) * min(sheet.size) / 4
    cover, edges = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    turn = rng.normal(0, 0.5) if rng.random() < 0.7 else rng.uniform(0, 2 * np.pi)
    rotation = side * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle, mirror = rng.uniform(0.3, 0.7, 2) * sheet.size, rng.choice([-1, 1])

    def at(points) -> np.ndarray:
        return np.asarray(points, float) * (mirror, 1) @ rotation + middle

    palm = spline(np.array([(-0.85, -0.7), (-0.3, -0.85), (0.4, -0.8), (0.85, -0.55), (0.9, 0.2), (0.6, 0.95), (0.5, 4),
                            (0.6, 14), (-0.6, 14), (-0.5, 4), (-0.65, 0.9), (-0.95, 0.2), (-0.85, -0.7)]))
    spread = rng.uniform(0, 0.28)
    bent = rng.random(4) < (0.0 if rng.random() < 0.4 else 0.4)
    for finger in range(4):
        base = np.array([-0.66 + 0.44 * finger, -0.6])
        lean = spread * (finger - 1.5) + rng.normal(0, 0.04)
        length = 0.35 if bent[finger] else (1.25, 1.5, 1.4, 1.05)[finger] * rng.uniform(0.9, 1.1)
        tip = base + length * np.array([np.sin(lean), -np.cos(lean)])
        points = at([base, tip])
        _line(cover, points, 0.42 * side, 1.0)
        _line(edges, points, 0.42 * side + 2, 1.0)
        _line(edges, points, 0.42 * side - 1, 0.0)
    thumb = at([(-0.6, 0.3), (-1.1, -0.2), (-1.1 - 0.5 * rng.random(), -0.8)])
    _line(cover, thumb, 0.46 * side, 1.0)
    _fill(cover, at(palm), 1.0)
    _fill(edges, at(palm * (0.95, 0.95)), 0.0)
    light = 0.6 + 0.45 * cv2.GaussianBlur(cover, (0, 0), max(0.8, 0.16 * side)) - 0.2 * edges
    for crease in range(int(rng.integers(0, 4))):
        y = -0.4 + 0.35 * crease
        _line(light, at([(-0.7, y + 0.2), (0, y - 0.1), (0.7, y)]), max(1, 0.03 * side), float(rng.uniform(0.6, 0.85)))
    sheet.canvas.paper += cover * (skin * light - sheet.canvas.paper)


def _face(sheet: Sheet) -> None:
    """A person, or the face of an animal: ears, eyes, a snout."""
    rng, paper = sheet.rng, sheet.canvas.paper
    (x, y), side = _place(sheet, 0.15, 0.5)
    if rng.random() < 0.4:
        return add_person(paper, rng, x, y + 0.3 * side, side / 4)
    fur, ear = float(rng.uniform(0.1, 0.9)), float(rng.uniform(0.1, 0.9))
    for sign in (-1, 1):
        _fill(paper, np.array([(0.2 * sign, -0.4), (0.95 * sign, -1.15), (0.9 * sign, 0)]) * side / 2 + (x, y), ear)
    _fill(paper, _ring(x, y, side / 2, side * rng.uniform(0.42, 0.6)), fur)
    for sign in (-1, 1):
        _fill(paper, _ring(x + 0.2 * sign * side, y - 0.1 * side, 0.09 * side, 0.07 * side), 0.95)
        _fill(paper, _ring(x + 0.2 * sign * side, y - 0.1 * side, 0.045 * side, 0.06 * side), 0.03)
    _fill(paper, _ring(x, y + 0.2 * side, 0.22 * side, 0.16 * side), float(np.clip(fur + 0.2, 0, 1)))
    _fill(paper, np.array([(-0.08, 0.1), (0.08, 0.1), (0, 0.2)]) * side + (x, y), 0.05)
    for sign in (-1, 1):
        _line(paper, np.array([(0, 0.2), (0.1 * sign, 0.3), (0.2 * sign, 0.26)]) * side + (x, y), 0.02 * side, 0.05)


def _branch(sheet: Sheet) -> None:
    """A bare branch with twigs, or one with leaves."""
    rng, tone, paper = sheet.rng, _ink_tone(sheet), sheet.canvas.paper
    leafy = rng.random() < 0.6

    def grow(start, angle: float, length: float, thick: float) -> None:
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        _line(paper, np.array([start, end]), thick, tone)
        if leafy and length < 45:
            leaf = np.array([(0, 0), (0.5, 0.2), (1, 0), (0.5, -0.2)]) * length * 0.8
            rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            _fill(paper, leaf @ rotation + end, float(np.clip(tone + rng.normal(0, 0.15), 0, 1)))
        if length > 14:
            for _ in range(2 + (rng.random() < 0.4)):
                grow(end, angle + rng.normal(0, 0.55), length * rng.uniform(0.55, 0.85), max(1.0, 0.65 * thick))

    for _ in range(int(rng.integers(1, 3))):
        start = rng.uniform(0, 1, 2) * sheet.size
        start[rng.integers(2)] = rng.choice([0, max(sheet.size)])
        towards = np.array(sheet.size) / 2 - start
        grow(start, float(np.arctan2(*towards[::-1])) + rng.normal(0, 0.3), float(rng.uniform(50, 110)),
             log_uniform(rng, 3, 14))


def _cables(sheet: Sheet) -> None:
    """Cables, hair or threads that cross the frame from side to side."""
    rng, paper = sheet.rng, sheet.canvas.paper
    for _ in range(int(rng.integers(2, 12))):
        points = rng.uniform(0, 1, (5, 2)) * sheet.size
        points[0], points[-1] = points[0] * (0, 1) - (20, 0), points[-1] * (0, 1) + (sheet.size[0] + 20, 0)
        if rng.random() < 0.5:
            points = points[:, ::-1]
        _line(paper, spline(points), log_uniform(rng, 1, 12), _ink_tone(sheet))


def _street(sheet: Sheet) -> None:
    """A road that runs away from the camera, with its markings."""
    rng, paper = sheet.rng, sheet.canvas.paper
    width, height = sheet.size
    horizon, vanish = height * rng.uniform(0.15, 0.55), width * rng.uniform(0.3, 0.7)
    ground = float(rng.uniform(0.15, 0.6))
    road = [(vanish - 8, horizon), (vanish + 8, horizon), (1.3 * width, height), (-0.3 * width, height)]
    _fill(paper, np.array(road), ground)
    white = float(np.clip(ground + rng.uniform(0.2, 0.5), 0, 1))
    for foot, ends in ((rng.uniform(-0.2, 0.15), 2), (rng.uniform(0.85, 1.2), 2), (rng.uniform(0.35, 0.7), 8)):
        near = np.array([foot * width, height])
        for first, last in (np.linspace(0, 1, ends) ** 2).reshape(-1, 2):
            dash = np.array([vanish, horizon]) + np.array([[first], [last]]) * (near - (vanish, horizon))
            wide = np.array([[first], [last]]) * width * 0.025 + 0.7
            _fill(paper, np.vstack([dash - wide * (1, 0), (dash + wide * (1, 0))[::-1]]), white)


def _crosses(sheet: Sheet) -> None:
    """Crosses, arrows, stars and asterisks."""
    rng, tone = sheet.rng, _ink_tone(sheet)
    for _ in range(int(rng.integers(1, 7))):
        (x, y), side = _place(sheet, 0.05, 0.5)
        arms, turn = int(rng.choice([4, 4, 5, 6, 8])), rng.uniform(0, 2 * np.pi)
        thick = side * log_uniform(rng, 0.03, 0.3)
        for arm in range(arms):
            angle = turn + 2 * np.pi * arm / arms
            _line(sheet.canvas.paper, np.array([(x, y), (x + side / 2 * np.cos(angle), y + side / 2 * np.sin(angle))]),
                  thick, tone)


def _targets(sheet: Sheet) -> None:
    """Rings within rings, wheels with spokes, crossed-out rings, badges."""
    rng, paper = sheet.rng, sheet.canvas.paper
    for _ in range(int(rng.integers(1, 4))):
        (x, y), side = _place(sheet, 0.1, 0.8)
        tone, thick, kind = _ink_tone(sheet), side * log_uniform(rng, 0.02, 0.09), rng.integers(3)
        _line(paper, _ring(x, y, side / 2, side / 2), thick, tone)
        if kind == 0:
            for share in np.arange(0.7, 0.1, -0.25):
                _line(paper, _ring(x, y, side / 2 * share, side / 2 * share), thick, tone)
        else:
            for angle in rng.uniform(0, np.pi) + np.arange(1 if kind == 1 else 3) * np.pi / 3:
                reach = side / 2 * np.array([np.cos(angle), np.sin(angle)])
                _line(paper, np.array([(x, y) - reach, (x, y) + reach]), thick, tone)
            if kind == 2:
                _fill(paper, _ring(x, y, side / 8, side / 8), tone)


def _keyboard(sheet: Sheet) -> None:
    """Keys, tiles or bricks in rows."""
    rng, paper = sheet.rng, sheet.canvas.paper
    tall = log_uniform(rng, 9, 50)
    wide, gap, tone = tall * rng.uniform(1, 2.2), max(1.0, tall * rng.uniform(0.05, 0.25)), _ink_tone(sheet)
    left, top = rng.uniform(-0.1, 0.2, 2) * sheet.size
    rows, columns = int(rng.integers(3, 20)), int(rng.integers(4, 30))
    slope, step = rng.normal(0, 0.06), rng.uniform(0, 0.5) * wide
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * wide + row % 3 * step, top + row * tall
            if x > sheet.size[0] or y > sheet.size[1] + 40:
                break
            key = np.array([(x, y + slope * x), (x + wide - gap, y + slope * (x + wide)),
                            (x + wide - gap, y + tall - gap + slope * (x + wide)), (x, y + tall - gap + slope * x)])
            _fill(paper, key, float(np.clip(tone + rng.normal(0, 0.03), 0, 1)))


def _hatching(sheet: Sheet) -> None:
    """Areas shaded with strokes close together, in one or two directions."""
    rng, paper = sheet.rng, sheet.canvas.paper
    (x, y), side = _place(sheet, 0.3, 1.2)
    pitch, tone = log_uniform(rng, 3, 14), _ink_tone(sheet)
    for angle in rng.uniform(0, np.pi) + np.array([0, 1.2])[: int(rng.integers(1, 3))]:
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        for offset in np.arange(-side / 2, side / 2, pitch):
            half = np.sqrt(max(0.0, side**2 / 4 - offset**2)) + rng.normal(0, pitch)
            _line(paper, np.array([-half * along, half * along]) + offset * across + (x, y), max(1, 0.25 * pitch), tone)


def _brush(sheet: Sheet) -> None:
    """Characters of many strokes, as a brush writes them in columns."""
    rng = sheet.rng
    tall, tone = log_uniform(rng, 0.12, 0.6) * min(sheet.size), _ink_tone(sheet)
    thick = tall * log_uniform(rng, 0.03, 0.1)
    left, top = rng.uniform(0, 0.6, 2) * sheet.size
    for column in range(int(rng.integers(1, 4))):
        for row in range(int(rng.integers(1, 5))):
            _character(sheet, np.array([left + 1.2 * column * tall, top + 1.15 * row * tall]), tall, thick, tone)


def _character(sheet: Sheet, corner: np.ndarray, tall: float, thick: float, tone: float) -> None:
    rng, paper = sheet.rng, sheet.canvas.paper
    strokes = [[(0.1, y), (0.9, y - 0.04)] for y in rng.uniform(0.1, 0.9, int(rng.integers(2, 5)))]
    strokes += [[(x, 0.05), (x + rng.normal(0, 0.02), 0.9)] for x in rng.uniform(0.3, 0.7, int(rng.integers(1, 3)))]
    legs = [[(0.5, 0.4), (0.35, 0.7), (0.05, 0.95)], [(0.5, 0.4), (0.7, 0.75), (0.98, 0.92)]]
    strokes += legs[: int(rng.integers(3))]
    if rng.random() < 0.5:
        x, y, w, h = *rng.uniform(0.1, 0.5, 2), *rng.uniform(0.25, 0.45, 2)
        strokes += [[(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], [(x, y + h / 2), (x + w, y + h / 2)]]
    for stroke in strokes:
        points = np.array(stroke) * tall + corner + rng.normal(0, 0.015 * tall, (len(stroke), 2))
        _line(paper, points, thick * rng.uniform(0.6, 1.3), tone)
        cv2.circle(paper, [int(v) for v in points[0]], max(1, round(0.6 * thick)), tone, -1, cv2.LINE_AA)


def _fat_figure(sheet: Sheet) -> None:
    """A figure of fat strokes: an outline with bars across it, a house, a boat, a mesh of curves."""
    rng, paper = sheet.rng, sheet.canvas.paper
    if rng.random() < 0.5:
        paper[...] = rng.choice([0.0, 1.0])
    (x, y), side = _place(sheet, 0.3, 1.0)
    tone, thick = _ink_tone(sheet), side * log_uniform(rng, 0.02, 0.09)
    wide, kind = rng.uniform(0.5, 1.0), rng.integers(3)
    if kind == 0:
        outline = [_ring(0, 0, 0.5 * wide, 0.5)]
        inside = [[(-0.5 * wide, v), (0.5 * wide, v + rng.normal(0, 0.03))] for v in rng.uniform(-0.25, 0.25, 1)]
        inside += [[(v, -0.5), (v + rng.normal(0, 0.03), 0.5)] for v in rng.uniform(-0.15, 0.15, 1)]
    elif kind == 1:
        outline = [[(-0.4, 0.5), (-0.4, -0.1), (0, -0.5), (0.4, -0.1), (0.4, 0.5), (-0.4, 0.5)]]
        inside = [[(-0.4, -0.1), (0.4, -0.1)], [(-0.1, 0.5), (-0.1, 0.15), (0.12, 0.15), (0.12, 0.5)]]
    else:
        outline = [spline(rng.uniform(-0.5, 0.5, (6, 2))) for _ in range(3)]
        inside = [rng.uniform(-0.5, 0.5, (2, 2)) for _ in range(3)]
    for points in [*outline, *inside]:
        _line(paper, np.asarray(points, float) * side + (x, y), thick, tone)


def _blobs(sheet: Sheet) -> None:
    """Smooth bright and dark areas, with noise: a lens covered, a cheek, a cloud."""
    rng, paper = sheet.rng, sheet.canvas.paper
    shape = paper.shape
    paper[...] = rng.uniform(0.2, 0.8) + rng.uniform(0.05, 0.3) * clouds(rng, shape, int(rng.integers(2, 9)))
    if rng.random() < 0.5:
        paper += np.float32(rng.uniform(0, 0.1)) * noise(rng, shape, float(rng.choice([0.0, 1.5, 5.0])))


def _window(sheet: Sheet) -> None:
    """The bars of a window, a fence or a grille across the whole frame."""
    rng, tone = sheet.rng, _ink_tone(sheet)
    width, height = sheet.size
    thick, lean = log_uniform(rng, 3, 25), rng.normal(0, 0.08)
    for x in np.arange(rng.uniform(0, 80), width + 60, log_uniform(rng, 40, 160)):
        _line(sheet.canvas.paper, np.array([(x, -5), (x + lean * height, height + 5)]), thick, tone)
    for y in np.arange(rng.uniform(0, 80), height + 60, log_uniform(rng, 50, 200)):
        _line(sheet.canvas.paper, np.array([(-5, y), (width + 5, y - lean * width)]), thick, tone)


def _stripes(sheet: Sheet) -> None:
    """Stripes or checks over all or a part of the frame."""
    rng, paper = sheet.rng, sheet.canvas.paper
    height, width = paper.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle, pitch = rng.uniform(0, np.pi), np.float32(2 * np.pi / log_uniform(rng, 5, 70))
    wave = np.sin((x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))) * pitch)
    if rng.random() < 0.4:
        wave *= np.sin((y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle))) * pitch)
    cover = (wave > rng.uniform(-0.5, 0.5)).astype(np.float32)
    paper += cover * np.float32(rng.uniform(0.2, 1.0)) * (np.float32(_ink_tone(sheet)) - paper)
