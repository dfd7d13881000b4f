"""From frame to ink to boxes, without a network."""

import cv2
import numpy as np
import pytest

from digits.box import Box
from digits.reading.finding.ink import WORK_SIDE, find_ink, find_inks
from digits.reading.finding.locate import locate, merge, neighbours, reading_order, split
from digits.reading.finding.printed_lines import looks_ruled, remove_lines
from digits.reading.tile import INK_LEVEL


def sheet(width: int = 640, height: int = 480, brightness: int = 220) -> np.ndarray:
    frame = np.full((height, width, 3), brightness, np.float32)
    frame += np.random.default_rng(3).normal(0, 1.5, frame.shape)
    return frame.clip(0, 255).astype(np.uint8)


def boxes(frame: np.ndarray) -> list[Box]:
    parts = locate(find_ink(frame))
    return [parts[i].box for i in reading_order([part.box for part in parts])]


def test_contrast_is_the_same_in_lamp_light_and_in_shadow():
    frame = sheet()
    for x in (120, 500):
        cv2.line(frame, (x, 150), (x, 330), (80, 80, 80), 8)
    light = np.linspace(1.0, 0.35, 640)[None, :, None]
    ink = find_ink((frame * light).astype(np.uint8))
    near, far = (ink.contrast[240, x - 2 : x + 3].mean() for x in (120, 500))
    assert abs(near - far) < 0.15 * near
    assert np.percentile(ink.contrast, 60) < 12
    assert not ink.light_on_dark


def test_polarity_of_paper_board_and_sheet_in_a_dark_room():
    frame = sheet()
    cv2.putText(frame, "35", (200, 300), cv2.FONT_HERSHEY_SIMPLEX, 5, (60, 60, 60), 10, cv2.LINE_AA)
    room = np.full((700, 900, 3), 25, np.uint8)
    room[100:580, 120:760] = frame
    assert not find_ink(frame).light_on_dark
    assert find_ink(255 - frame).light_on_dark
    assert not find_ink(room).light_on_dark


def test_doubt_about_polarity_yields_both():
    marker = sheet(300, 300)
    cv2.circle(marker, (150, 150), 90, (40, 40, 40), 62)
    kinds = [ink.light_on_dark for ink in find_inks(marker)]
    assert False in kinds and len(kinds) == len(set(kinds))


def test_large_frames_are_worked_on_smaller_and_say_so():
    ink = find_ink(sheet(3000, 2000))
    assert max(ink.contrast.shape) == WORK_SIDE
    assert ink.scale == pytest.approx(3000 / WORK_SIDE)


def test_boxes_are_tight_and_dust_is_left_out():
    frame = sheet()
    cv2.rectangle(frame, (100, 100), (160, 200), (60, 60, 60), 6)
    cv2.line(frame, (400, 120), (400, 220), (60, 60, 60), 6)
    for x, y in np.random.default_rng(0).integers(20, 460, (60, 2)):
        cv2.circle(frame, (int(x), int(y)), 1, (150, 150, 150), -1)
    large = [box for box in boxes(frame) if box.side > 20]
    assert len(large) == 2
    assert np.abs(np.array(large[0]) - (97, 97, 67, 107)).max() <= 4


@pytest.mark.parametrize("tilt", [0, 12])
def test_printed_lines_go_and_strokes_across_them_stay(tilt):
    mask = np.zeros((480, 640), np.uint8)
    for y in range(30, 480, 50):
        cv2.line(mask, (0, y), (639, y + tilt), 1, 2)
    plain = mask.copy()
    cv2.line(mask, (300, 110), (320, 320), 1, 7)
    contrast = np.where(plain > 0, 60, 0).astype(np.uint8)
    contrast[(mask > 0) & (plain == 0)] = 150
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    assert looks_ruled([tuple(row) for row in stats.reshape(-1, 5)[1:].tolist()], mask.shape)
    left = remove_lines(mask, contrast)
    assert left[:, :280].sum() < 0.05 * mask[:, :280].sum()
    stroke = np.zeros_like(mask)
    cv2.line(stroke, (300, 110), (320, 320), 1, 7)
    assert left[stroke > 0].mean() > 0.85


