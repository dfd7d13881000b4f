"""How a network is judged: on val, val after camera changes, test, and calibration of both kinds."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from digits.learning.experiment.data import cache_dir, calibration_set
from digits.learning.experiment.metrics import accuracy, calibration_error, summary
from digits.learning.experiment.rows import Row
from digits.learning.experiment.run import Outcome, Run
from digits.learning.shared.calibration import fit_temperature
from digits.learning.training.feed import Feed, one_hot, predict
from digits.learning.training.fit import best_epoch
from digits.learning.training.precision import full_precision
from digits.learning.training.stages import Stage
from digits.reading.models.temperature import scaled


class Judge:
    """Scores of one part of a network on val, val after camera changes, test, and calibration of both kinds."""

    def __init__(self, run: Run, make_feed: Callable[[np.ndarray, np.ndarray], Feed]):
        self.run = run
        data = run.data
        calibration = calibration_set(data.calibration, cache_dir(run.config), run.report)
        self.domains = {
            "val": data.val.images,
            "val_camera": data.val_camera,
            "calibration": calibration.tiles,
            "test": data.test.images,
            "own_test": data.own_test.images,
        }
        self.labels = {
            "val": data.val.labels,
            "val_camera": data.val.labels,
            "calibration": calibration.labels,
            "test": data.test.labels,
            "own_test": data.own_test.labels,
        }
        self.shown = [name for name, labels in self.labels.items() if len(labels)]
        self._make_feed, self._feeds = make_feed, {}
        both = np.concatenate([data.val.images, data.val_camera])
        self.val = make_feed(both, np.concatenate([one_hot(data.val.labels)] * 2))

    def probabilities(self, part: keras.Model, domain: str) -> np.ndarray:
        """Return float32 (N, 10) for the tiles of a domain."""
        if domain not in self._feeds:
            self._feeds[domain] = self._make_feed(self.domains[domain], one_hot(self.labels[domain]))
        with full_precision(part):
            return predict(part, self._feeds[domain])

    def scores(self, part: keras.Model) -> dict[str, float | None]:
        """Return the leaderboard's columns of accuracies; None where there are no images."""
        found = {
            domain: round(accuracy(self.probabilities(part, domain), self.labels[domain]), 6)
            for domain in self.shown
            if domain != "calibration"
        }
        return {f"{domain}_accuracy": found.get(domain) for domain in ("val", "val_camera", "test", "own_test")}

    def row(
        self, name: str, stage: Stage, part: keras.Model, history: list[dict], weights: str, augmentation: str
    ) -> Row:
        """Return the leaderboard's row of a stage that has just ended."""
        run = self.run
        return Row(
            model=name,
            stage=stage.name,
            seed=run.config.seed,
            no_camera=run.config.no_camera,
            weights=weights,
            augmentation=augmentation,
            images=len(run.data.train),
            epochs=best_epoch(history),
            train_seconds=round(sum(line["seconds"] for line in history), 1),
            **self.scores(part),
            command=run.command,
            commit=run.commit,
            judged_on=run.data.judged_on,
        )

    def outcome(self, model: keras.Model, part: keras.Model, rows: list[Row], history: list[dict]) -> Outcome:
        """Return everything about the network `model`, of which `part` was the part trained last."""
        probabilities = {domain: self.probabilities(part, domain) for domain in self.shown}
        temperature = fit_temperature(probabilities["calibration"], self.labels["calibration"])
        scores = {domain: summary(found, self.labels[domain]) for domain, found in probabilities.items()}
        scores["test"]["calibration_error_scaled"] = round(
            calibration_error(scaled(probabilities["test"], temperature), self.labels["test"]), 6
        )
        scores["temperature"] = round(temperature, 4)
        return Outcome(model, rows, history, scores, probabilities)
