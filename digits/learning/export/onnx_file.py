"""A flattened Keras model as ONNX, operator by operator, in the part of ONNX that `cv2.dnn` and onnxruntime share.

Keras keeps colours last, ONNX first: one transpose at the entrance, and one before a flatten, whose order counts.
Each `_write_x` appends the nodes of one layer and returns the name of its result.
"""

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from digits.learning.export.keras_files import UnportableError

# Old enough for the cv2.dnn of OpenCV 4.9.
OPSET = 13
IR_VERSION = 8


def save_onnx(flat: keras.Model, path: Path, names: tuple[str, str] = ("tiles", "probabilities")) -> None:
    """Write a flattened model (`keras_files.flatten`) as ONNX.

    Args:
        flat: one input (N, H, W, C) and one output, all sizes but N fixed.
        path: the file; its input and its output, called `names`, keep Keras' shapes, N open.
    Raises:
        UnportableError: if a layer has no translation.
    """
    graph = _Graph(names[0])
    results = {}
    for layer in flat.layers:
        kind = type(layer).__name__
        if kind not in _WRITERS:
            raise UnportableError(f"layer {layer.name} is a {kind}, expected one of {', '.join(_WRITERS)}")
        before = [results[tensor._keras_history[0].name] for tensor in _inputs(layer)]
        results[layer.name] = _WRITERS[kind](graph, layer, before)
    last = [results[flat.outputs[0]._keras_history[0].name]]
    if len(flat.output_shape) == 4:
        graph.add("Transpose", last, names[1], perm=[0, 2, 3, 1])
    else:
        graph.add("Identity", last, names[1])
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, ("N", *shape[1:]))]
            for name, shape in zip(names, (flat.input_shape, flat.output_shape), strict=True)]
    body = helper.make_graph(graph.nodes, flat.name, *ends, initializer=graph.constants)
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(body, opset_imports=opset, ir_version=IR_VERSION, producer_name="digits")
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


class _Graph:
    """Nodes and constants as they are written."""

    def __init__(self, given: str):
        self.given, self.nodes, self.constants = given, [], []

    def add(self, operator: str, inputs: list[str], name: str, **attributes) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, values) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def _inputs(layer: keras.layers.Layer) -> list:
    nodes = [node for node in layer._inbound_nodes if not node.is_input]
    return nodes[0].input_tensors if nodes else []


