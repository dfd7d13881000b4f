"""The worksheet: its page, and photographs of filled sheets, rendered with everything that phones and hands do."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from digits.learning.worksheet.__main__ import main
from digits.learning.worksheet.box_contents import State, cut_boxes
from digits.learning.worksheet.filing import file_photo
from digits.learning.worksheet.page import PAPERS, Code, draw_page, pages_as_pdf, sheet_layout
from digits.learning.worksheet.straighten import straighten
from digits.reading.finding.one_digit import found_in, main_found
from digits.reading.models.loading import load_model
from digits.reading.tile import normalise
from digits.rendering.camera import Shot, jpeg, shoot
from digits.rendering.handwriting import draw_digit
from digits.rendering.pages import composed, transformed
from digits.rendering.paper import INKS
from digits.rendering.pen import Hand, random_hand

ROOT = Path(__file__).resolve().parents[3]

MM = 8  # pixels a mm of the printed sheet before it is photographed
CODE = Code("Ana 3B", 2)


# ---------------------------------------------------------------- filled sheets


def pixels(points) -> np.ndarray:
    """Return points (..., 2) in mm as pixels of the printed sheet, int32."""
    return np.rint(np.array(points) * MM).astype(np.int32)


@cache
def printed(paper: str) -> np.ndarray:
    """The sheet as printed: uint8 (H, W, 3) BGR, 8 pixels a mm, drawn from the figure that becomes the PDF."""
    figure = draw_page(paper, CODE)
    figure.set_dpi(MM * 25.4)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., 2::-1])


def fill(seed: int, paper: str = "a4", empty=(), crossed=(), slips=None, large=0.0, pen: int = 1) -> np.ndarray:
    """Return a sheet, as `printed`, filled by one hand.

    Args:
        empty, crossed: positions of boxes that are left empty or crossed out.
        slips: position -> the digit that is written there instead of the one that is wanted.
        large: share of digits that leave their box a little.
    """
    rng = np.random.default_rng(seed)
    habit = replace(random_hand(rng), width=0.05, jitter=0.012, tremor=0.002)
    sheet = printed(paper).astype(np.float32)
    cover = np.zeros(sheet.shape[:2], np.float32)
    for position, box in enumerate(sheet_layout(paper).boxes):
        if position not in empty:
            write(cover, (slips or {}).get(position, box.label), box, habit, rng, rng.random() < large)
        if position in crossed:  # roughly from corner to corner
            ends = np.array([(0, 0), (1, 1), (1, 0), (0, 1)]) + rng.uniform(-0.05, 0.05, (4, 2))
            for line in pixels((box.x, box.y) + ends * (box.w, box.h)).reshape(2, 2, 2).tolist():
                cv2.line(cover, *line, 1.0, 5, cv2.LINE_AA)
    ink = INKS[pen].astype(np.float32) * 255
    sheet += cover[..., None] * (np.minimum(ink, sheet) - sheet)
    return sheet.astype(np.uint8)


def write(cover: np.ndarray, digit: int, box, habit: Hand, rng, large: bool) -> None:
    """Write a digit into its box, or, if `large`, over one of its printed lines."""
    hand = replace(habit, slant=habit.slant + 0.05 * rng.standard_normal(), angle=3 * rng.standard_normal())
    tall = rng.uniform(0.45, 0.8) * box.h * MM
    ink = draw_digit(digit, rng, 200, hand)
    x, y, w, h = cv2.boundingRect((ink > 100).astype(np.uint8))
    scale = min(tall / h, 0.82 * box.w * MM / w)
    size = max(3, round(w * scale)), max(3, round(h * scale))
    ink = cv2.resize(ink[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA)
    room = np.array([box.w, box.h]) * MM - size
    at = rng.uniform(0.15, 0.85, 2) * room
    if large:
        side = rng.integers(4)
        at[side // 2] = (-0.8 * MM, room[side // 2] + 0.8 * MM)[side % 2]
    left, top = np.rint(np.array([box.x, box.y]) * MM + at).astype(int)
    area = cover[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(area, ink / np.float32(255), out=area)


# ---------------------------------------------------------------- the camera

PHONE = Shot(exposure=0.82, defocus=0.6)
SHADED = replace(PHONE, gradient=0.35, vignette=0.2, shadow=0.5, shadow_softness=0.02, warmth=0.03)


@dataclass(frozen=True)
class Taken:
    """How a sheet is photographed: angles in degrees, `pixels` the longer side, `bend` and `thumb_size` in mm.

    `thumb` is the corner that one lies over.
    """

    shot: Shot = PHONE
    paper: str = "a4"
    tilt: float = 0.0
    tilt_towards: float = 0.0
    turn: float = 3.0
    pixels: int = 1600
    bend: float = 0.0
    thumb: int | None = None
    thumb_size: float = 17.0
    noise: float = 2.5  # of 255
    quality: int = 85


def photograph(sheet: np.ndarray, how: Taken = Taken(), seed: int = 0) -> np.ndarray:
    """Return uint8 (H, W, 3) BGR: the sheet on a desk, seen by a phone."""
    rng = np.random.default_rng(seed)
    if how.thumb is not None:
        corner = list(sheet_layout(how.paper).markers.values())[how.thumb].mean(0)
        middle = np.array(sheet.shape[1::-1]) / MM / 2
        away = (corner - middle) / np.linalg.norm(corner - middle)
        ends = pixels([corner - 0.4 * away, corner + 40 * away]).tolist()  # from outside
        sheet = cv2.line(sheet.copy(), *ends, (120, 150, 205), round(how.thumb_size * MM), cv2.LINE_AA)
    if how.bend:  # the middle moves to the right and down, the corners do not
        y, x = np.indices(sheet.shape[:2], np.float32)
        bulge = how.bend * MM * np.sin(np.pi * x / sheet.shape[1]) * np.sin(np.pi * y / sheet.shape[0])
        sheet = cv2.remap(sheet, x - bulge, y - 0.6 * bulge, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    size = (round(how.pixels * 0.75), how.pixels)
    sheet = cv2.GaussianBlur(sheet, (0, 0), max(0.3, 0.35 * sheet.shape[0] / how.pixels))  # a pixel sees an area
    desk = cv2.GaussianBlur(rng.random((size[1] // 8, size[0] // 8), np.float32), (0, 0), 3)
    desk = np.float32([0.25, 0.4, 0.55])[:, None, None] * cv2.resize(desk, size)
    matrix = view(sheet.shape[1::-1], size, how)
    photo = shoot(composed(sheet.transpose(2, 0, 1) / np.float32(255), matrix, desk), rng, how.shot)
    noisy = photo + how.noise * rng.standard_normal(photo.shape, np.float32)
    return jpeg(noisy.clip(0, 255).astype(np.uint8), how.quality)


def view(sheet: tuple[int, int], size: tuple[int, int], how: Taken) -> np.ndarray:
    """Return the 3x3 matrix from the sheet's pixels to the photograph's, of a camera that looks at its middle."""
    tilt, towards, turn = np.radians([how.tilt, how.tilt_towards, how.turn])
    lean = cv2.Rodrigues(tilt * np.array([np.cos(towards), np.sin(towards), 0]))[0]
    rotation = lean @ cv2.Rodrigues(np.array([0, 0, turn]))[0]
    width, height = sheet
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    matrix = np.column_stack([rotation[:, :2], (0, 0, 1.5 * height)]) @ centred
    seen = transformed(np.array([[0, 0], [width, 0], [width, height], [0, height]]), matrix)
    zoom = 0.9 * (size / np.ptp(seen, axis=0)).min()
    shift = np.array(size) / 2 - zoom * (seen.min(0) + seen.max(0)) / 2
    return np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1]]) @ matrix


# ---------------------------------------------------------------- the page


@pytest.mark.parametrize(("paper", "width", "height"), [("a4", 595.28, 841.89), ("letter", 612.0, 792.0)])
def test_the_page_has_the_papers_size_and_a_hundred_boxes(paper, width, height):
    data = pages_as_pdf(paper, [CODE])
    assert data.startswith(b"%PDF") and data == pages_as_pdf(paper, [CODE])
    assert len(re.findall(rb"/Type /Page\b", data)) == 1
    box = [float(value) for value in re.search(rb"/MediaBox \[ ([\d. ]+) \]", data)[1].split()]
    assert box == pytest.approx([0, 0, width, height], abs=0.01)
    layout = sheet_layout(paper)
    assert len(layout.boxes) >= 100 and {b.label for b in layout.boxes} == set(range(10))
    assert min(layout.boxes[-1].w, layout.boxes[-1].h) > 11, "millimetres: room for a hand"


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_but_their_lines_is_printed_in_and_beside_boxes(paper):
    image = printed(paper)
    for box in sheet_layout(paper).boxes:
        x, y, w, h = (round(value * MM) for value in (box.x, box.y, box.w, box.h))
        inside = image[y + 4 : y + h - 3, x + 4 : x + w - 3]
        around = image[y - MM : y + h + MM, x - MM : x + w + MM]
        assert inside.min() == 255, "boxes are empty"
        assert around.min() > 140, "lines are light, and hints keep off"


def test_a_long_name_keeps_off_the_code():
    for session, page in (("Ana", 2), ("María José, clase de los martes, segundo curso", 999), ("x" * 60, 112)):
        figure = draw_page("a4", Code(session, page))
        figure.set_dpi(110)
        FigureCanvasAgg(figure).draw()
        title = next(text for text in figure.axes[0].texts if "p. " in text.get_text())
        reach = title.get_window_extent().x1 / figure.dpi * 25.4
        assert reach < sheet_layout("a4").code[0, 0] - 1
        assert title.get_text().endswith(f"p. {page}") and title.get_text()[0] == session[0]


def test_printing_is_one_command_and_keeps_other_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["print", "--session", "../María/3.B", "--page", "7", "--paper", "letter"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["worksheet-María-3-B-7.pdf"]
    assert "scan" in capsys.readouterr().out
    assert main(["print", "--session", "../María/3.B", "--page", "7", "--paper", "letter"]) == 0
    (tmp_path / "thesis.pdf").write_bytes(b"%PDF years of work")
    assert main(["print", "--out", "thesis.pdf"]) == 2
    assert "there already" in capsys.readouterr().err
    assert (tmp_path / "thesis.pdf").read_bytes() == b"%PDF years of work"
    assert main(["print", "--out", "sheet.docx"]) == 2
    capsys.readouterr()
    assert main(["print", "--session", "Ana", "Luis", "Ana", "Eva"]) == 0
    pages = (tmp_path / "worksheet-Ana-and-3-more-1.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pages)) == 4, "a class in one file"
    codes = [Code("Ana", 1), Code("Luis", 1), Code("Ana", 2), Code("Eva", 1)]
    assert pages == pages_as_pdf("a4", codes), "no two pages have the same code"
    assert "Ana is named more than once: pages 1, 2 of one session" in capsys.readouterr().out
    assert main(["print", "--session", "Ana", "Ana", "--page", "999"]) == 2
    with pytest.raises(SystemExit):
        main(["print", "--page", "0"])


# ---------------------------------------------------------------- photographs of filled sheets


@pytest.fixture(scope="module")
def model(released_export):
    return load_model(released_export, 1)


def save(path: Path, photo: np.ndarray) -> Path:
    path.write_bytes(cv2.imencode(".png", photo, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())
    return path


@pytest.fixture
def twelve(tmp_path) -> Path:
    """A photograph of a sheet on which only the first row is filled in."""
    return save(tmp_path / "photo é.png", photograph(fill(2, empty=range(12, 120))))


def states_of(filled: np.ndarray, how: Taken = Taken()) -> list[State]:
    return [cut.state for cut in cut_boxes(straighten(photograph(filled, how)))]


def boxes_filed(folder: Path) -> dict[tuple[int, int], list[str]]:
    """Return the folders, set_aside or a digit's, that hold pictures of each (digit, column) of the sheet."""
    found: dict[tuple[int, int], list[str]] = {}
    for path in folder.rglob("*.png"):
        column = int(path.stem.split("-")[1]) - 1
        place = path.relative_to(folder).parts[0]
        found.setdefault((int(path.parent.name), column), []).append(place)
    return found


