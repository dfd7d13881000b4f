"""What one frame says: digits, what was refused and why, and a hint where nothing is read."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from digits.box import Box
from digits.reading.rows import numbers


class Reason(StrEnum):
    """Why something written is not read as a digit."""

    CUT_OFF = "cut off"
    TOO_SMALL = "too small"
    NOT_A_DIGIT = "not a digit"
    LOW_CONFIDENCE = "low confidence"
    UNSTEADY = "unsteady"  # not seen in enough frames yet


class Hint(StrEnum):
    """What a person should change: where nothing is read, or where a picture reads better another way up."""

    TOO_DARK = "too dark"
    TOO_SMALL = "too small"
    BLURRED = "blurred"
    CUT_OFF = "cut off"
    NO_CONTRAST = "no contrast"
    NOT_DIGITS = "not digits"
    BUSY = "busy background"
    UNCLEAR = "unclear"
    TURNED = "turned?"
    MIRRORED = "mirrored?"


@dataclass(frozen=True)
class Digit:
    """One digit read.

    Attributes:
        box: in frame pixels.
        digit: 0 to 9.
        confidence: its probability, 0 to 1, after temperature scaling.
        probabilities: float32 (10,), sum 1.
        tile: uint8 (96, 96), exactly what the network saw.
        score: how probably it is a digit at all, 0 to 1.
    """

    box: Box
    digit: int
    confidence: float
    probabilities: np.ndarray = field(repr=False)
    tile: np.ndarray = field(repr=False)
    score: float = 1.0


@dataclass(frozen=True)
class Rejected:
    """Something written that is not read as a digit: its box in frame pixels and why."""

    box: Box
    reason: Reason


@dataclass(frozen=True)
class Reading:
    """What one frame says.

    Attributes:
        size: (width, height) of the frame in pixels.
        digits: in reading order.
        rejected: what looked like writing and is no digit.
        main: index of the most prominent digit, or None.
        hint: what a person should change, or None.
        latency_ms: milliseconds for "find", "predict" and "total".
    """

    size: tuple[int, int]
    digits: list[Digit]
    rejected: list[Rejected]
    main: int | None
    hint: Hint | None
    latency_ms: dict[str, float]

    @property
    def rows(self) -> list[list[list[Digit]]]:
        """The digits line by line, each line cut into its numbers where a gap is wider than the others."""
        rows = numbers([digit.box for digit in self.digits])
        return [[[self.digits[index] for index in number] for number in row] for row in rows]

    @property
    def lines(self) -> list[str]:
        """The rows as text, the numbers of each with spaces between them."""
        return [" ".join("".join(str(digit.digit) for digit in number) for number in row) for row in self.rows]

    @property
    def text(self) -> str:
        """What is written: the numbers of a row with spaces between them, rows with " / " between them."""
        return " / ".join(self.lines)
