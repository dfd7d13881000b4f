"""What a Keras file says of its network, read before Keras builds any of it: nothing hostile, and in today's words."""

from pathlib import Path

from digits.reading.models.errors import ModelError

# Layers and objects that run code of the file's author, or load further files.
_CODE_CLASSES = {"Lambda", "__lambda__", "function", "method", "TFSMLayer", "TorchModuleWrapper", "JaxLayer",
                 "FlaxLayer", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"}  # fmt: skip
# Modules of Keras whose classes only compute.
_KERAS_PARTS = {"layers", "models", "engine", "initializers", "regularizers", "constraints", "activations",
                "dtype_policies", "mixed_precision", "backend"}  # fmt: skip
_NETWORKS = ("Functional", "Model", "Sequential")


def refuse_code(path: Path, config: object) -> None:
    """Raise ModelError if a network's description asks for anything but Keras' own layers.

    Keras' safe mode refuses lambdas; this also refuses layers that load other files and named functions.
    """
    if isinstance(config, list):
        for value in config:
            refuse_code(path, value)
    elif isinstance(config, dict):
        offender = _foreign_part(config)
        if offender:
            raise ModelError(f"{path} carries code ({offender}), expected built-in layers only: not run.")
        for key, value in config.items():
            if key not in ("compile_config", "training_config"):  # never built: models are loaded to read
                refuse_code(path, value)


def _foreign_part(config: dict) -> str | None:
    if config.get("class_name") in _CODE_CLASSES:
        return str(config["class_name"])
    module = config.get("module")
    if "class_name" not in config or module is None:
        return None
    first, *parts = [part for part in str(module).split(".") if part != "src"] or [""]
    known = first in ("keras", "tf_keras") and (not parts or parts[0] in _KERAS_PARTS)
    return None if known else str(module)


def renewed(network: dict) -> dict:
    """Return the description of a network by Keras 2 in words that Keras 3 reads; one by Keras 3 as it is."""
    if network.get("module") not in (None, "keras.models"):
        return network
    network = _renewed(network)
    if network.get("class_name") in _NETWORKS:
        # Outside .h5, Keras 3 finds a class by its module, and knows the functional one by this name alone.
        kind = "Sequential" if network["class_name"] == "Sequential" else "Model"
        network |= {"module": "keras.models", "class_name": kind, "registered_name": None}
    return network


def _renewed(config: object) -> object:
    if isinstance(config, list):
        return [_renewed(value) for value in config]
    if not isinstance(config, dict):
        return config
    config = {key: _renewed(value) for key, value in config.items()}
    inside = config.get("config")
    if isinstance(inside, dict):
        if config.get("class_name") == "DepthwiseConv2D":
            inside.pop("groups", None)  # always 1, and Keras 3 has no such word
        if config.get("class_name") in _NETWORKS:
            _renumber_nested(inside)
    return config


def _renumber_nested(network: dict) -> None:
    """Count the calls of nested networks as Keras 3 does: Keras 2 counted their own construction as call 0."""
    nested = {layer.get("name") for layer in network.get("layers", []) if layer.get("class_name") in _NETWORKS}
    for layer in network.get("layers", []):
        if "module" not in layer and isinstance(layer.get("inbound_nodes"), list):
            layer["inbound_nodes"] = _with_calls(layer["inbound_nodes"], nested)
    if nested and "output_layers" in network:
        network["output_layers"] = _with_calls(network["output_layers"], nested)


def _with_calls(references: object, nested: set) -> object:
    """Return nested lists of [layer's name, call, ...] with the call lowered by one for the layers in `nested`."""
    if not isinstance(references, list):
        return references
    if len(references) >= 3 and isinstance(references[0], str) and isinstance(references[1], int):
        lower = references[0] in nested and references[1] > 0
        return [references[0], references[1] - lower, *references[2:]]
    return [_with_calls(reference, nested) for reference in references]
