"""A camera or a stream, read in a thread that always hands over the newest frame."""

import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from digits.reading.images import ImageError, decode_image
from digits.reading.live.frames import Frame, Report, Silence, SourceError, Waiting, finite, next_frame

RETRY_S = 10.0  # a lost camera is tried again for this long
_START_S = 30.0  # some Windows cameras take 20 s to give their first picture
_SILENT_S = 1.0  # no camera is this slow: after it the camera counts as lost
_POLL_S = 0.1
_REOPEN_S = 0.5
FAILURES = 10  # cameras drop single pictures; this many in a row, and it is opened anew
USUAL_FPS = 25.0
_AS_SENT = -1  # a capture's format: the bytes of each picture


class JpegStream:
    """A stream of JPEGs, as most network cameras send, each decoded by itself.

    OpenCV's own decoding stretches every picture to the size of the first, when a camera is turned or set anew.
    """

    def __init__(self, capture: cv2.VideoCapture):
        self._capture = capture
        self.get, self.release = capture.get, capture.release

    @staticmethod
    def fits(capture: cv2.VideoCapture) -> bool:
        """Return whether a capture, from which nothing was read yet, is one of JPEGs, and let it hand them out."""
        codec = int(finite(capture.get(cv2.CAP_PROP_FOURCC)))
        return codec == cv2.VideoWriter.fourcc(*"MJPG") and capture.set(cv2.CAP_PROP_FORMAT, _AS_SENT)

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Return whether there is a next picture, and that picture, uint8 (H, W, 3) BGR."""
        ok, data = self._capture.read()
        try:
            image = decode_image(data.tobytes()) if ok else None
        except ImageError:
            image = None
        return image is not None, image


class Live:
    """A camera or a stream, read in a thread that always hands over the newest frame.

    Args:
        name: what frames are labelled with.
        opener: returns an opened capture, or None. Called again when the camera is lost.
        report: takes a sentence for the user.
    """

    live, repeats = True, False
    fps = USUAL_FPS

    def __init__(self, name: str, opener: Callable, report: Report, failure: str = ""):
        self.name, self._opener, self._report = name, opener, report
        self._failure = failure or f"{name} cannot be opened."
        self._news = threading.Condition()
        self._image: np.ndarray | None = None
        self._refused = self._stopped = False
        self._opened = self._last_s = time.monotonic()
        self._started = False
        self._thread = threading.Thread(target=self._pump, name="camera", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Frame | Waiting]:
        """Yield each newest frame once, or Waiting; raise SourceError when the camera is given up."""
        index = 0
        reported = False
        while True:
            with self._news:
                if self._image is None and not self._refused:
                    self._news.wait(_POLL_S)
                image, self._image = self._image, None
                refused, last_s = self._refused, self._last_s
            if image is not None:
                yield Frame(self.name, index, last_s - self._opened, image)
                index, reported = index + 1, False
                continue
            waiting = self._waiting(refused)
            if waiting:
                if waiting.reason == Silence.LOST and not reported:
                    self._report(f"{self.name} gives no more pictures; trying again for {RETRY_S:.0f} s.")
                    reported = True
                yield waiting

    def _waiting(self, refused: bool) -> Waiting | None:
        """Say what is being waited for, or give up."""
        silent_s = time.monotonic() - self._last_s
        if not self._started:
            if refused or silent_s > _START_S:
                raise SourceError(self._failure)
            return Waiting(Silence.STARTING, _START_S - silent_s)
        left_s = RETRY_S + _SILENT_S - silent_s
        if left_s <= 0:
            raise SourceError(f"{self.name} was lost and did not come back within {RETRY_S:.0f} s.")
        return Waiting(Silence.LOST, left_s) if silent_s > _SILENT_S else None

    def _pump(self) -> None:
        """Read for ever, keep only the newest; runs in the thread, which alone touches the capture."""
        capture = self._opener()
        with self._news:
            self._refused = capture is None
            self._news.notify()
        while capture is not None and not self._stopped:
            self._pump_until_lost(capture)
            capture.release()
            while not self._stopped:
                capture = self._opener()
                if capture is not None:
                    break
                time.sleep(_REOPEN_S)

    def _pump_until_lost(self, capture) -> None:
        failures = 0
        while failures < FAILURES and not self._stopped:
            image = next_frame(capture)
            if image is None:
                failures += 1
                time.sleep(_POLL_S / 2)
                continue
            failures = 0
            with self._news:
                self._image, self._last_s, self._started = image, time.monotonic(), True
                self._news.notify()

    def close(self) -> None:
        """Stop the thread, which releases the camera; one that hangs in its driver is left behind."""
        self._stopped = True
        self._thread.join(timeout=2)
