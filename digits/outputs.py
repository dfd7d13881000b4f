"""The process' own outputs: what libraries write past Python to them is dropped, and no sentence of ours with it."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from digits.files import printable

# File descriptors belong to the whole process: two threads that each put back what they found would leave the second
# one's stand-in behind, and a sentence that one says meanwhile would be lost.
_one_at_a_time = threading.RLock()


@contextmanager
def diverted(*numbers: int, to: IO | None = None) -> Iterator[None]:
    """Within it what is written to these file descriptors, by Python or past it, goes elsewhere.

    Args:
        numbers: 1 for standard output, 2 for standard error. A process without them loses nothing.
        to: an open file; by default nowhere.
    """
    with _one_at_a_time:
        for number in numbers:  # of the others a reader may be gone, which is not for here to say
            stream = {1: sys.stdout, 2: sys.stderr}[number]
            if stream:
                stream.flush()
        try:
            kept = {number: os.dup(number) for number in numbers}
        except OSError:  # a process without outputs
            yield
            return
        try:
            with open(os.devnull, "wb") as nowhere:
                for number in kept:
                    os.dup2((to or nowhere).fileno(), number)
            yield
        finally:
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)


def say(sentence: object) -> None:
    """Write one sentence to standard error at once, whatever another thread diverts just now."""
    with _one_at_a_time:
        print(printable(sentence), file=sys.stderr, flush=True)
