"""What the user's own images are like, as one HTML page: how many of what, which look wrong, which would help most.

The page loads nothing from elsewhere, has its pictures inside, and works without a server.
"""

import base64
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from digits.files import write_whole
from digits.learning.data.doubts import find_doubts, network_that_never_saw
from digits.learning.data.find_own_images import EXCLUDE_FILE, read_excluded
from digits.learning.data.left_out import left_out_lines
from digits.learning.data.merged_folder import load_own_images, load_split
from digits.learning.data.near_duplicates import near_groups
from digits.learning.data.own_image import LeftOut, OwnImage
from digits.learning.data.own_splits import WHOLE_SESSIONS_FROM
from digits.learning.data.splits import RENDERED_SESSION, SPLITS, TAUGHT_PREFIX, Split, given_split
from digits.learning.shared.workers import map_chunks
from digits.reading.finding.one_digit import found_in, main_found, own_finder
from digits.reading.images import ImageError, load_image
from digits.reading.models.contract import CLASSES
from digits.reading.reader import Reader, cut_off
from digits.reading.readings import Hint

THUMBNAIL = 128  # longer side, px
FAINT = 100  # contrast of strokes, of 255, that 1 in 20 of the development photographs (pencils) stays below
_MOST_CARDS = 2000  # pictures in the list of all: about 10 MB; the other lists are never cut
_TEMPLATE = Path(__file__).with_suffix(".html")
_MOST_NAMED = 8  # pictures, or folders of them, left out and named in the advice; all are in their own list
FEW = 0.5  # fewer pictures than this share of the median count as few


@dataclass(frozen=True)
class Look:
    """What one look at a photograph shows.

    `problem` is the reader's hint, "unreadable", or ""; `contrast` that of the strokes, 0 to 255.
    """

    problem: str = ""
    contrast: float = 0.0
    light_on_dark: bool = False
    thumbnail: bytes = b""  # JPEG


@dataclass(frozen=True)
class Audit:
    """All that the page shows; positions count in `images`."""

    images: list[OwnImage]
    looks: list[Look]
    tiles: dict[int, bytes]  # PNG, of the pictures that are used
    groups: list[list[int]]  # near-duplicates, two or more each
    doubts: list[tuple[int, int, float]]  # position, what it is taken for, probability of its label; worst first
    advice: list[str]
    excluded: set[str]
    custom_dir: Path


def audit(custom_dir: Path, merged_dir: Path, workers: int | None = None) -> Audit:
    """Look at every own image of a merged folder that is up to date.

    Raises:
        DatasetError: if `merged_dir` was not built.
    """
    images = load_own_images(merged_dir)
    looks = map_chunks(look_at, [(str(Path(custom_dir) / image.original),) for image in images], workers)
    used = [position for position, image in enumerate(images) if not image.reason]
    tiles = {position: (Path(merged_dir) / images[position].tile_path).read_bytes() for position in used}
    readable = [replace(image, reason=None if image.facts.near else image.reason) for image in images]
    groups = [group for group in near_groups(readable) if len(group) > 1]  # of those left out as duplicates, too
    doubts = find_doubts(images, tiles, load_split(merged_dir, Split.TRAIN), network_that_never_saw())
    excluded = read_excluded(custom_dir)
    return Audit(images, looks, tiles, groups, doubts, give_advice(images, looks), excluded, Path(custom_dir))


# Hints at which a better photograph of the same digit can be taken. The others say why nothing is read, and here the
# reader was made to read nothing.
_BETTER_AGAIN = {Hint.TOO_DARK, Hint.TOO_SMALL, Hint.BLURRED, Hint.CUT_OFF, Hint.NO_CONTRAST}


class _ReadsNothing:
    """A model that is never sure, so that the reader says what is wrong with the picture rather than what it reads."""

    temperature = 1.0
    threshold = 1.0

    def predict(self, tiles: np.ndarray) -> np.ndarray:
        return np.full((len(tiles), CLASSES), 1 / CLASSES, np.float32)


