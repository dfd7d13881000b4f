"""Where frames come from: a camera, a stream, a video, a picture, or a folder of them."""

import atexit
import shutil
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import cv2

from digits.paths import DEMO_CLIP, PACKAGE_ROOT
from digits.reading.images import IMAGE_SUFFIXES
from digits.reading.live.cameras import find_camera, list_cameras, open_camera, quiet_opencv
from digits.reading.live.frames import Report, SourceError, SourceMissingError, finite, utf8
from digits.reading.live.picamera import MISSING, open_picamera, picamera_installed
from digits.reading.live.pictures import PICTURE_SUFFIXES, Pictures
from digits.reading.live.streams import JpegStream, Live
from digits.reading.live.videos import VIDEO_SUFFIXES, Video, open_video

# Left behind by systems, not by people: skipped without a word.
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
PICAMERA = "picamera"
_PI_LIST = "rpicam-hello --list-cameras"
_STREAM_TIMEOUT_MS = 5000
_LAST_CAMERA = 99  # OpenCV takes numbers from 100 on for names of its backends


def open_source(text: str, report: Report, backend: str = "auto") -> Pictures | Video | Live:
    """Return the source that a word names: "demo", "picamera", a number, a URL, a file, a folder, or a camera's name.

    Args:
        text: what the user gave after --source.
        report: takes one sentence for each thing skipped or lost.
        backend: OpenCV's name of one, such as "v4l2", or "auto".
    Raises:
        SourceMissingError: if there is no such file and no such camera.
        SourceError: if it is there but cannot be opened.
    """
    quiet_opencv()
    if text == "demo":
        return open_video(_demo_clip(), report, name="demo")
    if text == PICAMERA:
        if not picamera_installed():
            raise SourceError(MISSING)
        failure = f"The camera of the Raspberry Pi cannot be opened; does {_PI_LIST} show one, and is it free?"
        return Live(text, open_picamera, report, failure)
    if not text.strip():
        raise SourceMissingError("--source is empty; expected a camera, a file, a folder, a URL or demo.")
    if text.isdecimal():
        if len(text.lstrip("0")) > len(str(_LAST_CAMERA)):
            raise SourceMissingError(f"There is no camera {text}, the last is {_LAST_CAMERA}; try --list-cameras.")
        return _open_camera(int(text), backend, report)
    if "://" in text:
        return _open_url(text, report)
    path = Path(text)
    if path.is_dir():
        return Pictures(_files(path, report), report)
    if path.is_file():
        is_picture = path.suffix.lower() in PICTURE_SUFFIXES
        return Pictures([path], report, single=True) if is_picture else open_video(path, report)
    camera = find_camera(text, list_cameras())
    if camera is None:
        raise SourceMissingError(f"There is no file and no camera called {text}; try --list-cameras.")
    return _open_camera(camera.index, backend, report, camera.name)


def _demo_clip() -> Path:
    """Return the demo clip; out of a bundle it is unpacked for as long as the program runs."""
    if PACKAGE_ROOT.is_file():
        folder = Path(tempfile.mkdtemp(prefix="digits-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        with zipfile.ZipFile(PACKAGE_ROOT) as bundle:
            return Path(bundle.extract(DEMO_CLIP.relative_to(PACKAGE_ROOT).as_posix(), folder))
    if not DEMO_CLIP.is_file():
        raise SourceError(f"The demo clip {DEMO_CLIP} is not there; name a camera, video or picture instead.")
    return DEMO_CLIP


def _files(folder: Path, report: Report) -> list[Path]:
    """Return the files to read, in name order, those of folders inside it too."""
    wanted = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if not path.is_file() or path.name.lower() in _SYSTEM_FILES or any(part.startswith(".") for part in parts):
            continue
        if path.suffix.lower() in PICTURE_SUFFIXES + VIDEO_SUFFIXES:
            wanted.append(path)
        else:
            report(f"Skipped: {path} is neither a picture nor a video.")
    if not wanted:
        raise SourceError(f"{folder} holds no picture or video; expected {', '.join(IMAGE_SUFFIXES)} or .mp4.")
    return wanted


def _open_camera(index: int, backend: str, report: Report, name: str = "") -> Live:
    failure = (f"Camera {name or index} cannot be opened; is it plugged in, allowed and free? "
               "Try --list-cameras, another --source, or --source demo.")
    return Live(name or str(index), partial(open_camera, index, backend), report, failure)


def _open_url(url: str, report: Report) -> Video | Live:
    first = _stream(url)
    if first is None:
        raise SourceError(f"{url} cannot be opened; check the address and that it is reachable from here.")
    if finite(first.get(cv2.CAP_PROP_FRAME_COUNT)) > 0:
        return Video(url, first, report)
    waiting = [first]
    return Live(url, lambda: waiting.pop() if waiting else _stream(url), report)


def _stream(url: str) -> cv2.VideoCapture | JpegStream | None:
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _STREAM_TIMEOUT_MS]
    capture = cv2.VideoCapture(utf8(url), cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        return None
    live = finite(capture.get(cv2.CAP_PROP_FRAME_COUNT)) <= 0
    return JpegStream(capture) if live and JpegStream.fits(capture) else capture
