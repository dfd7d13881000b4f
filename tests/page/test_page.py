"""The page as people use it, in Chromium: camera, drawing, pictures, corrections, and all that can go wrong."""

import csv
import json
import struct
import subprocess
import sys
import urllib.request
import zlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import as_png, chromium, open_tab, renderers_mb
from own_pictures import small_mnist

from digits.page import MOST_BYTES
from digits.paths import DEMO_CLIP, SAMPLES_DIR
from digits.reading.images import load_image
from digits.reading.live.tracking import Tracker
from digits.reading.live.words import WORDS
from digits.reading.models.loading import load_model
from digits.reading.reader import Reader
from digits.reading.readings import Hint

pytestmark = pytest.mark.page
ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "digits.page"]
SEVEN = [(0.2, 0.25), (0.35, 0.25), (0.27, 0.75)]  # as shares of the sheet
FOUR = [(0.55, 0.3), (0.5, 0.5), (0.6, 0.55), (0.68, 0.45)], [(0.67, 0.25), (0.66, 0.8)]
OWN = ("data:", "blob:", "file:")  # what a page may ask for that asks nobody
RAISED = 26  # frame of the demo clip from which on all its digits are shown
PICTURE = SAMPLES_DIR / "page_2.png"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """The page with the default export, written as a person writes it."""
    path = tmp_path_factory.mktemp("page") / "digits.html"
    done = subprocess.run([*COMMAND, "--out", str(path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and str(path) in done.stdout, done.stderr
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> tuple[Path, list[np.ndarray]]:
    """The demo clip for a fake camera, JPEGs one after the other, and its frames.

    The camera shows 30 JPEGs a second, again and again. They go forth and back through the clip, from where its sheet
    has been raised, and each is there four times: hands are slower than a computer that is busy testing.
    """
    capture, frames = cv2.VideoCapture(str(DEMO_CLIP)), []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame)
    path = tmp_path_factory.mktemp("clip") / "clip.mjpeg"
    held = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames[RAISED:90]]
    path.write_bytes(b"".join(4 * jpeg for jpeg in held + held[::-1]))
    return path, frames


@pytest.fixture(scope="module")
def browser(clip):
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={clip[0]}"]
    with chromium(*fake) as started:
        yield started


@pytest.fixture
def open_page(browser, file):
    """Opens the page in a tab of its own, offline; afterwards it must have asked for nothing and complained of none."""
    opened = []

    def open_page(script: str = "", ready: bool = True, **context):
        tab = open_tab(browser.new_context(offline=True, locale="en-US", accept_downloads=True, **context))
        wrong = []
        tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda asked: None if asked.url.startswith(OWN) else wrong.append(asked.url))
        opened.append((tab, wrong))
        if script:
            tab.add_init_script(script)
        tab.goto(file.as_uri())
        if ready:
            tab.evaluate("digits.ready")
        return tab

    yield open_page
    for tab, wrong in opened:
        tab.context.close()
        assert not wrong


READ_FRAME = """async ([png, first]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const frame = context.getImageData(0, 0, image.width, image.height);
  const { digits: read, main } = await digits.worker.frame(frame, first);
  return { text: read.map(({ digit }) => digit).join(""), main };
}"""


@cache
def text_of(picture: Path) -> str:
    """Return what Python reads in a picture, a line a row."""
    text = Reader(load_model()).read(load_image(picture)).text.replace(" / ", "\n")
    assert text
    return text


