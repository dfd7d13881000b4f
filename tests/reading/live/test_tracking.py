import time

import cv2
import made_up
import numpy as np
import pytest
from made_up import reading

from digits.box import Box
from digits.reading.live.tracking import Tracker
from digits.reading.readings import Rejected


def digit(label, x=100, y=100, size=60, sure=0.95):
    return made_up.digit(label, Box(round(x), round(y), size * 2 // 3, size), sure)


def labels(result):
    return [item.digit for item in result.digits]


def shown(tracker, *readings):
    """Return what the tracker shows after each of these readings."""
    return [labels(tracker.update(item)) for item in readings]


def noise(seed):
    return np.random.default_rng(seed).integers(0, 255, (480, 640, 3), np.uint8)


def test_a_new_digit_waits_for_a_second_look_and_shows_within_five_frames():
    tracker = Tracker()
    first = tracker.update(reading([digit(7)]), noise(0))
    assert first.digits == [] and first.main is None
    assert [item.reason for item in first.rejected] == ["unsteady"]
    assert labels(tracker.update(reading([digit(7, x=101)]), noise(1))) == [7]


@pytest.mark.parametrize("sure", [0.55, 0.8, 0.999])
@pytest.mark.parametrize("still", [True, False])
def test_every_steady_digit_shows_within_five_frames(sure, still):
    tracker = Tracker()
    for step in range(5):
        result = tracker.update(reading([digit(7, x=100 + step, sure=sure)]), noise(0 if still else step))
    assert labels(result) == [7]


def test_a_repeated_frame_is_no_second_look_but_a_still_scene_is():
    tracker = Tracker()
    results = [labels(tracker.update(reading([digit(3)]), noise(0))) for _ in range(5)]
    assert results[1] == [] and results[4] == [3]


def test_what_moves_too_fast_or_is_read_differently_each_time_is_not_shown():
    tracker = Tracker()
    assert shown(tracker, *(reading([digit(4, x=40 + 70 * step)]) for step in range(8))) == [[]] * 8
    tracker.reset()
    assert shown(tracker, *(reading([digit(step % 2)]) for step in range(8))) == [[]] * 8


def test_blurred_frames_confirm_nothing():
    assert shown(Tracker(), *[reading([digit(4)], hint="blurred")] * 6) == [[]] * 6


def test_one_misreading_changes_nothing_and_a_new_digit_does():
    five, six, eight = [reading([digit(label)]) for label in (5, 6, 8)]
    results = shown(Tracker(), *[five] * 5, six, *[five] * 5, *[eight] * 5)
    assert results[5] == results[10] == [5] and results[-1] == [8]


def test_what_is_told_of_a_digit_never_contradicts_it():
    five, six = reading([digit(5)]), reading([digit(6, sure=0.6)])
    tracker = Tracker()
    for item in [*[five] * 4, six, six, six, five, six, six, *[six] * 4]:
        for found in tracker.update(item).digits:
            assert found.digit == found.probabilities.argmax()
            assert found.confidence == pytest.approx(found.probabilities.max())


def test_labels_hardly_ever_change_while_a_trembling_hand_holds_still():
    rng = np.random.default_rng(1)
    tracker = Tracker()
    changes, before, frames = 0, None, 1000
    for _ in range(frames):
        label = 5 if rng.random() < 0.9 else int(rng.integers(10))
        x, y = rng.normal(100, 3, 2)
        now = labels(tracker.update(reading([digit(label, x, y, sure=rng.uniform(0.6, 1.0))])))
        changes += before is not None and now != before
        before = now or before
    assert changes < frames / 100


def test_a_digit_lost_for_a_moment_stays_and_then_goes():
    tracker = Tracker()
    row = [digit(label, x=100 * label) for label in (1, 2, 3)]
    whole, without_two = reading(row), reading([row[0], row[2]])
    results = shown(tracker, whole, whole, whole, *[without_two] * 7, whole, whole)
    assert results[3] == [1, 2, 3], "in reading order, the missing one too"
    assert results[9] == [1, 3]
    unread = reading([row[0], row[2]], [Rejected(row[1].box, "low confidence")])
    result = [tracker.update(unread) for _ in range(4)][-1]
    assert labels(result) == [1, 2, 3] and result.rejected == [], "its ink is still in sight"


@pytest.mark.parametrize("step", [(9, 0), (40, 35), (-75, 60)])
def test_a_moved_sheet_keeps_its_labels(step):
    tracker = Tracker()
    rng = np.random.default_rng(0)
    page = [(rng.integers(10), 90 * column + 200, 90 * row + 150) for row in range(3) for column in range(5)]
    before = reading([digit(label, x, y) for label, x, y in page])
    after = reading([digit(label, x + step[0], y + step[1]) for label, x, y in page])
    assert shown(tracker, before, before, before, after)[-1] == [label for label, _, _ in page]


def test_probabilities_are_a_vote_of_the_frames():
    tracker = Tracker()
    shown(tracker, *[reading([digit(1, sure=0.9)])] * 3)
    result = tracker.update(reading([digit(7, sure=0.9)])).digits[0]
    assert result.digit == 1 and 0.5 < result.confidence < 0.9
    assert result.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert result.confidence == pytest.approx(result.probabilities[1])


def test_the_highlighted_digit_does_not_flicker():
    tracker = Tracker()
    pair = [digit(1, x=100), digit(2, x=300)]
    shown(tracker, *[reading(pair, main=0)] * 3)
    flickering = [tracker.update(reading(pair, main=frame % 2)).main for frame in range(6)]
    assert flickering == [0] * 6
    assert [tracker.update(reading(pair, main=1)).main for _ in range(5)][-1] == 1


def test_a_hint_is_passed_on_only_while_nothing_is_shown():
    tracker = Tracker()
    assert tracker.update(reading([], hint="too dark")).hint == "too dark"
    shown(tracker, *[reading([digit(2)])] * 2)
    assert tracker.update(reading([], hint="too dark")).hint is None


def test_forty_digits_take_a_few_milliseconds():
    tracker = Tracker()
    frame = noise(0)
    page = [digit((row + column) % 10, 60 * column + 20, 70 * row + 20, 40) for row in range(5) for column in range(8)]
    times = []
    for _ in range(10):
        start = time.process_time()  # other tests may run beside this one
        tracker.update(reading(page), frame)
        times.append(time.process_time() - start)
    assert np.median(times) < 0.01


def test_a_rendered_sheet_in_a_trembling_hand_is_read_soon_and_steadily(tiny_export):
    from digits.reading.models.loading import load_model
    from digits.reading.reader import Reader
    from digits.rendering.clips import clip

    page = [2, 7, 3, 5, 8, 4]
    inks = [np.zeros((128, 128), np.uint8) for _ in page]
    for label, ink in zip(page, inks, strict=True):
        cv2.putText(ink, str(label), (35, 95), cv2.FONT_HERSHEY_SIMPLEX, 2.6, 255, 10, cv2.LINE_AA)
    reader, tracker = Reader(load_model(tiny_export)), Tracker()
    seen = {index: [] for index in range(len(page))}
    for frame, truth in clip(inks, page, np.random.default_rng(0), 40):
        result = tracker.update(reader.read(frame), frame)
        for index, (box, _) in enumerate(truth):
            seen[index].append(next((item.digit for item in result.digits if holds_middle(item.box, box)), None))
    changes = 0
    for label, readings in zip(page, seen.values(), strict=True):
        assert label in readings[:5], f"{label} shows within five frames: {readings[:8]}"
        assert readings[-1] == label, readings
        changes += sum(a != b for a, b in zip(readings[5:], readings[6:], strict=False))
    assert changes < len(page) * 35 / 100


def holds_middle(box, other):
    x, y = other.centre
    return box.x <= x <= box.right and box.y <= y <= box.bottom and box.h < 2 * other.h
