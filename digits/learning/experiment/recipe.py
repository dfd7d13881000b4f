"""How long a network that has just one stage is trained, by the settings of the run."""

from __future__ import annotations

from dataclasses import replace

from digits.learning.experiment.config import RunConfig
from digits.learning.networks.baselines import AUGMENTED
from digits.learning.networks.compact import NAME
from digits.learning.training.stages import COMPACT, PLAIN, WITH_AUGMENTATION, Stage


def only_stage(name: str, config: RunConfig) -> Stage:
    """Return the stage of a network that has just one."""
    if name == NAME:
        return replace(COMPACT, epochs=config.compact_epochs)
    plain = WITH_AUGMENTATION if name == AUGMENTED else PLAIN
    return replace(plain, epochs=config.baseline_epochs)
