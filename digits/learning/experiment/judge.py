"""How a network is judged: on val, val after camera changes, test, and calibration of both kinds."""

from collections.abc import Callable
from functools import cache

import keras
import numpy as np

from digits.learning.experiment.data import calibration_set
from digits.learning.experiment.leaderboard import Row
from digits.learning.experiment.metrics import accuracy, calibration_error, summary
from digits.learning.experiment.run import Outcome, Run
from digits.learning.networks.registry import FROM_DIGITS, Origin
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
        domains = {
            "val": (data.val.images, data.val.labels),
            "val_camera": (data.val_camera, data.val.labels),
            "calibration": calibration_set(data.calibration, run.config.cache_dir, run.report),
            "test": (data.test.images, data.test.labels),
            "own_test": (data.own_test.images, data.own_test.labels),
        }
        self.labels = {domain: labels for domain, (_, labels) in domains.items() if len(labels)}
        self._feed = cache(lambda domain: make_feed(domains[domain][0], one_hot(domains[domain][1])))
        both = np.concatenate([data.val.images, data.val_camera])
        self.val = make_feed(both, np.concatenate([one_hot(data.val.labels)] * 2))

    def probabilities(self, part: keras.Model, domain: str) -> np.ndarray:
        """Return float32 (N, 10) for the tiles of a domain."""
        with full_precision(part):
            return predict(part, self._feed(domain))

    def row(self, name: str, stage: Stage, part: keras.Model, history: list[dict], weights: str,
            augmentation: str) -> Row:  # fmt: skip
        """Return the leaderboard's row of a stage that has just ended."""
        run, judged = self.run, [domain for domain in self.labels if domain != "calibration"]
        right = {domain: accuracy(self.probabilities(part, domain), self.labels[domain]) for domain in judged}
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
            **{f"{domain}_accuracy": round(share, 6) for domain, share in right.items()},
            command=run.command,
            commit=run.commit,
            judged_on=run.data.judged_on,
            remark=FROM_DIGITS if weights == Origin.SHIPPED else "",
        )

    def outcome(self, model: keras.Model, part: keras.Model, rows: list[Row], history: list[dict]) -> Outcome:
        """Return everything about the network `model`, of which `part` was the part trained last."""
        probabilities = {domain: self.probabilities(part, domain) for domain in self.labels}
        temperature = fit_temperature(probabilities["calibration"], self.labels["calibration"])
        scores = {domain: summary(found, self.labels[domain]) for domain, found in probabilities.items()}
        scores["test"]["calibration_error_scaled"] = round(
            calibration_error(scaled(probabilities["test"], temperature), self.labels["test"]), 6
        )
        scores["temperature"] = round(temperature, 4)
        return Outcome(model, rows, history, scores, probabilities)