EMPTIES, CROSSED = (3, 50, 119), (7, 33, 95)
SLIPS = {14: 8, 100: 3}
CASES = {
    "tilted, shadow, upside down": (1, "a4", 1, Taken(SHADED, tilt=40, tilt_towards=30, turn=184, pixels=2000)),
    "tilted, thumb, pencil, on its side": (3, "a4", 8, Taken(tilt=40, tilt_towards=80, turn=95, thumb=1, pixels=2000)),
    "letter, red pen, blurred, thumb": (
        12, "letter", 5, Taken(replace(SHADED, defocus=1.8, shadow=0.3), "letter", tilt=25, turn=-10, thumb=3)),
    "bent, noisy, strongly compressed": (11, "a4", 0, Taken(tilt=15, bend=1.5, noise=8, quality=40, thumb=0)),
}


@pytest.mark.parametrize("case", CASES)
def test_boxes_are_filed_under_their_digit(case, model, tmp_path):
    seed, paper, pen, how = CASES[case]
    filled = fill(seed, paper, EMPTIES, CROSSED, SLIPS, large=0.2, pen=pen)
    filed = file_photo(save(tmp_path / "p.png", photograph(filled, how, seed)), tmp_path, "s", model)
    found, right = boxes_filed(tmp_path / "s"), 0
    for position, box in enumerate(sheet_layout(paper).boxes):
        places = found.get((box.label, box.column), [])
        unwritten = position in EMPTIES + CROSSED
        expected = [] if unwritten else ["set_aside"] if position in SLIPS else [str(box.label)]
        right += places == expected
        if expected != [str(box.label)]:
            assert places in ([], ["set_aside"]), f"{box} is no {box.label} and must not be filed as one"
    assert right >= 0.99 * 120
    assert filed.states[State.EMPTY] == len(EMPTIES) and filed.states[State.CROSSED_OUT] == len(CROSSED)
    assert filed.counts.total() + filed.set_aside == 114


