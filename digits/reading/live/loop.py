"""The live loop: frames in; read, tracked and drawn; window, JSON lines and video out."""

import sys
import time
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from digits.box import Box
from digits.files import clear_abandoned
from digits.paths import CUSTOM_DIR
from digits.reading.live.collecting import thought_of
from digits.reading.live.controls import ESCAPE, Controls
from digits.reading.live.drawing import Screen, Status
from digits.reading.live.finder_view import with_finder
from digits.reading.live.frames import Frame, Report, Waiting
from digits.reading.live.model_watch import ModelWatch
from digits.reading.live.orienting import Orienter
from digits.reading.live.outputs import JsonLines, Recorder, TextLines
from digits.reading.live.pictures import Pictures
from digits.reading.live.sources import open_source
from digits.reading.live.tracking import Tracker
from digits.reading.live.window import LEFT, RIGHT, Window, require_display
from digits.reading.live.words import default_language
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model
from digits.reading.models.model import Model
from digits.reading.orientation import UP
from digits.reading.reader import Reader
from digits.reading.readings import Hint, Reading
from digits.reading.rows import numbers

_PICTURE_S = 2.0  # how long a picture stays in the window where no key is waited for
_NEXT, _BACK, _FULL = (ord(" "), RIGHT), LEFT, (ord("f"), ord("F"))
_FINDER = ord("v"), ord("V")
_KEY_POLL_MS = 30
_FPS_MEMORY = 0.9
_FIRST_SIZE = (640, 480)  # of the canvas while the camera starts


@dataclass(frozen=True)
class Options:
    """What realtime_multiformat.py was asked for; its --help says what each does."""

    model: Path | None = None
    source: str = "0"
    headless: bool = False
    jsonl: str | None = None
    record: Path | None = None
    max_frames: int | None = None
    threads: int | None = None
    min_confidence: float | None = None
    mirror: bool = False
    orient: str = "up"
    camera_backend: str = "auto"
    lang: str | None = None
    custom: Path | None = None
    once: bool = False
    scale: float | None = None
    text: bool = False


def run(options: Options, report: Report) -> None:
    """Read the source until it ends or the person quits.

    Without a window, without `jsonl` and without `text`, the JSON lines go to standard output.

    Args:
        options: what to read, with what, and where the results go.
        report: takes one sentence at a time: the model in use, what was skipped, what was lost.
    Raises:
        SourceMissingError: no such file or camera.
        SourceError: the source cannot be opened, or was lost.
        ModelError: no model could be loaded.
        DisplayError: a window is wanted where none can be opened.
        OSError: a result cannot be written.
    """
    if not options.headless:
        require_display()
    if options.threads:
        cv2.setNumThreads(options.threads)
    with closing(open_source(options.source, report, options.camera_backend)) as source:
        model = load_model(options.model, threads=options.threads)
        report(_introduction(model))
        loop = _Loop(options, source, model, report)
        try:
            loop.play()
        finally:
            loop.close()
            if loop.frames and not isinstance(sys.exception(), OSError):  # then something was not written
                report(loop.summary())


def as_record(frame: Frame, reading: Reading) -> dict:
    """Return one frame's JSON object, as the contract of realtime_multiformat.py has it.

    Boxes are those of the frame as it was given, before it was set upright.
    """

    def as_given(box: Box) -> list[int]:
        return [int(side) for side in frame.orientation.box_as_given(box, reading.size)]

    return {
        "source": frame.source,
        "frame": frame.index,
        "time_s": round(frame.time_s, 3),
        "size": [int(side) for side in frame.orientation.size_as_given(reading.size)],
        "orientation": asdict(frame.orientation),
        "digits": [{"box": as_given(digit.box), **thought_of(digit), "score": round(float(digit.score), 4)}
                   for digit in reading.digits],
        "rejected": [{"box": as_given(item.box), "reason": item.reason} for item in reading.rejected],
        "rows": [{"text": "".join(str(reading.digits[index].digit) for index in number), "line": line,
                  "box": as_given(Box.union(reading.digits[index].box for index in number)), "digits": number}
                 for line, row in enumerate(numbers([digit.box for digit in reading.digits])) for number in row],
        "main": None if reading.main is None else int(reading.main),
        "hint": reading.hint,
        "latency_ms": {name: round(float(value), 2) for name, value in reading.latency_ms.items()},
    }


