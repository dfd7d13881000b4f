"""Figures that only the notebooks draw, beside those of a run in `plots`: arrays in, Figure out, the same colours."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.learning.experiment.plots import MARKERS, OTHER, colour, plain_log
from digits.reading.models.contract import CLASSES

_CELL = 1.15  # inches a small picture takes in a gallery


def gallery(pictures: Sequence[np.ndarray], titles: Sequence[str] = (), columns: int = 10, cell: float = _CELL,
            rows: Sequence[str] = (), heat: bool = False) -> Figure:  # fmt: skip
    """Return pictures in a grid.

    Args:
        pictures: uint8 grey (h, w) or BGR (h, w, 3); with `heat` float (h, w), each shaded by its own range.
        titles: one a picture, or none.
        columns: pictures in a row.
        cell: inches a picture takes.
        rows: words at the left of each row, or none.
    """
    count = -(-len(pictures) // columns)
    tallest = max(min(picture.shape[0] / picture.shape[1], 1) for picture in pictures)
    high = cell * (tallest + (0.21 if any(titles) else 0.04))
    figure = Figure(figsize=(cell * columns + (1.2 if rows else 0), high * count), layout="constrained")
    for place, axes in enumerate(figure.subplots(count, columns, squeeze=False).ravel()):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if place < len(pictures):
            _picture(axes, pictures[place], heat)
        if place < len(titles):
            axes.set_title(titles[place], fontsize=8)
        if place % columns == 0 and place // columns < len(rows):
            axes.set_ylabel(rows[place // columns], fontsize=8, rotation=0, ha="right", va="center")
    return figure


def frames(pictures: Sequence[np.ndarray], titles: Sequence[str], width: float = 11.0) -> Figure:
    """Return large pictures side by side, uint8 grey or BGR, `width` inches wide altogether."""
    shares = [picture.shape[1] / picture.shape[0] for picture in pictures]
    figure = Figure(figsize=(width, width / sum(shares) + 0.35), layout="constrained")
    for axes, picture, title in zip(
        figure.subplots(1, len(pictures), squeeze=False, width_ratios=shares).ravel(), pictures, titles, strict=True
    ):
        axes.axis("off")
        _picture(axes, picture)
        axes.set_title(title, fontsize=10)
    return figure


def curves_over_seeds(curves: Mapping[str, Sequence[Sequence[float]]], label: str) -> Figure:
    """Return one line a model, the mean over seeds, with the range of the seeds behind it.

    Args:
        curves: model -> per seed the values by epoch; seeds may have stopped at different epochs.
        label: of the vertical axis.
    """
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for marker, (name, seeds) in zip(MARKERS, curves.items(), strict=False):
        shared = min(len(values) for values in seeds)  # beyond it the mean would be of fewer seeds
        values = np.array([each[:shared] for each in seeds])
        epochs = np.arange(1, shared + 1)
        axes.fill_between(epochs, values.min(0), values.max(0), color=colour(name), alpha=0.15, lw=0)
        axes.plot(epochs, values.mean(0), "-" + marker, ms=4, color=colour(name), label=name)
    longest = max(min(map(len, seeds)) for seeds in curves.values())
    axes.set(xlabel="epoch", ylabel=label, yscale="log", xticks=range(1, longest + 1))
    plain_log(axes.yaxis)
    axes.grid(alpha=0.3, which="both", axis="y")
    axes.legend(fontsize=8)
    return figure


def error_bars(errors: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Figure:
    """Return one row a model and a marker a domain: the mean error in per cent, its range over seeds as a line.

    Args:
        errors: model -> domain -> error rates, 0 to 1, one a seed.
    """
    names = list(errors)
    figure = Figure(figsize=(8.5, 0.55 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(names):
        for shift, (marker, values) in enumerate(zip(MARKERS, errors[name].values(), strict=False)):
            y, values = place + 0.17 * (shift - 1), 100 * np.asarray(values)
            axes.plot([values.min(), values.max()], [y, y], "-", color=colour(name), alpha=0.5)
            axes.plot(values.mean(), y, marker, ms=7, color=colour(name), mfc="none" if shift else colour(name))
    for shift, (marker, domain) in enumerate(zip(MARKERS, errors[names[0]], strict=False)):
        axes.plot([], [], marker, ms=7, color=OTHER, mfc="none" if shift else OTHER, label=domain)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="errors (%)", title=title, xscale="log")
    axes.invert_yaxis()
    plain_log(axes.xaxis)
    axes.grid(alpha=0.3, which="both", axis="x")
    figure.legend(fontsize=8, loc="outside lower center", ncols=3)
    return figure


def lines(series: Mapping[str, tuple[Sequence[float], Sequence[Sequence[float]]]], x_label: str, y_label: str,
          colours: Mapping[str, str] | None = None, log: str = "") -> Figure:  # fmt: skip
    """Return one line a series: the mean of its values at each x, every value as a dot.

    Args:
        series: label -> (x, per x the values of all seeds).
        colours: label -> colour; labels that are models have theirs.
        log: which axes are logarithmic: "", "x", "y" or "xy".
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for marker, (label, (x, values)) in zip(MARKERS, series.items(), strict=False):
        shade = (colours or {}).get(label, colour(label))
        axes.plot(x, [np.mean(each) for each in values], "-", color=shade)
        for place, each in zip(x, values, strict=True):
            axes.plot([place] * len(each), each, marker, ms=5, color=shade, alpha=0.7)
        axes.plot([], [], "-" + marker, ms=5, color=shade, label=label)
    axes.set(xlabel=x_label, ylabel=y_label)
    for name in log:
        axes.set(**{f"{name}scale": "log"})
        plain_log(getattr(axes, f"{name}axis"))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def bars(labels: Sequence[str], columns: Mapping[str, Sequence[float]]) -> Figure:
    """Return one panel a column with one bar a label, the values written at the bars.

    Args:
        columns: name with its unit -> a value for each label.
    """
    figure = Figure(figsize=(10, 0.38 * len(labels) + 1.0), layout="constrained")
    for axes, (name, values) in zip(figure.subplots(1, len(columns), sharey=True), columns.items(), strict=True):
        axes.barh(range(len(labels)), values, color=OTHER)
        for place, value in enumerate(values):
            axes.text(value, place, f" {value:.2f}", va="center", fontsize=8)
        axes.set(yticks=range(len(labels)), yticklabels=labels, xlabel=name)
        axes.margins(x=0.2)
    axes.invert_yaxis()
    return figure


