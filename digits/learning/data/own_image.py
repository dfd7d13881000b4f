"""One picture of the user's own: what its file holds, which session it is of, its split or why it is left out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from enum import StrEnum

from digits.learning.data.splits import Source, Split

SET_ASIDE = "set_aside"  # folder of a session: boxes of worksheets that wait for somebody to look at them


class LeftOut(StrEnum):
    """The kinds of reasons why a picture is left out, in the words of index.csv."""

    BLANK = "blank"
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    EXCLUDED = "excluded"
    MISPLACED = "misplaced"
    NEAR_DUPLICATE = "near-duplicate"
    SET_ASIDE = "set aside"
    UNREADABLE = "unreadable"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class WhyLeftOut:
    """Why a picture is left out; as text, `kind: detail`."""

    kind: LeftOut
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    @classmethod
    def parse(cls, text: str) -> WhyLeftOut | None:
        """Return the reason that a text of index.csv or build.json stands for; None for "", a picture that is used."""
        kind, _, detail = text.partition(": ")
        return cls(LeftOut(kind), detail) if text else None


@dataclass(frozen=True)
class Facts:
    """What one file holds: sha256 of the file and of its grey pixels, fingerprint of its tile, the tile.

    `reason` says why it cannot be used, None if it can.
    """

    sha256: str = ""
    pixels: str = ""
    near: str = ""
    reason: WhyLeftOut | None = None
    png: bytes = field(default=b"", repr=False)

    def noted(self) -> dict[str, str]:
        """Return the facts without the tile, as build.json keeps them."""
        return {"sha256": self.sha256, "pixels": self.pixels, "near": self.near, "reason": str(self.reason or "")}

    @classmethod
    def from_note(cls, note: dict[str, str]) -> Facts:
        """Return the facts that build.json kept."""
        return cls(note["sha256"], note["pixels"], note["near"], WhyLeftOut.parse(note["reason"]))


@dataclass(frozen=True)
class OwnImage:
    """One file under data/custom, and, once decided, its split or the reason why it is left out."""

    original: str  # below custom/, with forward slashes
    label: int | None
    session: str
    given: Split | None = None  # the split that its folder or its session's name fixes
    facts: Facts = Facts()
    split: Split | None = None
    reason: WhyLeftOut | None = None

    @property
    def session_key(self) -> str:
        """The session's name as every file system gives it back: macOS takes accents apart."""
        return unicodedata.normalize("NFC", self.session)

    def without(self, kind: LeftOut, detail: str) -> OwnImage:
        """Return the image left out for a reason."""
        return replace(self, reason=WhyLeftOut(kind, detail))

    @property
    def tile_path(self) -> str:
        """Path of its tile below data/merged, with forward slashes; "" if it is left out."""
        if self.reason:
            return ""
        return f"{self.split}/{self.label}/{Source.CUSTOM}_{_slug(self.session)}_{self.facts.sha256[:16]}.png"


def _slug(name: str) -> str:
    """Return `name` as part of a file name that any system takes: letters, digits and single hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return "-".join(words)[:40] or "session"