def test_pictures_hold_the_digit_and_no_print():
    filled = fill(38, large=0.5, pen=0)  # no stroke lies over the print: pen and print would mix there
    straight = straighten(photograph(filled, Taken(tilt=20)))
    cuts = [cut for cut in cut_boxes(straight) if cut.state == State.WRITTEN]
    assert len(cuts) >= 116, "the others touch a neighbour"
    assert tint(straight.page) > 30, "print can be seen in the photograph"
    assert max(tint(cut.picture) for cut in cuts) <= 15
    found = [main_found(found_in(cut.picture)) for cut in cuts]
    assert found.count(None) <= 2, "an 8 that lies on its side"
    for digit in filter(None, found):
        x, y, w, h = cv2.boundingRect((normalise(digit.ink) > 60).astype(np.uint8))
        assert 55 <= max(w, h) <= 80, "the digit fills its tile: no line was taken for a stroke"


def tint(image: np.ndarray) -> float:
    """Return how much bluer than red the bluest pixels are, 1 in 200: the ink is black, the print is not."""
    return float(np.percentile(image[..., 0].astype(int) - image[..., 2], 99.5))


def test_a_stroke_through_two_boxes_belongs_to_neither(tmp_path):
    filled = fill(4)
    first, second = sheet_layout("a4").boxes[40:42]
    ends = [(first.x + 3, first.y + 10), (second.x + second.w - 3, second.y + 9)]
    cv2.line(filled, *pixels(ends).tolist(), (40, 40, 40), 6)
    states = states_of(filled)
    assert states[40:42] == [State.DOUBTFUL] * 2
    assert states.count(State.WRITTEN) == 118