def grouped_bars(groups: Mapping[str, Mapping[str, float]], label: str) -> Figure:
    """Return one panel a group with a bar for each way, the value written at it.

    Args:
        groups: group -> way -> share, 0 to 1; the same ways in every group.
        label: of the horizontal axis; values are shown in per cent.
    """
    figure = Figure(figsize=(10, 0.42 * len(next(iter(groups.values()))) + 1.2), layout="constrained")
    for axes, (name, values) in zip(figure.subplots(1, len(groups), sharey=True), groups.items(), strict=True):
        axes.barh(range(len(values)), [100 * value for value in values.values()], color=OTHER)
        for place, value in enumerate(values.values()):
            axes.text(100 * value, place, f" {100 * value:.1f}", va="center", fontsize=8)
        axes.set(yticks=range(len(values)), yticklabels=list(values), xlabel=label, xlim=(0, 115))
        axes.set_xticks(range(0, 101, 20))
        axes.set_title(name, fontsize=9)
    axes.invert_yaxis()
    return figure


def answers(tile: np.ndarray, probabilities: Mapping[str, np.ndarray]) -> Figure:
    """Return a tile and, a panel a model, the probability of each digit.

    Args:
        tile: uint8 (96, 96).
        probabilities: model -> float (10,).
    """
    figure = Figure(figsize=(2 + 1.55 * len(probabilities), 2.7), layout="constrained")
    first, *panels = figure.subplots(1, 1 + len(probabilities), width_ratios=[1.4] + [1] * len(probabilities))
    first.axis("off")
    first.set_title("what they see", fontsize=9)
    _picture(first, tile)
    for axes, (name, values) in zip(panels, probabilities.items(), strict=True):
        axes.barh(range(CLASSES), values, color=colour(name))
        winner = int(np.argmax(values))
        axes.set_title(f"{name}\n{winner}  ({min(100 * values[winner], 99.9):.1f} %)", fontsize=8)
        axes.set(xlim=(0, 1), xticks=[0, 1], yticks=range(CLASSES))
        axes.tick_params(labelsize=7)
        axes.invert_yaxis()
    return figure


def _picture(axes: Axes, picture: np.ndarray, heat: bool = False) -> None:
    if picture.ndim == 3:
        axes.imshow(picture[..., ::-1])
    elif heat:
        reach = np.abs(picture).max() if picture.min() < 0 else None  # with two signs, 0 is in the middle of the shades
        axes.imshow(picture, cmap="cividis", vmin=reach and -reach, vmax=reach)
    else:
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255)


def camera_curves(shares: dict[str, tuple[dict[str, list[float]], dict[str, list[float]]]]) -> Figure:
    """Return how reading gets worse as the camera does, one panel a change.

    Args:
        shares: model -> (change -> shares read right at strengths 1 to 5 by the reader, the same the usual way).
    """
    kinds = list(next(iter(shares.values()))[0])
    figure = Figure(figsize=(13, 6.8), layout="constrained")
    panels = figure.subplots(2, -(-len(kinds) // 2), sharex=True, sharey=True)
    for axes, kind in zip(panels.flat, kinds, strict=False):
        for marker, (name, (reader, usual)) in zip(cycle(MARKERS), shares.items(), strict=False):
            steps = range(1, len(reader[kind]) + 1)
            axes.plot(steps, [100 * s for s in reader[kind]], f"{marker}-", ms=5, color=colour(name))
            axes.plot(steps, [100 * s for s in usual[kind]], f"{marker}:", ms=5, mfc="white", color=colour(name))
        axes.set(title=kind.replace("_", " "), ylim=(0, 102))
    for axes in panels[-1]:
        axes.set(xlabel="strength")
    for axes in panels[:, 0]:
        axes.set(ylabel="read right (%)")
    for marker, name in zip(cycle(MARKERS), shares, strict=False):
        panels.flat[0].plot([], [], f"{marker}-", color=colour(name), label=name)
        panels.flat[0].plot([], [], f"{marker}:", mfc="white", color=colour(name), label=f"{name}, the usual way")
    figure.legend(fontsize=9, loc="outside lower center", ncols=4)
    return figure
