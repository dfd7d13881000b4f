"""What kind of picture the bytes of a file are, whatever its name says."""

import struct

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_SEQUENCE = b"avis"
_WEBP_ANIMATION = 2  # the bit of a VP8X chunk that says so
_HEAD = 4096  # bytes in which a PNG says whether it moves, before its first picture


def is_heic(data: bytes) -> bool:
    """Return whether these are HEIC's, the format of iPhones; AVIF, which is packed alike, is none."""
    return bool(_HEIC & _brands(data))


def is_animation(data: bytes) -> bool:
    """Return whether several pictures follow each other in time: an animated WebP or PNG, or an AVIF sequence."""
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
        return bool(data[20] & _WEBP_ANIMATION)
    if data.startswith(b"\x89PNG"):
        return b"acTL" in data[:_HEAD].split(b"IDAT")[0]
    return _AVIF_SEQUENCE in _brands(data)


def has_pages(data: bytes) -> bool:
    """Return whether a TIFF holds several pictures."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    try:
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, first)
        (following,) = struct.unpack_from(f"{order}I", data, first + 2 + 12 * entries)
    except struct.error:  # no TIFF, or cut off
        return False
    return following != 0


def may_be_transparent(data: bytes) -> bool:
    """Return whether the kind of file can hold transparency that OpenCV's colour mode throws away."""
    bitmap = data.startswith((b"\x89PNG", b"BM", b"II*\0", b"MM\0*"))
    return bitmap or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or bool(_brands(data))


def _brands(data: bytes) -> set[bytes]:
    """Return which formats an ISO media file says it is, none for other files."""
    if data[4:8] != b"ftyp":
        return set()
    size = min(int.from_bytes(data[:4], "big"), 256)
    return {data[8:12], *(data[place : place + 4] for place in range(16, size, 4))}
