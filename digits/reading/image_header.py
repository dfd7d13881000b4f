"""What the first bytes of a picture say of its size, before it is decoded: a small file can hold a huge picture."""

import re
import struct
from typing import NamedTuple

# JPEG's markers that begin a frame, and those of them whose coefficients are all held until the picture is whole.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s")
_BEFORE_PIXELS = 1 << 21  # bytes of a PNG in which its transparent colours are looked for
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_SHORT = 256, 257, 3


class Header(NamedTuple):
    """Width and height in pixels, bytes that OpenCV holds of each while it decodes, and whether some may be clear.

    `reducible`: whether it can be decoded at a fraction of its size, in a fraction of the memory.
    """

    width: int
    height: int
    bytes_each: int = 3
    alpha: bool = False
    reducible: bool = False


def read_header(data: memoryview) -> Header | None:
    """Return what the head of a PNG, JPEG, BMP, WebP, GIF, TIFF or PNM file says; None for others and damaged ones."""
    head = bytes(data[:512])
    try:
        if head.startswith(b"\x89PNG"):
            return _png(data)
        if head.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if head.startswith(b"BM"):
            width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
            return Header(abs(width), abs(height), 4 if bits == 32 else 3, bits == 32)
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _webp(data)
        if head.startswith(b"GIF8"):
            return Header(*struct.unpack_from("<HH", data, 6), 4)
        if head[:4] in (b"II*\0", b"MM\0*"):
            return _tiff(data)
        found = _PNM.match(head)
        return Header(int(found[1]), int(found[2])) if found else None
    except (struct.error, IndexError):
        return None


def _png(data: memoryview) -> Header:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    alpha = colour in (4, 6) or b"tRNS" in bytes(data[:_BEFORE_PIXELS]).split(b"IDAT")[0]
    # OpenCV's decoder holds every pixel twice.
    return Header(width, height, 2 * (4 * max(1, bits // 8) if alpha else 3), alpha)


def _jpeg(data: memoryview) -> Header | None:
    place = 2
    while place < len(data) - 9:
        marker = data[place + 1]
        if data[place] != 0xFF or marker == 0xFF:
            place += 1
        elif marker in _JPEG_ALONE:
            place += 2
        elif marker in _JPEG_FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, place + 5)
            held = 2 * components if marker in _PROGRESSIVE else 0
            return Header(width, height, held, reducible=True)
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return None


def _webp(data: memoryview) -> Header | None:
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[start : start + 3], "little") for start in (24, 27))
        return Header(width, height, 4, bool(data[20] & 0x10))
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), 4, bool(bits >> 28 & 1))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(width & 0x3FFF, height & 0x3FFF)
    return None


def _tiff(data: memoryview) -> Header | None:
    order = "<" if data[0] == ord("I") else ">"
    start = struct.unpack_from(f"{order}I", data, 4)[0]
    sides = {}
    for number in range(struct.unpack_from(f"{order}H", data, start)[0]):
        place = start + 2 + 12 * number
        tag, kind = struct.unpack_from(f"{order}HH", data, place)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT):
            sides[tag] = struct.unpack_from(order + ("H" if kind == _TIFF_SHORT else "I"), data, place + 8)[0]
    return Header(sides[_TIFF_WIDTH], sides[_TIFF_HEIGHT]) if len(sides) == 2 else None