def test_an_hourglass_is_an_eight_and_a_blot_is_none():
    filled = fill(4, empty=range(120))
    boxes = sheet_layout("a4").boxes
    for position, shape in {98: [(0, 0), (1, 0), (0, 1), (1, 1), (0, 0)], 99: [(0, 0), (1, 1)]}.items():
        box = boxes[position]
        corners = np.array(shape) * (0.72 * box.w, 0.72 * box.h) + (box.x + 0.14 * box.w, box.y + 0.14 * box.h)
        cv2.polylines(filled, [pixels(corners)], False, (60, 40, 40), 5, cv2.LINE_AA)
    box = boxes[5]
    middle = pixels([box.x + box.w / 2, box.y + box.h / 2])
    cv2.circle(filled, middle.tolist(), round(0.45 * box.w * MM), (60, 40, 40), 9)
    for inset in np.arange(1, box.w - 1, 1.3):
        ends = [(box.x + inset, box.y + 1), (box.x + box.w - inset, box.y + box.h - 1)]
        cv2.line(filled, *pixels(ends).tolist(), (60, 40, 40), 9)
    states = states_of(filled)
    assert states[98] == states[99] == State.WRITTEN
    assert states[5] in (State.CROSSED_OUT, State.HIDDEN), "dropped: it even covers its lines"
    assert states.count(State.EMPTY) == 117


def test_boxes_under_a_hand_are_not_filed():
    states = states_of(fill(4), Taken(thumb=2, thumb_size=70))
    assert states[119] == State.HIDDEN and states.count(State.WRITTEN) >= 105
    assert all(states[position] == State.WRITTEN for position in range(60))


# ---------------------------------------------------------------- what is refused, and what is there already


@cache
def one_sheet() -> np.ndarray:
    return fill(6)


def reversed_rows() -> np.ndarray:
    return photograph(fill(5, slips={k: 9 - box.label for k, box in enumerate(sheet_layout("a4").boxes)}))


def under_a_book() -> np.ndarray:
    filled = fill(6)
    filled[90 * MM : 225 * MM, 12 * MM :] = (60, 90, 200)
    return photograph(filled)


