"""The live window: whether one can be opened here, its keys, its closing."""

import ctypes
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

TITLE = "Digits"
LEFT, RIGHT = 0x100, 0x101  # the arrows, as `Window.key` names them
# What X11 calls the keys that have no letter; the keypad's digits are digits too.
_KEYSYMS = {0xFF08: 8, 0xFF09: 9, 0xFF0D: 13, 0xFF1B: 27, 0xFF51: LEFT, 0xFF53: RIGHT, 0xF702: LEFT, 0xF703: RIGHT}
_KEYSYMS |= {0xFFB0 + digit: ord("0") + digit for digit in range(10)}
_WINDOWS_KEYS = {0x250000: LEFT, 0x270000: RIGHT}
# Without --scale the window takes this share of the screen's height or width, but is never shown smaller.
_SHARE_OF_SCREEN = 0.8
MOST_SCALE = 4.0
_X11 = "xcb"  # what Qt calls it
_X_TCP_PORT = 6000
_X_TIMEOUT_S = 3
_X_EVENTS_LIBRARY = "libX11-xcb.so.1"
_NO_WINDOW = (
    "No window can be opened here (no display, or an OpenCV built without windows); "
    "add --headless, with --jsonl or --record for the results."
)


class DisplayError(Exception):
    """No window can be opened here; the message is one sentence for the user."""


class Window:
    """The live window; knows its keys and when its close button was pressed. Raises DisplayError if there is none.

    Args:
        scale: how many pixels of the screen show one of a picture; None for what suits the screen.
    """

    def __init__(self, scale: float | None = None):
        self._scale, self._full = scale, False
        self._was_visible = False
        self._size: tuple[int, int] | None = None
        _use_the_systems_x_library()
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise DisplayError(_NO_WINDOW) from error

    def show(self, picture: np.ndarray) -> None:
        """Show a picture; the window takes its size when that changes, else keeps what the person gave it."""
        size = (picture.shape[1], picture.shape[0])
        if size != self._size:
            scale = self._scale or suitable_scale(size, screen_size())
            cv2.resizeWindow(TITLE, *(round(side * scale) for side in size))
            self._size = size
        cv2.imshow(TITLE, picture)
        # Noted before any key or click is handled: the first one may be the close button.
        self._was_visible |= self._visible()

    def key(self, wait_ms: int) -> int | None:
        """Return the key pressed in so many milliseconds: its ASCII code, LEFT or RIGHT; None for none and others."""
        code = cv2.waitKeyEx(max(1, wait_ms))
        if code < 0:
            return None
        if code in _WINDOWS_KEYS:
            return _WINDOWS_KEYS[code]
        code &= 0xFFFF  # GTK adds Shift and NumLock above
        # Not `waitKey`, which makes Q of the left arrow.
        return code if code < 0x80 else _KEYSYMS.get(code)

    def toggle_full_screen(self) -> None:
        """Take the whole screen, or give it back."""
        self._full = not self._full
        mode = cv2.WINDOW_FULLSCREEN if self._full else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(TITLE, cv2.WND_PROP_FULLSCREEN, mode)

    @property
    def closed(self) -> bool:
        """True once the window was seen and is no more."""
        return self._was_visible and not self._visible()

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:
            return False

    def close(self) -> None:
        """Take the window away."""
        with suppress(cv2.error):  # closed by its button already
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)


def suitable_scale(picture: tuple[int, int], screen: tuple[int, int] | None) -> float:
    """Return by how much a picture (width, height) is enlarged on a screen: 1 where the screen is small or unknown."""
    if screen is None:
        return 1.0
    fits = min(_SHARE_OF_SCREEN * there / side for side, there in zip(picture, screen, strict=True))
    return min(max(1.0, fits), MOST_SCALE)


