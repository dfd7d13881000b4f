"""All networks, in the order of their training: one entry says all that the rest of the project asks of one.

Nothing here imports Keras: command lines list the names before it is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


class Origin(StrEnum):
    """Weights that a training starts from."""

    IMAGENET = "imagenet"
    SHIPPED = "shipped"  # the trunk that comes with the project: it has seen digits
    RANDOM = "random"


FROM_DIGITS = "starts from digits: no evidence for transfer"  # said wherever a network started from the shipped trunk


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        name: in commands, folders and the leaderboard.
        builder: module in this package and function that returns the untrained network.
        colour: in every figure, from the palette of Okabe and Ito, which people with any colour vision tell apart.
        learns_from_rendered: whether rendered pictures and augmentation join the tiles that it is trained on.
        in_quick_runs: whether `train_all.py --quick` trains it when no network is named.
    """

    name: str
    builder: str
    colour: str
    learns_from_rendered: bool = False
    in_quick_runs: bool = True

    def build(self) -> keras.Model:
        """Return the network, float32 (N, 96, 96, 3) in [0, 1] -> (N, 10), with random weights."""
        module, function = self.builder.split(".")
        return getattr(import_module(f"digits.learning.networks.{module}"), function)()


TRANSFER = "mobilenet_v2"  # the one that starts from pretrained weights, in several stages
COMPACT = "cnn_compact"
NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network("cnn_small", "baselines.build_cnn_small", "#E69F00"),
        Network("cnn_deep", "baselines.build_cnn_deep", "#56B4E9"),
        Network("cnn_batchnorm", "baselines.build_cnn_batchnorm", "#009E73"),
        Network("cnn_dropout", "baselines.build_cnn_dropout", "#CC79A7"),
        Network("cnn_augmented", "baselines.build_cnn_augmented", "#D55E00", learns_from_rendered=True),
        Network(COMPACT, "compact.build_cnn_compact", "#000000", learns_from_rendered=True, in_quick_runs=False),
        Network(TRANSFER, "mobilenet.build_mobilenet_v2", "#0072B2", learns_from_rendered=True),
    )
}
BASELINES = tuple(NETWORKS)[:5]  # each shows one idea
