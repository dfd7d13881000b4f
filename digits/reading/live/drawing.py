"""The live window's picture: the frame with its boxes, and a panel with what the network saw and thought."""

import unicodedata
from dataclasses import dataclass

import cv2
import numpy as np

from digits.box import Box
from digits.reading.live.frames import Silence
from digits.reading.live.words import WORDS
from digits.reading.readings import Digit, Reading, Reason

PANEL_WIDTH = 300
_VIEW_MAX = (960, 640)
_VIEW_MIN = (480, 480)
_MARGIN = 16
_ROW = 19
_TILE = 136
_FONT, _BOLD = cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX
_CAPITAL = 21.0  # height in pixels of a capital letter at font scale 1
# BGR. Green means "this is the answer" everywhere, and nothing else is green.
_GROUND, _RAISED, _LINE = (32, 28, 26), (52, 46, 43), (84, 76, 71)
_BLACK, _GREY, _WHITE = (20, 18, 16), (178, 172, 168), (245, 245, 245)
_GREEN, _BLUE, _AMBER = (94, 201, 76), (230, 168, 96), (60, 190, 250)


@dataclass(frozen=True)
class Status:
    """What the window says beside the reading.

    Frames a second are left out where `fps` is 0. `place` is which picture of how many, None for what is no picture.
    `notice` takes the place of a hint. While digits are captured, `asked` is the one asked for and `counts` how many of
    each there are.
    """

    model: str = ""
    format: str = ""
    verified: bool = True
    fps: float = 0.0
    place: tuple[int, int] | None = None
    notice: str = ""
    asked: int | None = None
    counts: tuple[int, ...] = ()