class _Loop:
    """One run over one source."""

    def __init__(self, options: Options, source, model: Model, report: Report):
        self._options, self._source, self._report = options, source, report
        self._reader = Reader(model, options.min_confidence)
        self._status = Status(model.name, model.format, model.verified)
        self._language = options.lang or default_language()
        custom = options.custom or CUSTOM_DIR
        if not options.headless:
            clear_abandoned(custom, below=True)
        self._controls = Controls(custom, self._language, model.name, report)
        self._watch = ModelWatch(model, options.model, options.threads)
        self._tracker = Tracker()
        self._orienter = Orienter(options.orient == "auto")
        self._lines = JsonLines(options.jsonl or ("-" if options.headless and not options.text else None))
        self._text = TextLines() if options.text else None
        self._recorder = Recorder(options.record, source.fps, source.live) if options.record else None
        self._window = None if options.headless else Window(options.scale)
        # Somebody is looking: pictures wait for a key, and videos begin again at their end.
        self._leisurely = not (options.headless or options.once or options.record or options.max_frames)
        self._repeats = self._leisurely and not options.jsonl and getattr(source, "repeats", False)
        self._screen: Screen | None = None
        self._canvas: np.ndarray | None = None
        self._drawn: Status | None = None
        self._source_name = ""
        self._orientation = UP
        self._key_changed_picture = False
        self._turned = self._shows_finder = False
        self._written: set[tuple[str, int]] = set()  # pictures whose line is there: turning back writes none again
        self.frames = self._digits = 0
        self._video_start = self._last_frame = time.monotonic()

    def play(self) -> None:
        """Go through the source, again and again where somebody looks; return when it, they or --max-frames end."""
        while True:
            for item in self._source:
                goes_on = self._wait(item) if isinstance(item, Waiting) else self._frame(item)
                if not goes_on or self.frames == self._options.max_frames:
                    return
            if not self._repeats:
                return

    def summary(self) -> str:
        """Return one line for the end: what was read, and what was written."""
        said = f"{_counted(self.frames, 'frame')}, {_counted(self._digits, 'digit')} read."
        files = [str(path) for path in (self._options.record, self._options.jsonl) if path not in (None, "-")]
        if self._controls.kept:
            files.append(f"{_counted(self._controls.kept, 'picture')} in {self._options.custom or CUSTOM_DIR}")
        return f"{said} Written: {', '.join(files)}." if files else said

    def close(self) -> None:
        """Finish the files and close the window, whichever of them fails."""
        with ExitStack() as ends:
            for each in (self._window, self._recorder, self._lines):
                if each:
                    ends.callback(each.close)

    def _frame(self, frame: Frame) -> bool:
        """Read, write and show one frame; return False when the person quits."""
        self.frames += 1
        read = self._read(frame)
        if read is None:
            return True
        frame, reading = read
        self._digits += len(reading.digits)
        picture = (frame.source, frame.index) if frame.still and self._leisurely else None
        if picture not in self._written:
            self._lines.write(as_record(frame, reading))
            if self._text:
                self._text.write(frame, reading)
            if reading.hint in (Hint.TURNED, Hint.MIRRORED):
                seems = reading.hint.rstrip("?")
                self._report(f"{frame.source} looks {seems}; --orient auto reads it the right way up.")
        if picture:
            self._written.add(picture)
        if self._window or self._recorder:
            self._measure_speed(frame)
            self._screen = self._screen or Screen(frame.image.shape[1::-1], self._language)
        if self._recorder:
            self._recorder.write(self._screen.draw(frame.image, reading, self._status), frame.time_s)
        if self._window:
            self._controls.see(frame, reading)
            self._show(frame)
            return self._until_next(frame)
        return not (self._text or self._lines).reader_left

    def _show(self, frame: Frame) -> None:
        self._status = replace(self._status, place=frame.place if frame.place[1] > 1 else None)
        self._drawn = self._controls.status(self._status)
        image = with_finder(frame.image, self._reader.looks) if self._shows_finder else frame.image
        self._canvas = self._screen.draw(image, self._controls.reading(), self._drawn, self._options.mirror)
        self._window.show(self._canvas)

    def _read(self, frame: Frame) -> tuple[Frame, Reading] | None:
        """Return the frame the right way up and its reading, voted over frames; None for a frame that is no picture."""
        if frame.source != self._source_name or frame.index == 0:
            self._tracker.reset()
            self._orienter.reset()
            self._orientation = UP
            self._source_name = frame.source
        self._renew_model()
        try:
            frame, reading = self._orienter.read(frame, self._reader)
        except (ValueError, cv2.error) as error:
            self._report(f"Skipped: frame {frame.index} of {frame.source} is unreadable: {_last_line(error)}")
            return None
        if frame.orientation != self._orientation:
            self._tracker.reset()
            self._orientation = frame.orientation
        return frame, reading if frame.still else self._tracker.update(reading, frame.image)

    def _renew_model(self) -> bool:
        """Go on with the model that training has just put in place of ours, without a restart; True if there is one."""
        try:
            model = self._watch.renewed()
        except ModelError as error:
            self._report(f"Keeping the model as it was: {error}")
            self._controls.tell("not renewed")
            return False
        if model is None:
            return False
        self._reader = Reader(model, self._options.min_confidence)
        self._status = replace(self._status, model=model.name, format=model.format, verified=model.verified)
        self._controls.model = model.name
        self._controls.tell("renewed", name=model.name)
        self._report(_introduction(model))
        return True

    def _measure_speed(self, frame: Frame) -> None:
        if frame.still:
            return  # pictures have no speed
        now = time.monotonic()
        fps = 1.0 / max(1e-3, now - self._last_frame)
        self._last_frame = now
        before = self._status.fps or fps
        self._status = replace(self._status, fps=_FPS_MEMORY * before + (1 - _FPS_MEMORY) * fps)

    def _until_next(self, frame: Frame) -> bool:
        """Handle keys until the next frame is due; return False when the person quits."""
        due = self._due(frame)
        self._turned = False
        while True:
            left_ms = 1000 * (min(due, time.monotonic() + 1) - time.monotonic())
            if not self._keys(int(min(max(left_ms, 1), _KEY_POLL_MS))):
                return False
            if frame.still and self._renew_model():  # it reads the picture that stays; its line has been written
                frame, reading = self._orienter.read(frame, self._reader)
                self._controls.see(frame, reading)
                self._show(frame)
            if self._key_changed_picture or self._controls.status(self._status) != self._drawn:
                self._show(frame)
            if time.monotonic() >= due or self._turned:
                return True

    def _due(self, frame: Frame) -> float:
        """Return when the next frame may be shown: a camera's at once, a video's at its own speed."""
        now = time.monotonic()
        if self._source.live:
            return now
        if frame.still:
            return float("inf") if self._leisurely else now + _PICTURE_S
        if frame.index == 0:
            self._video_start = now
        return self._video_start + frame.time_s

    def _keys(self, wait_ms: int) -> bool:
        """Handle one key, if any; return False when the person quits."""
        key = self._window.key(wait_ms)
        if key in _FULL:
            self._window.toggle_full_screen()
        self._key_changed_picture = self._controls.key(key)
        if key in _FINDER:
            self._shows_finder, self._key_changed_picture = not self._shows_finder, True
        if not self._key_changed_picture and (key in _NEXT or key == _BACK):
            self._turned = isinstance(self._source, Pictures)
            if self._turned:
                self._source.turn(-1 if key == _BACK else 1)
        return key not in (ord("q"), ord("Q"), ESCAPE) and not self._window.closed

    def _wait(self, waiting: Waiting) -> bool:
        """Show why there is no frame; return False when the person quits."""
        if not self._window:
            return True
        screen = self._screen or Screen(_FIRST_SIZE, self._language)
        self._window.show(screen.wait(waiting.reason, waiting.seconds_left, self._status, self._canvas))
        return self._keys(1)


def _introduction(model: Model) -> str:
    checked = "" if model.verified else ", not verified: no card.json and SHA256SUMS beside it vouch for this file"
    return f"Reading with {model.path} ({model.format}){checked}."


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
