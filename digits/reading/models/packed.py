"""Files that hold files: refused before they are unpacked if they would fill the memory or reach outside themselves."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from digits.reading.models.errors import ModelError

# Unpacked; the largest networks that read tiles have a tenth of it.
_MOST_BYTES = 500_000_000


def refuse_expansion(path: Path) -> None:
    """Raise ModelError if a zip, such as `.keras` or `.npz`, says that it holds far more than a network does.

    Raises:
        zipfile.BadZipFile: if it is none.
    """
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _MOST_BYTES:
        raise ModelError(f"{path} would take {size} bytes unpacked, expected at most {_MOST_BYTES}: not opened.")


def refuse_elsewhere(path: Path, held: Path | io.BytesIO) -> None:
    """Raise ModelError if an HDF5 file takes anything from other files, or would take far more room than a network.

    Args:
        path: what the sentence names.
        held: the file itself.
    """
    import h5py

    with h5py.File(held, "r") as file:
        size = sum(_sizes(path, file, set()))
    if size > _MOST_BYTES:
        raise ModelError(f"{path} would take {size} bytes in memory, expected at most {_MOST_BYTES}: not opened.")


def _sizes(path: Path, group, seen: set[int]) -> Iterator[int]:
    """Yield the bytes of each array below a group of an HDF5 file, whatever its name, once."""
    import h5py

    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            raise ModelError(f"{path} points to another file ({name[:80]!r}): not opened.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _sizes(path, item, seen)
        elif item.external or item.is_virtual:
            raise ModelError(f"{path} points to another file ({name[:80]!r}): not opened.")
        else:
            yield item.size * item.dtype.itemsize