def screen_size() -> tuple[int, int] | None:
    """Return width and height of the main screen in pixels, or None where it cannot be asked."""
    with suppress(OSError, AttributeError, ValueError):
        if sys.platform == "win32":
            return tuple(map(ctypes.windll.user32.GetSystemMetrics, (0, 1)))
        if sys.platform == "darwin":
            graphics = ctypes.CDLL("/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics")
            main = graphics.CGMainDisplayID()
            return tuple(int(side(main)) for side in (graphics.CGDisplayPixelsWide, graphics.CGDisplayPixelsHigh))
        return _x_screen_size()
    return None


def _x_screen_size() -> tuple[int, int] | None:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = x11.XOpenDisplay(None)
    if not display:
        return None
    display = ctypes.c_void_p(display)
    try:
        return tuple(side(display, x11.XDefaultScreen(display)) for side in (x11.XDisplayWidth, x11.XDisplayHeight))
    finally:
        x11.XCloseDisplay(display)


def require_display() -> None:
    """Raise DisplayError if no window can be opened here.

    Qt, which OpenCV's windows are made with on Linux, ends the whole process when it finds no display, or no plugin
    for the one that QT_QPA_PLATFORM names, so both are asked first. Some desktops set it to wayland, for which OpenCV
    brings no plugin: then X11 takes its place, which they have too.
    """
    if not sys.platform.startswith("linux"):
        return
    if cv2.currentUIFramework() == "QT":  # OpenCV's knows X11 alone
        if _choose_plugin() in (None, _X11) and not _x_server_answers(os.environ.get("DISPLAY", "")):
            raise DisplayError(_NO_WINDOW)
    elif not os.environ.get("WAYLAND_DISPLAY") and not _x_server_answers(os.environ.get("DISPLAY", "")):
        raise DisplayError(_NO_WINDOW)


def _choose_plugin() -> str | None:
    """Return which of Qt's plugins will be used, None for its own choice; put X11's in the place of missing ones.

    Raises:
        DisplayError: if neither what QT_QPA_PLATFORM names is there nor X11's.
    """
    wanted = [name.split(":")[0] for name in os.environ.get("QT_QPA_PLATFORM", "").split(";") if name]
    folder = Path(os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH") or Path(cv2.__file__).parent / "qt" / "plugins")
    there = [path.name for path in (*folder.glob("libq*.so"), *folder.glob("platforms/libq*.so"))]
    if not wanted or not there:  # a Qt of the system's own keeps its plugins elsewhere
        return wanted[0] if wanted else None
    found = next((name for name in wanted if any(file.startswith(f"libq{name}") for file in there)), None)
    if found is None and not any(file.startswith(f"libq{_X11}") for file in there):
        raise DisplayError(_NO_WINDOW)
    os.environ["QT_QPA_PLATFORM"] = found or _X11
    return found or _X11


def _use_the_systems_x_library() -> None:
    """Let Qt, loaded with the first window, find the system's libX11-xcb before the one that OpenCV brings.

    OpenCV's wheels bring a libX11-xcb older than libX11 1.8, which they take from the system. In it the call by which
    Qt claims all events writes to the wrong place, so libX11 takes some of them away. On a busy computer one in four
    windows never heard that it was on the screen, and a photograph in it was never painted.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError):  # not installed: the one that OpenCV brings is all there is
            ctypes.CDLL(_X_EVENTS_LIBRARY, ctypes.RTLD_GLOBAL)


def _x_server_answers(display: str) -> bool:
    """Say whether something listens at a DISPLAY such as ":0", "unix:1.0" or "localhost:10.0"."""
    host, _, number = display.rpartition(":")
    number = number.split(".")[0]
    if not number.isdecimal():
        return False
    if host not in ("", "unix"):
        return _connects(socket.AF_INET, (host, _X_TCP_PORT + int(number)))
    path = f"/tmp/.X11-unix/X{number}"
    return _connects(socket.AF_UNIX, path) or _connects(socket.AF_UNIX, f"\0{path}")


def _connects(family: int, address: object) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(_X_TIMEOUT_S)
            connection.connect(address)
    except OSError:
        return False
    return True
