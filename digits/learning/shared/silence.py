"""TensorFlow without its notes: what C++ writes past Python to the process' own outputs, which no setting silences."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced() -> Iterator[None]:
    """Within it whatever is written to the process' outputs, by Python or past it, is dropped."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        kept = {number: os.dup(number) for number in (1, 2)}
    except OSError:  # a process without outputs
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        os.close(nowhere)
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


def load_tensorflow() -> None:
    """Import TensorFlow and let it look for devices."""
    with silenced():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
