"""Which pictures there are to read, as a table of absolute paths or URLs, which name a picture for good."""

import fnmatch
import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from digits.reading.live.pictures import PICTURE_SUFFIXES

_PER_FILE = 100_000  # paths in one file of the list
_remote = cache(fs.FileSystem.from_uri)


def whole_path(place: str) -> str:
    """Return a place as all machines know it: a URL as it is, a path in full."""
    return place.rstrip("/") if "://" in place else os.path.abspath(os.path.expanduser(place))


def filesystem(place: str) -> tuple[fs.FileSystem, str]:
    """Return pyarrow's filesystem of a place, and what the place is called there."""
    if "://" not in place:
        return fs.LocalFileSystem(), place
    root = "{}://{}".format(*urlsplit(place)[:2])
    system, base = _remote(root)
    return system, base.rstrip("/") + place.removeprefix(root)


def find_files(source: str) -> Iterator[str]:
    """Yield what a source names: a file, the pictures in a folder, or what a pattern fits; * goes into folders, too."""
    source = whole_path(source)
    system, inner = filesystem(source)
    kind = system.get_file_info(inner).type
    if kind == fs.FileType.File:
        return iter([source])
    folder, fits = source, lambda path: path.lower().endswith(PICTURE_SUFFIXES)
    if kind == fs.FileType.NotFound and (fixed := re.match(r"([^*?[]*)/[^/*?[]*[*?[]", source)):
        folder, fits = fixed[1], re.compile(fnmatch.translate(source)).match
    return filter(fits, _in_bucket(folder) if "://" in folder else _on_disk(folder))


def _on_disk(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise error

    for place, _, names in os.walk(folder, onerror=refuse):
        for name in names:  # one that is not UTF-8 is told in escapes and ends among the bad files
            yield os.fsencode(os.path.join(place, name)).decode("utf-8", "backslashreplace")


def _in_bucket(folder: str) -> Iterator[str]:
    system, inner = filesystem(folder)
    entries = system.get_file_info(fs.FileSelector(inner, recursive=True))
    return (folder.removesuffix(inner) + entry.path for entry in entries if entry.is_file)


def write_list(paths: Iterator[str], folder: str) -> list[str]:
    """Write paths as Parquet into a folder, in place of an earlier list; return the files."""
    (system, inner), files = filesystem(folder), []
    system.create_dir(inner)
    system.delete_dir_contents(inner)
    while some := [*islice(paths, _PER_FILE)]:
        files.append(f"{folder}/{len(files):06}.parquet")
        pq.write_table(pa.table({"path": pa.array(some, pa.string())}), filesystem(files[-1])[1], filesystem=system)
    return files
