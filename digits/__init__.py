"""Digits: read handwritten digits held up to a webcam, with a network trained at home.

    >>> from digits import read
    >>> reading = read("data/samples/digit_7.jpg")
    >>> [digit.digit for digit in reading.digits]
    [7]

Many pictures, or another model (any file of an export, any format):

    >>> from digits import Reader, load_model
    >>> reader = Reader(load_model("exports/cnn_compact/model.onnx"))

`help(digits.reading)` goes on from here: cameras, clips, and each step by itself.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import TYPE_CHECKING

from digits.missing import explain_missing_packages

if TYPE_CHECKING:
    import numpy as np

    from digits.reading.models.loading import load_model
    from digits.reading.reader import Reader
    from digits.reading.readings import Reading

__all__ = ["Reader", "load_model", "read"]

explain_missing_packages()

# Loaded when they are first asked for: `import digits` alone needs neither NumPy nor OpenCV nor a runtime.
_HOMES = {"Reader": "digits.reading.reader", "load_model": "digits.reading.models.loading"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def read(picture: str | os.PathLike | np.ndarray) -> Reading:
    """Return what is written in a picture, read with the released model, which is loaded once.

    Args:
        picture: the path of a file, or uint8 (H, W, 3) BGR or (H, W) grey.
    Returns:
        The digits in reading order (box, digit, confidence, probabilities, tile), what was refused and why, and a hint
        where nothing is read or the picture seems turned or mirrored.
    Raises:
        ImageError: if it is no picture.
        ModelError: if there is no model that can run here.
    """
    from digits.reading.images import load_image, to_bgr
    from digits.reading.orientation import orientation_of, with_hint

    frame = load_image(picture) if isinstance(picture, str | os.PathLike) else to_bgr(picture)
    reader = _released_reader()
    reading = reader.read(frame)
    return with_hint(reading, orientation_of(frame, reading, reader))


@cache
def _released_reader() -> Reader:
    from digits.reading.models.loading import load_model
    from digits.reading.reader import Reader

    return Reader(load_model())
