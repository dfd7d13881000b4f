"""What a person should change where nothing is read: by the frame, what the finder saw, and what was refused."""

from collections.abc import Sequence

import cv2
import numpy as np

from digits.reading.finding.decoding import Decoding
from digits.reading.finding.looks import Look
from digits.reading.readings import Hint, Reason

SMALL = 9.0  # pixels of the near look: smaller digits can hardly be told apart
_DARK, _PALE = 60, 14  # grey levels: the brightest parts of a dark frame; from dark to bright without contrast
_BLURRED = 12.0  # grey levels from pixel to pixel at the sharpest edges of a frame whose digits would be legible
_OTHER = Decoding().centre  # logit from which a hilltop is a centre of other writing
_TRACE = -3.0  # logit of a centre from which there is something: one in twenty
_WRITING = 3  # centres of other writing that make a text
_STEP, _BUSY = 25, 0.05  # grey levels from pixel to pixel that make an edge; share of them on a busy background
_UNCLEAR = 0.25  # score above which what was refused may well be a digit
_HINTS = {Reason.CUT_OFF: Hint.CUT_OFF, Reason.TOO_SMALL: Hint.TOO_SMALL, Reason.NOT_A_DIGIT: Hint.NOT_DIGITS}


def hint_for(grey: np.ndarray, looks: Sequence[Look], refused: Sequence[tuple[Reason, float]]) -> Hint | None:
    """Return what a person should change in a frame in which nothing is read; None if there is nothing to read.

    Args:
        grey: uint8 (H, W), the frame.
        looks: what the finder said of it, the near look first.
        refused: why each thing found is no digit, and its score.
    """
    small = cv2.resize(grey, (64, 48), interpolation=cv2.INTER_AREA)
    dark, bright = np.percentile(small, (2, 98))
    if bright < _DARK:
        return Hint.TOO_DARK
    if not refused and bright - dark < _PALE:
        return Hint.NO_CONTRAST
    across, down = _steps(grey[:, 1:], grey[:, :-1]), _steps(grey[1:], grey[:-1])
    blurred = min(_sharpest(across), _sharpest(down)) < _BLURRED  # what moves stays sharp along its way
    if blurred and any(_count(looks[0], plane, _TRACE) for plane in (0, 1)):
        return Hint.BLURRED
    reasons = [reason for reason, _ in refused]
    commonest = max(reasons, key=reasons.count, default=None)
    if commonest in _HINTS:
        return _HINTS[commonest]
    near, far = (_count(look, 1, _OTHER) for look in looks[:2])
    if near >= _WRITING:
        return Hint.NOT_DIGITS if far else Hint.TOO_SMALL  # the far look sees no writing that is tiny in the near one
    if across.size and (across > _STEP).mean() > _BUSY:
        return Hint.BUSY
    return Hint.UNCLEAR if any(score > _UNCLEAR for _, score in refused) else None


def _steps(pixels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    return cv2.absdiff(pixels, neighbours) if pixels.size else pixels


def _sharpest(steps: np.ndarray) -> float:
    """Return how much the grey changes from pixel to pixel where it changes most."""
    return float(np.sort(steps.reshape(-1)[:: max(1, steps.size // 20000)])[-20:].mean()) if steps.size else 0.0


def _count(look: Look, plane: int, least: float) -> int:
    """Return how many centres of digits (plane 0) or of other writing (1) a look has."""
    hill = np.ascontiguousarray(look.maps[..., plane])
    return int(((hill > least) & (hill >= cv2.dilate(hill, np.ones((3, 3), np.uint8)))).sum())
