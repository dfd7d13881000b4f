"""Pictures kept from the live window: corrections (teach-me) and a person's own digits (capture)."""

import itertools
import json
import re
import time
import unicodedata
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from digits.box import Box
from digits.files import write_new
from digits.reading.readings import Digit, Reading, Reason

# Paper kept round the digit, as a share of its longer side: a later reader must find the ink by itself again.
_PAPER = 0.4
# A picture smaller than this shows too little paper to tell ink from background.
_LEAST_SIDE = 48
# Held still means: for so many frames, moved less than this share of its size since the first of them.
_STEADY_FRAMES = 8
_STEADY = 0.12
# After a picture was kept the next one must be another digit: the paper moved away by so much, or was gone so long.
_MOVED = 0.6
_GONE_FRAMES = 3
# What was refused for one of these may be a digit all the same; a person's key names it.
_NAMEABLE = (Reason.LOW_CONFIDENCE, Reason.NOT_A_DIGIT, Reason.UNSTEADY)
_NAME_LENGTH = 60
# Windows keeps these for devices, whatever the case; a folder of such a name cannot be opened there.
_DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return a name for a session's folder that every system takes and that cannot leave data/custom."""
    plain = unicodedata.normalize("NFC", name)
    kept = re.sub(r"[^\w\- ]+", "-", plain).strip(" -_")[:_NAME_LENGTH].rstrip(" -_")
    return f"{kept}-session" if _DEVICES.fullmatch(kept) else kept or "session"


class Album:
    """Files pictures under `folder`/<session>/<digit>/; never overwrites, and what it said it kept stays kept.

    Args:
        folder: data/custom.
        session: name of this sitting; made safe.
    """

    def __init__(self, folder: Path, session: str):
        self.session = safe_name(session)
        self._folder = folder / self.session
        self._kept: list[Path] = []

    @property
    def counts(self) -> Counter:
        """How many pictures of each digit were kept since the start."""
        return Counter(map(label_of, self._kept))

    def keep(self, frame: np.ndarray, box: Box, label: int, about: dict) -> Path:
        """Store the frame round a box, with a note of how it came about; return its path once both are on disk.

        Args:
            frame: uint8 (H, W, 3) BGR, as the camera gave it.
            box: of the digit, in frame pixels.
            label: what it really is, 0 to 9.
            about: what else to note (source, model, what the model thought).
        Raises:
            OSError: if it cannot be written; nothing half-written is left.
        """
        crop, inside = _with_paper(frame, box)
        ok, data = cv2.imencode(".png", crop)
        if not ok:
            raise OSError("the picture cannot be encoded as PNG")
        folder = self._folder / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        note = {"label": label, "box": inside, "frame_size": [frame.shape[1], frame.shape[0]], **about}
        picture = _write_both(folder, json.dumps(note, indent=1).encode(), data.tobytes())
        self._kept.append(picture)
        return picture

    def undo(self) -> Path | None:
        """Take back the newest picture of this sitting; return it, or None if there is none."""
        if not self._kept:
            return None
        kept = self._kept.pop()
        kept.unlink(missing_ok=True)
        kept.with_suffix(".json").unlink(missing_ok=True)
        return kept


def label_of(picture: Path) -> int:
    """Return what a kept picture shows: the name of its folder."""
    return int(picture.parent.name)


class Prompter:
    """Capture mode: asks for 0 to 9 in turn and says when the hand is still enough to keep a picture."""

    def __init__(self):
        self.label = 0
        self._still: list[Box] = []
        self._last: Box | None = None
        self._gone = 0

    def ready(self, box: Box | None) -> bool:
        """Take the newest box (None: no digit in sight); return True when it has been held still and is new."""
        if box is None:
            self._gone += 1
            self._still = []
            if self._gone >= _GONE_FRAMES:
                self._last = None
            return False
        self._gone = 0
        if self._last and _moved(self._last, box) > _MOVED:
            self._last = None
        if self._still and _moved(self._still[0], box) > _STEADY:
            self._still = []
        self._still.append(box)
        return self._last is None and len(self._still) >= _STEADY_FRAMES

    def skip(self) -> None:
        """Ask for the next digit without a picture of this one."""
        self.label = (self.label + 1) % 10

    def done(self, box: Box) -> None:
        """A picture was kept: ask for the next digit, and wait until this one has gone."""
        self.label = (self.label + 1) % 10
        self._last, self._still = box, []


def thought_of(digit: Digit | None) -> dict | None:
    """Return what the model thought of a digit, rounded for JSON."""
    if digit is None:
        return None
    return {
        "digit": int(digit.digit),
        "confidence": round(float(digit.confidence), 4),
        "probabilities": [round(float(share), 5) for share in digit.probabilities],
    }


def subject(reading: Reading) -> tuple[Box, Digit | None] | None:
    """Return the box that a key speaks of, and its reading: the highlighted digit, else the largest one not read."""
    if reading.main is not None:
        digit = reading.digits[reading.main]
        return digit.box, digit
    unread = [item.box for item in reading.rejected if item.reason in _NAMEABLE]
    return (max(unread, key=lambda box: box.area), None) if unread else None


def _with_paper(frame: np.ndarray, box: Box) -> tuple[np.ndarray, list[int]]:
    """Return the frame round a box, and the box in it."""
    margin = round(max(_PAPER * box.side, (_LEAST_SIDE - min(box.w, box.h)) / 2))
    around = box.grown(margin).within(Box(0, 0, frame.shape[1], frame.shape[0]))
    return frame[around.window], [int(length) for length in box.moved(-around.x, -around.y)]


def _moved(before: Box, after: Box) -> float:
    """Return by how much of its size a box moved or grew."""
    return max(after.distance(before), abs(after.w - before.w), abs(after.h - before.h)) / max(before.side, 1)


def _write_both(folder: Path, note: bytes, picture: bytes) -> Path:
    """Write both under a name that names no file yet, in order of time, and return the picture's path.

    The note comes first: a picture without it could be taken for one that no model has seen. Its name is taken in one
    step, so that windows that keep pictures in the same second do not get in each other's way.
    """
    stamp = time.strftime("%H%M%S")
    for number in itertools.count(1):
        path = folder / f"{stamp}-{number:02d}.png"
        if path.exists():
            continue
        try:
            write_new(path.with_suffix(".json"), note)
        except FileExistsError:
            continue
        try:
            write_new(path, picture)
        except OSError:
            path.with_suffix(".json").unlink(missing_ok=True)
            raise
        return path
