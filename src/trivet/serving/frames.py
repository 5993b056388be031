"""The journal's binary form: frames of length, CRC-32 and one record in MessagePack.

A frame is 4 bytes of payload length and 4 bytes of CRC-32 over the payload, both little-endian,
then the payload: one byte that says what it is, and the record's fields as a MessagePack array.
Fields may be added at the end, with a default; none may be removed or reordered.
"""

from collections.abc import Iterator
from datetime import datetime
from operator import attrgetter
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec

from trivet.serving.records import Feedback, Prediction, Role, Status

Record = Prediction | Feedback

_HEAD = Struct("<II")
_PREDICTION, _FEEDBACK = b"P", b"F"
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024


class _PredictionArray(msgspec.Struct, array_like=True, frozen=True, gc=False):
    id: str
    at: datetime
    event_at: datetime
    deployment: str
    revision: int
    generation: int
    role: Role
    status: Status
    unit: str
    inputs: dict[str, Any]
    features: list[float | None]
    output: float | None
    label: int | None
    latency_ms: float
    error: str | None = None
    primary: str | None = None
    primary_label: int | None = None


class _FeedbackArray(msgspec.Struct, array_like=True, frozen=True, gc=False):
    prediction: str
    deployment: str
    at: datetime
    event_at: datetime
    outcome: float


_prediction_values = attrgetter(*_PredictionArray.__struct_fields__)
_feedback_values = attrgetter(*_FeedbackArray.__struct_fields__)
_encoder = msgspec.msgpack.Encoder()
_prediction_decoder = msgspec.msgpack.Decoder(_PredictionArray)
_feedback_decoder = msgspec.msgpack.Decoder(_FeedbackArray)


def encode_frame(record: Record) -> bytes:
    """Return the record as one frame."""
    if isinstance(record, Prediction):
        payload = _PREDICTION + _encoder.encode(_prediction_values(record))
    else:
        payload = _FEEDBACK + _encoder.encode(_feedback_values(record))
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def decode_payload(payload: bytes | memoryview) -> Record:
    """Return the record that a frame's payload holds."""
    kind, body = bytes(payload[:1]), payload[1:]
    if kind == _PREDICTION:
        return Prediction(**_fields(_prediction_decoder.decode(body)))
    return Feedback(**_fields(_feedback_decoder.decode(body)))


def _fields(array: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(array, name) for name in array.__struct_fields__}


def whole_frames(content: bytes, offset: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield (payload, offset of the next frame) until the end or the first frame that is torn.

    A frame is torn where the process died in the middle of writing it: it is shorter than it
    says, or its bytes do not have its checksum.
    """
    while offset + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, offset)
        start = offset + _HEAD.size
        offset = start + length
        if not 0 < length <= MAX_PAYLOAD_BYTES or offset > len(content):
            return
        payload = content[start:offset]
        if crc32(payload) != checksum:
            return
        yield payload, offset
