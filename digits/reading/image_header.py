"""What the first bytes of a picture say of its size, before it is decoded: a small file can hold a huge picture."""

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from digits.reading.image_kinds import brands, is_heic, tiff_order, tiff_pages

# JPEG's markers that begin a frame, and those of them whose coefficients are all held until the picture is whole.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:(?:\s|#[^\n]*\n)+(\d+))?\s")
_BEFORE_PIXELS = 1 << 21  # bytes of a PNG in which its transparent colours are looked for
_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS, _TIFF_SAMPLES = 256, 257, 258, 277
_TIFF_SHORT = 3
_MOST_PAGES, _MOST_TAGS, _MOST_BOXES = 10_000, 256, 100  # looked at
# Bytes that libheif and libavif with OpenCV took for a pixel of 24 megapixels, opaque and with transparency.
_HEIC_BYTES, _AVIF_BYTES = (6, 9), (18, 32)


class Header(NamedTuple):
    """Width and height in pixels, bytes that are held of each while it is decoded, and whether some may be clear.

    `deep`: whether it has 16 bits, of which some may be unused. `reducible`: whether it can be decoded at a fraction of
    its size, in a fraction of the memory.
    """

    width: int
    height: int
    bytes_each: int = 3
    alpha: bool = False
    deep: bool = False
    reducible: bool = False


def read_header(data: bytes) -> Header | None:
    """Return what the head of a PNG, JPEG, BMP, WebP, GIF, TIFF, PNM, HEIC or AVIF file says, of the largest page.

    It is None for other files and damaged ones.
    """
    head = data[:512]
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
        if tiff_order(head):
            pages = filter(None, (_tiff(data, place) for place in islice(tiff_pages(data), _MOST_PAGES)))
            return max(pages, key=lambda page: page.width * page.height * page.bytes_each, default=None)
        if brands(head):
            return _iso_media(data)
        return _pnm(head)
    except (struct.error, IndexError):
        return None


def _png(data: bytes) -> Header:
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    alpha = colour in (4, 6) or b"tRNS" in data[:_BEFORE_PIXELS].split(b"IDAT")[0]
    # OpenCV's decoder holds every pixel twice.
    return Header(width, height, 2 * (3 + alpha) * max(1, bits // 8), alpha, bits == 16)


def _jpeg(data: bytes) -> Header | None:
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


def _webp(data: bytes) -> Header | None:
    kind = data[12:16]
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


def _tiff(data: bytes, start: int) -> Header | None:
    """Return what the directory of a page says; every pixel is held as it is in the file, and as it is decoded."""
    tags = dict(_tiff_tags(data, start))
    if not {_TIFF_WIDTH, _TIFF_HEIGHT} <= tags.keys():
        return None
    alpha, bits = tags.get(_TIFF_SAMPLES, 1) == 4, tags.get(_TIFF_BITS, 8)
    return Header(tags[_TIFF_WIDTH], tags[_TIFF_HEIGHT], 2 * (3 + alpha) * max(1, bits // 8), alpha, bits == 16)


def _tiff_tags(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Yield the tags of a directory that are looked at and their values, of several values the first."""
    order = tiff_order(data)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    for place in range(start + 2, start + 2 + 12 * min(entries, _MOST_TAGS), 12):
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, place)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT, _TIFF_BITS, _TIFF_SAMPLES):
            short = kind == _TIFF_SHORT
            at = struct.unpack_from(f"{order}I", data, place + 8)[0] if short and count > 2 else place + 8
            yield tag, struct.unpack_from(order + ("H" if short else "I"), data, at)[0]


def _iso_media(data: bytes) -> Header | None:
    """Return the size of the largest picture of a HEIC or AVIF file: of those that lie in tiles that is the whole."""
    place = 0
    for _ in range(_MOST_BOXES):
        (size,) = struct.unpack_from(">I", data, place)
        if data[place + 4 : place + 8] == b"meta":
            break
        place += size
    meta = data[place : place + size]
    sizes = [struct.unpack_from(">II", meta, found.end() + 4) for found in re.finditer(b"ispe", meta)]
    if not sizes:
        return None
    alpha, pixel = b":auxiliary:alpha" in meta or b":auxid:1" in meta, meta.find(b"pixi")
    wide = pixel >= 0 and meta[pixel + 9] > 8
    bytes_each = (_HEIC_BYTES if is_heic(data) else _AVIF_BYTES)[alpha] * (2 if wide else 1)
    return Header(*max(sizes, key=lambda size: size[0] * size[1]), bytes_each, alpha)


def _pnm(head: bytes) -> Header | None:
    found = _PNM.match(head)
    if not found:
        return None
    deep = head[1:2] in b"2356" and found[3] is not None and int(found[3]) > 255
    return Header(int(found[1]), int(found[2]), 6 if deep else 3, deep=deep)
