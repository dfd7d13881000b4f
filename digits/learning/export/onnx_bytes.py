"""ONNX files byte by byte, so that an export needs no further package: the few messages of its protobuf that we use.

Field numbers are those of onnx.proto3 (https://github.com/onnx/onnx); a message is the bytes of its fields in a row.
"""

from __future__ import annotations

import struct

import numpy as np

_VARINT, _BYTES, _FIXED32 = 0, 2, 5  # protobuf's wire types
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_DATA_TYPES = {np.dtype(np.float32): _FLOAT, np.dtype(np.int64): _INT64}
# AttributeProto: the field that holds a value of a Python type, and the number that names this type.
_IS_FLOAT, _IS_INT, _IS_STRING, _IS_INTS = 1, 2, 3, 7


def model(graph: bytes, opset: int, ir_version: int, producer: str) -> bytes:
    """Return a whole file: ModelProto."""
    opset_id = _text(1, "") + _number(2, opset)
    return _number(1, ir_version) + _text(2, producer) + _message(7, graph) + _message(8, opset_id)


def graph(name: str, nodes: list[bytes], constants: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    """Return GraphProto from messages made below."""
    fields = ((1, nodes), (5, constants), (11, inputs), (12, outputs))
    return _text(2, name) + b"".join(_message(field, part) for field, parts in fields for part in parts)


def node(operator: str, inputs: list[str], output: str, attributes: dict) -> bytes:
    """Return NodeProto; attributes are floats, ints, strings or lists of ints."""
    names = b"".join(_text(1, name) for name in inputs)
    settings = b"".join(_message(5, _attribute(name, value)) for name, value in attributes.items())
    return names + _text(2, output) + _text(3, output) + _text(4, operator) + settings


def constant(name: str, values: np.ndarray) -> bytes:
    """Return TensorProto of a float32 or int64 array."""
    values = np.asarray(values)
    sizes = b"".join(_number(1, size) for size in values.shape)
    raw = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return sizes + _number(2, _DATA_TYPES[values.dtype]) + _text(8, name) + _message(9, raw)


def value(name: str, shape: tuple[int | str, ...]) -> bytes:
    """Return ValueInfoProto of a float tensor; a text in its shape is an open size."""
    sizes = [_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    dimensions = b"".join(_message(1, size) for size in sizes)
    return _text(1, name) + _message(2, _message(1, _number(1, _FLOAT) + _message(2, dimensions)))


def _attribute(name: str, value: float | int | str | list[int]) -> bytes:
    if isinstance(value, float):
        held, kind = _varint(2 << 3 | _FIXED32) + struct.pack("<f", value), _IS_FLOAT
    elif isinstance(value, int):
        held, kind = _number(3, value), _IS_INT
    elif isinstance(value, str):
        held, kind = _text(4, value), _IS_STRING
    else:
        held, kind = b"".join(_number(8, each) for each in value), _IS_INTS
    return _text(1, name) + held + _number(20, kind)


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(number & (1 << 64) - 1)  # negative ones as their 64-bit complement


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    """Return a number seven bits a byte, the lowest first; all but the last have their top bit set."""
    groups = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
