"""The journal's binary form: frames of length, CRC-32 and one record in MessagePack.

A frame is 4 bytes of payload length and 4 bytes of CRC-32 over the payload, both little-endian,
then the payload: one byte that says what it is, and the record's fields as a MessagePack array.
"""

from collections.abc import Iterator
from struct import Struct
from zlib import crc32

import msgspec

from trivet.serving.records import Feedback, Prediction

Record = Prediction | Feedback

_HEAD = Struct("<II")
_PREDICTION, _FEEDBACK = b"P", b"F"
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024


_encode = msgspec.msgpack.Encoder().encode
_decode_prediction = msgspec.msgpack.Decoder(Prediction).decode
_decode_feedback = msgspec.msgpack.Decoder(Feedback).decode


def encode_frame(record: Record) -> bytes:
    """Return the record as one frame."""
    payload = (_PREDICTION if isinstance(record, Prediction) else _FEEDBACK) + _encode(record)
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def decode_payload(payload: bytes) -> Record:
    """Return the record that a frame's payload holds."""
    body = memoryview(payload)[1:]
    return _decode_prediction(body) if payload[:1] == _PREDICTION else _decode_feedback(body)


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
