"""The bodies of requests in plain JSON, decoded into typed values; whatever is wrong is named."""

from typing import Any, TypeVar

import msgspec

from trivet.serving.errors import BadRequest, Unreadable
from trivet.serving.gateway import Answers

T = TypeVar("T")


class PredictBody(msgspec.Struct):
    """`POST /predict/{deployment}`."""

    rows: list[dict[str, Any]]


class FeedbackItem(msgspec.Struct):
    """What became of one prediction."""

    prediction: str
    outcome: float | bool
    event_at: str | None = None


class FeedbackBody(msgspec.Struct):
    """`POST /feedback/{deployment}`."""

    items: list[FeedbackItem]


class PushBody(msgspec.Struct):
    """`POST /push`, as Feast's feature server takes it; `source` names a dataset instead."""

    df: dict[str, list[Any]]
    push_source_name: str | None = None
    source: str | None = None
    to: str = "online"


_encoder = msgspec.json.Encoder()


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return the decoded body.

    Raises:
        Unreadable: It is not JSON, or nested too deep.
        BadRequest: It is JSON of another shape; the field says where.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _shape_error(str(error)) from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)[:200].rstrip(".")) from None


def _shape_error(message: str) -> BadRequest:
    problem, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".") or "body"
    return BadRequest(field, problem[:1].lower() + problem[1:])


def encode_answers(answers: Answers) -> bytes:
    """Return the body of the answer to `POST /predict/{deployment}`."""
    return _encoder.encode({"predictions": answers.answers, "generation": answers.generation})


def encode(value: Any) -> bytes:
    """Return any other answer as JSON."""
    return _encoder.encode(value)
