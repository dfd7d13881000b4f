"""Which cameras there are, and how to open one on each platform."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

# Asking the system for its cameras starts a helper program on Windows and macOS; a hung one must not hang us.
_LIST_TIMEOUT_S = 10
_SYSFS = Path("/sys/class/video4linux")
# DSHOW gives raw pictures unless asked, and raw pictures halve the frame rate over USB 2.
_DSHOW_FOURCC = "MJPG"
_SILENT = 0  # OpenCV's LOG_LEVEL_SILENT


@dataclass(frozen=True)
class Camera:
    """One camera: the number OpenCV opens it by, and the name its maker gave it."""

    index: int
    name: str


def quiet_opencv() -> None:
    """Keep OpenCV's and FFmpeg's own chatter off the terminal, and Windows' MSMF from starting for 20 s.

    The MSMF switch is what OpenCV's maintainers advise (their issues 17687, 26495). Users' own settings win.
    """
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    if "OPENCV_LOG_LEVEL" not in os.environ:
        # OpenCV 5 moved the function.
        set_level = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel
        set_level(_SILENT)


def list_cameras(platform: str = sys.platform, sysfs: Path = _SYSFS) -> list[Camera]:
    """Return the cameras the system knows, in the order of their numbers; empty where it cannot be asked.

    Linux numbers are exact. Windows and macOS give names in their own order, which is nearly always OpenCV's.
    """
    if platform.startswith("linux"):
        return sorted(_linux_cameras(sysfs), key=lambda camera: camera.index)
    names = _windows_names() if platform == "win32" else _mac_names() if platform == "darwin" else []
    return [Camera(index, name) for index, name in enumerate(names)]


def find_camera(name: str, cameras: list[Camera]) -> Camera | None:
    """Return the camera of this name: the whole name, else the first that contains it; any case."""
    wanted = name.casefold().strip()
    whole = [camera for camera in cameras if camera.name.casefold() == wanted]
    part = [camera for camera in cameras if wanted and wanted in camera.name.casefold()]
    return (whole + part + [None])[0]


def open_camera(index: int, backend: str = "auto") -> cv2.VideoCapture | None:
    """Return an opened camera, or None; may block for seconds while the camera starts.

    On Windows MSMF comes first, for its frame rate; DSHOW reaches what MSMF does not (virtual cameras). No size
    is asked for: with MSMF each such request restarts the camera for seconds (opencv issue 27917).
    """
    quiet_opencv()
    usual = (cv2.CAP_MSMF, cv2.CAP_DSHOW, cv2.CAP_ANY) if sys.platform == "win32" else (cv2.CAP_ANY,)
    for api in usual if backend == "auto" else (getattr(cv2, f"CAP_{backend.upper()}"),):
        capture = cv2.VideoCapture(index, api)
        if capture.isOpened():
            if api == cv2.CAP_DSHOW:
                capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*_DSHOW_FOURCC))
            return capture
        capture.release()
    return None


def _linux_cameras(sysfs: Path) -> Iterator[Camera]:
    for node in sysfs.glob("video*"):
        number = node.name.removeprefix("video")
        # A webcam's second node ("index" 1) carries only metadata and gives no pictures.
        if number.isdigit() and _text(node / "index") in ("", "0"):
            yield Camera(int(number), _text(node / "name") or node.name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _windows_names() -> list[str]:
    query = "Get-CimInstance Win32_PnPEntity | Where-Object { $_.PNPClass -in 'Camera','Image' } | ForEach-Object Name"
    output = _output(["powershell", "-NoProfile", "-Command", query])
    return [line.strip() for line in output.splitlines() if line.strip()]


def _mac_names() -> list[str]:
    try:
        found = json.loads(_output(["system_profiler", "-json", "SPCameraDataType"]) or "{}")
    except json.JSONDecodeError:
        return []
    return [item.get("_name", "camera") for item in found.get("SPCameraDataType", [])]


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LIST_TIMEOUT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", errors="replace")
