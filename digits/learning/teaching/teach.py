"""The user's own pictures, corrections first of all, into the default export's last layers: `train_all.py --teach`.

The network's trunk stays; its dense end is fitted again (see `fit_last_layers`) on what it knew and on every session in
data/custom. Before that, the same refit without some pictures shows what it is worth on them. Only if those are read
better, and the calibration images not worse, is exports/taught written and made the default. It always starts from
the release, never from what was taught before: forgetting does not add up.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from digits.learning.data import near_duplicates
from digits.learning.data.merge import build_merged
from digits.learning.data.merged_folder import load_own_images, read_tile
from digits.learning.data.splits import RENDERED_SESSION, Split, given_split
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.own_results import OwnTiles, report_own
from digits.learning.export.exporting import export_model, make_default
from digits.learning.shared.keys import digest
from digits.learning.teaching.fit_last_layers import Versions, calibration_accuracy, make_versions, refit_safely
from digits.learning.teaching.kept_features import KeptFeatures, calibration_tiles, kept_features
from digits.learning.teaching.last_layers import CutNetwork, TeachingError
from digits.paths import EXPORTS_DIR
from digits.reading.models.card import read_card
from digits.reading.models.default import default_in
from digits.reading.models.errors import ModelError
from digits.reading.models.golden import GOLDEN, load_golden
from digits.reading.models.loading import load_model

NAME = "taught"
PARTS = 3  # the pictures are held out by thirds
_LEAST = 2  # drawings: with a single one nothing can be held out


@dataclass(frozen=True)
class OwnPictures:
    """The own pictures that can be learnt from.

    `groups` int (P,) is the same for near-duplicates; `made_at` seconds, when each file was last changed; `names` their
    paths below data/custom.
    """

    tiles: np.ndarray  # uint8 (P, 96, 96)
    labels: np.ndarray  # int (P,)
    sessions: np.ndarray  # str (P,)
    groups: np.ndarray
    made_at: np.ndarray
    names: np.ndarray  # str (P,)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Judged:
    """Pictures that the refit did not see: how many, how many read right before and after."""

    what: str
    count: int
    before: int
    after: int


@dataclass(frozen=True)
class Taught:
    """What a refit came to. `share` is 0 where no step was safe; calibration is (clean, after the camera).

    `unseen` bool (P,): which pictures are read by a head that did not learn from them.
    """

    judged: list[Judged]
    unseen: np.ndarray
    calibration_before: tuple[float, float]
    calibration_after: tuple[float, float]
    share: float

    @property
    def better(self) -> bool:
        """Whether held-out pictures are read better, and the calibration images not worse than allowed."""
        return self.share > 0 and sum(each.after for each in self.judged) > sum(each.before for each in self.judged)

    def lines(self) -> list[str]:
        """Return what it came to in words, and why nothing is changed where it is not better."""
        said = [f"{each.what}: {each.before} of {each.count} right before, {each.after} after" for each in self.judged]
        calibration = zip(self.calibration_before, self.calibration_after, strict=True)
        for what, (before, after) in zip(("Calibration images", "... after camera changes"), calibration, strict=True):
            said.append(f"{what}: {before:.2%} right before, {after:.2%} after")
        if not self.share:
            said.append("Not better: the calibration images would be read worse. Nothing was changed.")
        elif not self.better:
            said.append("Not better: pictures that were held out are not read better. Nothing was changed; more "
                        "pictures may help.")  # fmt: skip
        return said


@dataclass(frozen=True)
class Release:
    """The export that teaching starts from."""

    folder: Path
    card: dict
    sha256: str  # of its model.keras


def teach(config: RunConfig, command: str, report: Callable, fresh: bool = False) -> Path | None:
    """Refit, judge, and export if it is better; return the new folder, or None if nothing was changed.

    Args:
        config: where pictures, merged tiles, caches and exports are.
        command: for the card.
        report: as `progress.Report`.
        fresh: compute kept features again, and teach again even if the pictures are the same.
    Raises:
        TeachingError: if there are no pictures, or no export that can be refitted.
    """
    release = find_release(config.exports_dir)
    for line in build_merged(config.custom_dir, config.merged_dir, config.limit, report).lines():
        report(line)
    pictures = load_pictures(config)
    key = digest(pictures.tiles, pictures.labels, pictures.sessions.tolist(), release.sha256)
    corrections = sum(given_split(session) == Split.TRAIN for session in pictures.sessions)
    report(f"{len(pictures)} pictures of {len(set(pictures.sessions))} sessions, {corrections} of them corrections; "
           f"starting from {release.folder}")
    if not fresh and _taught_key(config.exports_dir) == key:
        report(f"{config.exports_dir / NAME} was made from just these pictures: nothing was changed.")
        return None
    keras.utils.set_random_seed(config.seed)  # what dropout leaves out, too: the same pictures give the same head
    network = CutNetwork(load_model(release.folder / "model.keras").keras_model)
    kept, trunk = kept_features(config, release.sha256, network, report, fresh)
    began = time.monotonic()
    versions = make_versions(pictures.tiles, pictures.labels, trunk, config.seed)
    said_before = _said(network, pictures, versions)
    taught = judge(network, kept, pictures, versions, config.seed)
    report(f"{len(versions.labels):,} versions of them, and refits with and without the held-out ones, in "
           f"{time.monotonic() - began:.1f} s")
    for line in taught.lines():
        report(line)
    said_now = _said(network, pictures, versions) if taught.better else said_before
    _report_pupils(pictures, said_before, said_now, taught, config.reports_dir, report)
    if not taught.better:
        return None
    return _export(config, release, network, kept, taught, (len(pictures), key, command), report)


def find_release(exports_dir: Path) -> Release:
    """Return the default export, or, if that was taught, the one that it was taught from.

    Where `exports_dir` has none, as with --out or before the first --quick, the one that comes with the project.

    Raises:
        TeachingError: if there is none with a model.keras.
    """
    try:
        has_some = any(path.is_dir() for path in exports_dir.glob("*"))
        folder = default_in(exports_dir if has_some else EXPORTS_DIR)
        card = read_card(folder)
        if card and card.get("parent"):
            name = str(card["parent"]["name"])
            folder = next((root / name for root in (exports_dir, EXPORTS_DIR) if (root / name).is_dir()), folder)
            card = read_card(folder)
    except ModelError as error:
        raise TeachingError(f"There is nothing to teach: {error}") from error
    if card is None or "model.keras" not in card["files"]:
        raise TeachingError(f"{folder} holds no model.keras with a card, which --teach starts from; put an export back "
                         "there, or make one with python train_all.py.")
    return Release(folder, card, card["files"]["model.keras"]["sha256"])


def load_pictures(config: RunConfig) -> OwnPictures:
    """Return the own pictures of the last merge, but those that the user put under test/.

    Raises:
        TeachingError: if there are fewer than two different ones.
    """
    images = [each for each in load_own_images(config.merged_dir) if not each.reason and each.given != Split.TEST]
    near = near_duplicates.near_groups(images)
    if len(near) < _LEAST:
        raise TeachingError(
            f"{config.custom_dir} holds {len(near)} drawings to learn from, at least {_LEAST} are needed: name digits "
            "in the live window (keys 0 to 9), or put pictures into <session>/<digit>/, then run this again."
        )
    groups = np.zeros(len(images), int)
    for number, positions in enumerate(near):
        groups[positions] = number
    return OwnPictures(
        np.stack([read_tile(config.merged_dir / image.tile_path) for image in images]),
        np.array([image.label for image in images]),
        np.array([image.session_key for image in images]),
        groups,
        np.array([(config.custom_dir / image.original).stat().st_mtime for image in images]),
        np.array([image.original for image in images]),
    )


def judge(network: CutNetwork, kept: KeptFeatures, pictures: OwnPictures, versions: Versions, seed: int) -> Taught:
    """Refit without the pictures that are held out, look at them, then refit on all; the head stays at that.

    Two looks: at the newest session as a whole, if there are others to learn from; and at all pictures by thirds,
    each read by a head that learnt from the other two: new pictures of writers it knows. Near-duplicates of what
    is held out are held out too.
    """
    network.reset()
    before = _right(network, pictures, versions)
    calibration_before = calibration_accuracy(network, kept)
    judged = []
    session = str(pictures.sessions[pictures.made_at.argmax()])
    newest = pictures.sessions == session
    rest = ~np.isin(pictures.groups, pictures.groups[newest])
    if rest.any():
        refit_safely(network, kept, versions.select(rest), seed)
        after = _right(network, pictures, versions)
        title = f"Session {session}, learnt without it"
        judged.append(Judged(title, int(newest.sum()), int(before[newest].sum()), int(after[newest].sum())))
    part, after = thirds(pictures, seed), np.zeros(len(pictures), bool)
    for number in range(PARTS):
        held = part == number
        if held.any() and not held.all():
            refit_safely(network, kept, versions.select(~held), seed)
            after[held] = _right(network, pictures, versions)[held]
    title = "All pictures by thirds, each learnt without it (same writers)"
    judged.append(Judged(title, len(pictures), int(before.sum()), int(after.sum())))
    share = refit_safely(network, kept, versions, seed)
    return Taught(judged, after, calibration_before, calibration_accuracy(network, kept), share)


def thirds(pictures: OwnPictures, seed: int) -> np.ndarray:
    """Return int (P,): the third each picture belongs to, near-duplicates together, each digit spread over all."""
    rng = np.random.default_rng([seed, 12])
    names, first = np.unique(pictures.groups, return_index=True)
    order = rng.permutation(len(names))
    order = order[np.argsort(pictures.labels[first[order]], kind="stable")]
    part = np.empty(len(names), int)
    part[order] = np.arange(len(names)) % PARTS
    return part[np.searchsorted(names, pictures.groups)]


def _said(network: CutNetwork, pictures: OwnPictures, versions: Versions) -> np.ndarray:
    """Return float (P, 10): what the head says right now of the pictures as they are."""
    return network.probabilities(versions.features[: len(pictures)])


def _right(network: CutNetwork, pictures: OwnPictures, versions: Versions) -> np.ndarray:
    """Return bool (P,): which pictures, as they are, the head reads right now."""
    return _said(network, pictures, versions).argmax(axis=1) == pictures.labels


def _report_pupils(pictures: OwnPictures, before: np.ndarray, now: np.ndarray, taught: Taught, folder: Path,
                   report: Callable) -> None:  # fmt: skip
    """Say, session by session, how many pictures were read before and are now, and by a head that did not see them."""
    own = np.flatnonzero(pictures.sessions != RENDERED_SESSION)
    if len(own):
        split = Split.TRAIN if taught.better else ""
        tiles = OwnTiles(pictures.tiles[own], pictures.labels[own], pictures.sessions[own], pictures.names[own],
                         np.full(len(own), str(split), dtype="<U16"))  # fmt: skip
        report_own(tiles, before[own], now[own], folder, report, taught.unseen[own] if taught.better else None)


def _export(config: RunConfig, release: Release, network: CutNetwork, kept: KeptFeatures, taught: Taught,
            about: tuple[int, str, str], report: Callable) -> Path:  # fmt: skip
    """Write every format of the refitted network, then make it the default."""
    began = time.monotonic()
    report("Better: writing it in every format, and checking each")
    count, key, command = about
    names = ("clean", "camera")
    info = {
        "parent": {"name": release.folder.name, "sha256": release.sha256, "made": release.card.get("made")},
        "taught": {"pictures": count, "key": key, "share": taught.share, "judged": [vars(e) for e in taught.judged]},
        "metrics": {"calibration": {"before": dict(zip(names, taught.calibration_before, strict=True)),
                                    "after": dict(zip(names, taught.calibration_after, strict=True))}},
        "data": {**release.card.get("data", {}), "own pictures taught": count},
        "weights_origin": release.card.get("weights_origin"),
        "command": command,
    }
    sources = load_golden(release.folder / GOLDEN).sources
    folder = export_model(network.flat, NAME, config.exports_dir, info, sources, calibration_tiles(config),
                          kept.representative, report)  # fmt: skip
    make_default(config.exports_dir, NAME, release.folder.name)
    report(f"Exported in {time.monotonic() - began:.0f} s: {folder} is now the default, and an open live window takes "
           f"it by itself. Delete the folder to go back to {release.folder.name}.")
    return folder


def _taught_key(exports_dir: Path) -> str | None:
    """Return what the taught export was made from, if it is the default."""
    try:
        if default_in(exports_dir).name != NAME:
            return None
        return (read_card(exports_dir / NAME) or {}).get("taught", {}).get("key")
    except ModelError:
        return None
