"""The user's own images: which files count, what is wrong with the others, which split each belongs to."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from digits.learning.config import CLASSES
from digits.reading.images import IMAGE_SUFFIXES, load_image
from digits.reading.reader import main_tile

EXCLUDE_FILE = "exclude.txt"
SET_ASIDE = "set_aside"  # folder of a session: boxes of worksheets that wait for somebody to look at them
TAUGHT_PREFIX = "taught-"  # sessions of corrections: always in train
WHOLE_SESSIONS_FROM = 5  # with so many sessions or more, a session is never divided between splits
# Share of the sessions (of the images, with fewer sessions) that go to validation and to test. None goes to
# calibration: that stays 2,000 MNIST pictures, so that every gate measures the same thing whoever trains.
VAL_SHARE = 0.15
TEST_SHARE = 0.15
# Distance of the fingerprints (0 the same, 1.4 nothing in common) below which two pictures show the same drawing.
# Photographs re-saved, darkened or halved stay below in 95 of 100, turned by 1.5 degrees in 75; of pairs of MNIST's
# ones, the digit most alike, 1 in 100,000 is as near. Signs of a DCT, the usual hash, took in 8 times as many of those.
NEAR = 0.12
# Where near-duplicates lie in two splits, the copy in the split named first stays.
_PROTECTED = ("test", "val", "calibration", "train")
_DIGIT_FOLDERS = tuple(str(digit) for digit in range(CLASSES))
_GIVEN_SPLITS = ("train", "test")
_DEEPEST = 6  # folders below custom/ looked into: enough to report what is misplaced, finite if links go round
_SIDE_FILES = (".txt", ".md", ".json", ".jsonl", ".csv", ".ini", ".db")  # notes beside pictures, no mistake
_PRINT_SIDE = 24


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


# ---------------------------------------------------------------- finding


def find_own_images(custom_dir: Path) -> list[OwnImage]:
    """Return every picture under `custom_dir` by path; a misplaced or excluded one has its reason."""
    excluded = read_excluded(custom_dir)
    images = [_placed(path) for path in sorted(_walk(Path(custom_dir)))]
    for position, image in enumerate(images):
        if _is_excluded(image.original, excluded):
            images[position] = replace(image, reason=f"excluded: named in {EXCLUDE_FILE}")
    return images


def read_excluded(custom_dir: Path) -> set[str]:
    """Return the paths below `custom_dir` (files or whole folders) that its exclude.txt lists, one a line."""
    try:
        text = (Path(custom_dir) / EXCLUDE_FILE).read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return set()
    lines = (line.strip().replace("\\", "/").strip("/") for line in text.splitlines())
    return {unicodedata.normalize("NFC", line) for line in lines if line and not line.startswith("#")}


def _is_excluded(original: str, excluded: set[str]) -> bool:
    parts = unicodedata.normalize("NFC", original).split("/")
    return any("/".join(parts[: depth + 1]) in excluded for depth in range(len(parts)))


def _walk(custom_dir: Path) -> Iterable[str]:
    for folder, subfolders, files in os.walk(custom_dir, followlinks=True):
        inside = Path(folder).relative_to(custom_dir)
        subfolders[:] = [name for name in subfolders if not name.startswith((".", "__"))]
        if len(inside.parts) >= _DEEPEST:
            subfolders.clear()
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() not in _SIDE_FILES:
                yield (inside / name).as_posix()


def _placed(original: str) -> OwnImage:
    parts = original.split("/")
    session = parts[0] if len(parts) > 1 else ""
    digit = parts[1] if len(parts) == 3 and parts[1] in _DIGIT_FOLDERS else None
    image = OwnImage(original, int(digit) if digit else None, session, given_split(session))
    if len(parts) > 2 and parts[1] == SET_ASIDE:
        return replace(image, reason=f"set aside: look at it, then move it to {session}/<digit 0 to 9> or delete it")
    if digit is None:
        return replace(image, reason="misplaced: expected <session>/<digit 0 to 9>/<picture>")
    if Path(original).suffix.lower() not in IMAGE_SUFFIXES:
        return replace(image, reason=f"unsupported: expected one of {' '.join(IMAGE_SUFFIXES)}")
    return image


def given_split(session: str) -> str | None:
    """Return the split that a session's name fixes: train, test, or train for corrections; None for all others."""
    if session.lower() in _GIVEN_SPLITS:
        return session.lower()
    return "train" if session.lower().startswith(TAUGHT_PREFIX) else None


# ---------------------------------------------------------------- looking at each


def examine(paths: list[str]) -> list[Facts]:
    """Return what each file holds; nothing that is wrong with a picture stops the others."""
    return [_examine(Path(path)) for path in paths]


def _examine(path: Path) -> Facts:
    try:
        content = path.read_bytes()
    except OSError as error:
        return Facts(reason=f"unreadable: {error.strerror or error}")
    if not content:
        return Facts(reason="empty: the file has no bytes")
    facts = Facts(sha256=hashlib.sha256(content).hexdigest())
    try:
        frame = load_image(path)
        facts = replace(facts, pixels=_pixel_digest(frame))
        tile = main_tile(frame)
    except (ValueError, OSError, MemoryError, cv2.error) as error:
        reason = f"{error}".strip().rstrip(".") or type(error).__name__
        if facts.pixels:
            return replace(facts, reason=reason if reason.startswith("blank") else f"blank: {reason}")
        return replace(facts, reason=f"unreadable: {reason.replace(str(path), 'it')}")
    return replace(facts, near=fingerprint(tile).hex(), png=encode_tile(tile))


