"""The finder at work, drawn into a frame: the ink it sees, and where it sees centres."""

from collections.abc import Sequence

import cv2
import numpy as np

from digits.reading.finding.decode import UNIT
from digits.reading.finding.decoding import Decoding
from digits.reading.finding.looks import STRIDE, Look

_INK = np.array([200, 60, 230], np.float32)  # blue, green, red
_DIGIT, _OTHER = (94, 201, 76), (60, 170, 255)


def with_finder(frame: np.ndarray, looks: Sequence[Look]) -> np.ndarray:
    """Return a frame, uint8 (H, W, 3) BGR, with what its first look says: ink in pink, centres as circles.

    Circles are as large as the finder takes the digit for: green for digits, orange for other writing.
    """
    if not looks:
        return frame
    look, (height, width) = looks[0], frame.shape[:2]
    share = 1 / (1 + np.exp(-look.ink(np.s_[:, :])))
    rows, columns = round(height * look.scale), round(width * look.scale)
    share = cv2.resize(share[:rows, :columns], (width, height), interpolation=cv2.INTER_LINEAR)[..., np.newaxis]
    shown = (frame * (1 - 0.7 * share) + 0.7 * share * _INK).astype(np.uint8)
    for plane, colour in ((0, _DIGIT), (1, _OTHER)):
        for x, y, side in _centres(look, plane):
            cv2.circle(shown, (round(x), round(y)), max(2, round(side / 2)), colour, max(1, width // 400), cv2.LINE_AA)
    return shown


def _centres(look: Look, plane: int) -> list[tuple[float, float, float]]:
    """Return x, y and size, in pixels of the frame, of a plane's hilltops."""
    hill = np.ascontiguousarray(look.maps[..., plane])
    rows, columns = np.nonzero((hill > Decoding().centre) & (hill >= cv2.dilate(hill, np.ones((3, 3), np.uint8))))
    sizes = UNIT * np.exp2(look.maps[rows, columns, 2]) if plane == 0 else np.full(len(rows), 4.0 * STRIDE)
    return [((column + 0.5) * STRIDE / look.scale, (row + 0.5) * STRIDE / look.scale, float(size) / look.scale)
            for row, column, size in zip(rows.tolist(), columns.tolist(), sizes.tolist(), strict=True)]
