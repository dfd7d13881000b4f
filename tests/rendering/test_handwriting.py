"""Rendered handwriting: reproducible, never blank, as varied as it claims."""

from functools import partial

import numpy as np
import pytest

from digits.rendering.handwriting import STYLES, draw_digit
from digits.rendering.letters import LETTERS, LETTERS_LIKE_DIGITS, draw_printed_letter
from digits.rendering.non_digits import draw_non_digit
from digits.rendering.pen import Hand, ink_lines, random_hand, write


@pytest.mark.parametrize("label", range(10))
def test_every_style_is_drawn_whole_and_centred(label):
    rng = np.random.default_rng(label)
    for style, share in STYLES[label]:
        assert share > 0
        for _ in range(12):
            ink = write(style(rng), random_hand(rng), rng)
            assert ink.max() > 200, style
            assert not ink[[0, -1]].any() and not ink[:, [0, -1]].any(), style
            assert 0.7 * 128 < np.ptp(np.nonzero(ink > 128), axis=1).max() + 1 < 0.95 * 128, style


def test_pens_range_from_thin_ballpoints_to_markers():
    rng = np.random.default_rng(0)
    widths = [random_hand(rng).width for _ in range(500)]
    assert min(widths) < 1 / 60 and max(widths) > 1 / 7
    thin = draw_digit(0, np.random.default_rng(0), hand=Hand(width=1 / 60))
    fat = draw_digit(0, np.random.default_rng(0), hand=Hand(width=1 / 6))
    assert np.count_nonzero(fat > 128) > 5 * np.count_nonzero(thin > 128)


def test_slant_leans_to_the_right():
    leans = []
    for slant in (0.0, 0.5):
        rows, columns = np.nonzero(draw_digit(1, np.random.default_rng(4), hand=Hand(slant=slant)) > 128)
        leans.append(columns[rows < rows.min() + 15].mean() - columns[rows > rows.max() - 15].mean())
    assert leans[1] > leans[0] + 20


def _rise_of_its_first_stroke(ink: np.ndarray) -> float:
    """Return in degrees how steeply the upper edge rises from the left end to the corner."""
    rows, columns = np.nonzero(ink > 128)
    top = rows.min()
    left = columns[rows < top + 0.6 * np.ptp(rows)].min()
    corner = columns[rows == top].mean()
    start = rows[columns <= left + 1].min()
    return float(np.degrees(np.arctan2(start - top, corner - left)))


def test_no_one_is_drawn_that_is_a_seven_even_by_hands_that_turn_flags_flat():
    flat = Hand(angle=-25, width=0.03)
    assert min(_rise_of_its_first_stroke(draw_digit(1, np.random.default_rng(i), hand=flat)) for i in range(60)) > 25


def test_pen_width_is_what_was_asked_for():
    line = np.array([[10.0, 32.0], [54.0, 32.0]])
    ink = ink_lines([line], 8, 64, 0.0, np.random.default_rng(0))
    assert abs(np.count_nonzero(ink[:, 32] > 128) - 8) <= 1


@pytest.mark.parametrize("draw", [partial(draw_digit, 5), draw_non_digit])
def test_drawings_have_the_size_asked_for_and_differ_by_their_seed(draw):
    for size in (28, 96, 400):
        first, same, other = [draw(np.random.default_rng(seed), size) for seed in (0, 0, 1)]
        assert first.shape == (size, size) and first.dtype == np.uint8
        assert np.array_equal(first, same) and not np.array_equal(first, other)


def test_no_such_digit():
    with pytest.raises(KeyError):
        draw_digit(10, np.random.default_rng(0))


def test_non_digits_are_never_blank_nor_drawn_twice():
    rng = np.random.default_rng(0)
    drawings = [draw_non_digit(rng, 96) for _ in range(400)]
    assert all(ink.max() > 150 for ink in drawings)
    assert len({ink.tobytes() for ink in drawings}) == len(drawings)


def test_letters_that_are_digits_in_shape_are_left_out():
    assert not set(LETTERS) & set(LETTERS_LIKE_DIGITS)
    assert not set(LETTERS) & set("0123456789")


def test_truetype_letters_come_from_the_fonts_given():
    matplotlib = pytest.importorskip("matplotlib")
    font = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    ink = draw_printed_letter(np.random.default_rng(0), 96, [font])
    assert ink.shape == (96, 96) and ink.max() > 200
    assert draw_non_digit(np.random.default_rng(3), 96, [font]).shape == (96, 96)
