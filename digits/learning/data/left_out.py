"""What was left out, in lines for a person: which pictures, why, and what to do about them."""

from collections.abc import Iterable

from digits.learning.data.own_image import LeftOut, OwnImage

NAMED = 20  # lines at most
# A folder with a wrong name is one mistake, however many pictures are in it.
_BY_FOLDER = (LeftOut.MISPLACED, LeftOut.SET_ASIDE)
# What a person chose needs no line; what is missing through a slip comes before what is there twice.
_ORDER = (LeftOut.MISPLACED, LeftOut.UNSUPPORTED, LeftOut.UNREADABLE, LeftOut.EMPTY, LeftOut.BLANK, LeftOut.SET_ASIDE,
          LeftOut.DUPLICATE, LeftOut.NEAR_DUPLICATE)  # fmt: skip


def left_out_lines(images: Iterable[OwnImage], index: str, named: int = NAMED) -> list[str]:
    """Return one line a picture that is left out, or a folder of them, the slips first.

    Args:
        images: all own images; those that are used are passed over, and those that a person excluded.
        index: where all of them are listed, named where there are more than `named` lines.
    """
    entries: dict[tuple, list[OwnImage]] = {}
    for image in images:
        if image.reason and image.reason.kind in _ORDER:
            folder = image.original.rpartition("/")[0]
            alike = image.reason.kind in _BY_FOLDER and folder
            entries.setdefault((image.reason, folder if alike else image.original), []).append(image)
    found = sorted(entries.items(), key=lambda entry: _ORDER.index(entry[0][0].kind))
    lines = [_line(name, reason, alike) for (reason, name), alike in found[:named]]
    rest = sum(len(alike) for _, alike in found[named:])
    return lines + [f"... and {rest:,} more; all are in {index}"] * (rest > 0)


def _line(name: str, reason: object, images: list[OwnImage]) -> str:
    several = f"/ ({len(images):,} pictures)" if len(images) > 1 else ""
    return f"{name if several else images[0].original}{several} left out, {reason}"
