"""Rendered photographs, pages and clips: exact truth, reproducible, and as varied as real cameras."""

import cv2
import numpy as np
import pytest

from digits.box import Box
from digits.rendering.camera import Shot, jpeg, motion_kernel, random_shot, shoot
from digits.rendering.camera_effects import EFFECTS, camera_effect
from digits.rendering.clips import Motion, clip
from digits.rendering.handwriting import draw_digit
from digits.rendering.ink_masks import change_pen
from digits.rendering.pages import LAYOUTS, photograph
from digits.rendering.photographs import photograph_one


def _inks(labels, seed=0):
    rng = np.random.default_rng(seed)
    return [draw_digit(label, rng) for label in labels]


def _mnist_like(label, seed=0):
    """A soft 20x20 digit in 28x28, as MNIST has them."""
    small = cv2.resize(draw_digit(label, np.random.default_rng(seed)), (24, 24), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(small, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)


def _ink(frame):
    """Where a clean frame is not paper."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(int)
    away = np.abs(grey - np.median(grey))
    return away > 0.4 * away.max()


def _bounds(mask):
    return Box(*cv2.boundingRect(mask.astype(np.uint8)))


def test_one_photograph_is_small_reproducible_and_holds_its_box():
    for seed in range(60):
        ink = _mnist_like(seed % 10, seed)
        (frame, box), (again, same) = [photograph_one(ink, np.random.default_rng(seed)) for _ in range(2)]
        assert np.array_equal(frame, again) and box == same
        height, width, channels = frame.shape
        assert frame.dtype == np.uint8 and channels == 3
        assert 60 <= min(height, width) and max(height, width) <= 320
        assert Box(0, 0, width, height).contains(box) and box.side >= 12


def test_clean_photographs_show_the_ink_where_the_box_says():
    for seed in range(30):
        ink = draw_digit(seed % 10, np.random.default_rng(seed))
        frame, box = photograph_one(ink, np.random.default_rng(seed), 0.0)
        seen = _bounds(_ink(frame))
        edges = seen.x - box.x, seen.y - box.y, seen.right - box.right, seen.bottom - box.bottom
        assert np.abs(edges).max() <= 3, seed


def test_photographs_cover_sizes_contrasts_and_both_polarities():
    rng = np.random.default_rng(0)
    shares, darker = [], []
    for _ in range(150):
        frame, box = photograph_one(draw_digit(8, rng), rng)
        shares.append(box.side / min(frame.shape[:2]))
        inside = frame[box.window].astype(float).mean(-1)
        darker.append(np.median(inside) - np.percentile(inside, 4) > np.percentile(inside, 96) - np.median(inside))
    assert min(shares) < 0.4 and max(shares) > 0.8
    assert 0.6 < np.mean(darker) < 0.99


def test_blank_ink_is_refused():
    with pytest.raises(ValueError, match="blank"):
        photograph_one(np.zeros((28, 28), np.uint8), np.random.default_rng(0))


def test_faint_and_tiny_inks_are_photographed_too():
    rng = np.random.default_rng(0)
    for label in range(10):
        frame, box = photograph_one(draw_digit(label, rng, 16) // 3, rng)
        assert box.side >= 12
        assert len(photograph([draw_digit(label, rng, 28)] * 3, [label] * 3, rng).boxes) == 3


def test_changed_pens_keep_the_digit_whole():
    for seed in range(40):
        mask = change_pen(_mnist_like(0, 3), np.random.default_rng(seed))
        assert max(mask.shape) < 150 and mask.max() == 255
        assert _bounds(mask > 100).side > 90


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [1, 7, 40])
def test_pages_hold_every_digit_in_its_box(layout, count):
    labels = [index % 10 for index in range(count)]
    page = photograph(_inks(labels), labels, np.random.default_rng(count), layout=layout, held=False)
    assert page.frame.shape == (480, 640, 3) and page.labels == labels and len(page.boxes) == count
    assert all(Box(0, 0, 640, 480).contains(box) and box.side >= 8 for box in page.boxes)


def test_boxes_of_a_clean_page_are_exact():
    labels = [3, 1, 4, 1, 5, 9]
    page = photograph(_inks(labels), labels, np.random.default_rng(2), strength=0.0, layout="grid", held=False)
    ink = _ink(page.frame)
    for box in page.boxes:
        around = ink[box.grown(4).window]
        x, y, w, h = _bounds(around)
        assert abs(x - 4) <= 2 and abs(y - 4) <= 2 and abs(w - box.w) <= 4 and abs(h - box.h) <= 4
        around[:] = False
    assert not ink.any()


def test_pages_refuse_unequal_lists_and_unknown_layouts():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="2 inks but 1 labels"):
        photograph(_inks([1, 2]), [1], rng)
    with pytest.raises(ValueError, match="circle"):
        photograph(_inks([1]), [1], rng, layout="circle")


@pytest.mark.parametrize("kind", EFFECTS)
def test_effects_grow_with_their_strength(kind):
    page = photograph(_inks([5]), [5], np.random.default_rng(1), (240, 180), 0.1, "grid", False).frame
    away = []
    for strength in (1, 5):
        changed = camera_effect(page, kind, strength, np.random.default_rng(7))
        assert changed.shape == page.shape and changed.dtype == np.uint8
        assert np.array_equal(changed, camera_effect(page, kind, strength, np.random.default_rng(7)))
        away.append(np.abs(changed.astype(int) - page).mean())
    assert 0 < away[0] < away[1]


def test_effects_name_what_they_do_not_know():
    for kind, strength, word in (("fog", 1, "fog"), ("blur", 6, "strength is 6")):
        with pytest.raises(ValueError, match=word):
            camera_effect(np.full((40, 40, 3), 255, np.uint8), kind, strength, np.random.default_rng(0))


def test_a_still_shot_of_even_paper_is_even():
    frame = shoot(np.full((3, 50, 60), 0.93, np.float32), np.random.default_rng(0), Shot(exposure=0.9))
    assert frame.shape == (50, 60, 3) and np.ptp(frame) <= 1 and abs(int(frame[0, 0, 0]) - 230) <= 1


def test_camera_parts():
    assert np.isclose(motion_kernel(7, 30).sum(), 1)
    assert jpeg(np.full((20, 30, 3), 90, np.uint8), 50).shape == (20, 30, 3)
    assert random_shot(np.random.default_rng(0), 100, 0.0).quality == 0


def test_a_clip_moves_little_and_tells_where_the_digits_are():
    labels, middles = [1, 2, 3, 4], []
    for frame, digits in clip(_inks(labels), labels, np.random.default_rng(0), 12, (320, 240)):
        assert frame.shape == (240, 320, 3) and [label for _, label in digits] == labels
        middles.append([box.centre[0] for box, _ in digits])
    assert len(middles) == 12
    steps = np.abs(np.diff(np.array(middles), axis=0))
    assert 0 < steps.max() < 6


def test_a_sheet_is_raised_into_view():
    shown = [digits for _, digits in
             clip(_inks([1, 2]), [1, 2], np.random.default_rng(0), 12, (320, 240), Motion(entrance=10))]
    assert len(shown[0]) == 0 and len(shown[-1]) == 2
