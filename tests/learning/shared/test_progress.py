"""How a long run tells how far it is."""

from digits.learning.shared import progress
from digits.learning.shared.progress import Lines


def test_progress_lines_are_few_and_tell_what_is_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    lines = []
    report = Lines(lines.append)
    for done in range(1, 101):
        now[0] += 0.1
        report.advance("Tiles", done, 100)
    assert 2 <= len(lines) <= 4
    assert lines[-1] == "Tiles: 80 of 100, about 2 s left."
