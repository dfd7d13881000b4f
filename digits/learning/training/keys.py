"""What names a network as it is trained: its layers and how it was compiled, whatever its source text looks like."""

import json
from collections.abc import Iterator

import keras

from digits.learning.shared.keys import digest

_WHERE = ("module", "registered_name")  # of a class: it may move


def network_key(model: keras.Model) -> str:
    """Return 16 hex digits that name a compiled network: its layers, what each is set to, and how they learn.

    Names that Keras gives by counting ("conv2d_7") do not matter, nor in which module a class of ours lives.
    """
    config = json.loads(json.dumps([model.get_config(), model.get_compile_config()], default=str))
    numbers = {name: number for number, name in enumerate(dict.fromkeys(_names(config)))}
    return digest(_numbered(config, numbers))


def _names(config) -> Iterator[str]:
    """Yield the names of layers and tensors, in the order they come in."""
    if isinstance(config, dict) and isinstance(config.get("name"), str):
        yield config["name"]
    if isinstance(config, dict | list):
        for part in config.values() if isinstance(config, dict) else config:
            yield from _names(part)


def _numbered(config, numbers: dict[str, int]):
    """Return the config with numbers in place of names, and without modules."""
    if isinstance(config, dict):
        return {key: _numbered(part, numbers) for key, part in config.items() if key not in _WHERE}
    if isinstance(config, list):
        return [_numbered(part, numbers) for part in config]
    return f"#{numbers[config]}" if isinstance(config, str) and config in numbers else config
