"""Pictures as people have them: rotated, transparent, deep, grey, broken."""

import struct
import sys
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from digits.reading import images
from digits.reading.decoders import decode_several
from digits.reading.image_header import read_header
from digits.reading.image_kinds import tiff_pages
from digits.reading.images import ImageError, load_image, load_images, moves, to_bgr


def picture(width: int = 60, height: int = 40) -> np.ndarray:
    """Dark in its left half."""
    image = np.full((height, width, 3), 230, np.uint8)
    image[:, : width // 2] = 30
    return image


def saved(path, images: list[Image.Image], **options) -> bytes:
    """Write pictures into one file and return its bytes; skip the test where nothing here writes such a file."""
    if path.suffix == ".heic":
        pytest.importorskip("pillow_heif").from_pillow(*images).save(path)
    else:
        try:
            images[0].save(path, **options, **{"save_all": True, "append_images": images[1:]} if images[1:] else {})
        except (KeyError, OSError, ValueError):
            pytest.skip(f"this Pillow writes no {path.suffix}")
    return path.read_bytes()


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


def test_white_strokes_on_nothing_are_laid_on_black(tmp_path):
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[10:30, 16:24] = 255
    rgba[2, 2] = (0, 0, 0, 255)  # a stray pixel is no stroke
    Image.fromarray(rgba, "RGBA").save(tmp_path / "white.png")
    image = load_image(tmp_path / "white.png")
    assert image[20, 20].min() == 255 and image[5, 30].max() == 0
    sheet = np.full((40, 40, 4), 255, np.uint8)
    sheet[10:30, 18:22, :3] = 40
    sheet[:, :4, 3] = 0
    Image.fromarray(sheet, "RGBA").save(tmp_path / "sheet.png")
    assert load_image(tmp_path / "sheet.png")[20, 1].min() == 255, "paper that was cut out stays on white"


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep.pgm"])
def test_12_bits_in_16_are_not_dark(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), picture()[:, :, 0].astype(np.uint16) * 16)
    image = load_image(tmp_path / name)
    assert image[:, :25].mean() < 60 and 200 < image[:, 35:].mean()


def test_a_photograph_of_an_iphone_is_read_whole_or_says_what_to_install(tmp_path, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "IMG_0001.HEIC"
    heif.from_pillow(Image.fromarray(picture(1200, 800))).save(path, quality=90)
    path.rename(tmp_path / "renamed.jpg")
    image = load_image(tmp_path / "renamed.jpg")
    assert image.shape == (800, 1200, 3) and image[:, :500].mean() < 60 and image[:, 700:].mean() > 200
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"renamed.jpg is a HEIC .*pip install pillow-heif.*Most Compatible"):
        load_image(tmp_path / "renamed.jpg")
    (tmp_path / "half.heic").write_bytes((tmp_path / "renamed.jpg").read_bytes()[:2000])
    monkeypatch.undo()
    with pytest.raises(ImageError, match="half.heic is not a readable"):
        load_image(tmp_path / "half.heic")


@pytest.mark.parametrize(("name", "kind"), [
    ("pages.tif", "several pages"), ("moving.webp", "an animation"), ("moving.png", "an animation"),
    ("moving.avif", "an animation"),
])  # fmt: skip
def test_a_file_of_several_pictures_gives_them_all_and_is_no_single_one(tmp_path, name, kind):
    path = tmp_path / name
    pictures = [Image.fromarray(np.roll(picture(), 5 * number, axis=1)) for number in range(11)]
    saved(path, pictures)
    found = list(load_images(path))
    assert len(found) == 11 and all(image.shape == (40, 60, 3) for image in found)
    assert moves(path) == (kind == "an animation") and not moves(tmp_path / "nowhere")
    with pytest.raises(ImageError, match=f"{name} holds {kind}, expected one picture"):
        load_image(path)


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
    ("a.avif", {}), ("a.heic", {}),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_header_says_the_size_before_anything_is_decoded(tmp_path, name, options, mode):
    if mode == "RGBA" and name[-3:] in ("jpg", "ppm", "gif"):
        pytest.skip("has no transparency")
    image = Image.fromarray(picture(61, 43)).convert(mode)
    if mode == "RGBA":
        image.putpixel((3, 3), (0, 0, 0, 0))  # else WebP leaves its alpha out
    data = saved(tmp_path / name, [image], **options)
    header = read_header(data)
    # HEIC says how many whole blocks there are, and then what is cut off them.
    assert (header.width, header.height) == ((64, 64) if name == "a.heic" else (61, 43))
    assert header.alpha == (mode == "RGBA") and not header.deep
    for end in range(0, min(len(data), 200), 3):
        read_header(data[:end])  # cut off, it says something or nothing, and does not fail
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


@pytest.mark.parametrize("name", ["a.avif", "a.heic", "pages.tif"])
def test_so_are_photographs_of_phones_and_later_pages(tmp_path, name):
    data = bytearray(saved(tmp_path / name, [Image.fromarray(picture())] * (2 if name == "pages.tif" else 1)))
    if name == "pages.tif":
        directory = list(tiff_pages(bytes(data)))[1]
        for place in range(directory + 2, directory + 26, 12):  # width and height come first
            struct.pack_into("<HHII", data, place, *struct.unpack_from("<H", data, place), 4, 1, 60_000)
    else:
        struct.pack_into(">II", data, data.index(b"ispe") + 8, 60_000, 60_000)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ImageError, match=f"{name} has 60000 x 60000 pixels, too many"):
        list(load_images(tmp_path / name))


def test_of_large_pages_few_are_held_at_a_time(tmp_path, monkeypatch):
    data = saved(tmp_path / "pages.tif", [Image.fromarray(picture())] * 3)
    held = []
    monkeypatch.setattr(images, "_MOST_BYTES", len(data) + 40 * 60 * 6)
    monkeypatch.setattr(images, "decode_several", lambda *given: held.append(given[2]) or decode_several(*given))
    assert len(list(load_images(tmp_path / "pages.tif"))) == 3 and set(held) == {1}


def test_memory_that_does_not_suffice_is_one_sentence(tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "a.png"), picture())

    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("digits.reading.images.decode", refuse)
    with pytest.raises(ImageError, match="more memory than is free"):
        load_image(tmp_path / "a.png")


def test_frames_of_any_camera():
    for shape in ((8, 9), (8, 9, 1), (8, 9, 3), (8, 9, 4)):
        assert to_bgr(np.full(shape, 7, np.uint8)).shape == (8, 9, 3)
    assert to_bgr(np.full((8, 9), 0xFF00, np.uint16))[0, 0, 0] == 255
    assert to_bgr(np.full((8, 9, 3), 2.0)).max() == 255
    for bad in (np.zeros((0, 5, 3), np.uint8), np.zeros((4, 5, 2), np.uint8), np.zeros(5, np.uint8)):
        with pytest.raises(ImageError, match="shape"):
            to_bgr(bad)
