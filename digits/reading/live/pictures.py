"""Pictures one by one: a file, or a folder that is read on by itself or leafed through."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from digits.reading.images import IMAGE_SUFFIXES, ImageError, load_images, moves
from digits.reading.live.frames import Frame, Report, SourceError
from digits.reading.live.videos import open_video

# Not for cameras and training folders, but a scanner's or an instrument's files are read where they are met.
PICTURE_SUFFIXES = (*IMAGE_SUFFIXES, ".tif", ".tiff", ".pgm", ".ppm")
_ANIMATION_FPS = 10  # of animated pictures, whatever their frames' own times


class Pictures:
    """Pictures and videos file by file, in name order; what cannot be read is skipped with one sentence.

    Args:
        paths: the files, one or more.
        report: takes those sentences.
        single: the file was named itself: if it cannot be read, that is an error.
    """

    live, repeats = False, True
    fps = 1.0  # each picture is one second of a recorded video

    def __init__(self, paths: list[Path], report: Report, single: bool = False):
        self.paths, self._single, self._report = paths, single, report
        self._step = 0

    def turn(self, step: int) -> None:
        """Let the next picture be another: 1 leaves a video, -1 goes back to the picture, or file, before the newest.

        Before the first one comes the first one again.
        """
        self._step = step

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames; raise SourceError if no file gave any."""
        readable: list[int] = []  # files that gave a picture, so that turning back passes over the others
        file = page = 0
        while file < len(self.paths):
            step, frame = 0, None
            try:
                for frame in islice(self._read(file), page, None):
                    yield frame
                    step, self._step = self._step, 0
                    if step < 0 or (step and not frame.still):
                        break
            except (ImageError, SourceError) as error:
                if self._single:
                    raise SourceError(str(error)) from error
                self._report(f"Skipped: {error}")
            if frame is not None and file not in readable:
                readable.append(file)
            if step < 0 and frame.still and frame.index:
                page = frame.index - 1
            elif step < 0:
                file, page = max([at for at in readable if at < file], default=file), 0
            else:
                file, page = file + 1, 0
        if not readable:
            raise SourceError("No picture or video could be read from the source.")

    def _read(self, file: int) -> Iterator[Frame]:
        path, place = self.paths[file], (file + 1, len(self.paths))
        if path.suffix.lower() in PICTURE_SUFFIXES:
            still = not moves(path)
            for index, image in enumerate(load_images(path)):
                yield Frame(str(path), index, index / _ANIMATION_FPS, image, still, place)
            return
        with closing(open_video(path, self._report)) as video:
            yield from (replace(frame, place=place) for frame in video)

    def close(self) -> None:
        """Nothing stays open between files."""
