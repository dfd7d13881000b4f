"""How each network is trained by the settings of a run: its stages, and what names the training."""

import math
from dataclasses import asdict, replace

from digits.learning.data.augmentation import AUGMENTATION_VERSION
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.run import Run
from digits.learning.networks import mobilenet
from digits.learning.networks.baselines import inner_part
from digits.learning.networks.registry import COMPACT, NETWORKS, TRANSFER, Origin
from digits.learning.shared.keys import digest
from digits.learning.training import stages
from digits.learning.training.fit import compile_for, network_key
from digits.learning.training.stages import Stage

_RULE = 5  # version of how a model is trained and what its folder holds, raised on purpose


def only_stage(name: str, config: RunConfig) -> Stage:
    """Return the stage of a network that has just one."""
    if name == COMPACT:
        return replace(stages.COMPACT, epochs=config.compact_epochs)
    stage = stages.WITH_AUGMENTATION if NETWORKS[name].learns_from_rendered else stages.PLAIN
    return replace(stage, epochs=config.baseline_epochs)


def transfer_stages(config: RunConfig) -> list[tuple[Stage, int | None]]:
    """Return the stages of MobileNetV2, each with how many of its trunk's last layers learn (None: all)."""
    found = [
        (replace(stages.FROZEN, epochs=config.frozen_epochs), 0),
        (replace(stages.LAST, epochs=config.last_epochs), mobilenet.LAST_LAYERS),
    ]
    return found + ([(replace(stages.ALL, epochs=config.all_epochs), None)] if config.all_epochs else [])


def training_key(name: str, run: Run) -> str:
    """Return what names a training: its network, layer by layer, its stages, its seed and all that it learns from.

    An edited layer gives another key; a mended comment, or a file that moved, the same.
    """
    model, found = NETWORKS[name].build(), []
    examples = run.data.fitted if NETWORKS[name].learns_from_rendered else run.data.train
    if name == TRANSFER:
        for stage, last in transfer_stages(run.config):
            mobilenet.set_trainable(model, last)
            found.append(_key(model, stage, len(examples)))
    else:
        found.append(_key(inner_part(model), only_stage(name, run.config), len(examples)))
    start = start_of(run) if name == TRANSFER else Origin.RANDOM
    return digest(name, run.config.seed, found, data_key(name, run), start)


def _key(model, stage: Stage, examples: int) -> str:
    compile_for(model, stage, math.ceil(examples / stage.batch))
    return digest(network_key(model), asdict(stage))


def data_key(name: str, run: Run) -> str:
    """Return what names all that a network learns from, and how it is drawn anew in every epoch."""
    if NETWORKS[name].learns_from_rendered:
        return digest(_RULE, run.data.key, AUGMENTATION_VERSION)
    return digest(_RULE, run.data.plain_key)


def start_of(run: Run) -> str:
    """Return what names the weights that MobileNetV2 starts from."""
    return f"{run.weights.origin} {run.weights.path}"