def _arrays(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    return {variable.name: keras.ops.convert_to_numpy(variable) for variable in layer.weights}


def _write_input(graph: _Graph, layer, before: list[str]) -> str:
    return graph.add("Transpose", [graph.given], layer.name, perm=[0, 3, 1, 2])


def _write_nothing(graph: _Graph, layer, before: list[str]) -> str:
    return before[0]


def _write_rescaling(graph: _Graph, layer, before: list[str]) -> str:
    scale = graph.constant(f"{layer.name}/scale", np.full((1, 1, 1, 1), layer.scale, np.float32))
    offset = graph.constant(f"{layer.name}/offset", np.full((1, 1, 1, 1), layer.offset, np.float32))
    scaled = graph.add("Mul", [before[0], scale], f"{layer.name}/scaled")
    return graph.add("Add", [scaled, offset], layer.name)


def _write_conv(graph: _Graph, layer, before: list[str]) -> str:
    arrays = _arrays(layer)
    kernel, groups = arrays["kernel"], getattr(layer, "groups", 1)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        height, width, groups, multiplier = kernel.shape
        kernel = kernel.reshape(height, width, 1, groups * multiplier)
    inputs = [before[0], graph.constant(f"{layer.name}/kernel", kernel.transpose(3, 2, 0, 1))]
    if layer.use_bias:
        inputs.append(graph.constant(f"{layer.name}/bias", arrays["bias"]))
    done = graph.add("Conv", inputs, f"{layer.name}/conv", strides=list(layer.strides), group=groups,
                     dilations=list(layer.dilation_rate), kernel_shape=list(layer.kernel_size),
                     pads=_pads(layer, layer.kernel_size, layer.dilation_rate))
    return _write_activation(graph, layer, [done])


def _pads(layer, kernel, dilation=(1, 1)) -> list[int]:
    """Return [top, left, bottom, right]; TensorFlow's "same" puts an odd pixel below and right."""
    if layer.padding == "valid":
        return [0, 0, 0, 0]
    pairs = []
    for length, size, stride, spread in zip(layer.input.shape[1:3], kernel, layer.strides, dilation, strict=True):
        needed = max((-(-length // stride) - 1) * stride + (size - 1) * spread + 1 - length, 0)
        pairs.append((needed // 2, needed - needed // 2))
    return [pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]]


def _write_batch_norm(graph: _Graph, layer, before: list[str]) -> str:
    arrays = _arrays(layer)
    mean, variance = arrays["moving_mean"], arrays["moving_variance"]
    values = {"gamma": arrays.get("gamma", np.ones_like(mean)), "beta": arrays.get("beta", np.zeros_like(mean)),
              "mean": mean, "variance": variance}
    if len(layer.input.shape) == 4 and layer.axis not in (-1, 3):
        raise UnportableError(f"layer {layer.name} normalises axis {layer.axis}, expected the last")
    names = [graph.constant(f"{layer.name}/{name}", array) for name, array in values.items()]
    return graph.add("BatchNormalization", [before[0], *names], layer.name, epsilon=float(layer.epsilon))


def _write_relu(graph: _Graph, layer, before: list[str]) -> str:
    if layer.negative_slope or layer.threshold:
        raise UnportableError(f"layer {layer.name} leaks or has a threshold, expected a plain ReLU")
    if layer.max_value is None:
        return graph.add("Relu", before, layer.name)
    return _clip(graph, layer, before, float(layer.max_value))


def _clip(graph: _Graph, layer, before: list[str], high: float) -> str:
    bounds = [graph.constant(f"{layer.name}/{name}", np.float32(value)) for name, value in (("low", 0), ("high", high))]
    return graph.add("Clip", [*before, *bounds], f"{layer.name}/clipped")


def _write_activation(graph: _Graph, layer, before: list[str]) -> str:
    name = layer.activation.__name__
    if name == "linear":
        return before[0]
    if name == "softmax":
        return graph.add("Softmax", before, f"{layer.name}/softmax", axis=-1)
    if name == "relu6":
        return _clip(graph, layer, before, 6.0)
    operators = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}
    if name not in operators:
        raise UnportableError(f"layer {layer.name} ends in {name}, expected relu, relu6, sigmoid, softmax or tanh")
    return graph.add(operators[name], before, f"{layer.name}/{name}")


def _write_pool(graph: _Graph, layer, before: list[str]) -> str:
    operator = "MaxPool" if isinstance(layer, keras.layers.MaxPooling2D) else "AveragePool"
    return graph.add(operator, before, layer.name, kernel_shape=list(layer.pool_size), strides=list(layer.strides),
                     pads=_pads(layer, layer.pool_size))


def _write_global_pool(graph: _Graph, layer, before: list[str]) -> str:
    operator = "GlobalMaxPool" if isinstance(layer, keras.layers.GlobalMaxPooling2D) else "GlobalAveragePool"
    pooled = graph.add(operator, before, f"{layer.name}/pooled")
    return pooled if layer.keepdims else graph.add("Flatten", [pooled], layer.name, axis=1)


def _write_padding(graph: _Graph, layer, before: list[str]) -> str:
    (top, bottom), (left, right) = layer.padding
    pads = graph.constant(f"{layer.name}/pads", np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    return graph.add("Pad", [before[0], pads], layer.name, mode="constant")


def _write_flatten(graph: _Graph, layer, before: list[str]) -> str:
    if len(layer.input.shape) == 4:
        before = [graph.add("Transpose", before, f"{layer.name}/colours_last", perm=[0, 2, 3, 1])]
    return graph.add("Flatten", before, layer.name, axis=1)


def _write_dense(graph: _Graph, layer, before: list[str]) -> str:
    if len(layer.input.shape) != 2:
        raise UnportableError(f"layer {layer.name} works on {layer.input.shape}, expected (N, features)")
    arrays = _arrays(layer)
    inputs = [before[0], graph.constant(f"{layer.name}/kernel", arrays["kernel"])]
    if layer.use_bias:
        inputs.append(graph.constant(f"{layer.name}/bias", arrays["bias"]))
    return _write_activation(graph, layer, [graph.add("Gemm", inputs, f"{layer.name}/gemm")])


def _write_pairwise(graph: _Graph, layer, before: list[str]) -> str:
    operator = "Add" if isinstance(layer, keras.layers.Add) else "Mul"
    result = before[0]
    for index, other in enumerate(before[1:]):
        result = graph.add(operator, [result, other], f"{layer.name}/{index}")
    return result


def _write_upsampling(graph: _Graph, layer, before: list[str]) -> str:
    if layer.interpolation != "bilinear":
        raise UnportableError(f"layer {layer.name} upsamples by {layer.interpolation}, expected bilinear")
    none = graph.constant(f"{layer.name}/none", np.zeros(0, np.float32))
    scales = graph.constant(f"{layer.name}/scales", np.array([1, 1, *layer.size], np.float32))
    return graph.add("Resize", [before[0], none, scales], layer.name, mode="linear",
                     coordinate_transformation_mode="half_pixel")


def _write_concatenate(graph: _Graph, layer, before: list[str]) -> str:
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise UnportableError(f"layer {layer.name} joins along axis {layer.axis}, expected the last")
    return graph.add("Concat", before, layer.name, axis=1)


_WRITERS = {
    "Activation": _write_activation,
    "Add": _write_pairwise,
    "AveragePooling2D": _write_pool,
    "BatchNormalization": _write_batch_norm,
    "Concatenate": _write_concatenate,
    "Conv2D": _write_conv,
    "Dense": _write_dense,
    "DepthwiseConv2D": _write_conv,
    "Dropout": _write_nothing,
    "Flatten": _write_flatten,
    "GlobalAveragePooling2D": _write_global_pool,
    "GlobalMaxPooling2D": _write_global_pool,
    "InputLayer": _write_input,
    "MaxPooling2D": _write_pool,
    "Multiply": _write_pairwise,
    "ReLU": _write_relu,
    "Rescaling": _write_rescaling,
    "SpatialDropout2D": _write_nothing,
    "UpSampling2D": _write_upsampling,
    "ZeroPadding2D": _write_padding,
}
