"""One run and what came of each of its networks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import Data
from digits.learning.experiment.leaderboard import Row
from digits.learning.networks.imagenet import Weights
from digits.learning.shared.progress import Report
from digits.learning.shared.provenance import git_commit


@dataclass(frozen=True)
class Outcome:
    """A trained network, the best weights of its last stage in it, and what there is to say about it.

    `rows`: one a stage; `scores`: summaries by domain of the network itself; `probabilities`: float32 (N, 10) by
    domain.
    """

    model: keras.Model
    rows: list[Row]
    history: list[dict]
    scores: dict[str, dict]
    probabilities: dict[str, np.ndarray]

    @property
    def choice(self) -> float:
        """What the winner is chosen by: that of the last stage before val was trained on."""
        return [row.choice for row in self.rows if row.choice is not None][-1]


@dataclass(frozen=True)
class Run:
    """What every function here needs: settings, data, where to report."""

    config: RunConfig
    data: Data
    weights: Weights
    command: str
    report: Callable = Report()
    logs: Path | None = None  # of TensorBoard
    commit: str | None = field(default_factory=git_commit)
