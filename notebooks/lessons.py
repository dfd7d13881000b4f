"""What the five notebooks share: their preset, the results they speak of, and how they show a finding.

Why this is a module: a notebook must run in a test within a minute, on a laptop within some, and with the results of
a training of hours behind it, without training again. Deciding that and reading those results is code that all five
use, and code used twice does not belong in cells.

    DIGITS_NOTEBOOK_PRESET=tiny    a few hundred images, one or two epochs: shows that everything runs
    DIGITS_NOTEBOOK_PRESET=full    (default) the networks that train_all.py left in models/ and exports/; small
                                   experiments train on a few thousand images
    DIGITS_NOTEBOOK_FOLDER=DIR     where small experiments keep what they make (default: runs/notebooks/)

Where the full preset finds no results, the tiny one is used, and the first output says so.
"""

import io
import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from IPython.display import Image, Markdown, display
from matplotlib.figure import Figure

from digits.learning.data.merge import build_merged
from digits.learning.data.merged_folder import DatasetError, Tiles, load_split
from digits.learning.data.splits import Source
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.leaderboard import LEADERBOARD, Row, read_leaderboard, update_leaderboard
from digits.learning.networks.registry import NETWORKS
from digits.learning.shared.silence import load_tensorflow, silenced
from digits.learning.shared.tables import read_csv
from digits.paths import MERGED_DIR, MODELS_DIR, RUNS_DIR
from digits.reading.models.card import CARD, read_card
from digits.reading.models.default import default_export
from digits.reading.models.errors import ModelError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on how it was built
PRESET_VARIABLE = "DIGITS_NOTEBOOK_PRESET"
FOLDER_VARIABLE = "DIGITS_NOTEBOOK_FOLDER"
TINY, FULL = "tiny", "full"
_DPI = 80  # a figure 10 inches wide fills a notebook's column
_JPEG_QUALITY = 80
# Small experiments of the full preset see as many pictures as train_all.py --quick does; tiny ones just run.
_SMALL = {
    TINY: dict(limit=280, baseline_epochs=2, frozen_epochs=2, last_epochs=1, all_epochs=1, camera=0.1,
               handwritten=20, non_digits=20, scraps=10),
    FULL: dict(limit=7000, baseline_epochs=8, frozen_epochs=8, last_epochs=2, all_epochs=0, camera=0.5,
               handwritten=600, non_digits=300, scraps=100),
}  # fmt: skip


class LessonError(Exception):
    """A notebook cannot show what it is about; one sentence says why and what to run."""


@dataclass(frozen=True)
class Trained:
    """One network of a run, as its folder in models/ has it.

    Attributes:
        metrics: scores by domain, rows of the leaderboard, configuration, command, device, versions.
        history: one dict an epoch, stage after stage.
        probabilities: float32 (N, 10) for "val", "val_camera", "calibration" and "test", in the order of the tiles.
    """

    name: str
    folder: Path
    metrics: dict[str, Any] = field(repr=False)
    history: list[dict] = field(repr=False)
    probabilities: dict[str, np.ndarray] = field(repr=False)

    @property
    def rows(self) -> list[Row]:
        """The leaderboard's rows of this network, one a stage."""
        return [Row.of(row) for row in self.metrics["rows"]]

    @property
    def judged(self) -> Row:
        """The row of the last stage that did not see the validation pictures."""
        return [row for row in self.rows if row.choice is not None][-1]

    @cached_property
    def model(self):
        """The Keras network itself, loaded when it is first asked for."""
        import keras

        return keras.saving.load_model(self.folder / "model.keras", compile=False)