def encode_tile(tile: np.ndarray) -> bytes:
    """Return a uint8 (96, 96) tile as PNG; run-length coding is the quickest here and the smallest too."""
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    return cv2.imencode(".png", tile, options)[1].tobytes()


def _pixel_digest(frame: np.ndarray) -> str:
    """Return the sha256 of the grey pixels; that of 28 x 28 is the one MNIST's pictures are known by."""
    return hashlib.sha256(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).tobytes()).hexdigest()


def fingerprint(tile: np.ndarray) -> bytes:
    """Return 24 x 24 means of a tile, which change little with how the drawing was photographed or saved.

    Args:
        tile: uint8 (96, 96). The photograph itself would not do: all white sheets look alike.
    """
    return cv2.resize(tile, (_PRINT_SIDE, _PRINT_SIDE), interpolation=cv2.INTER_AREA).tobytes()


# ---------------------------------------------------------------- duplicates and splits


def decide(images: list[OwnImage], mnist: Mapping[str, str], before: Mapping[str, str]) -> list[OwnImage]:
    """Return the images with their split, or with the reason why they are left out.

    Args:
        images: as found and examined.
        mnist: sha256 of the pixels of every MNIST picture -> its name.
        before: sha256 of a file -> the split it had in the last build, where splits went by image.
    """
    images = [replace(image, reason=image.reason or image.facts.reason) for image in images]
    images = _without_mnist(images, mnist)
    images = _without_duplicates(images)
    images = _with_splits(images, before)
    return _without_crossings(images)


def by_session(images: Iterable[OwnImage]) -> bool:
    """Return whether there are so many sessions that whole sessions go to a split."""
    sessions = {image.session_key for image in images if not image.reason and image.given is None}
    return len(sessions) >= WHOLE_SESSIONS_FROM


def hashed_split(name: str) -> str:
    """Return the split of a session's name or a file's sha256: always the same, whatever else there is."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "val" if share < TEST_SHARE + VAL_SHARE else "train"


def near_groups(images: list[OwnImage]) -> list[list[int]]:
    """Return the positions of the usable images in groups of near-duplicates, singles included."""
    usable = [position for position, image in enumerate(images) if not image.reason]
    if not usable:
        return []
    prints = np.stack([np.frombuffer(bytes.fromhex(images[p].facts.near), np.uint8) for p in usable]).astype(np.float32)
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    leader = np.arange(len(usable))
    for start in range(0, len(usable), 1024):
        # |a - b|^2 = 2 - 2ab for vectors of length 1
        alike = prints[start : start + 1024] @ prints.T > 1 - NEAR**2 / 2
        for row, column in zip(*np.nonzero(alike), strict=True):
            _join(leader, start + row, column)
    groups = defaultdict(list)
    for place, position in enumerate(usable):
        groups[_leader(leader, place)].append(position)
    return list(groups.values())


def _leader(leader: np.ndarray, place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return int(place)


def _join(leader: np.ndarray, first: int, second: int) -> None:
    first, second = _leader(leader, first), _leader(leader, second)
    leader[max(first, second)] = min(first, second)


def _without_mnist(images: list[OwnImage], mnist: Mapping[str, str]) -> list[OwnImage]:
    return [
        replace(image, reason=f"duplicate: of MNIST's {mnist[image.facts.pixels]}")
        if not image.reason and image.facts.pixels in mnist
        else image
        for image in images
    ]


def _without_duplicates(images: list[OwnImage]) -> list[OwnImage]:
    same = defaultdict(list)
    for position, image in enumerate(images):
        if not image.reason:
            same[image.facts.pixels].append(position)
    images = list(images)
    for positions in same.values():
        if len({images[position].label for position in positions}) > 1:
            for position in positions:
                other = next(p for p in positions if images[p].label != images[position].label)
                reason = f"duplicate: the same picture has another label as {images[other].original}"
                images[position] = replace(images[position], reason=reason)
            continue
        stays = min(positions, key=lambda p: _PROTECTED.index(images[p].given or "calibration"))
        for position in positions:
            if position != stays:
                images[position] = replace(images[position], reason=f"duplicate: of {images[stays].original}")
    return images


def _with_splits(images: list[OwnImage], before: Mapping[str, str]) -> list[OwnImage]:
    images = [replace(image, split=image.given or "") for image in images]
    if by_session(images):
        return [replace(image, split=image.split or hashed_split(image.session_key)) for image in images]
    for group in near_groups(images):
        given = [images[p].given for p in group if images[p].given]
        known = [before[images[p].facts.sha256] for p in group if images[p].facts.sha256 in before]
        # New near-duplicates follow those that were there before: nothing once in train turns up in test.
        first = min(given, key=_PROTECTED.index) if given else None
        split = first or (known[0] if known else hashed_split(images[group[0]].facts.sha256))
        for position in group:
            images[position] = replace(images[position], split=images[position].given or split)
    return images


def _without_crossings(images: list[OwnImage]) -> list[OwnImage]:
    images = list(images)
    for group in near_groups(images):
        stays = min(group, key=lambda position: _PROTECTED.index(images[position].split))
        for position in group:
            if images[position].split != images[stays].split:
                reason = f"near-duplicate: of {images[stays].original} in {images[stays].split}"
                images[position] = replace(images[position], reason=reason)
    return images


def reasons(images: Iterable[OwnImage]) -> dict[str, int]:
    """Return how many images are left out for each kind of reason ("blank", "duplicate", ...), most first."""
    return dict(Counter(image.reason.split(":")[0] for image in images if image.reason).most_common())
