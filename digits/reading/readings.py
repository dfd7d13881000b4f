"""What one frame says: digits, what was refused and why, and a hint where nothing is read."""

from dataclasses import dataclass, field

import numpy as np

from digits.box import Box


@dataclass(frozen=True)
class Digit:
    """One digit read.

    Attributes:
        box: in frame pixels.
        digit: 0 to 9.
        confidence: its probability, 0 to 1, after temperature scaling.
        probabilities: float32 (10,), sum 1.
        tile: uint8 (96, 96), exactly what the network saw.
    """

    box: Box
    digit: int
    confidence: float
    probabilities: np.ndarray = field(repr=False)
    tile: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Rejected:
    """Something written that is not read as a digit: its box in frame pixels and why."""

    box: Box
    reason: str


@dataclass(frozen=True)
class Reading:
    """What one frame says.

    Attributes:
        size: (width, height) of the frame in pixels.
        digits: in reading order.
        rejected: what looked like writing and is no digit.
        main: index of the most prominent digit, or None.
        hint: why nothing is read ("too dark", "too small", "blurred", "cut off", "no contrast"), or None.
        latency_ms: milliseconds for "find", "predict" and "total".
    """

    size: tuple[int, int]
    digits: list[Digit]
    rejected: list[Rejected]
    main: int | None
    hint: str | None
    latency_ms: dict[str, float]
