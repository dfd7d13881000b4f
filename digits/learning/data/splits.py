"""Which picture belongs to which split: fixed by hashes, near-duplicates together, none in two."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from digits.learning.data.near_duplicates import near_groups
from digits.learning.data.own_image import OwnImage

SPLITS = ("train", "val", "calibration", "test")
WHOLE_SESSIONS_FROM = 5  # with so many sessions or more, a session is never divided between splits
# Share of the sessions (of the images, with fewer sessions) that go to validation and to test. None goes to
# calibration: that stays 2,000 MNIST pictures, so that every gate measures the same thing whoever trains.
VAL_SHARE = 0.15
TEST_SHARE = 0.15
# Where near-duplicates lie in two splits, the copy in the split named first stays.
_PROTECTED = ("test", "val", "calibration", "train")


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
