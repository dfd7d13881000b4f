"""What the keys of the live window do: name the highlighted digit, highlight another, capture one's own digits."""

import time
from dataclasses import replace
from pathlib import Path

from digits.box import Box
from digits.files import in_words
from digits.reading.live.collecting import Album, Prompter, label_of, subject, thought_of
from digits.reading.live.drawing import Status
from digits.reading.live.frames import Frame, Report
from digits.reading.live.words import WORDS
from digits.reading.readings import Digit, Reading

BACKSPACE, TAB, ESCAPE, DELETE = 8, 9, 27, 127  # a Mac's Backspace sends Delete
_NOTICE_S = 2.0
# A highlighted digit is followed from frame to frame while it moves less than this share of its size.
_FOLLOWED = 1.0
# Capture keeps nothing by itself that the model reads so surely as another digit: the wrong sheet is in view, or the
# last one still is. Worksheets set such pictures aside at the same confidence.
_CONTRADICTED = 0.95


class Controls:
    """Turns keys into highlights and kept pictures, and says in the window what happened.

    Args:
        folder: data/custom, where sessions lie.
        language: a key of WORDS.
        model: name of the model, for the notes beside pictures.
        report: takes a sentence for the terminal.
    """

    def __init__(self, folder: Path, language: str, model: str, report: Report):
        self.model = model
        self._words, self._report = WORDS[language], report
        now = time.localtime()
        self._taught = Album(folder, time.strftime("taught-%Y-%m-%d", now))
        self._captured = Album(folder, time.strftime("captured-%Y-%m-%d-%H%M", now))
        self._prompter: Prompter | None = None
        self._picked: Box | None = None
        self._now: tuple[Frame, Reading] | None = None
        self._notice, self._notice_until = "", 0.0
        self._notice_of_sheet = False  # it speaks of what is in sight, and goes with it

    def see(self, frame: Frame, reading: Reading) -> Reading:
        """Take the newest frame; return its reading with the person's own highlight, and capture if it is time."""
        if self._picked is not None:
            main = _nearest(self._picked, [digit.box for digit in reading.digits])
            self._picked = None if main is None else reading.digits[main].box
            reading = reading if main is None else replace(reading, main=main)
        self._now = (frame, reading)
        if self._prompter:
            found = subject(reading)
            if found is None and self._notice_of_sheet:
                self._notice_until = 0.0
            if self._prompter.ready(found[0] if found else None) and not self._asks_back(found[1]):
                self._capture()
        return reading

    def key(self, code: int | None) -> bool:
        """Handle a key; return True if it changed what the window should show."""
        if code is None or self._now is None:
            return False
        if code == ord("c"):
            self._prompter = None if self._prompter else Prompter()
            self._notice_until = 0.0
        elif code == TAB:
            self._highlight_next()
        elif code in (BACKSPACE, DELETE):
            self._undo()
        elif code == ord(" ") and self._prompter:
            self._capture()
        elif code in (ord("s"), ord("S")) and self._prompter:
            self._prompter.skip()
            self._notice_until = 0.0
        elif ord("0") <= code <= ord("9"):
            if self._prompter:
                self._prompter.label = code - ord("0")  # the digit asked for
            else:
                self._keep(self._taught, code - ord("0"))  # what the highlighted digit really is
        else:
            return False
        return True

    @property
    def kept(self) -> int:
        """How many pictures were kept, and not taken back, since the start."""
        return self._taught.counts.total() + self._captured.counts.total()

    def reading(self) -> Reading:
        """Return the newest reading, with the person's own highlight."""
        return self._now[1]

    def status(self, status: Status) -> Status:
        """Return the status with what there is to say."""
        notice = self._notice if time.monotonic() < self._notice_until else ""
        if not self._prompter:
            return replace(status, notice=notice, asked=None)
        label = self._prompter.label
        counts = tuple(self._captured.counts[digit] for digit in range(10))
        return replace(status, notice=notice or self._words["write"].format(label=label), asked=label, counts=counts)

    def tell(self, word: str, **values: object) -> None:
        """Show one of WORDS for a moment."""
        self._notice = self._words[word].format(**values)
        self._notice_until = time.monotonic() + _NOTICE_S
        self._notice_of_sheet = word in ("several", "doubtful")

    def _highlight_next(self) -> None:
        frame, reading = self._now
        if reading.digits:
            main = 0 if reading.main is None else (reading.main + 1) % len(reading.digits)
            self._picked = reading.digits[main].box
            self._now = (frame, replace(reading, main=main))

    def _asks_back(self, digit: Digit | None) -> bool:
        """Say what speaks against keeping the picture without being told to; False if nothing does."""
        label = self._prompter.label
        if len(self._now[1].digits) > 1:
            self.tell("several")
        elif digit is not None and digit.digit != label and digit.confidence >= _CONTRADICTED:
            self.tell("doubtful", read=digit.digit, label=label)
        else:
            return False
        return True

    def _capture(self) -> None:
        box = self._keep(self._captured, self._prompter.label)
        if box:
            self._prompter.done(box)

    def _keep(self, album: Album, label: int) -> Box | None:
        frame, reading = self._now
        found = subject(reading)
        if found is None:
            self.tell("nothing")
            return None
        box, digit = found
        about = {"source": frame.source, "frame": frame.index, "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
                 "model": self.model, "thought": thought_of(digit)}  # fmt: skip
        try:
            kept = album.keep(frame.image, box, label, about)
        except OSError as error:
            self._report(f"The picture could not be kept under {album.session}: {in_words(error)}")
            self.tell("failed")
            return None
        self._report(f"Kept {kept}")
        self.tell("kept", label=label, count=album.counts[label])
        return box

    def _undo(self) -> None:
        kept = (self._captured if self._prompter else self._taught).undo()
        if kept is None:
            self.tell("nothing")
            return
        if self._prompter:
            self._prompter.label = label_of(kept)
        self._report(f"Taken back: {kept}")
        self.tell("undone", label=label_of(kept))


def _nearest(before: Box, boxes: list[Box]) -> int | None:
    """Return the index of the box that is nearest to where one was, or None if none is near."""
    away = [box.distance(before) for box in boxes]
    return away.index(min(away)) if away and min(away) < _FOLLOWED * before.side else None