def draw(tab, *strokes) -> None:
    sheet = tab.locator("#frame").bounding_box()
    for stroke in strokes:
        points = [(sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"]) for x, y in stroke]
        tab.mouse.move(*points[0])
        tab.mouse.down()
        for point in points[1:]:
            tab.mouse.move(*point, steps=5)
        tab.mouse.up()


def text_is(tab, text: str) -> None:
    tab.wait_for_function("text => document.getElementById('text').textContent === text", arg=text)


def hint_has(tab, words: str) -> None:
    tab.wait_for_function("words => document.getElementById('hint').textContent.includes(words)", arg=words)


def test_page_is_one_small_file(file):
    text = file.read_text(encoding="utf-8")
    assert file.stat().st_size <= MOST_BYTES
    assert "{{" not in text.split('<script id="loader"')[0] and 'src="http' not in text and 'src="./' not in text


def test_tracker_follows_as_pythons_does(open_page, clip):
    reader, tracker, frames = Reader(load_model()), Tracker(), clip[1][:40]
    expected = [tracker.update(reader.read(frame), frame) for frame in frames]
    tab, alike = open_page(), 0
    for index, (frame, reading) in enumerate(zip(frames, expected, strict=True)):
        told = tab.evaluate(READ_FRAME, [as_png(frame), index == 0])
        alike += (told["text"], told["main"]) == ("".join(str(digit.digit) for digit in reading.digits), reading.main)
    assert alike >= 0.95 * len(frames)


def test_camera_reads_what_python_reads(open_page, clip):
    reader, tracker = Reader(load_model()), Tracker()
    readings = [tracker.update(reader.read(frame), frame) for frame in clip[1][: RAISED + 10]]
    expected = "".join(str(digit.digit) for digit in readings[-1].digits)  # of all frames from there on
    tab = open_page(permissions=["camera"])
    tab.evaluate("""() => {
      window.seen = [];
      const show = digits.show.bind(digits);
      digits.show = (reading, ...rest) => {
        if (reading) seen.push(reading.digits.map(({ digit }) => digit).join(""));
        show(reading, ...rest);
      };
    }""")
    tab.click("#camera-start")
    tab.wait_for_timeout(1000)
    start = tab.evaluate("seen.length")
    tab.wait_for_function("start => seen.length >= start + 25", arg=start)
    tab.click("#camera-stop")
    seen = tab.evaluate("seen")[max(start, 4) :]  # a digit is shown when it was seen some times
    assert seen.count(expected) >= 0.95 * len(seen), seen
    hint_has(tab, "Start the camera")


def test_drawing_is_read_corrected_and_merged(open_page, tmp_path):
    tab = open_page(color_scheme="dark")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.click("#tab-draw")
    draw(tab, SEVEN)
    text_is(tab, "7")
    draw(tab, *FOUR)
    text_is(tab, "74")
    assert tab.locator("#bars li.wins").count() == 1 and tab.locator(".box.winner").count() == 1
    labels = [tab.locator(".box").nth(at).get_attribute("aria-label") for at in range(2)]
    assert labels[0].startswith("7, ") and labels[1].startswith("4, ")
    tab.locator(".box span").first.click()  # a tap on the label; the box itself is paper to draw on
    tab.click("#correct-digits button:nth-child(2)")
    tab.locator(".box").nth(1).focus()
    tab.keyboard.press("Enter")
    tab.keyboard.press("9")
    tab.wait_for_function("() => digits.dialog.album.kept.length === 2")
    with tab.expect_download() as download:
        tab.click("#corrections-save")
    handed_in = tmp_path / download.value.suggested_filename
    download.value.save_as(handed_in)
    tab.click("#corrections-undo")
    assert tab.evaluate("digits.dialog.album.kept.length") == 1
    tab.click("#draw-undo")
    tab.click("#draw-undo")
    text_is(tab, "7")
    tab.click("#draw-clear")
    text_is(tab, "")
    hint_has(tab, "Draw a digit here")
    assert_merged(handed_in, tmp_path)


def assert_merged(handed_in: Path, place: Path) -> None:
    """Assert that a zip of two corrections, a 1 and a 9, becomes two tiles that train."""
    from digits.learning.data.class_zip import own_folder
    from digits.learning.data.merge import build_merged

    folder = own_folder(handed_in, place / "unpacked")
    build_merged(folder, place / "merged", mnist=small_mnist(10, 4))
    with (place / "merged" / "index.csv").open(encoding="utf-8", newline="") as index:
        own = [row for row in csv.DictReader(index) if row["source"] == "custom"]
    assert {(row["label"], row["split"], row["reason"]) for row in own} == {("1", "train", ""), ("9", "train", "")}
    assert all(row["session"].startswith("taught-") for row in own)
    note = json.loads(next(folder.rglob("1/*.json")).read_text(encoding="utf-8"))
    assert note["label"] == 1 and note["thought"]["digit"] == 7 and note["frame_size"] == [640, 480]


def test_pictures_are_chosen_dropped_and_pasted(open_page):
    tab = open_page()
    tab.set_input_files("#picture-file", str(PICTURE))
    text_is(tab, text_of(PICTURE))
    assert tab.get_attribute("#tab-picture", "aria-selected") == "true"
    give = """async ([kind, png]) => {
      const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
      const given = new DataTransfer();
      for (const name of ["a.png", "b.png"]) given.items.add(new File([bytes], name, { type: "image/png" }));
      dispatchEvent(kind === "drop" ? new DragEvent("drop", { dataTransfer: given, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: given }));
    }"""
    for kind, digit in (("drop", 3), ("paste", 5)):
        tab.evaluate(give, [kind, as_png(load_image(SAMPLES_DIR / f"digit_{digit}.jpg"))])
        text_is(tab, text_of(SAMPLES_DIR / f"digit_{digit}.jpg"))
        hint_has(tab, "2 pictures were given")
    tab.click("#tab-draw")
    tab.click("#tab-picture")
    text_is(tab, text_of(SAMPLES_DIR / "digit_5.jpg"))  # it is still there


def test_transparent_and_turned_pictures_are_read_as_python_reads_them(open_page, tmp_path):
    seven = cv2.cvtColor(load_image(SAMPLES_DIR / "digit_7.jpg"), cv2.COLOR_BGR2GRAY)
    strokes = (255 - cv2.normalize(seven, None, 0, 255, cv2.NORM_MINMAX)).astype(np.uint8)
    for colour in (0, 255):  # black strokes on nothing, and white ones
        clear = np.dstack([np.full((*strokes.shape, 3), colour, np.uint8), np.where(strokes > 128, strokes, 0)])
        cv2.imwrite(str(tmp_path / f"clear {colour}.png"), clear)
    jpeg = cv2.imencode(".jpg", cv2.rotate(seven, cv2.ROTATE_90_COUNTERCLOCKWISE))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # turn it to the right
    (tmp_path / "turned.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    reader, tab = Reader(load_model()), open_page()
    for path in sorted(tmp_path.glob("*.*")):
        tab.set_input_files("#picture-file", str(path))
        expected = reader.read(load_image(path)).text
        assert expected, path.name
        text_is(tab, expected)


def png_header(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


GIF = b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff" + 2 * (b",\0\0\0\0\x02\0\x02\0\0\x02\x02\x84\x51\0") + b";"
BAD = {
    "huge.png": (png_header(12000, 9000), "huge.png has 12000 x 9000 pixels, too many to read"),
    "moving.gif": (GIF, "moving.gif holds an animation"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "phone.heic is a HEIC photograph"),
    "notes.png": (b"these are no pixels", "notes.png is not a readable picture"),
    "cut.png": (PICTURE.read_bytes()[:60], "cut.png is not a readable picture"),
    "nothing.jpg": (b"", "nothing.jpg is empty"),
}


def test_bad_pictures_get_a_sentence_and_the_page_goes_on(open_page, tmp_path):
    tab = open_page()
    for name, (content, sentence) in BAD.items():
        (tmp_path / name).write_bytes(content)
        tab.set_input_files("#picture-file", str(tmp_path / name))
        hint_has(tab, sentence)
    tab.set_input_files("#picture-file", str(PICTURE))
    text_is(tab, text_of(PICTURE))


CAMERA_FAILS = "navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('it says so', '{}'); }}"
TROUBLES = {
    CAMERA_FAILS.format("NotAllowedError"): "The camera was not allowed",
    CAMERA_FAILS.format("NotFoundError"): "No camera was found",
    CAMERA_FAILS.format("NotReadableError"): "in use by another program or tab",
    CAMERA_FAILS.format("TypeError"): "could not be started (it says so)",
    "Object.defineProperty(window, 'isSecureContext', { value: false })": "only to https pages",
}


def test_without_a_camera_there_is_a_sentence_and_the_other_tabs(open_page):
    tab = open_page(permissions=["camera"])
    tab.click("#camera-start")
    tab.wait_for_selector("#camera-stop:visible")
    tab.evaluate("digits.tabs.camera.camera.stream.getVideoTracks()[0].dispatchEvent(new Event('ended'))")
    hint_has(tab, "The camera was lost")
    for script, sentence in TROUBLES.items():
        tab.evaluate(f"void ({script})")
        tab.click("#camera-start")
        hint_has(tab, sentence)
    tab.click("#tab-draw")
    draw(tab, SEVEN)
    text_is(tab, "7")


def test_old_browser_gets_a_sentence(open_page):
    tab = open_page("delete window.DecompressionStream", ready=False)
    assert tab.locator("#too-old").is_visible() and not tab.locator("#app").is_visible()


def test_page_speaks_spanish_and_to_screen_readers(open_page):
    tab = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    assert tab.inner_text("#tab-draw") == "Draw"
    tab.click("#language")
    assert tab.evaluate("document.documentElement.lang") == "es" and tab.inner_text("#tab-draw") == "Dibujar"
    assert tab.inner_text("figcaption") == WORDS["es"]["tile"]
    tab.focus("#tab-camera")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.id") == "tab-draw"
    dark = cv2.imencode(".png", np.full((480, 640, 3), 8, np.uint8))[1].tobytes()
    tab.set_input_files("#picture-file", {"name": "dark.png", "mimeType": "image/png", "buffer": dark})
    hint_has(tab, WORDS["es"]["too dark"])
    for language in ("en", "es"):
        tab.click("#language")
        for hint in Hint:
            tab.evaluate("hint => digits.hint(hint)", hint)
            assert tab.inner_text("#hint") == WORDS[language][hint]
    unnamed = """[...document.querySelectorAll("button, select, input:not([hidden]), canvas, [role=group], section")]
      .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length)).map((one) => one.outerHTML)"""
    assert tab.evaluate(unnamed) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390  # nothing sticks out of a phone


def test_camera_asks_for_no_digit_that_is_in_sight(open_page):
    tab = open_page()
    for rejected, words in (([], WORDS["en"]["show"]), ([{"reason": "unsteady"}], "")):
        reading = {"digits": [], "rows": [], "rejected": rejected, "main": None, "hint": None, "size": [640, 480],
                   "latency_ms": {"total": 1}}  # fmt: skip
        tab.evaluate("reading => digits.show(reading, null, 5, 'show')", reading)
        assert tab.inner_text("#hint") == words


def test_memory_stays_flat(open_page):
    """One picture and its maps take 4 MB: frames that were kept would show."""
    tab = open_page()
    frames = """async (count) => {
      const image = new ImageData(320, 240);
      for (let at = 0; at < count; at++) await digits.worker.frame(image, false);
    }"""
    tab.evaluate(frames, 20)
    before = renderers_mb()
    tab.evaluate(frames, 60)
    assert renderers_mb() - before < 80


def test_page_is_served(browser):
    with subprocess.Popen([*COMMAND, "--serve", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline()
            port = told.split(":")[2].split()[0]
            assert "https" in told
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
                assert b"<title>Digits</title>" in answer.read()
            tab = open_tab(browser)
            tab.goto(f"http://127.0.0.1:{port}/")
            tab.evaluate("digits.ready")
            tab.close()
        finally:
            server.kill()


@pytest.mark.parametrize(("arguments", "status", "sentence"), [
    (["--model", "{tiny}"], 4, "holds no model.tflite"), (["--model", "nowhere"], 4, "nowhere"),
    (["--out", "{tmp}/missing/page.html"], 2, "missing/page.html"),
    (["--serve", "99999"], 2, "Port 99999 cannot be used"),
])  # fmt: skip
def test_mistakes_get_one_sentence(arguments, status, sentence, tiny_export, tmp_path):
    arguments = [word.format(tiny=tiny_export, tmp=tmp_path) for word in arguments]
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
    assert done.returncode == status and len(told) == 1 and sentence in told[0], done.stderr
    assert not list(tmp_path.iterdir())