@dataclass(frozen=True)
class Lesson:
    """One notebook at work.

    Attributes:
        notebook: its file name without suffix.
        preset: "tiny" or "full", after falling back.
        folder: where small experiments keep what they make.
        began: seconds of the monotonic clock.
    """

    notebook: str
    preset: str
    folder: Path
    began: float = field(default_factory=time.monotonic, repr=False)

    def choose(self, tiny: Any, full: Any) -> Any:
        """Return the value that belongs to the preset."""
        return tiny if self.preset == TINY else full

    @property
    def models_dir(self) -> Path:
        """Where the networks are that the notebooks compare: models/, or those of the tiny preset."""
        return self.choose(self.folder / "seed_0", MODELS_DIR)

    @cached_property
    def config(self) -> RunConfig:
        """The settings of small experiments, seed 0."""
        return RunConfig(models_dir=self.folder / "seed_0", exports_dir=self.folder / "exports",
                         merged_dir=self.folder / "merged", quick=True, **_SMALL[self.preset])  # fmt: skip

    @cached_property
    def data(self):
        """The tiles of small experiments: experiment.Data, made once and kept in the folder."""
        from digits.learning.experiment.data import load_data

        return load_data(self.config)

    @cached_property
    def weights(self):
        """The starting weights of MobileNetV2: sources.Weights."""
        from digits.learning.networks.imagenet import imagenet_weights

        return imagenet_weights()

    def run(self, seed: int = 0):
        """Return the experiment.Run of a small experiment: the same tiles for every seed."""
        from digits.learning.experiment.run import Run

        config = replace(self.config, seed=seed, models_dir=self.folder / f"seed_{seed}")
        return Run(config, self.data, self.weights, f"notebooks/{self.notebook}.ipynb")

    def tiles(self, split: str) -> Tiles:
        """Return a split of the tiles that the networks of `models_dir` were trained and judged on."""
        merged = self.choose(self.config.merged_dir, MERGED_DIR)
        try:
            return load_split(merged, split)
        except DatasetError:
            build_merged(merged_dir=merged, limit=self.choose(self.config.limit, None))
            return load_split(merged, split)

    def trained(self, names: Sequence[str] | None = None) -> dict[str, Trained]:
        """Return the networks of `models_dir`, by name; the tiny preset trains those that are missing.

        Raises:
            LessonError: if one was judged on other tiles than data/merged/ has now.
        """
        names = names or NETWORKS
        if self.preset == TINY:
            from digits.learning.experiment.train import train_model

            rows = [row for name in names for row in train_model(name, self.run()).rows]
            update_leaderboard(self.models_dir / LEADERBOARD, rows)
        found = {name: _read(self.models_dir / name) for name in names if _is_whole(self.models_dir / name)}
        labels = self.test().labels
        for name, trained in found.items():
            read = trained.probabilities["test"].argmax(-1)
            right = float((read == labels).mean()) if len(read) == len(labels) else -1.0
            if abs(right - trained.metrics["scores"]["test"]["accuracy"]) > 1e-5:
                raise LessonError(f"models/{name} was judged on other images than data/merged/ holds; run python "
                                  "train_all.py again.")  # fmt: skip
        return found

    def over_seeds(self, names: Sequence[str] | None = None) -> dict[str, list[Trained]]:
        """Return the networks of `models_dir`, each with its trainings that were kept, that of `trained` first.

        Trainings with other seeds are kept as <name>-seed1, <name>-seed2, with history and metrics at least; those on
        another number of images are no repetition and left out.
        """
        return {name: [one, *_further_seeds(one)] for name, one in self.trained(names).items()}

    def test(self) -> Tiles:
        """Return MNIST's test tiles, in the order of the probabilities for "test"."""
        test = self.tiles("test")
        return test.select(test.sources == Source.MNIST)

    def leaderboard(self) -> list[Row]:
        """Return the rows of the leaderboard that belongs to `models_dir`."""
        found = [row for row in read_leaderboard(self.models_dir / LEADERBOARD) if not row.superseded]
        return found or [row for each in self.trained().values() for row in each.rows]

    def export(self) -> Path:
        """Return the export folder that is used by default; where there is none, the tiny preset makes one.

        Raises:
            LessonError: if exports/ holds none that can be used.
        """
        try:
            folder = default_export()
            if read_card(folder) is not None:
                return folder
            error = f"{folder.name} has no card"
        except ModelError as found:
            error = found
        if self.preset == TINY:
            return self._export_tiny()
        raise LessonError(f"exports/ holds no model to show ({error}).")

    def end(self) -> None:
        """Say how long the notebook ran, and on what."""
        minutes, seconds = divmod(round(time.monotonic() - self.began), 60)
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        show_text(f"This notebook ran for {minutes} min {seconds} s in the {self.preset} preset ({machine}).")

    def _export_tiny(self) -> Path:
        from digits.learning.experiment.train import train_model
        from digits.learning.export.outcome import export_outcome, material_of

        folder, run = self.config.exports_dir / "cnn_small", self.run()
        outcome = train_model(folder.name, run)
        return folder if (folder / CARD).exists() else export_outcome(folder.name, outcome, material_of(run))


