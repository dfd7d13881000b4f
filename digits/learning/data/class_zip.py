"""A zip of own images, as a class hands it in: unpacked once, with nothing outside its folder and within limits."""

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from digits.files import replacing_folder
from digits.learning.data.digit_folders import digit_of
from digits.learning.data.find_own_images import EXCLUDE_FILE
from digits.learning.data.merged_folder import DatasetError
from digits.learning.shared.keys import digest
from digits.learning.shared.lock import run_lock
from digits.reading.models.card import sha256

# What a class of forty hands in is a tenth of this; a zip that claims more is a mistake or a bomb.
MOST_BYTES = 4_000_000_000
MOST_FILES = 50_000
UNPACKED = "unpacked"  # where zips are unpacked, below runs/ or --out
_STAMP = ".unpacked"  # hidden, so that it is no picture: which zip the folder was made of


def own_folder(custom: Path, place: Path) -> Path:
    """Return the folder of own images that a path names: itself, or what a zip holds, unpacked below `place`.

    A zip is unpacked anew only when it has changed; the exclude.txt that was put beside its pictures stays.

    Raises:
        DatasetError: if it is a file but no whole zip, is locked, too large, or names places outside itself.
        RunError: if another process is unpacking there.
    """
    custom = Path(custom)
    if not custom.is_file():
        return custom
    key = sha256(custom)
    folder = place / f"{custom.stem}-{digest(str(custom.resolve()))[:8]}"
    with run_lock(place):
        stamp = folder / _STAMP
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != key:
            _renew(folder, custom, key)
    return folder


def _renew(folder: Path, custom: Path, key: str) -> None:
    chosen = folder / EXCLUDE_FILE
    excluded = chosen.read_bytes() if chosen.is_file() else None
    with replacing_folder(folder) as new:
        _unpack(custom, new)
        if excluded is not None:
            (new / EXCLUDE_FILE).write_bytes(excluded)
        (new / _STAMP).write_text(key, encoding="utf-8")


def _unpack(path: Path, folder: Path) -> None:
    """Unpack what is no system's file; where everything lies in one folder that is no session, without that folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                member.filename = member.filename.replace("\\", "/")  # as some programs of Windows write them
            members = [member for member in archive.infolist() if not member.is_dir() and not _hidden(member.filename)]
            _check(path, members)
            for member in members:
                archive.extract(member, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError) as error:
        raise DatasetError(f"{path} is no whole zip ({error}); expected a folder of own images, or a zip.") from error
    except RuntimeError as error:  # what zipfile says of a password
        raise DatasetError(f"{path} is locked with a password; zip the folder again without one.") from error
    _lift(folder, path.stem)


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) and part != ".." for part in PurePosixPath(name).parts)


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raise DatasetError for what no class's folder holds; `zipfile` reads no more of a file than is claimed here."""
    size = sum(member.file_size for member in members)
    if len(members) > MOST_FILES or size > MOST_BYTES:
        found = f"{len(members):,} files of {size / 1e9:,.1f} GB unpacked"
        raise DatasetError(f"{path} holds {found}, expected at most {MOST_FILES:,} of {MOST_BYTES / 1e9:.0f} GB.")
    for member in members:
        place = PurePosixPath(member.filename)
        if place.is_absolute() or ".." in place.parts or ":" in place.parts[0]:
            raise DatasetError(f"{path} names a place outside itself, {member.filename}; nothing was unpacked.")


def _lift(folder: Path, name: str) -> None:
    """Bring sessions to the top: take away a folder round all of them, put digits without a session into one."""
    inside = list(folder.iterdir())
    if any(path.is_dir() and digit_of(path.name) is not None for path in inside):
        session = folder / f".{name}"
        session.mkdir()
        for path in inside:
            path.rename(session / path.name)
        session.rename(folder / name)
    elif len(inside) == 1 and inside[0].is_dir():
        (only,) = inside
        if not any(digit_of(path.name) is not None for path in only.iterdir()):
            outer = only.rename(folder / ".outer")
            for path in outer.iterdir():
                path.rename(folder / path.name)
            shutil.rmtree(outer)
