"""Where frames come from: a camera, a stream, a video, a picture, or a folder of them."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from digits.reading.cameras import find_camera, list_cameras, open_camera, quiet_opencv
from digits.reading.images import IMAGE_SUFFIXES, ImageError, load_image, to_bgr

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".gif")
# Not for cameras and training folders, but a scanner's or an instrument's files are read where they are met.
PICTURE_SUFFIXES = (*IMAGE_SUFFIXES, ".tif", ".tiff", ".pgm", ".ppm")
# Left behind by systems, not by people: skipped without a word.
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
DEMO_CLIP = Path(__file__).resolve().parents[2] / "data" / "samples" / "demo.mp4"

RETRY_S = 10.0  # a lost camera is tried again for this long
_START_S = 30.0  # some Windows cameras take 20 s to give their first picture
_SILENT_S = 1.0  # no camera is this slow: after it the camera counts as lost
_POLL_S = 0.1
_REOPEN_S = 0.5
_FAILURES = 10  # cameras drop single pictures; this many in a row, and it is opened anew
_STREAM_TIMEOUT_MS = 5000
_USUAL_FPS = 25.0
# Frame counts in headers are estimates for some containers; less than this share missing is no truncation.
_MISSING_SHARE = 0.05

Report = Callable[[str], None]


class SourceError(Exception):
    """A source that cannot be opened or was lost; the message is one sentence for the user."""


class SourceMissingError(SourceError):
    """A source that is not there: no such file, and no camera of that name."""


@dataclass(frozen=True)
class Frame:
    """One frame: which source it is from, its number and time there, and uint8 (H, W, 3) BGR pixels.

    `still` is true for a picture, which has no past and no future to vote with.
    """

    source: str
    index: int
    time_s: float
    image: np.ndarray
    still: bool = False


@dataclass(frozen=True)
class Waiting:
    """No frame just now: the camera is "starting" or "lost", and is given up in `seconds_left`."""

    reason: str
    seconds_left: float


class Pictures:
    """Pictures and videos file by file, in name order; what cannot be read is skipped with one sentence."""

    live = False
    fps = 1.0  # each picture is one second of a recorded video

    def __init__(self, paths: list[Path], report: Report, single: bool = False):
        self.paths, self.single, self._report = paths, single, report

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; raise SourceError if no file gave any."""
        count = 0
        for path in self.paths:
            try:
                for frame in _read_file(path, self._report):
                    count += 1
                    yield frame
            except (ImageError, SourceError) as error:
                if self.single:
                    raise SourceError(str(error)) from error
                self._report(f"Skipped: {error}")
        if not count:
            raise SourceError("No picture or video could be read from the source.")

    def close(self) -> None:
        """Nothing stays open between files."""


