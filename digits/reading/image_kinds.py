"""What kind of picture the bytes of a file are, whatever its name says."""

import struct
from collections.abc import Iterator
from itertools import islice

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_SEQUENCE = b"avis"
_WEBP_ANIMATION = 2  # the bit of a VP8X chunk that says so
_HEAD = 4096  # bytes in which a PNG says whether it moves, before its first picture
_TIFF_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def is_heic(data: bytes) -> bool:
    """Return whether these are HEIC's, the format of iPhones; AVIF, which is packed alike, is none."""
    return bool(_HEIC & brands(data))


def is_animation(data: bytes) -> bool:
    """Return whether several pictures follow each other in time: an animated WebP or PNG, or an AVIF sequence."""
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
        return len(data) > 20 and bool(data[20] & _WEBP_ANIMATION)
    if data.startswith(b"\x89PNG"):
        return b"acTL" in data[:_HEAD].split(b"IDAT")[0]
    return _AVIF_SEQUENCE in brands(data)


def has_pages(data: bytes) -> bool:
    """Return whether a TIFF holds several pictures."""
    return len(list(islice(tiff_pages(data), 2))) == 2


def tiff_pages(data: bytes) -> Iterator[int]:
    """Yield where the directory of each page of a TIFF lies, as far as it is whole; nothing for other files."""
    order, seen = tiff_order(data), set()
    try:
        (place,) = struct.unpack_from(f"{order}I", data, 4)
        while place and place not in seen:
            seen.add(place)
            yield place
            (entries,) = struct.unpack_from(f"{order}H", data, place)
            (place,) = struct.unpack_from(f"{order}I", data, place + 2 + 12 * entries)
    except struct.error:  # no TIFF, or cut off
        return


def tiff_order(data: bytes) -> str | None:
    """Return in which order, as `struct` names it, the bytes of a TIFF's numbers lie; None for other files."""
    return _TIFF_ORDERS.get(data[:4])


def brands(data: bytes) -> set[bytes]:
    """Return which formats an ISO media file, such as HEIC and AVIF, says it is; none for other files."""
    if data[4:8] != b"ftyp":
        return set()
    size = min(int.from_bytes(data[:4], "big"), 256)
    return {data[8:12], *(data[place : place + 4] for place in range(16, size, 4))}
