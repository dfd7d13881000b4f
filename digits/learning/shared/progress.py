"""How a long run tells what it does: rich bars with the time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from digits.files import printable

Advance = Callable[[int, int], None]  # takes how many steps of a job are done, and of how many
_PLAIN_EVERY_S = 10.0  # seconds after which a job is spoken of again
_FIFTHS_FROM_S = 2.0  # a job that takes longer is spoken of at each fifth of it, too


class Report:
    """Where news of a run goes. This one is silent; the scripts pass one that shows it."""

    def __call__(self, text: str) -> None:
        """Take one line of news."""

    def advance(self, title: str, done: int, total: int) -> None:
        """Take the news that `done` of `total` steps of `title` are done."""


SILENT = Report()


def titled(report: Callable, title: str) -> Advance | None:
    """Return a function (done, total) that tells `report` how far a job is; None if it takes no such news."""
    advance = getattr(report, "advance", None)
    return None if advance is None else lambda done, total: advance(title, done, total)


class Lines(Report):
    """Passes lines on to a function, and now and then one that says how far a job is."""

    def __init__(self, write: Callable[[str], None]):
        self.write = write
        self._jobs: dict[str, _Job] = {}

    def __call__(self, text: str) -> None:
        """Pass a line on."""
        self.write(text)

    def advance(self, title: str, done: int, total: int) -> None:
        """Say how far a job is and how long it may still take, unless that was said just now."""
        now = time.monotonic()
        job = self._jobs.setdefault(title, _Job(now, done, now, 0))
        fifth = 5 * done // max(total, 1)
        if done >= total:
            del self._jobs[title]
        elif now - job.spoken >= _PLAIN_EVERY_S or (fifth > job.fifth and now - job.began > _FIFTHS_FROM_S):
            job.spoken = now
            seconds = (now - job.began) * (total - done) / max(done - job.first, 1)
            left = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
            self(f"{title}: {done:,} of {total:,}, about {left} left.")
        job.fifth = max(fifth, job.fifth)


@dataclass
class _Job:
    """When and at which step a job began, when it was spoken of last, and how many fifths of it are done."""

    began: float
    first: int
    spoken: float
    fifth: int


class Console(Lines):
    """Prints lines, or draws bars with the time left in a terminal; a context manager that ends the bars.

    Args:
        stderr: print on stderr, for a script whose stdout is its result.
        timed: begin each line with the minutes since the start.
    """

    def __init__(self, stderr: bool = False, timed: bool = True):
        super().__init__(self._print)
        self.out = RichConsole(stderr=stderr, highlight=False, emoji=False, soft_wrap=True)
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        self.bars = Progress(*columns, console=self.out, transient=True)
        self.tasks: dict[str, int] = {}
        self.started = time.monotonic() if timed else None

    def __enter__(self) -> Console:
        if self.out.is_terminal:
            self.bars.start()
        return self

    def __exit__(self, *_) -> None:
        if self.out.is_terminal:
            self.bars.stop()

    def _print(self, text: str) -> None:
        if self.started is not None:
            minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
            text = f"{minutes:3d}:{seconds:02d}  {text}"
        self.out.print(printable(text), markup=False)

    def error(self, text: str) -> None:
        """Print one line on stderr."""
        RichConsole(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(printable(text), markup=False)

    def advance(self, title: str, done: int, total: int) -> None:
        """Draw a bar with the time left, or now and then print a line."""
        if not self.out.is_terminal:
            super().advance(title, done, total)
            return
        if title not in self.tasks:
            self.tasks[title] = self.bars.add_task(title, total=total)
        self.bars.update(self.tasks[title], completed=done, total=total)
        if done >= total:
            self.bars.remove_task(self.tasks.pop(title))
