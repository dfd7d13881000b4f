"""Files from the internet: within seconds, or a sentence that says why not."""

import os
import shutil
import threading
import urllib.request
from pathlib import Path

KERAS_FILES = "https://storage.googleapis.com/tensorflow"
CONNECT_SECONDS = 6  # a server that does not answer in this time is taken as unreachable
STALL_SECONDS = 15  # a download that brings nothing for this long is given up


class DownloadError(Exception):
    """A source of data or weights is missing or wrong; the message is one sentence for the user."""


def keras_home() -> Path:
    """Return the folder where Keras keeps what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def download(url: str, path: Path) -> Path:
    """Write what `url` holds to `path` and return `path`.

    Raises:
        DownloadError: within seconds if the server cannot be reached, or if the download stalls or ends early.
    """
    with _open_url(url) as answer, open(path, "wb") as file:
        try:
            shutil.copyfileobj(answer, file, 1 << 18)
        except OSError as error:
            raise DownloadError(f"the download broke off: {first_line(error)}") from error
        expected = answer.headers.get("Content-Length")
    if expected and path.stat().st_size != int(expected):
        raise DownloadError(f"the download broke off at {path.stat().st_size} of {expected} bytes")
    return path


def _open_url(url: str):
    """Open `url` in a thread of its own, because looking up a host's name obeys no time limit of a socket."""
    outcome: list = []

    def connect() -> None:
        try:
            outcome.append(urllib.request.urlopen(url, timeout=STALL_SECONDS))
        except (OSError, ValueError) as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    if not outcome:
        raise DownloadError(f"no answer within {CONNECT_SECONDS} seconds")
    if isinstance(outcome[0], Exception):
        raise DownloadError(f"it cannot be reached: {first_line(outcome[0])}")
    return outcome[0]


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its kind."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def last_line(text: str) -> str:
    """Return the last line of a text that says anything."""
    return ([line for line in text.splitlines() if line.strip()] or ["no reason given"])[-1]
