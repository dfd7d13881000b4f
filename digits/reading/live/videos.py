"""Video files, frame by frame."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from digits.reading.live.frames import Frame, Report, SourceError, finite, next_frame, utf8
from digits.reading.live.streams import FAILURES, USUAL_FPS

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif", ".mjpg",
                  ".mjpeg")  # fmt: skip
# Frame counts in headers are estimates for some containers; less than this share missing is no truncation.
_MISSING_SHARE = 0.05
# OpenCV's own readers are passed over: one takes a name such as "take_01.txt" for a numbered series of pictures, the
# other prints memory at random when an AVI file is damaged.
_OWN_READERS = (cv2.CAP_IMAGES, cv2.CAP_OPENCV_MJPEG)


class Video:
    """A video file, frame by frame: none skipped, however long reading takes; `again` opens it for another time."""

    live = False

    def __init__(self, name: str, capture: cv2.VideoCapture, report: Report, again: Callable | None = None):
        self.name, self._capture, self._report, self._again = name, capture, report, again
        self._played = False
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and 0 < fps <= 240 else USUAL_FPS
        self.count = max(0, int(finite(capture.get(cv2.CAP_PROP_FRAME_COUNT))))

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; raise SourceError if there is none, report, the first time, if the file ends early."""
        if self._played and self._again:
            self._capture.release()
            self._capture = self._again()
        index, last_s = 0, -1.0
        while (image := self._next()) is not None:
            stamp_s = finite(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            last_s = stamp_s if stamp_s > last_s and index else index / self.fps
            # A video of one frame is a picture: nothing follows that could confirm it.
            yield Frame(self.name, index, last_s, image, still=self.count == 1)
            index += 1
        if index == 0:
            raise SourceError(f"{self.name} is no readable video: it opens, but holds no frame.")
        if self.count - index > max(1, self.count * _MISSING_SHARE) and not self._played:
            self._report(f"{self.name} ends early: {index} of {self.count} frames could be read.")
        self._played = True

    @property
    def repeats(self) -> bool:
        """Whether it can be gone through again."""
        return self._again is not None

    def _next(self) -> np.ndarray | None:
        """Return the next readable frame; damaged ones are passed over while the file goes on."""
        for _ in range(FAILURES):
            image = next_frame(self._capture)
            if image is not None:
                return image
        return None

    def close(self) -> None:
        """Release the file."""
        self._capture.release()


def open_video(path: Path, report: Report, name: str | None = None) -> Video:
    """Return an opened video file; raise SourceError if no backend can read it."""
    if not path.stat().st_size:
        raise SourceError(f"{path} is empty, expected a video or a picture.")
    file = utf8(path)
    for api in cv2.videoio_registry.getStreamBackends():
        capture = None if api in _OWN_READERS else cv2.VideoCapture(file, api)
        if capture is not None and capture.isOpened():
            return Video(name or str(path), capture, report, partial(cv2.VideoCapture, file, api))
    raise SourceError(f"{path} is no readable video or picture; it may be damaged or of an unknown kind.")