class Screen:
    """Draws frames on a canvas that keeps its size, whatever the frames do.

    Args:
        size: (width, height) of the first frame, which decides the canvas.
        language: a key of WORDS.
    """

    def __init__(self, size: tuple[int, int], language: str = "en"):
        self.words = WORDS[language]
        largest = min(_VIEW_MAX[0] / size[0], _VIEW_MAX[1] / size[1])
        scale = min(largest, max(1.0, _VIEW_MIN[0] / size[0], _VIEW_MIN[1] / size[1]))  # small frames grow
        width, height = round(size[0] * scale), round(size[1] * scale)
        width, height = min(max(width, _VIEW_MIN[0]), _VIEW_MAX[0]), max(height, _VIEW_MIN[1])
        self.view = (width - width % 2, height - height % 2)  # video codecs take no odd sizes
        self.size = (self.view[0] + PANEL_WIDTH, self.view[1])
        self._still_parts = np.full((self.size[1], self.size[0], 3), _GROUND, np.uint8)
        cv2.rectangle(self._still_parts, (0, 0), (self.view[0] - 1, self.size[1]), _BLACK, -1)
        text(self._still_parts, self.words["tile"], (self.view[0] + _MARGIN, 30), 10, _GREY)

    def draw(self, frame: np.ndarray, reading: Reading, status: Status, mirror: bool = False) -> np.ndarray:
        """Return the picture of one frame.

        Args:
            frame: uint8 (H, W, 3) BGR.
            reading: its digits, boxes in pixels of `frame`.
            status: what else the panel shows.
            mirror: show the frame as a mirror would; letters stay readable.
        Returns:
            uint8 (self.size[1], self.size[0], 3) BGR, new at each call.
        """
        canvas = self._still_parts.copy()
        place = self._paste(canvas, frame, mirror)
        main = None if reading.main is None else reading.digits[reading.main]
        for digit in reading.digits:
            if digit is not main:
                self._box(canvas, digit, place, mirror, main=False)
        if main is not None:
            self._box(canvas, main, place, mirror, main=True)
        if status.asked is not None:
            self._counts(canvas, status)
        notice = status.notice or (self.words[reading.hint] if reading.hint else "")
        self._banner(canvas, notice or self._said(reading), _AMBER if notice else _WHITE)
        self._answer(canvas, main)
        self._bars(canvas, main)
        self._footer(canvas, status, reading.latency_ms.get("total", 0.0))
        return canvas

    def wait(self, reason: Silence, seconds_left: float, status: Status, last: np.ndarray | None) -> np.ndarray:
        """Return the picture shown while there is no frame: the last one, dimmed, and why."""
        canvas = self._still_parts.copy() if last is None else cv2.convertScaleAbs(last, alpha=0.4)
        text = self.words[reason] + (f": {seconds_left:.0f} s" if reason == Silence.LOST else "")
        self._banner(canvas, text, _AMBER)
        if last is None:
            self._footer(canvas, status, 0.0)
        return canvas

    def _paste(self, canvas: np.ndarray, frame: np.ndarray, mirror: bool) -> tuple[float, int, int, int]:
        """Lay the frame into the view; return its scale, left, top and right edge there."""
        height, width = frame.shape[:2]
        scale = min(self.view[0] / width, self.view[1] / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if size != (width, height):
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        left, top = (self.view[0] - size[0]) // 2, (self.view[1] - size[1]) // 2
        canvas[top : top + size[1], left : left + size[0]] = frame[:, ::-1] if mirror else frame
        return scale, left, top, left + size[0]

    def _box(self, canvas: np.ndarray, digit: Digit, place: tuple, mirror: bool, main: bool) -> None:
        scale, left, top, right = place
        box = digit.box.scaled(scale)
        x = right - box.right if mirror else left + box.x
        frame = Box(x, top + box.y, box.w, box.h).grown(3)
        colour = _GREEN if main else _BLUE
        view = canvas[:, : self.view[0]]
        for line, thickness in ((_BLACK, 5 if main else 3), (colour, 3 if main else 1)):
            cv2.rectangle(view, (frame.x, frame.y), (frame.right, frame.bottom), line, thickness)
        label = f"{digit.digit}  {percent(digit.confidence)}" if main else str(digit.digit)
        self._chip(canvas, label, frame, colour)

    def _chip(self, canvas: np.ndarray, label: str, frame: Box, colour: tuple) -> None:
        """Write a label on its own ground above a frame, or below it where there is no room above."""
        size, gap = 11, 2
        width, height = text_width(label, size, bold=True) + 10, size + 10
        x = min(max(0, frame.x - 1), self.view[0] - width)
        y = frame.y - gap - height
        if y < 0:
            y = min(frame.bottom + gap, self.view[1] - height)
        cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), colour, -1)
        text(canvas, label, (x + 5, y + height - 5), size, _BLACK, bold=True)

    def _counts(self, canvas: np.ndarray, status: Status) -> None:
        """Draw a row of the ten digits with how many pictures of each there are; the one asked for stands out."""
        cell, height = self.view[0] // 10, 40
        _darken(canvas[:height, : self.view[0]])
        for digit in range(10):
            asked = digit == status.asked
            if asked:
                cv2.rectangle(canvas, (digit * cell, 0), ((digit + 1) * cell - 1, height - 1), _AMBER, -1)
            if digit:
                cv2.line(canvas, (digit * cell, 4), (digit * cell, height - 5), _GREY, 1)
            kept = status.counts[digit] if status.counts else 0
            ink = _BLACK if asked else _WHITE
            text(canvas, str(digit), (digit * cell + 6, 27), 14, ink, bold=True)
            count = f"x{kept}"  # not two bare digits side by side
            shade = ink if asked or kept else _GREY
            text(canvas, count, ((digit + 1) * cell - 6 - text_width(count, 10), 27), 10, shade)

    def _said(self, reading: Reading) -> str:
        """Return the numbers of a frame with several digits, or what to do where there is none."""
        if len(reading.digits) > 1:
            return reading.text
        in_sight = reading.digits or any(item.reason == Reason.UNSTEADY for item in reading.rejected)
        return "" if in_sight else self.words["show"]

    def _banner(self, canvas: np.ndarray, words: str, colour: tuple) -> None:
        if not words:
            return
        _darken(canvas[self.view[1] - 44 :, : self.view[0]])
        room = self.view[0] - 2 * _MARGIN
        size = 14 if text_width(words, 14) < room else 10
        words = shortened(words, size, room)
        x = max(4, (self.view[0] - text_width(words, size)) // 2)
        text(canvas, words, (x, self.view[1] - 15), size, colour)

    def _answer(self, canvas: np.ndarray, digit: Digit | None) -> None:
        """Draw the tile as it went into the network, and the answer beside it."""
        left, top = self.view[0] + _MARGIN, 42
        if digit is not None:
            tile = cv2.resize(digit.tile, (_TILE, _TILE), interpolation=cv2.INTER_LINEAR)
            canvas[top : top + _TILE, left : left + _TILE] = tile[:, :, None]
        cv2.rectangle(canvas, (left - 1, top - 1), (left + _TILE, top + _TILE), _LINE, 1)
        middle = left + _TILE + (PANEL_WIDTH - 2 * _MARGIN - _TILE) // 2
        answer = "-" if digit is None else str(digit.digit)
        sure = "" if digit is None else percent(digit.confidence)
        colour = _LINE if digit is None else _GREEN
        text(canvas, answer, (middle - text_width(answer, 72, True) // 2, top + 88), 72, colour, bold=True)
        text(canvas, sure, (middle - text_width(sure, 13) // 2, top + 124), 13, _WHITE)

    def _bars(self, canvas: np.ndarray, digit: Digit | None) -> None:
        left, top = self.view[0] + _MARGIN, 200
        full = PANEL_WIDTH - 2 * _MARGIN - 22 - 62
        for value in range(10):
            y = top + value * _ROW
            share = 0.0 if digit is None else float(np.clip(digit.probabilities[value], 0.0, 1.0))
            wins = digit is not None and value == digit.digit
            ink = _GREEN if wins else _WHITE if share >= 0.005 else _GREY
            text(canvas, str(value), (left, y + 12), 11, ink, bold=wins)
            cv2.rectangle(canvas, (left + 22, y + 1), (left + 22 + full, y + 13), _RAISED, -1)
            if share >= 0.005:
                end = left + 22 + max(2, round(full * share))
                cv2.rectangle(canvas, (left + 22, y + 1), (end, y + 13), _GREEN if wins else _BLUE, -1)
            if digit is not None:
                label = percent(share)
                text(canvas, label, (left + 22 + full + 60 - text_width(label, 10), y + 12), 10, ink)

    def _footer(self, canvas: np.ndarray, status: Status, milliseconds: float) -> None:
        left, right, top = self.view[0] + _MARGIN, self.size[0] - _MARGIN, 392
        cv2.line(canvas, (left, top), (right, top), _LINE, 1)
        room = right - left
        if not status.verified:
            doubt = self.words["unverified"]
            room -= text_width(doubt, 10) + 12
            text(canvas, doubt, (right - text_width(doubt, 10), top + 21), 10, _AMBER)
        text(canvas, shortened(status.model, 12, room, bold=True), (left, top + 21), 12, _WHITE, bold=True)
        text(canvas, status.format, (left, top + 39), 10, _GREY)
        pace = "{} / {}   ".format(*status.place) if status.place else f"{status.fps:.0f} fps   " if status.fps else ""
        speed = f"{pace}{milliseconds:.1f} ms"
        text(canvas, speed, (right - text_width(speed, 10), top + 39), 10, _GREY)
        kind = "capture keys" if status.asked is not None else "picture keys" if status.place else "keys"
        for row, keys in enumerate(self.words[kind]):
            text(canvas, keys, (left, top + 57 + row * 17), 10, _GREY)


def _darken(strip: np.ndarray) -> None:
    """Make a strip of the picture dark enough to write on, in place."""
    strip //= 4
    strip += np.uint8(14)


def percent(share: float) -> str:
    """Return a probability in words that never claim certainty: at most 99.9 %, however many nines follow."""
    return f"{min(100 * share, 99.9):.1f} %"


def text(canvas: np.ndarray, words: str, at: tuple, size: float, colour: tuple, bold: bool = False) -> None:
    """Write words, lower left corner at (x, y), capitals `size` pixels high; accents become plain letters."""
    face, thickness = _pen(size, bold)
    cv2.putText(canvas, _plain(words), at, face, size / _CAPITAL, colour, thickness, cv2.LINE_AA)


def text_width(words: str, size: float, bold: bool = False) -> int:
    """Return how many pixels wide `text` would write the words."""
    face, thickness = _pen(size, bold)
    return cv2.getTextSize(_plain(words), face, size / _CAPITAL, thickness)[0][0]


def shortened(words: str, size: float, room: int, bold: bool = False) -> str:
    """Return the words, or as many of them, and three dots, as fit into so many pixels."""
    while len(words) > 4 and text_width(words, size, bold) > room:
        words = words[:-4] + "..."
    return words


def _pen(size: float, bold: bool) -> tuple[int, int]:
    """Return the font and the thickness of its lines."""
    return (_BOLD, max(1, round(size / 14))) if bold else (_FONT, 1)


def _plain(words: str) -> str:
    return unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
