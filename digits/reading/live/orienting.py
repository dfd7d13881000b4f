"""Pictures, videos and cameras read the right way up: `--orient`."""

from dataclasses import replace

from digits.reading.live.frames import Frame
from digits.reading.orientation import UP, Orientation, orientation_of, reads_well, with_hint
from digits.reading.reader import Reader
from digits.reading.readings import Reading

_SETTLED = 2  # looks in a row that must agree on how a video is turned
_EVERY_S = 0.5  # of a video's time from look to look
_SEVERAL = 3  # digits that must be read well for a video to be taken for upright


class Orienter:
    """Reads frames the right way up.

    A picture is judged by itself. A video or a camera is judged while it begins, every half second, until two looks
    agree or several digits are read well; from then on it is read that way.

    Args:
        auto: turn frames; without it pictures only get a hint, and videos are read as they come.
    """

    def __init__(self, auto: bool):
        self._auto = auto
        self.reset()

    def reset(self) -> None:
        """Forget how the last video was turned."""
        self._orientation, self._suspected = UP, UP
        self._agreed, self._due = 0, 0.0

    def read(self, frame: Frame, reader: Reader) -> tuple[Frame, Reading]:
        """Return a frame as it was read, and its reading, with boxes in that frame."""
        if frame.orientation != UP:  # it was turned before
            return frame, reader.read(frame.image)
        return (self._read_still if frame.still else self._read_video)(frame, reader)

    def _read_still(self, frame: Frame, reader: Reader) -> tuple[Frame, Reading]:
        reading = reader.read(frame.image)
        orientation = orientation_of(frame.image, reading, reader)
        if orientation == UP:
            return frame, reading
        if self._auto:
            frame = _turned(frame, orientation)
            return frame, reader.read(frame.image)
        return frame, with_hint(reading, orientation)

    def _read_video(self, frame: Frame, reader: Reader) -> tuple[Frame, Reading]:
        upright = _turned(frame, self._orientation)
        reading = reader.read(upright.image)
        if self._auto and self._agreed < _SETTLED and frame.time_s >= self._due:
            self._due = frame.time_s + _EVERY_S
            self._judge(frame, reading, reader)
        return upright, reading

    def _judge(self, frame: Frame, reading: Reading, reader: Reader) -> None:
        """Take one look at how a video is turned."""
        if len(reading.digits) >= _SEVERAL and reads_well(reading):
            self._agreed = _SETTLED
            return
        seen = orientation_of(frame.image, reading, reader)
        if seen == UP:
            return
        self._agreed = self._agreed + 1 if seen == self._suspected else 1
        self._suspected = seen
        if self._agreed == _SETTLED:
            self._orientation = seen


def _turned(frame: Frame, orientation: Orientation) -> Frame:
    if orientation == UP:
        return frame
    return replace(frame, image=orientation.upright(frame.image), orientation=orientation)
