"""What a run says of itself when its networks are trained: leaderboard, figures, winner."""

from __future__ import annotations

from pathlib import Path

from digits.learning.experiment import plots
from digits.learning.experiment.figures import kept_histories, save_figures, write_figures
from digits.learning.experiment.leaderboard import LEADERBOARD, chosen, incomparable, update_leaderboard, winner
from digits.learning.experiment.rows import Row
from digits.learning.experiment.run import Outcome, Run


def tabulate(run: Run, outcomes: dict[str, Outcome], place: Path) -> list[Row]:
    """Put the rows of a run into the leaderboard and its bars below `place`, say them, return all rows of the file."""
    rows = [row for outcome in outcomes.values() for row in outcome.rows]
    table = update_leaderboard(place / LEADERBOARD, rows)
    save_figures(place / "figures", {
        "leaderboard_test": plots.leaderboard_bars(table, "test_accuracy", "MNIST test"),
        "leaderboard_val": plots.leaderboard_bars(table, "val_accuracy", "Validation"),
        "leaderboard_camera": plots.leaderboard_bars(table, "val_camera_accuracy", "Validation after camera changes"),
    })
    for row in rows:
        val = "seen" if row.with_val else f"{row.val_accuracy:.4f}, {row.val_camera_accuracy:.4f}"
        run.report(f"{row.model:14} {row.stage:14} val (clean, camera) {val:14}  test {row.test_accuracy:.4f}")
    return table


def report_run(run: Run, outcomes: dict[str, Outcome], place: Path, default: str | None) -> str:
    """Write leaderboard and figures below `place`, say what came out, and return the winner's name.

    The figures of the winner are those of the default from now on: none where `default` stays as it is.
    """
    table = tabulate(run, outcomes, place)
    best = winner({name: outcome.choice for name, outcome in outcomes.items()})
    run.report(f"Winner by validation, clean and camera: {best} ({outcomes[best].choice:.4f})")
    histories = kept_histories(run) | {name: outcome.history for name, outcome in outcomes.items()}
    among = run.config.seed, run.data.judged_on
    stays = incomparable(table, default, outcomes, *among)
    shown = best if best == chosen(table, *among) and not stays else None
    write_figures(place / "figures", run.data, outcomes, histories, shown)
    run.report(f"Leaderboard and figures: {place}")
    return best
