"""Where readings go: JSON lines and an annotated video."""

import json
import os
import sys
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from digits.files import beside

RECORD_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
# A gap in a live recording (camera unplugged, computer asleep) is not filled with more frames than this.
_MOST_REPEATS = 250


class JsonLines:
    """One JSON object a line, to a file or ("-") to standard output; readable by others while it grows."""

    def __init__(self, target: str | None):
        self.reader_left = False
        # Plain ASCII survives every console and every editor; JSON escapes the rest.
        self._own: TextIO | None = None if target in (None, "-") else open(target, "w", encoding="ascii")
        self._file = self._own if target != "-" else sys.stdout

    def write(self, record: dict) -> None:
        """Write one object and hand it on at once."""
        if self._file is None or self.reader_left:
            return
        try:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
        except BrokenPipeError:
            # Whoever read our lines has had enough ("| head"): no mistake; Python must not complain at exit.
            self.reader_left = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def close(self) -> None:
        """Close the file, if it is one."""
        if self._own:
            self._own.close()


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
                raise OSError(f"{self._path} cannot be made; try another folder, or a name ending in .avi.")
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
        if frames < self._frames:
            self._partial.unlink(missing_ok=True)
            raise OSError(f"{self._path} could not be written to its end and was removed; is the disk full?")
        os.replace(self._partial, self._path)