def begin(notebook: str, tensorflow: bool = True) -> Lesson:
    """Return the lesson of a notebook and say which preset it runs in.

    Args:
        notebook: its file name without suffix.
        tensorflow: load TensorFlow now, so that its notes on devices do not appear among the outputs.
    """
    asked = os.environ.get(PRESET_VARIABLE, FULL)
    if asked not in (TINY, FULL):
        raise LessonError(f"{PRESET_VARIABLE} is {asked!r}, expected {TINY} or {FULL}.")
    preset = asked
    if asked == FULL and not any(_is_whole(folder) for folder in MODELS_DIR.glob("*")):
        preset = TINY
    folder = Path(os.environ.get(FOLDER_VARIABLE) or RUNS_DIR / "notebooks") / preset
    lesson = Lesson(notebook, preset, folder)
    if tensorflow:
        with silenced():
            load_tensorflow()
            import tensorflow as tf

            tf.constant(0.0)
    show_text(_introduction(lesson, asked))
    return lesson


def _introduction(lesson: Lesson, asked: str) -> str:
    if lesson.preset == FULL:
        return ("Preset **full**: networks come from `models/` and `exports/`, as `python train_all.py --release` "
                f"left them; small experiments use {lesson.config.limit:,} MNIST pictures.")  # fmt: skip
    why = "" if asked == TINY else ", because `models/` holds no results yet (`python train_all.py` makes them)"
    return (f"Preset **tiny**{why}: {lesson.config.limit:,} MNIST pictures and an epoch or two. It shows that "
            "everything runs; **its numbers say nothing about the networks**.")  # fmt: skip


def show(figure: Figure, alt: str, photograph: bool = False) -> None:
    """Show a figure; as JPEG where it is full of photographs, so that the notebook stays small.

    Args:
        alt: what it shows, for people who do not see it.
    """
    buffer, kind, options = io.BytesIO(), "png", {"metadata": {"Software": None}}
    if photograph:
        kind, options = "jpeg", {"pil_kwargs": {"quality": _JPEG_QUALITY, "optimize": True}}
    figure.savefig(buffer, format=kind, dpi=_DPI, **options)
    display(Image(buffer.getvalue(), format=kind, alt=alt))


def show_text(text: str) -> None:
    """Show a paragraph of Markdown."""
    display(Markdown(text))


def finding(*sentences: str) -> None:
    """Show what was found, in sentences made from the numbers."""
    display(Markdown("**Finding.** " + " ".join(sentences)))


def table(rows: Sequence[dict[str, Any]]) -> None:
    """Show rows as a table; the keys of the first are its columns."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(str(row[column]) for column in columns) + " |" for row in rows]
    display(Markdown("\n".join(lines)))


def per_cent(share: float) -> str:
    """Return a share as per cent with two decimals."""
    return f"{100 * share:.2f} %"


def spread(values: Iterable[float]) -> str:
    """Return the mean of shares and their range, as per cent."""
    values = [100 * value for value in values]
    mean = f"{np.mean(values):.2f} %"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f} to {max(values):.2f})"


def apart(first: Sequence[float], second: Sequence[float]) -> bool:
    """Return whether all of `first` lie on one side of all of `second`: more than chance of the seed."""
    return max(first) < min(second) or min(first) > max(second)


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("metrics.json", "model.keras", "probabilities.npz"))


def _further_seeds(one: Trained) -> list[Trained]:
    folders = sorted(one.folder.parent.glob(f"{one.name}-seed[0-9]*"))
    told = [folder for folder in folders if (folder / "metrics.json").is_file() and (folder / "history.csv").is_file()]
    found = map(_read, told)
    return [other for other in found if other.rows[-1].images == one.rows[-1].images]


def _read(folder: Path) -> Trained:
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    probabilities = {}
    if (folder / "probabilities.npz").is_file():
        with np.load(folder / "probabilities.npz") as file:
            probabilities = dict(file)
    return Trained(folder.name, folder, metrics, read_csv(folder / "history.csv"), probabilities)
