"""The Raspberry Pi's own cameras, which need libcamera: through its Python package picamera2, if that is installed."""

import importlib.util
from contextlib import suppress

import numpy as np

_SIZE = (640, 480)
# Rows of blue, green, red bytes in memory, as OpenCV has them: picamera2 names the order the other way round.
_FORMAT = "RGB888"
MISSING = (
    "--source picamera needs the package picamera2: sudo apt install python3-picamera2, in an environment that sees it "
    "(python3 -m venv --system-site-packages .venv)."
)


def picamera_installed() -> bool:
    """Return whether picamera2 can be imported."""
    with suppress(ImportError, ValueError):
        return importlib.util.find_spec("picamera2") is not None
    return False


class PiCamera:
    """A started camera with the methods that `streams.Live` calls of OpenCV's captures."""

    def __init__(self, camera):
        self._camera = camera

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Return whether there is a frame, and the frame, uint8 (480, 640, 3) BGR."""
        try:
            return True, self._camera.capture_array()
        except (RuntimeError, OSError):
            return False, None

    def release(self) -> None:
        """Give the camera back."""
        with suppress(RuntimeError, OSError):
            self._camera.stop()
            self._camera.close()


def open_picamera() -> PiCamera | None:
    """Return the first camera, started; None if there is none or another program holds it."""
    from picamera2 import Picamera2

    try:
        camera = Picamera2()
        camera.configure(camera.create_video_configuration(main={"size": _SIZE, "format": _FORMAT}))
        camera.start()
    except (RuntimeError, IndexError, OSError):
        return None
    return PiCamera(camera)
