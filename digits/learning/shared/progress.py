"""How a long run shows what it does: rich bars with the time left in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console as RichConsole
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_PLAIN_EVERY_S = 10.0  # seconds between two plain lines of one job


class Report:
    """Where progress goes. This one is silent; train_all.py passes one that shows it."""

    def __call__(self, text: str) -> None:
        """Take one line of news."""

    def advance(self, title: str, done: int, total: int) -> None:
        """Take the news that `done` of `total` steps of `title` are done."""


def titled(report: Callable, title: str) -> Callable[[int, int], None] | None:
    """Return a function (done, total) that tells `report` how far a job is; None if it takes no such news."""
    advance = getattr(report, "advance", None)
    return None if advance is None else lambda done, total: advance(title, done, total)


class Console(Report):
    """Prints lines on stdout with the minutes since the start; a context manager that ends the bars."""

    def __init__(self):
        self.out = RichConsole(highlight=False, soft_wrap=True)
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.out,
            transient=True,
        )
        self.tasks: dict[str, int] = {}
        self.started = time.monotonic()
        self.jobs: dict[str, list[float]] = {}  # title -> when and where it began, when it was last spoken of

    def __enter__(self) -> Console:
        if self.out.is_terminal:
            self.bars.start()
        return self

    def __exit__(self, *_) -> None:
        if self.out.is_terminal:
            self.bars.stop()

    def __call__(self, text: str) -> None:
        """Print one line."""
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        self.out.print(f"{minutes:3d}:{seconds:02d}  {text}", markup=False)

    def error(self, text: str) -> None:
        """Print one line on stderr."""
        RichConsole(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)

    def advance(self, title: str, done: int, total: int) -> None:
        """Draw a bar with the time left, or now and then a plain line."""
        if self.out.is_terminal:
            self._draw(title, done, total)
        else:
            self._tell(title, done, total)

    def _draw(self, title: str, done: int, total: int) -> None:
        if title not in self.tasks:
            self.tasks[title] = self.bars.add_task(title, total=total)
        self.bars.update(self.tasks[title], completed=done, total=total)
        if done >= total:
            self.bars.remove_task(self.tasks.pop(title))

    def _tell(self, title: str, done: int, total: int) -> None:
        now = time.monotonic()
        began, first, spoken = self.jobs.setdefault(title, [now, done, now])
        if done >= total:
            self.jobs.pop(title)
        elif now - spoken >= _PLAIN_EVERY_S:
            self.jobs[title][2] = now
            left = (now - began) * (total - done) / max(done - first, 1)
            self(f"{title}: {done:,} of {total:,}, about {_spoken(left)} left")


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
