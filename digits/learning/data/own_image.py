"""One picture of the user's own: what its file holds, which session it is of, its split or why it is left out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

SET_ASIDE = "set_aside"  # folder of a session: boxes of worksheets that wait for somebody to look at them


TAUGHT_PREFIX = "taught-"  # sessions of corrections: always in train


_GIVEN_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Facts:
    """What one file holds: sha256 of the file and of its grey pixels, fingerprint of its tile, the tile.

    `reason` says why it cannot be used, "" if it can.
    """

    sha256: str = ""
    pixels: str = ""
    near: str = ""
    reason: str = ""
    png: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class OwnImage:
    """One file under data/custom, and, once decided, its split or the reason why it is left out."""

    original: str  # below custom/, with forward slashes
    label: int | None
    session: str
    given: str | None = None  # the split that its folder or its session's name fixes
    facts: Facts = Facts()
    split: str = ""
    reason: str = ""

    @property
    def session_key(self) -> str:
        """The session's name as every file system gives it back: macOS takes accents apart."""
        return unicodedata.normalize("NFC", self.session)

    @property
    def tile_path(self) -> str:
        """Path of its tile below data/merged, with forward slashes; "" if it is left out."""
        if self.reason:
            return ""
        return f"{self.split}/{self.label}/custom_{slug(self.session)}_{self.facts.sha256[:16]}.png"


def slug(name: str) -> str:
    """Return `name` as part of a file name that any system takes: letters, digits and single hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return "-".join(words)[:40] or "session"


def given_split(session: str) -> str | None:
    """Return the split that a session's name fixes: train, test, or train for corrections; None for all others."""
    if session.lower() in _GIVEN_SPLITS:
        return session.lower()
    return "train" if session.lower().startswith(TAUGHT_PREFIX) else None
