"""Which split each own image belongs to: fixed by hashes, near-duplicates together, none in two."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from digits.learning.data.near_duplicates import near_groups
from digits.learning.data.own_image import LeftOut, OwnImage
from digits.learning.data.splits import Split, hashed_split

WHOLE_SESSIONS_FROM = 5  # with so many sessions or more, a session is never divided between splits
# Where near-duplicates lie in two splits, the copy in the split named first stays.
_PROTECTED = (Split.TEST, Split.VAL, Split.CALIBRATION, Split.TRAIN)


def decide(images: list[OwnImage], mnist: Mapping[str, str], before: Mapping[str, Split]) -> list[OwnImage]:
    """Return the images with their split, or with the reason why they are left out.

    Args:
        images: as found and examined.
        mnist: sha256 of the pixels of every MNIST picture -> its name.
        before: sha256 of a file -> the split it had in the last build, where splits went by image.
    """
    images = [replace(image, reason=image.reason or image.facts.reason) for image in images]
    images = [image.without(LeftOut.DUPLICATE, f"of MNIST's {mnist[image.facts.pixels]}")
              if not image.reason and image.facts.pixels in mnist else image for image in images]  # fmt: skip
    return _without_crossings(_with_splits(_without_duplicates(images), before))


def by_session(images: Iterable[OwnImage]) -> bool:
    """Return whether there are so many sessions that whole sessions go to a split."""
    sessions = {image.session_key for image in images if not image.reason and image.given is None}
    return len(sessions) >= WHOLE_SESSIONS_FROM


def _without_duplicates(images: list[OwnImage]) -> list[OwnImage]:
    same = defaultdict(list)
    for image in images:
        if not image.reason:
            same[image.facts.pixels].append(image)

    def decided(image: OwnImage) -> OwnImage:
        if image.reason:
            return image
        copies = same[image.facts.pixels]
        other = next((copy for copy in copies if copy.label != image.label), None)
        if other:
            return image.without(LeftOut.DUPLICATE, f"the same picture has another label as {other.original}")
        stays = min(copies, key=lambda copy: _PROTECTED.index(copy.given or Split.CALIBRATION))
        return image if image is stays else image.without(LeftOut.DUPLICATE, f"of {stays.original}")

    return [decided(image) for image in images]


def _with_splits(images: list[OwnImage], before: Mapping[str, Split]) -> list[OwnImage]:
    if by_session(images):
        return [replace(image, split=image.given or hashed_split(image.session_key)) for image in images]
    images = [replace(image, split=image.given) for image in images]
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
    left = list(images)
    for group in near_groups(images):
        stays = min((images[position] for position in group), key=lambda image: _PROTECTED.index(image.split))
        for position in group:
            if images[position].split != stays.split:
                detail = f"of {stays.original} in {stays.split}"
                left[position] = images[position].without(LeftOut.NEAR_DUPLICATE, detail)
    return left
