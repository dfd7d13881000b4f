"""What names a network as it is trained: its layers and how it was compiled, whatever its source text looks like."""

from __future__ import annotations

import json

import keras

from digits.learning.shared.keys import digest


def network_key(model: keras.Model) -> str:
    """Return 16 hex digits that name a compiled network: its layers, in order, with what they are set to, and how
    they learn. Names that Keras gives by counting ("conv2d_7") do not matter."""
    return digest(_without_names(model), model.get_compile_config())


def _without_names(model: keras.Model) -> str:
    text = json.dumps(model.get_config(), sort_keys=True, default=str)
    for number, layer in enumerate(model.layers):
        text = text.replace(f'"{layer.name}"', f'"layer {number}"')
    return text.replace(f'"{model.name}"', '"network"')
