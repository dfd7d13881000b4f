"""Which way up a picture is: one that is turned or mirrored is noticed by how much better it reads another way."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from digits.box import Box
from digits.reading.finding.looks import STILL
from digits.reading.reader import Candidate, Reader
from digits.reading.readings import Hint, Reading

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_MOST = 6.0  # log odds: a surer digit proves no more
# Other ways are tried only where what was found scores less than this on average, in log odds. Upright pages score 3 to
# 5 and turned ones less than 3, but for the digits that look the same.
_GOOD = 3.0
_FEWEST = 2  # things found without which there is nothing to judge by
# Another way is taken where it has so many digits, and so much more evidence: of 596 upright pictures, photographs and
# rendered pages, none reads so much better turned. With 1.3 times one does.
_SEVERAL, _TIMES, _MORE = 3, 1.5, 6.0


@dataclass(frozen=True)
class Orientation:
    """How a picture is set upright.

    Attributes:
        mirrored: whether left and right are exchanged first.
        turned: degrees by which it is then turned clockwise: 0, 90, 180 or 270.
    """

    mirrored: bool = False
    turned: int = 0

    def upright(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture, (H, W) or (H, W, 3), set upright."""
        picture = cv2.flip(picture, 1) if self.mirrored else picture
        return cv2.rotate(picture, _TURNS[self.turned]) if self.turned else picture

    def size_as_given(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the size of the picture as it was given, (width, height), from that of the upright one."""
        return size if self.turned in (0, 180) else size[::-1]

    def box_as_given(self, box: Box, size: tuple[int, int]) -> Box:
        """Return where a box of the upright picture, of size (width, height), lies in the picture as it was given."""
        width, height = size
        for _ in range(self.turned // 90):  # a quarter counterclockwise
            box = Box(box.y, width - box.right, box.h, box.w)
            width, height = height, width
        return Box(width - box.right, box.y, box.w, box.h) if self.mirrored else box


UP = Orientation()
WAYS = tuple(Orientation(mirrored, turned) for mirrored in (False, True) for turned in (0, *_TURNS))


def with_hint(reading: Reading, orientation: Orientation) -> Reading:
    """Return the reading of a picture as it was given, with a hint if it should be read another way."""
    if orientation == UP:
        return reading
    return replace(reading, hint=Hint.MIRRORED if orientation.mirrored else Hint.TURNED)


def reads_well(reading: Reading) -> bool:
    """Return whether a picture is upright by its reading alone: what was found there is surely digits."""
    return _evidence([digit.score for digit in reading.digits]) >= _GOOD * _found(reading)


def orientation_of(frame: np.ndarray, reading: Reading, reader: Reader) -> Orientation:
    """Return which way a picture is read best; as it is, unless another way is clearly better.

    Most pictures cost nothing. Where the reading is doubtful, a copy of at most STILL pixels is searched in all ways:
    the finder looks for upright digits, so what it found in a turned picture may be parts of them.

    Args:
        frame: uint8 (H, W, 3) BGR.
        reading: what `reader` read there.
        reader: finds and reads.
    """
    if _found(reading) < _FEWEST or reads_well(reading):
        return UP
    scale = min(1.0, STILL / max(frame.shape[:2]))
    copy = frame if scale == 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(copy, cv2.COLOR_BGR2GRAY)
    read = {way: _scores(reader.candidates(way.upright(grey))) for way in WAYS}
    best = max(WAYS, key=lambda way: _evidence(read[way]))
    several = sum(score >= reader.min_confidence for score in read[best]) >= _SEVERAL
    return best if several and _evidence(read[best]) > _TIMES * _evidence(read[UP]) + _MORE else UP


def _found(reading: Reading) -> int:
    return len(reading.digits) + len(reading.rejected)


def _scores(candidates: list[Candidate]) -> list[float]:
    return [candidate.score for candidate in candidates]


def _evidence(scores: list[float]) -> float:
    """Return how much speaks for digits: the log odds of all that is rather a digit than none."""
    share = np.clip(scores, 0.5, 1 - 1e-9)
    return float(np.log(share / (1 - share)).clip(max=_MOST).sum())