BAD_PHOTOS = {
    "mirrored": (lambda: photograph(one_sheet())[:, ::-1], "not mirrored"),
    "two markers": (lambda: photograph(one_sheet())[:1200], "only 2 of the four"),
    "no sheet": (lambda: cv2.imread(str(ROOT / "data" / "samples" / "page_1.png")), "none of the four"),
    "blurred": (lambda: photograph(one_sheet(), Taken(replace(PHONE, defocus=3.4))), "blurred"),
    "too small": (lambda: photograph(one_sheet(), Taken(pixels=580)), "too small"),
    "two sheets": (lambda: np.hstack([photograph(one_sheet())] * 2), "more than one sheet"),
    "hidden": (under_a_book, "72 of its 120 boxes are hidden"),
    "empty": (lambda: photograph(fill(6, empty=range(120))), "all its boxes are empty"),
    "another order": (reversed_rows, "another order"),
}


@pytest.mark.parametrize("kind", BAD_PHOTOS)
def test_what_cannot_be_trusted_is_refused_with_the_reason(kind, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("digits.learning.worksheet.__main__.load_model", lambda path: model)
    make, reason = BAD_PHOTOS[kind]
    photo = save(tmp_path / "photo.png", make())
    assert main(["scan", str(photo), "--custom", str(tmp_path / "custom")]) == 1
    told = capsys.readouterr()
    assert re.search(reason, told.err) and str(photo) in told.err and told.err.count("\n") == 1
    assert not told.out and not (tmp_path / "custom").exists()


def test_missing_and_broken_files_are_one_sentence(twelve, tmp_path, capsys):
    folder, occupied = tmp_path / "photos", tmp_path / "custom"
    folder.mkdir()
    assert main(["scan", str(folder / "none.jpg"), "--model", "none"]) == 2
    assert main(["scan", str(folder), "--model", "none"]) == 2
    (folder / "broken.jpg").write_bytes(b"no picture")
    assert main(["scan", str(folder), "--model", "none"]) == 1
    occupied.write_text("in the way")
    assert main(["scan", str(twelve), "--model", "none", "--custom", str(occupied)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 4 and not any("Traceback" in line or "Errno" in line for line in told)


def test_the_same_sheet_is_filed_once(tmp_path, capsys):
    filled = fill(2, empty=range(40, 120))
    first = save(tmp_path / "first.png", photograph(filled, Taken(thumb=0, thumb_size=60), 1))
    second = save(tmp_path / "second.png", photograph(filled, Taken(tilt=20, turn=170), 2))
    custom = tmp_path / "custom"
    scan = ["--model", "none", "--custom", str(custom)]
    assert main(["scan", str(first), *scan]) == 0
    told = capsys.readouterr().out
    before = sorted(custom.rglob("*.png"))
    assert f"{len(before)} pictures filed under {custom / 'Ana 3B'}" in told and len(before) < 40, "some are hidden"
    assert main(["scan", str(first), "--session", "other", *scan]) == 0
    assert "was scanned before" in capsys.readouterr().out
    assert sorted(custom.rglob("*.png")) == before
    assert main(["scan", str(second), *scan]) == 0
    assert f"{len(before)} filed before" in capsys.readouterr().out
    assert len(boxes_filed(custom / "Ana 3B")) == 40 == len(list(custom.rglob("*.png")))


def test_a_scan_that_was_cut_off_goes_on(twelve, tmp_path):
    folder = tmp_path / "custom" / "Ana 3B"
    file_photo(twelve, tmp_path / "custom", None, None)
    names = sorted(path.name for path in folder.rglob("*.*"))
    next(folder.glob("*.json")).unlink()
    gone, kept = sorted(folder.rglob("*.png"))[:2]
    gone.unlink()
    kept.write_bytes(b"changed by somebody")
    file_photo(twelve, tmp_path / "custom", None, None)
    assert sorted(path.name for path in folder.rglob("*.*")) == names
    assert kept.read_bytes() == b"changed by somebody", "nothing is overwritten"


def test_scanning_needs_no_display_and_names_cannot_leave_the_folder(twelve, tmp_path):
    command = [sys.executable, "-m", "digits.learning.worksheet", "scan", str(twelve), "--session", "../../José/3.B"]
    command += ["--custom", str(tmp_path / "custom"), "--model", "none"]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "0: 12" in done.stdout
    assert [path.name for path in (tmp_path / "custom").iterdir()] == ["José-3-B"]
    assert not [path for path in tmp_path.rglob("*.tmp-*")]