def look_at(path: str) -> Look:
    """Return a look at a photograph; runs in a worker."""
    try:
        frame = load_image(path)
        reading = Reader(_ReadsNothing(), finder=own_finder()).read(frame)
        problem = str(reading.hint) if reading.hint in _BETTER_AGAIN else ""
        if reading.main is not None and cut_off(reading.digits[reading.main].box, reading.size):
            problem = str(Hint.CUT_OFF)
        contrast = _contrast(frame)
    except (ImageError, ValueError, cv2.error):
        return Look("unreadable")
    size = [max(1, round(side * THUMBNAIL / max(frame.shape[:2]))) for side in frame.shape[1::-1]]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return Look(problem, abs(contrast), contrast > 0, jpeg)


def _contrast(frame: np.ndarray) -> float:
    """Return how much brighter the strokes of a photograph's main digit are than its paper, -255 to 255."""
    main = main_found(found_in(frame))
    if main is None:
        return 0.0
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[main.box.window]
    ink = cv2.resize(main.ink, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strokes, paper = grey[ink > 127], grey[ink == 0]
    return float(np.median(strokes)) - float(np.median(paper)) if len(strokes) and len(paper) else 0.0


def give_advice(images: list[OwnImage], looks: list[Look]) -> list[str]:
    """Return what would help most, one sentence each, the most useful first: pictures that are there and not used.

    The rendered session is nobody's handwriting, so nothing is said of it.
    """
    yours = [(image, look) for image, look in zip(images, looks, strict=True) if image.session != RENDERED_SESSION]
    used = [(image, look) for image, look in yours if not image.reason]
    advice = left_out_lines((image for image, _ in yours), "the list below", _MOST_NAMED)
    if not used:
        return [*advice, "There is no usable picture of yours yet: put some under data/custom/<session>/<digit>/."]
    advice += _missing_digits(Counter(image.label for image, _ in used), "")
    sessions = defaultdict(Counter)
    for image, _ in used:
        if image.given != Split.TRAIN or not image.session.lower().startswith(TAUGHT_PREFIX):
            sessions[image.session][image.label] += 1
    if len(sessions) > 1:
        for session, counts in sorted(sessions.items()):
            advice += _missing_digits(counts, f" from session {session}")
    if len(sessions) < WHOLE_SESSIONS_FROM:
        lacking = WHOLE_SESSIONS_FROM - len(sessions)
        advice.append(f"{lacking} more sessions by other people: then results speak of writers never seen.")
    elif not any(image.split == Split.TEST for image, _ in used):
        advice.append("No session is in test: file one person's pictures under test/<digit>/ to measure on them.")
    advice += _missing_kinds([look for _, look in used])
    problems = Counter(look.problem for _, look in used if look.problem)
    return advice + [f"{count} pictures are {name}: take them again." for name, count in problems.most_common()]


def _missing_digits(counts: Counter, where: str) -> list[str]:
    usual = float(np.median([counts[digit] for digit in range(CLASSES)]))
    if not usual:
        have = ", ".join(str(digit) for digit in range(CLASSES) if counts[digit])
        return [f"Only {have}{where}: the other digits are missing."]
    few = [digit for digit in range(CLASSES) if counts[digit] < FEW * usual]
    return [f"Few {digit}s{where}: {counts[digit]}, where other digits have {usual:.0f}." for digit in few]


def _missing_kinds(looks: list[Look]) -> list[str]:
    advice = []
    if not any(look.contrast < FAINT for look in looks):
        advice.append("No faint pens: some pictures in pencil or pale felt-tip would help.")
    if all(look.contrast < FAINT for look in looks):
        advice.append("Only faint pens: some pictures in dark ink would help.")
    if not any(look.light_on_dark for look in looks):
        advice.append("No light strokes on dark: some chalk or a white pen would help, if that is to be read.")
    return advice


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
    from jinja2 import Environment, StrictUndefined  # merging needs no page

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
