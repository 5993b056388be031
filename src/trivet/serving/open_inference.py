"""The Open Inference Protocol, version 2 over HTTP with JSON tensors.

A request's columns come as tensors of shape [n] (or [n, 1]) named like them; a model without a
feature plan also takes one float tensor of shape [n, d], its inputs in order. The binary tensor
extension is not spoken.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from trivet.registry import Signature
from trivet.serving.bodies import decode, encode
from trivet.serving.errors import BadRequest
from trivet.serving.gateway import Answer, Answers, Route
from trivet.serving.requests import EVENT_AT, MAX_ROWS

_INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
_FLOATS = ("FP16", "FP32", "FP64")
_DATATYPE_OF = {
    "string": "BYTES",
    "time": "BYTES",
    "number": "FP64",
    "integer": "INT64",
    "boolean": "BOOL",
}
_OUTPUTS: dict[str, tuple[str, Callable[[Answer], Any]]] = {
    "probability": ("FP64", lambda answer: answer.probability),
    "label": ("INT64", lambda answer: answer.label),
    "prediction_id": ("BYTES", lambda answer: answer.id),
    "revision": ("INT64", lambda answer: answer.revision),
}


class _Tensor(msgspec.Struct):
    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class _Output(msgspec.Struct):
    name: str


class InferBody(msgspec.Struct):
    """`POST /v2/models/{deployment}/infer`."""

    inputs: list[_Tensor]
    id: str | None = None
    outputs: list[_Output] | None = None


_decoder = msgspec.json.Decoder(InferBody)


def decode_infer(body: bytes) -> InferBody:
    """Return the request, or raise `Unreadable` or `BadRequest`."""
    request = decode(_decoder, body)
    for position, output in enumerate(request.outputs or ()):
        if output.name not in _OUTPUTS:
            raise BadRequest(
                f"outputs[{position}].name", f"{output.name!r} is none of {', '.join(_OUTPUTS)}"
            )
    return request


def rows_of(request: InferBody, signature: Signature) -> list[dict[str, Any]]:
    """Return the tensors' values as rows."""
    if not request.inputs:
        raise BadRequest("inputs", "expected one tensor or more, got none")
    if _is_matrix(request, signature):
        return _matrix_rows(request.inputs[0], signature.inputs)
    columns: dict[str, list[Any]] = {}
    length: int | None = None
    for tensor in request.inputs:
        if tensor.name in columns:
            raise BadRequest(f"inputs.{tensor.name}", "this tensor is given twice")
        columns[tensor.name] = _column(tensor)
        if length is not None and len(columns[tensor.name]) != length:
            raise BadRequest(
                f"inputs.{tensor.name}.shape",
                f"has {len(columns[tensor.name])} rows, the tensors before it {length}",
            )
        length = len(columns[tensor.name])
    names = tuple(columns)
    return [
        dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def encode_infer(deployment: str, request: InferBody, answers: Answers) -> bytes:
    """Return the answer; `error` is added as an output where a row has one."""
    given = answers.answers
    wanted = [output.name for output in request.outputs or ()] or list(_OUTPUTS)
    outputs = [_to_output(name, given) for name in wanted]
    if any(answer.error is not None for answer in given):
        errors = [answer.error or "" for answer in given]
        outputs.append(
            {"name": "error", "datatype": "BYTES", "shape": [len(given)], "data": errors}
        )
    body: dict[str, Any] = {"model_name": deployment}
    if request.id is not None:
        body["id"] = request.id
    revisions = {answer.revision for answer in given}
    if len(revisions) == 1:
        body["model_version"] = str(given[0].revision)
    return encode({**body, "parameters": {"generation": answers.generation}, "outputs": outputs})


def describe_server() -> dict[str, Any]:
    """Return the server's metadata."""
    return {"name": "trivet", "version": "2", "extensions": []}


def describe_model(deployment: str, route: Route) -> dict[str, Any]:
    """Return a deployment's metadata: the columns of its stable revision."""
    revision = route.revisions[route.table.stable]
    columns = [
        *((name, _DATATYPE_OF[kind]) for name, kind in revision.schema.columns),
        (EVENT_AT, "BYTES"),
    ]
    return {
        "name": deployment,
        "versions": [str(number) for number in sorted(route.revisions)],
        "platform": "onnx",
        "inputs": [
            {"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in columns
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": [-1]}
            for name, (datatype, _) in _OUTPUTS.items()
        ],
    }


def _to_output(name: str, answers: list[Answer]) -> dict[str, Any]:
    datatype, value = _OUTPUTS[name]
    data = [value(answer) for answer in answers]
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _is_matrix(request: InferBody, signature: Signature) -> bool:
    return (
        signature.plan is None
        and not signature.request
        and len(request.inputs) == 1
        and request.inputs[0].name not in signature.inputs
    )


def _matrix_rows(tensor: _Tensor, inputs: tuple[str, ...]) -> list[dict[str, Any]]:
    field = f"inputs.{tensor.name}"
    if tensor.datatype not in _FLOATS:
        raise BadRequest(f"{field}.datatype", f"expected FP32 or FP64, got {tensor.datatype!r}")
    if len(tensor.shape) != 2 or tensor.shape[1] != len(inputs):
        raise BadRequest(f"{field}.shape", f"expected [n, {len(inputs)}], got {tensor.shape}")
    rows, width = _length(field, tensor.shape[0]), len(inputs)
    flat = _flat(field, tensor.data, rows * width)
    for value in flat:
        _check_value(field, tensor.datatype, value)
    return [
        dict(zip(inputs, flat[start : start + width], strict=True))
        for start in range(0, rows * width, width)
    ]


def _column(tensor: _Tensor) -> list[Any]:
    field = f"inputs.{tensor.name}"
    if len(tensor.shape) not in (1, 2) or tensor.shape[1:] not in ([], [1]):
        raise BadRequest(f"{field}.shape", f"expected [n] or [n, 1], got {tensor.shape}")
    values = _flat(field, tensor.data, _length(field, tensor.shape[0]))
    for value in values:
        _check_value(field, tensor.datatype, value)
    return values


def _length(field: str, rows: int) -> int:
    if not 1 <= rows <= MAX_ROWS:
        raise BadRequest(f"{field}.shape", f"expected 1 to {MAX_ROWS} rows, got {rows}")
    return rows


def _flat(field: str, data: list[Any], length: int) -> list[Any]:
    flat: list[Any] = []
    for value in data:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    if len(flat) != length:
        raise BadRequest(
            f"{field}.data", f"holds {len(flat)} values, where the shape says {length}"
        )
    return flat


def _check_value(field: str, datatype: str, value: object) -> None:
    if value is None:
        return
    if datatype == "BYTES":
        fits = isinstance(value, str)
    elif datatype == "BOOL":
        fits = isinstance(value, bool)
    elif datatype in _FLOATS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif datatype in _INTEGERS:
        low, high = _INTEGERS[datatype]
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    else:
        raise BadRequest(f"{field}.datatype", f"{datatype!r} is not understood")
    if not fits:
        raise BadRequest(f"{field}.data", f"{str(value)[:60]!r} is no {datatype}")
