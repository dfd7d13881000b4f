"""Where readings go: JSON lines, lines of text and an annotated video."""

import json
import os
import sys
from io import FileIO
from pathlib import Path

import cv2
import numpy as np

from digits.files import beside, drop_stdout, printable, try_lock
from digits.reading.live.frames import Frame
from digits.reading.readings import Reading

RECORD_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
# A gap in a live recording (camera unplugged, computer asleep) is not filled with more frames than this.
_MOST_REPEATS = 250


class JsonLines:
    """One JSON object a line, to a file or ("-") to standard output; readable by others while it grows.

    A file never ends in half a line: one that the disk cannot hold is taken back.
    """

    def __init__(self, target: str | None):
        self.reader_left = False
        self._target = target
        self._file = None if target in (None, "-") else _opened(Path(target))

    def write(self, record: dict) -> None:
        """Write one object and hand it on at once; raise OSError, which names the file, if that fails."""
        # Plain ASCII survives every console and every editor; JSON escapes the rest.
        line = json.dumps(record) + "\n"
        if self._file:
            self._append(line.encode("ascii"))
        elif self._target == "-" and not self.reader_left:
            self.reader_left = not _printed(line)

    def _append(self, line: bytes) -> None:
        written = 0
        try:
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            if written:
                self._file.truncate(self._file.seek(0, os.SEEK_END) - written)
            error.filename = self._target
            raise

    def close(self) -> None:
        """Close the file, if it is one."""
        if self._file:
            self._file.close()


class TextLines:
    """What is written in each picture, one line a picture, to standard output; of a video each time it changes."""

    def __init__(self) -> None:
        self.reader_left = False
        self._last = ("", "")

    def write(self, frame: Frame, reading: Reading) -> None:
        """Print one line: the picture's name and its rows of digits."""
        now = frame.source, reading.text
        if self.reader_left or (not frame.still and (now == self._last or not reading.text)):
            return
        self._last = now
        self.reader_left = not _printed(f"{printable(frame.source)}: {reading.text}\n")


def _printed(line: str) -> bool:
    """Print a line at once; return False if whoever read our lines has had enough ("| head"), which is no mistake."""
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except OSError as error:
        drop_stdout()
        if not isinstance(error, BrokenPipeError):
            error.filename = "standard output"
            raise
        return False
    return True


def _opened(path: Path) -> FileIO:
    """Return a file to write lines to, emptied; raise OSError if another process is writing to it."""
    file = open(path, "ab", buffering=0)
    if path.is_file():  # not a pipe or a device, which several may write to
        if not try_lock(file):
            file.close()
            raise OSError(f"another run is writing to {path}; name another file with --jsonl")
        file.truncate(0)
    return file


class Recorder:
    """The annotated video. It lies beside its name until it is complete, then takes it.

    Args:
        path: .mp4 or .avi.
        fps: frames a second of the video.
        live: frames come as they come: repeat them so that the video runs as fast as life did.
    """

    def __init__(self, path: Path, fps: float, live: bool):
        self._path, self._fps, self._live = path, fps, live
        self._partial = beside(path)
        self._writer: cv2.VideoWriter | None = None
        self._due = self._frames = 0  # frames by the clock, and those written

    def write(self, picture: np.ndarray, time_s: float) -> None:
        """Add one picture, uint8 (H, W, 3); all have one size. Raise OSError if the file cannot be made."""
        if self._writer is None:
            codec = cv2.VideoWriter.fourcc(*RECORD_CODECS[self._path.suffix.lower()])
            size = (picture.shape[1], picture.shape[0])
            self._writer = cv2.VideoWriter(str(self._partial), codec, self._fps, size)
            if not self._writer.isOpened():
                self._writer = None
                self._partial.unlink(missing_ok=True)
                raise OSError(f"{self._path} cannot be made; is the disk full, or no video of that kind possible here?")
        due = round(time_s * self._fps) + 1 - self._due if self._live else 1
        for _ in range(min(due, _MOST_REPEATS)):
            self._writer.write(picture)
            self._frames += 1
        self._due += max(0, due)

    def close(self) -> None:
        """Complete the video and give it its name; raise OSError if not all of it could be written.

        OpenCV's writers say nothing of a full disk: what they wrote is opened and its frames are counted.
        """
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        film = cv2.VideoCapture(str(self._partial))
        frames = film.get(cv2.CAP_PROP_FRAME_COUNT) if film.isOpened() else 0
        film.release()
        try:
            if frames < self._frames:
                raise OSError(f"{self._path} could not be written to its end and was removed; is the disk full?")
            os.replace(self._partial, self._path)
        finally:
            self._partial.unlink(missing_ok=True)
