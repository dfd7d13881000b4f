"""What is in data/merged/ and what the last build knew of it, so that a build writes only what changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

from digits.files import left_behind, write_whole
from digits.learning.data.index import Source
from digits.learning.data.own_image import Facts, OwnImage
from digits.learning.data.own_splits import by_session
from digits.learning.data.splits import SPLITS, Split
from digits.reading.finding import FINDER_VERSION
from digits.reading.models.contract import CLASSES
from digits.reading.tile import TILE_RULE

_STATE_FILE = "build.json"
_OURS = tuple(f"{source}_" for source in Source)  # how the names of tiles begin
_FACTS_RULE = 1  # version of what own_images.examine notes down


def write_if_changed(path: Path, text: str) -> None:
    """Write a text file unless it says just that already."""
    content = text.encode()
    if not path.exists() or path.read_bytes() != content:
        write_whole(path, content)


def tiles_in(folder: Path) -> tuple[set[str], set[str]]:
    """Return the paths of the tiles below `folder`, and of what a build that was cut off left behind."""
    whole, broken = set(), set()
    for split in SPLITS:
        for digit in range(CLASSES):
            inside = f"{split}/{digit}"
            if not (folder / inside).is_dir():
                continue
            with os.scandir(folder / inside) as entries:
                for entry in entries:
                    if left_behind(entry.name):
                        broken.add(f"{inside}/{entry.name}")
                    elif entry.name.startswith(_OURS):
                        good = entry.name.endswith(".png") and entry.stat().st_size > 0
                        (whole if good else broken).add(f"{inside}/{entry.name}")
    return whole, broken - whole


class MergedState:
    """What the last build knew, kept as build.json beside the index: which rules made the tiles, and of which files."""

    def __init__(self, saved: dict):
        self.saved = saved
        self.same_writer = bool(saved.get("same_writer"))
        self.files: dict[str, dict] = saved.get("files", {})
        self.tiles = {original: file["tile"] for original, file in self.files.items()}
        self.splits_before: dict[str, Split] = {}
        if not saved.get("by_session"):
            tiles = ((file["facts"]["sha256"], file["tile"]) for file in self.files.values() if file["tile"])
            self.splits_before = {sha256: Split(tile.split("/")[0]) for sha256, tile in tiles}

    @classmethod
    def load(cls, folder: Path) -> MergedState:
        """Return the state of the last build; that of an empty folder where there is none or it is damaged."""
        try:
            return cls(json.loads((folder / _STATE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls({})

    def discard_outdated(self, folder: Path, mnist_key: str) -> None:
        """Remove the tiles that other rules made."""
        rules = {"mnist": f"{TILE_RULE} {mnist_key}", "custom": f"{TILE_RULE} {FINDER_VERSION} {_FACTS_RULE}"}
        outdated = {kind for kind in rules if self.saved.get("rules", {}).get(kind) != rules[kind]}
        if not outdated:
            return
        if "custom" in outdated:
            self.files = {}
        for path in tiles_in(folder)[0]:
            if path.split("/")[2].split("_")[0] in outdated:
                (folder / path).unlink()
        self.saved["rules"] = rules
        self.begin(folder)

    def begin(self, folder: Path) -> None:
        """Note that the folder is being changed, until `finish`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.saved.update(complete=False, files=self.files)
        write_whole(folder / _STATE_FILE, json.dumps(self.saved).encode())

    def known_facts(self, original: str, custom_dir: Path) -> Facts | None:
        """Return what was found in a file, or None if it is new or has changed since."""
        known = self.files.get(original)
        if known and known["stamp"] == _stamp(custom_dir / original):
            return Facts.from_note(known["facts"])
        return None

    def finish(self, folder: Path, custom_dir: Path, images: list[OwnImage]) -> None:
        """Note what the folder now holds."""
        whole_sessions = by_session(images)
        own = [image for image in images if not image.reason and image.given is None]
        self.same_writer = bool(own) and not whole_sessions
        files = {}
        for image in images:
            if image.facts != Facts():
                stamp = _stamp(custom_dir / image.original)
                files[image.original] = {"stamp": stamp, "facts": image.facts.noted(), "tile": image.tile_path}
        self.saved.update(complete=True, by_session=whole_sessions, same_writer=self.same_writer, files=files)
        write_if_changed(folder / _STATE_FILE, json.dumps(self.saved))


def _stamp(path: Path) -> list[int]:
    """Return what changes whenever a file does, without opening it."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
