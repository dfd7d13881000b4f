"""The words of the index: where a picture comes from, the four splits, and which split a name fixes.

Nothing else than the name decides, whatever pictures there are.
"""

import hashlib
from enum import StrEnum

RENDERED_SESSION = "rendered-session"  # of own images that come with the project: nobody's handwriting
TAUGHT_PREFIX = "taught-"  # sessions of corrections: always in train
# Share of the sessions (of the images, with fewer sessions) that go to validation and to test. None goes to
# calibration: that stays 2,000 MNIST pictures, so that every gate measures the same thing whoever trains.
VAL_SHARE = 0.15
TEST_SHARE = 0.15


class Source(StrEnum):
    """Where a picture comes from; the name of its tile begins with this word."""

    MNIST = "mnist"
    CUSTOM = "custom"


class Split(StrEnum):
    """One of the parts of the dataset that no picture is in two of; its word names its folder."""

    TRAIN = "train"
    VAL = "val"
    CALIBRATION = "calibration"
    TEST = "test"


SPLITS = tuple(Split)


def given_split(session: str) -> Split | None:
    """Return the split that a session's name fixes: train, test, or train for corrections; None for all others.

    Of a session within another folder, such as `test/Ana`, the outer one decides.
    """
    name = session.lower().split("/")[0]
    if name in (Split.TRAIN, Split.TEST):
        return Split(name)
    return Split.TRAIN if name.startswith(TAUGHT_PREFIX) else None


def hashed_split(name: str) -> Split:
    """Return the split of a session's name or a file's sha256: always the same, whatever else there is."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    if share < TEST_SHARE:
        return Split.TEST
    return Split.VAL if share < TEST_SHARE + VAL_SHARE else Split.TRAIN
