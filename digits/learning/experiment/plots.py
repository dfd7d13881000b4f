"""Figures of a run: arrays in, Figure out; the caller saves.

One colour a model throughout.
"""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from digits.files import printable
from digits.learning.experiment.leaderboard import Row, over_seeds
from digits.learning.networks.registry import NETWORKS
from digits.reading.models.contract import CLASSES

OTHER = "#555555"  # a model that is not in the list
MARKERS = "osD^v*P"  # beside the colours, for print in black and white
_LEAST_SHARE = 0.001  # of all images that a point of the reliability diagram stands for


def colour(name: str) -> str:
    """Return the colour of a model."""
    return NETWORKS[name].colour if name in NETWORKS else OTHER


def plain_log(axis) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, those in between smaller and, over a decade, not all."""
    axis.set_major_formatter("{x:g}")
    low, high = axis.get_view_interval()
    within = high / max(low, 1e-12)
    steps = (1, 2, 5) if within > 30 else (1, 2, 3, 4, 6, 8) if within > 3 else range(1, 10)
    axis.set_minor_locator(LogLocator(subs=steps, numticks=20))
    axis.set_minor_formatter("{x:g}")
    axis.set_tick_params(which="minor", labelsize=7)


def learning_curves(histories: dict[str, list[dict]]) -> Figure:
    """Return loss and error rate over epochs, a line a model.

    Args:
        histories: model -> rows with "loss" and, where there was validation, "val_loss" and "val_accuracy".
    """
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for marker, (name, rows) in zip(cycle(MARKERS), histories.items(), strict=False):
        epochs = np.arange(1, len(rows) + 1)
        left.plot(epochs, [row["loss"] for row in rows], f"-{marker}", ms=3, color=colour(name), label=name)
        errors = {epoch: 100 * (1 - row["val_accuracy"]) for epoch, row in enumerate(rows, 1) if "val_accuracy" in row}
        right.plot(list(errors), list(errors.values()), f"-{marker}", ms=3, color=colour(name))
    loss = "training loss (nats), higher with\nsmoothed labels and non-digits"
    left.set(xlabel="epoch, all stages in a row", ylabel=loss, yscale="log")
    right.set(xlabel="epoch, all stages in a row", ylabel="validation errors, clean and camera (%)", yscale="log")
    for axes in (left, right):
        plain_log(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3, axis="y")
    figure.legend(fontsize=8, loc="outside lower center", ncols=4)
    return figure


def confusion_matrix(counts: np.ndarray, title: str) -> Figure:
    """Return int (10, 10) counts as a table; the shade shows mistakes, since right answers would drown them."""
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    wrong = counts * (1 - np.eye(CLASSES, dtype=int))
    axes.imshow(wrong, cmap="Blues", vmax=max(wrong.max(), 1) * 1.5)
    for label in range(CLASSES):
        for read in range(CLASSES):
            if counts[label, read]:
                weight = "bold" if label == read else "normal"
                axes.text(read, label, counts[label, read], ha="center", va="center", fontsize=8, weight=weight)
    axes.set(xlabel="read as", ylabel="label", title=title, xticks=range(CLASSES), yticks=range(CLASSES))
    return figure


def leaderboard_bars(rows: list[Row], column: str, title: str) -> Figure:
    """Return one bar a model and stage: the mean error rate over seeds, and its range.

    Args:
        rows: of the leaderboard; `column` names an accuracy, rows without it are left out.
    """
    groups = over_seeds(rows, column)
    names = sorted(groups, key=lambda name: groups[name][0])
    figure = Figure(figsize=(8, 0.4 * max(len(names), 2) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        mean, low, high, seeds = groups[name]
        error = 100 * (1 - mean)
        spread = [[100 * (high - mean)], [100 * (mean - low)]]
        axes.barh(place, error, color=colour(name.split()[0]), xerr=spread if seeds > 1 else None, capsize=3)
        text = f" {error:.2f}" + (f" ({seeds} seeds)" if seeds > 1 else "")
        axes.text(100 * (1 - low), place, text, va="center", fontsize=8)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="errors (%)", title=title)
    axes.margins(x=0.15)
    return figure


def mistakes_gallery(tiles: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, title: str,
                     notes: Sequence[str] = ()) -> Figure:  # fmt: skip
    """Return misread tiles, eight a row, each with its label, what was read and how surely.

    Args:
        tiles: uint8 (N, 96, 96); labels (N,); probabilities float (N, 10).
        notes: N lines to stand below the others, or none.
    """
    rows = max(1, -(-len(tiles) // 8))
    figure = Figure(figsize=(10, 1.5 * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    for place, axes in enumerate(figure.subplots(rows, 8, squeeze=False).ravel()):
        axes.axis("off")
        if place < len(tiles):
            read = int(probabilities[place].argmax())
            axes.imshow(tiles[place], cmap="gray", vmin=0, vmax=255)
            text = f"{labels[place]} read {read} ({probabilities[place, read]:.2f})"
            lines = [text, *map(printable, notes[place : place + 1])]
            axes.set_title("\n".join(lines), fontsize=7, parse_math=False)  # a name may have two $
    return figure


def reliability_diagram(curves: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], name: str) -> Figure:
    """Return accuracy over confidence; on the diagonal a network is right as often as it says.

    Points of fewer than one image in a thousand are left out: where 1 of 2 is right, nothing is known.

    Args:
        curves: label -> (mean confidence, accuracy, share of rows) by bin, as metrics.reliability gives them.
    """
    figure = Figure(figsize=(5, 4.9), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], ":", color="grey", label="honest")
    styles = ("o--", "white"), ("D-", colour(name))
    for (style, fill), (label, (confidence, accuracy, share)) in zip(styles, curves.items(), strict=False):
        shown = ~np.isnan(confidence) & (share >= _LEAST_SHARE)
        axes.plot(confidence[shown], accuracy[shown], style, color=colour(name), mfc=fill, label=label)
        axes.scatter(confidence[shown], accuracy[shown], s=400 * share[shown], color=colour(name), alpha=0.15)
    axes.set(xlabel="mean confidence", ylabel="accuracy", title=f"{name}, test", xlim=(0, 1.02), ylim=(0, 1.02))
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    return figure


def rejection_figure(refused: np.ndarray, error: np.ndarray, name: str) -> Figure:
    """Return the error rate among accepted readings over the share refused; both float (N,), as shares."""
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(100 * refused, 100 * error, "-", color=colour(name))
    axes.set(xlabel="refused, least confident first (%)", ylabel="errors among the rest (%)", title=f"{name}, test")
    axes.set_xlim(0, 10)
    axes.grid(alpha=0.3)
    return figure
