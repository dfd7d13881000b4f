"""Keras files that old and new Keras both read: `.h5`, and `.json` with `.weights.h5`.

Each generation writes descriptions and weight files that the other refuses. Both read more than they write, though:
a description of plain layers in Keras 2's words, without what has a new form (initialisers, dtype policies), and a
weights file that holds the same arrays under the names of all generations.
"""

import json
import re
from pathlib import Path

import h5py
import keras

# What a layer's description says, in words that both generations know. Initialisers, regularisers and constraints
# have no say once the weights are loaded, and are left to their defaults.
_CONV = ("kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
_POOL = ("pool_size", "strides", "padding")
COMMON_WORDS = {
    "Activation": ("activation",),
    "Add": (),
    "AveragePooling2D": _POOL,
    "BatchNormalization": ("axis", "momentum", "epsilon", "center", "scale"),
    "Concatenate": ("axis",),
    "Conv2D": ("filters", *_CONV, "groups"),
    "Dense": ("units", "activation", "use_bias"),
    "DepthwiseConv2D": ("depth_multiplier", *_CONV),
    "Dropout": ("rate",),
    "Flatten": (),
    "GlobalAveragePooling2D": ("keepdims",),
    "GlobalMaxPooling2D": ("keepdims",),
    "InputLayer": (),
    "MaxPooling2D": _POOL,
    "Multiply": (),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Rescaling": ("scale", "offset"),
    "Reshape": ("target_shape",),
    "SpatialDropout2D": ("rate",),
    "ZeroPadding2D": ("padding",),
}
# The version that wrote the words above: the oldest that the files are tested with.
_WORDS_OF = "2.12.0"
# Layers that only training needs and that old Keras knows under other names.
_ONLY_IN_TRAINING = {"GaussianNoise", "RandomBrightness", "RandomContrast", "RandomRotation", "RandomShear",
                     "RandomTranslation", "RandomZoom", "RandomErasing"}


class UnportableError(ValueError):
    """A model with a layer that not every format can hold."""


def flatten(model: keras.Model) -> keras.Model:
    """Return the same network as one functional model: nested models laid open, layers copied with their weights.

    Args:
        model: functional or sequential, any nesting, one input and one output.
    Returns:
        An uncompiled model of single layers, all trainable, whose answers equal those of `model`.
    Raises:
        UnportableError: if a layer is not among COMMON_WORDS.
    """
    given = keras.Input(model.input_shape[1:], name="tile")
    copies: dict[int, keras.layers.Layer] = {}
    flat = keras.Model(given, _call(model, [given], copies), name=model.name)
    for original, copy in copies.values():
        for target, values in zip(copy.weights, _arrays(original), strict=True):
            target.assign(values)
    return flat


def description(flat: keras.Model) -> dict:
    """Return the architecture of a flattened model in the words that Keras 2 and Keras 3 share."""
    layers = [_layer(layer) for layer in flat.layers]
    first, last = flat.inputs[0]._keras_history[0], flat.outputs[0]._keras_history[0]
    config = {"name": flat.name, "trainable": True, "layers": layers,
              "input_layers": [[first.name, 0, 0]], "output_layers": [[last.name, 0, 0]]}
    return {"class_name": "Functional", "config": config, "keras_version": _WORDS_OF, "backend": "tensorflow"}


def save_json(flat: keras.Model, path: Path) -> None:
    """Write `<name>.json` at `path` and `<name>.weights.h5` beside it."""
    # Outside .h5, Keras 3 finds a class only by its module, and `Functional` has none that both know.
    words = {**description(flat), "module": "keras.models", "class_name": "Model", "registered_name": None}
    path.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    weights = path.with_name(path.name.removesuffix(".json") + ".weights.h5")
    with h5py.File(weights, "w") as file:
        _write_by_class(file, flat)
        _link_keras_2_12(file, flat)


def save_h5(flat: keras.Model, path: Path) -> None:
    """Write description and weights as one `.h5`, the layout that all generations share since Keras 1."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(description(flat))
        file.attrs["keras_version"], file.attrs["backend"] = _WORDS_OF, "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["keras_version"], group.attrs["backend"] = _WORDS_OF, "tensorflow"
        group.attrs["layer_names"] = [layer.name.encode() for layer in flat.layers]
        for layer in flat.layers:
            of_layer = group.create_group(layer.name)
            names = [f"{layer.name}/{variable.name}:0" for variable in layer.weights]
            of_layer.attrs["weight_names"] = [name.encode() for name in names]
            for name, values in zip(names, _arrays(layer), strict=True):
                of_layer.create_dataset(name, data=values)


def _call(model: keras.Model, given: list, copies: dict) -> object:
    """Return what `model` makes of the tensors `given`, calling a copy of each single layer.

    `copies` maps the id of each layer met so far to (layer, its copy), so that shared layers stay shared.
    """
    if isinstance(model, keras.Sequential):
        model = model._functional
    values = {id(tensor): value for tensor, value in zip(model.inputs, given, strict=True)}
    for nodes in (model._nodes_by_depth[depth] for depth in sorted(model._nodes_by_depth, reverse=True)):
        for node in nodes:
            if not node.is_input:
                inputs = [values[id(tensor)] for tensor in node.input_tensors]
                values[id(node.output_tensors[0])] = _call_layer(node.operation, inputs, copies)
    return values[id(model.outputs[0])]


def _call_layer(layer: keras.layers.Layer, inputs: list, copies: dict) -> object:
    if isinstance(layer, keras.Model):
        return _call(layer, inputs, copies)
    kind = type(layer).__name__
    if kind in _ONLY_IN_TRAINING:
        return inputs[0]
    if kind not in COMMON_WORDS:
        raise UnportableError(f"layer {layer.name} is a {kind}, expected one of {', '.join(COMMON_WORDS)}")
    if id(layer) not in copies:
        words = {key: value for key, value in layer.get_config().items() if key in COMMON_WORDS[kind]}
        copies[id(layer)] = layer, type(layer)(name=_free_name(layer.name, copies), **words)
    copy = copies[id(layer)][1]
    return copy(inputs if len(inputs) > 1 else inputs[0])


def _free_name(name: str, copies: dict) -> str:
    """Return the name, or with a number where two nested models use the same."""
    taken = {copy.name for _, copy in copies.values()} | {"tile"}
    return next(free for free in (name, *(f"{name}_{n}" for n in range(1, 1000))) if free not in taken)


def _layer(layer: keras.layers.Layer) -> dict:
    kind = type(layer).__name__
    config = {"name": layer.name, "trainable": True, "dtype": "float32"}
    if kind == "InputLayer":
        config = {"name": layer.name, "dtype": "float32", "batch_input_shape": [None, *layer.batch_shape[1:]],
                  "sparse": False, "ragged": False}
    config.update({word: value for word, value in layer.get_config().items() if word in COMMON_WORDS[kind]})
    nodes = [node for node in layer._inbound_nodes if not node.is_input]
    if len(nodes) > 1:
        raise UnportableError(f"layer {layer.name} is used {len(nodes)} times, expected once")
    inbound = [[[tensor._keras_history[0].name, 0, 0, {}] for tensor in node.input_tensors] for node in nodes]
    return {"class_name": kind, "config": config, "name": layer.name, "inbound_nodes": inbound}


def _arrays(layer: keras.layers.Layer) -> list:
    return [keras.ops.convert_to_numpy(variable) for variable in layer.weights]


def _write_by_class(file: h5py.File, flat: keras.Model) -> None:
    """Write the weights where Keras 3, and Keras 2 from 2.13 on, look for them: numbered by class."""
    counts: dict[str, int] = {}
    for layer in flat.layers:
        group = file.create_group(f"layers/{_numbered(layer, counts)}/vars")
        for index, values in enumerate(_arrays(layer)):
            group.create_dataset(str(index), data=values)
    file.create_group("vars")


def _link_keras_2_12(file: h5py.File, flat: keras.Model) -> None:
    """Name the same arrays as Keras 2.12 does, which counts each layer with weights twice."""
    newer: dict[str, int] = {}
    older: dict[str, int] = {}
    group = file.create_group("_layer_checkpoint_dependencies")
    for layer in flat.layers:
        group[_numbered(layer, older)] = file[f"layers/{_numbered(layer, newer)}"]  # a hard link: no copy
        if layer.weights:
            _numbered(layer, older)


def _numbered(layer: keras.layers.Layer, counts: dict[str, int]) -> str:
    """Return `conv2d`, then `conv2d_1` and so on: a layer's name in weight files."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()
    counts[name] = counts.get(name, -1) + 1
    return f"{name}_{counts[name]}" if counts[name] else name