class Video:
    """A video file, frame by frame: none skipped, however long reading takes."""

    live = False

    def __init__(self, name: str, capture: cv2.VideoCapture, report: Report):
        self.name, self._capture, self._report = name, capture, report
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and 0 < fps <= 240 else _USUAL_FPS
        self.count = max(0, int(_finite(capture.get(cv2.CAP_PROP_FRAME_COUNT))))

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; raise SourceError if there is none, report if the file ends early."""
        index = 0
        last_s = -1.0
        while True:
            image = self._next()
            if image is None:
                break
            stamp_s = _finite(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            last_s = stamp_s if stamp_s > last_s and index else index / self.fps
            # A video of one frame is a picture: nothing follows that could confirm it.
            yield Frame(self.name, index, last_s, image, still=self.count == 1)
            index += 1
        if index == 0:
            raise SourceError(f"{self.name} is no readable video: it opens, but holds no frame.")
        if self.count - index > max(1, self.count * _MISSING_SHARE):
            self._report(f"{self.name} ends early: {index} of {self.count} frames could be read.")

    def _next(self) -> np.ndarray | None:
        """Return the next readable frame; damaged ones are passed over while the file goes on."""
        for _ in range(_FAILURES):
            ok, image = self._capture.read()
            image = _usable(image) if ok else None
            if image is not None:
                return image
        return None

    def close(self) -> None:
        """Release the file."""
        self._capture.release()


class Live:
    """A camera or a stream, read in a thread that always hands over the newest frame.

    Args:
        name: what frames are labelled with.
        opener: returns an opened capture, or None. Called again when the camera is lost.
        report: takes a sentence for the user.
    """

    live = True
    fps = _USUAL_FPS

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
            if waiting and waiting.reason == "lost" and not reported:
                self._report(f"{self.name} gives no more pictures; trying again for {RETRY_S:.0f} s.")
                reported = True
            if waiting:
                yield waiting

    def _waiting(self, refused: bool) -> Waiting | None:
        """Say what is being waited for, or give up."""
        silent_s = time.monotonic() - self._last_s
        if not self._started:
            if refused or silent_s > _START_S:
                raise SourceError(self._failure)
            return Waiting("starting", _START_S - silent_s)
        left_s = RETRY_S + _SILENT_S - silent_s
        if left_s <= 0:
            raise SourceError(f"{self.name} was lost and did not come back within {RETRY_S:.0f} s.")
        return Waiting("lost", left_s) if silent_s > _SILENT_S else None

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
        while failures < _FAILURES and not self._stopped:
            ok, image = capture.read()
            image = _usable(image) if ok else None
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


def open_source(text: str, report: Report, backend: str = "auto") -> Pictures | Video | Live:
    """Return the source that a word names: "demo", a number, a URL, a file, a folder, or a camera's name.

    Args:
        text: what the user gave after --source.
        report: takes one sentence for each thing skipped or lost.
        backend: one of cameras.BACKENDS.
    Raises:
        SourceMissingError: if there is no such file and no such camera.
        SourceError: if it is there but cannot be opened.
    """
    quiet_opencv()
    if text == "demo":
        if not DEMO_CLIP.is_file():
            raise SourceError(f"The demo clip {DEMO_CLIP} is not there; name a camera, video or picture instead.")
        return _open_video(DEMO_CLIP, report, name="demo")
    if text.isdecimal():
        return _open_camera(int(text), backend, report)
    if "://" in text:
        return _open_url(text, report)
    path = Path(text)
    if path.is_dir():
        return Pictures(_files(path, report), report)
    if path.is_file():
        return Pictures([path], report, single=True) if _is_picture(path) else _open_video(path, report)
    camera = find_camera(text, list_cameras())
    if camera is None:
        raise SourceMissingError(f"There is no file and no camera called {text}; try --list-cameras.")
    return _open_camera(camera.index, backend, report, camera.name)


def as_bgr(image: np.ndarray) -> np.ndarray:
    """Return any camera's frame as uint8 (H, W, 3) BGR; raise ImageError if it is none.

    Unlike pictures, cameras put 10, 12 or 14 bits into 16: their brightest value tells which.
    """
    if image.dtype == np.uint16 and image.size:
        bits = max(8, int(image.max()).bit_length())
        image = (image >> (bits + bits % 2 - 8)).astype(np.uint8)
    if image.ndim == 3 and image.shape[2] == 2:
        return cv2.cvtColor(image, cv2.COLOR_YUV2BGR_YUY2)
    return to_bgr(image)


def _usable(image: np.ndarray | None) -> np.ndarray | None:
    try:
        return None if image is None else as_bgr(image)
    except (ImageError, cv2.error):
        return None


def _read_file(path: Path, report: Report) -> Iterator[Frame]:
    if _is_picture(path):
        yield Frame(str(path), 0, 0.0, load_image(path), still=True)
        return
    video = _open_video(path, report)
    try:
        yield from video
    finally:
        video.close()


def _files(folder: Path, report: Report) -> list[Path]:
    """Return the files to read, in name order, those of folders inside it too."""
    wanted = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or _is_hidden(path.relative_to(folder)):
            continue
        if path.suffix.lower() in PICTURE_SUFFIXES + VIDEO_SUFFIXES:
            wanted.append(path)
        else:
            report(f"Skipped: {path} is neither a picture nor a video.")
    if not wanted:
        raise SourceError(f"{folder} holds no picture or video; expected {', '.join(IMAGE_SUFFIXES)} or .mp4.")
    return wanted


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts) or path.name.lower() in _SYSTEM_FILES


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _open_video(path: Path, report: Report, name: str | None = None) -> Video:
    if not path.stat().st_size:
        raise SourceError(f"{path} is empty, expected a video or a picture.")
    for api in _file_backends():
        capture = cv2.VideoCapture(str(path), api)
        if capture.isOpened():
            return Video(name or str(path), capture, report)
        capture.release()
    raise SourceError(f"{path} is no readable video or picture; it may be damaged or of an unknown kind.")


def _file_backends() -> list[int]:
    """Return what OpenCV can read files with, best first.

    Not its two own readers: one takes a name such as "take_01.txt" for a numbered series of pictures, the other
    prints memory at random when an AVI file is damaged.
    """
    unwanted = (cv2.CAP_IMAGES, cv2.CAP_OPENCV_MJPEG)
    return [api for api in cv2.videoio_registry.getStreamBackends() if api not in unwanted]


def _open_camera(index: int, backend: str, report: Report, name: str = "") -> Live:
    failure = (
        f"Camera {name or index} cannot be opened; is it plugged in, allowed and free? "
        "Try --list-cameras, another --source, or --source demo."
    )
    return Live(name or str(index), partial(open_camera, index, backend), report, failure)


def _open_url(url: str, report: Report) -> Video | Live:
    first = _stream(url)
    if first is None:
        raise SourceError(f"{url} cannot be opened; check the address and that it is reachable from here.")
    if _finite(first.get(cv2.CAP_PROP_FRAME_COUNT)) > 0:
        return Video(url, first, report)
    waiting = [first]
    return Live(url, lambda: waiting.pop() if waiting else _stream(url), report)


def _stream(url: str) -> cv2.VideoCapture | None:
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS),
    ]
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
    if capture.isOpened():
        return capture
    capture.release()
    return None


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
