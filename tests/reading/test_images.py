"""Pictures as people have them: rotated, transparent, deep, grey, broken."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from digits.reading.image_header import read_header
from digits.reading.images import ImageError, load_image, to_bgr


def picture(width: int = 60, height: int = 40) -> np.ndarray:
    """Dark in its left half."""
    image = np.full((height, width, 3), 230, np.uint8)
    image[:, : width // 2] = 30
    return image


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees to view
    Image.fromarray(picture()).save(tmp_path / "turned.jpg", exif=exif)
    image = load_image(tmp_path / "turned.jpg")
    assert image.shape == (60, 40, 3)
    assert image[:20].mean() < 60 and image[40:].mean() > 200


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparency_is_laid_on_white(tmp_path, suffix):
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[10:30, 18:22] = (0, 0, 0, 255)
    path = tmp_path / f"clear.{suffix}"
    Image.fromarray(rgba, "RGBA").save(path, lossless=True)
    image = load_image(path)
    assert image[2, 2].min() > 250 and image[20, 20].max() < 5


def test_16_bit_cmyk_and_grey_files(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), picture().astype(np.uint16) * 257)
    Image.fromarray(picture()).convert("CMYK").save(tmp_path / "cmyk.jpg")
    Image.fromarray(picture()).convert("L").save(tmp_path / "grey.bmp")
    for name in ("deep.png", "cmyk.jpg", "grey.bmp"):
        image = load_image(tmp_path / name)
        assert image.dtype == np.uint8 and image.shape == (40, 60, 3)
        assert image[:, :25].mean() < 60 < 200 < image[:, 35:].mean(), name


@pytest.mark.parametrize("content", [None, b"", b"no picture at all", b"\x89PNG\r\n\x1a\nbroken"])
def test_broken_and_missing_files_give_one_sentence(tmp_path, content):
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match="broken.png") as caught:
        load_image(path)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("name, options", [
    ("a.png", {}), ("a.jpg", {}), ("a.jpg", {"progressive": True}), ("a.bmp", {}), ("a.webp", {}),
    ("a.webp", {"lossless": True}), ("a.gif", {}), ("a.tif", {}), ("a.tif", {"compression": "tiff_lzw"}), ("a.ppm", {}),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_header_says_the_size_before_anything_is_decoded(tmp_path, name, options, mode):
    if mode == "RGBA" and name[-3:] in ("jpg", "ppm", "gif"):
        pytest.skip("has no transparency")
    image = Image.fromarray(picture(61, 43)).convert(mode)
    if mode == "RGBA":
        image.putpixel((3, 3), (0, 0, 0, 0))  # else WebP leaves its alpha out
    image.save(tmp_path / name, **options)
    data = (tmp_path / name).read_bytes()
    header = read_header(memoryview(data))
    assert (header.width, header.height) == (61, 43)
    assert header.alpha == (mode == "RGBA") or name == "a.tif", "TIFF's transparency is not looked at"
    for end in range(0, min(len(data), 200), 3):
        read_header(memoryview(data[:end]))  # cut off, it says something or nothing, and does not fail
    assert load_image(tmp_path / name).shape == (43, 61, 3)


def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(tmp_path, capfd):
    for side, word in ((60_000, "60000 x 60000 pixels, too many"), (50, "not a readable picture")):
        ihdr = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
        pixels = b"IDAT" + zlib.compress(bytes(1000))
        chunks = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (ihdr, pixels))
        (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
        with pytest.raises(ImageError, match=word):
            load_image(tmp_path / "bomb.png")
    assert capfd.readouterr() == ("", ""), "libpng's own words are for nobody"


def test_memory_that_does_not_suffice_is_one_sentence(tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "a.png"), picture())

    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("digits.reading.images._decode", refuse)
    with pytest.raises(ImageError, match="more memory than is free"):
        load_image(tmp_path / "a.png")


def test_frames_of_any_camera():
    for shape in ((8, 9), (8, 9, 1), (8, 9, 3), (8, 9, 4)):
        assert to_bgr(np.full(shape, 7, np.uint8)).shape == (8, 9, 3)
    assert to_bgr(np.full((8, 9), 0x0700, np.uint16))[0, 0, 0] == 7
    assert to_bgr(np.full((8, 9, 3), 2.0)).max() == 255
    for bad in (np.zeros((0, 5, 3), np.uint8), np.zeros((4, 5, 2), np.uint8), np.zeros(5, np.uint8)):
        with pytest.raises(ImageError, match="shape"):
            to_bgr(bad)