def test_a_tall_1_is_not_taken_for_a_printed_line():
    mask = np.zeros((640, 480), np.uint8)
    cv2.line(mask, (240, 40), (235, 610), 1, 8)
    assert (remove_lines(mask, mask * 120) == mask).all()


def fading_ring(side: int = 128) -> np.ndarray:
    """A pale 0 on clean paper whose lower left, a sixth of it, is a quarter as dark as the rest."""
    frame = np.full((side, side, 3), 250, np.uint8)
    cv2.ellipse(frame, (64, 64), (30, 40), 0, 150, 450, (190, 190, 190), 5, cv2.LINE_AA)
    cv2.ellipse(frame, (64, 64), (30, 40), 0, 90, 150, (235, 235, 235), 5, cv2.LINE_AA)
    return frame


def hole(frame: np.ndarray) -> int:
    """Return how many pixels the ink of the largest part encloses."""
    ink = max(locate(find_ink(frame)), key=lambda part: part.side).ink
    padded = cv2.copyMakeBorder((ink > INK_LEVEL * 255).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    cv2.floodFill(padded, None, (0, 0), 2)
    return int((padded == 0).sum())


def test_a_stroke_that_fades_is_followed_on_clean_paper_only():
    closed = fading_ring()
    assert hole(closed) > 1500
    creased = fading_ring()
    for x in (8, 18, 110, 120):
        cv2.line(creased, (x, 5), (x + 3, 122), (235, 235, 235), 2)
    assert hole(creased) == 0


def test_a_stroke_that_fades_is_not_followed_where_other_things_run_out_of_the_frame():
    frame = fading_ring()
    for x in (0, 108):
        cv2.rectangle(frame, (x, 0), (x + 19, 19), (190, 190, 190), -1)
    assert hole(frame) == 0


def strokes(beside: str = "") -> np.ndarray:
    """Two pale strokes, and a shadow next to one, or a halo along half of it."""
    frame = np.full((128, 128, 3), 250, np.uint8)
    if beside == "shadow":
        cv2.circle(frame, (74, 40), 8, (237, 237, 237), -1)
    if beside == "halo":
        cv2.line(frame, (60, 24), (63, 66), (237, 237, 237), 16)
    for x in (20, 60):
        cv2.line(frame, (x, 20), (x + 6, 108), (190, 190, 190), 4, cv2.LINE_AA)
    return frame


@pytest.mark.parametrize("beside", ["shadow", "halo"])
def test_what_is_weak_beside_a_stroke_is_no_stroke(beside):
    assert boxes(strokes(beside)) == boxes(strokes())


def test_pieces_merge_and_split():
    frame = sheet()
    cv2.line(frame, (200, 100), (200, 200), (60, 60, 60), 8)
    cv2.line(frame, (222, 100), (222, 200), (60, 60, 60), 8)
    cv2.line(frame, (500, 100), (500, 200), (60, 60, 60), 8)
    parts = sorted(locate(find_ink(frame)), key=lambda part: part.box.x)
    assert neighbours(parts) == [(0, 1)]
    whole = merge(parts[0], parts[1])
    assert whole.box.x == parts[0].box.x and whole.box.right == parts[1].box.right
    wide = sheet()
    cv2.putText(wide, "00", (200, 250), cv2.FONT_HERSHEY_SIMPLEX, 3, (60, 60, 60), 8)
    cv2.line(wide, (255, 215), (275, 215), (60, 60, 60), 6)
    joined = max(locate(find_ink(wide)), key=lambda part: part.side)
    halves = split(joined)
    assert halves is not None and halves[0].box.right <= halves[1].box.x + 2
    assert split(parts[2]) is None


def test_reading_order_is_by_lines_also_when_the_sheet_is_turned():
    turn = cv2.getRotationMatrix2D((300, 200), -8, 1)
    middles = [(100 + 120 * column, 80 + 110 * line) for line in range(3) for column in range(4)]
    turned = [tuple(turn @ [x, y, 1]) for x, y in middles]
    given = [Box(int(x) - 15, int(y) - 25, 30, 50) for x, y in turned]
    shuffled = np.random.default_rng(2).permutation(len(given))
    order = reading_order([given[i] for i in shuffled])
    assert [int(shuffled[i]) for i in order] == list(range(12))
