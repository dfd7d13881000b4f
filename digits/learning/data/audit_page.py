"""The audit as one HTML page: nothing is loaded from elsewhere, pictures are inside, and it works without a server."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from digits.files import write_whole
from digits.learning.data.audit import Audit, audit
from digits.learning.data.own_image import LeftOut, OwnImage
from digits.learning.data.own_images import EXCLUDE_FILE
from digits.learning.data.splits import SPLITS, Split, given_split
from digits.reading.models.contract import CLASSES

_MOST_CARDS = 2000  # pictures in the list of all: about 10 MB; the other lists are never cut
_TEMPLATE = Path(__file__).with_suffix(".html")


def write_page(custom_dir: Path, merged_dir: Path, page: Path) -> Path:
    """Look at the own images of a built `merged_dir` and write the page; return its path.

    Raises:
        DatasetError: if `merged_dir` was not built.
    """
    text = render(audit(custom_dir, merged_dir))
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, text.encode())
    return page


def render(result: Audit) -> str:
    """Return the whole page. A list of cards is {position: note} or, without notes, the positions."""
    images = result.images
    left_out = {position: image.reason for position, image in enumerate(images) if image.reason}
    problems = {p: look.problem for p, look in enumerate(result.looks) if look.problem and p not in left_out}
    sessions = defaultdict(list)
    for position in list(result.tiles)[:_MOST_CARDS]:
        sessions[images[position].session].append(position)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        vars(result),
        used=len(images) - len(left_out),
        counts=_counts([image for image in images if not image.reason]),
        doubts={position: f"filed as {images[position].label} ({100 * p:.0f} %), looks like {taken}"
                for position, taken, p in result.doubts},
        problems=dict(sorted(problems.items(), key=lambda item: item[1])),
        groups=[_group(images, positions) for positions in result.groups],
        left_out=left_out,
        sessions=sessions,
        most_cards=_MOST_CARDS,
        exclude_file=EXCLUDE_FILE,
    )  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """Pictures of a split, or of a session and which splits it is in, by digit; a `whole` one may lack digits."""

    name: str
    splits: list[Split]
    counts: list[int]
    whole: bool


def _counts(used: list[OwnImage]) -> list[_Row]:
    rows = [_row(split, [], [image for image in used if image.split == split]) for split in SPLITS]
    for session in sorted({image.session for image in used}):
        images = [image for image in used if image.session == session]
        rows.append(_row(session, sorted({image.split for image in images}), images))
    return rows


def _row(name: str, splits: list[Split], images: list[OwnImage]) -> _Row:
    counts = Counter(image.label for image in images)
    whole = name in SPLITS or given_split(name) == Split.TRAIN  # corrections need not show every digit
    return _Row(name, splits, [counts[digit] for digit in range(CLASSES)], whole)


@dataclass(frozen=True)
class _Group:
    """Near-duplicates: which splits have them, and how many are left out because they lay in others."""

    positions: list[int]
    splits: list[Split]
    crossing: int


def _group(images: list[OwnImage], positions: list[int]) -> _Group:
    reasons = [images[position].reason for position in positions]
    splits = {images[position].split for position in positions if not images[position].reason}
    crossing = sum(reason is not None and reason.kind is LeftOut.NEAR_DUPLICATE for reason in reasons)
    return _Group(positions, sorted(splits), crossing)
