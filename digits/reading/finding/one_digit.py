"""From a picture to the tile of one digit in it, found by the finder alone: no network is asked what it is."""

from functools import cache

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.decode import Found, decode
from digits.reading.finding.looks import look_at
from digits.reading.images import to_bgr
from digits.reading.models.finder import Finder, load_finder
from digits.reading.tile import normalise

# What was found is the digit when it shares this much with where the digit is (intersection over union).
WHOLE = 0.5
GUESS = -4.5  # logit of a centre from which something is guessed at all: one in ninety
_PART = 0.5  # what lies so far in another's box, and is so tall beside it, may be the same digit


@cache
def own_finder() -> Finder:
    """Return the project's finder, loaded once a process, on one thread: processes are the parallelism."""
    return load_finder(threads=1)


def found_in(frame: np.ndarray) -> list[Found]:
    """Return what the finder takes for digits in a frame, uint8 (H, W, 3) BGR, parts of digits included."""
    grey = cv2.cvtColor(to_bgr(frame), cv2.COLOR_BGR2GRAY)
    return decode(look_at(grey, own_finder()), own_finder().decoding)


def guessed_in(frame: np.ndarray) -> list[Found]:
    """Return all that looks a little like a digit to the finder, be it ever so improbable: what to teach against."""
    grey = cv2.cvtColor(to_bgr(frame), cv2.COLOR_BGR2GRAY)
    return decode(look_at(grey, own_finder()), own_finder().decoding._replace(centre=GUESS))


def main_found(found: list[Found]) -> Found | None:
    """Return the most prominent of what was found, whole, or None."""
    best = max(found, key=lambda digit: digit.centre * digit.box.side, default=None)
    if best is None:
        return None
    same = [digit for digit in found if digit.box.side > _PART * best.box.side
            and best.box.shared(digit.box) > _PART * min(best.box.area, digit.box.area)]
    return max(same, key=lambda digit: digit.centre * digit.sure * digit.box.side**0.5)


def main_tile(frame: np.ndarray) -> np.ndarray:
    """Return the tile of the most prominent thing in a photograph of one digit.

    Args:
        frame: as for `Reader.read`.
    Returns:
        uint8 (96, 96).
    Raises:
        ValueError: "blank: ..." if nothing is written there.
    """
    main = main_found(found_in(frame))
    if main is None:
        raise ValueError("blank: no strokes were found on the paper")
    return normalise(main.ink)


def found_tile(frame: np.ndarray, box: Box) -> np.ndarray | None:
    """Return the tile of what the finder finds at a known place, or None if it does not find all of it.

    Args:
        frame: uint8 (H, W, 3) BGR.
        box: where the digit is, in pixels.
    """
    found = max(found_in(frame), key=lambda digit: digit.box.overlap(box), default=None)
    return normalise(found.ink) if found is not None and found.box.overlap(box) > WHOLE else None
