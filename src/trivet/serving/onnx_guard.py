"""Refuse ONNX files that reach outside themselves: external data and custom operators.

The file is read as what it is on the wire (protobuf, onnx.proto3 of ONNX 1.23), so nothing has to
be loaded to find out what is in it. Only the few fields that matter are followed.
"""

from collections.abc import Iterator

from trivet.kernel.errors import InvalidInput

_STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_MAX_DEPTH = 32

# message -> field number -> the message that the field holds
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "tensor": {},
    "opset": {},
}
_DOMAIN_FIELD = {"node": 7, "opset": 1}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class UnsafeOnnx(InvalidInput):
    """An ONNX file is damaged, or names something outside itself."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"The ONNX file is refused: {self.problem}."


def check_onnx(content: bytes) -> None:
    """Raise `UnsafeOnnx` unless the file is whole in itself and uses standard operators only."""
    _check(memoryview(content), "model", 0)


def _check(message: memoryview, kind: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise UnsafeOnnx(f"it is nested more than {_MAX_DEPTH} deep")
    children = _CHILDREN[kind]
    for number, value in _fields(message):
        if kind == "tensor" and number in (_EXTERNAL_DATA, _DATA_LOCATION):
            _check_location(value)
        elif isinstance(value, int):
            continue
        elif _DOMAIN_FIELD.get(kind) == number:
            _check_domain(value)
        elif number in children:
            _check(value, children[number], depth + 1)


def _check_location(value: memoryview | int) -> None:
    if value != 0:
        raise UnsafeOnnx("it keeps tensors outside the file; save it with its data inside")


def _check_domain(value: memoryview) -> None:
    domain = bytes(value).decode("utf-8", "replace")
    if domain not in _STANDARD_DOMAINS:
        raise UnsafeOnnx(f"it uses operators of {domain!r}; only those of the standard are run")


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield (field number, value) of a protobuf message; a varint is an int."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire == _BYTES:
            length, position = _varint(message, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise UnsafeOnnx("it is no protobuf")
        if position + length > len(message):
            raise UnsafeOnnx("it is cut off")
        yield number, message[position : position + length]
        position += length


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(message) or shift > 63:
            raise UnsafeOnnx("it is cut off")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
