"""SHA-256 digests of bytes and of JSON values. What is stored under a digest has that digest."""

import hashlib
import json
import math
from collections.abc import Iterable
from typing import Any, NewType

from trivet.kernel.errors import InvalidInput

Digest = NewType("Digest", str)
"""64 lower-case hexadecimal digits."""

Json = Any
"""A value that JSON can hold: None, bool, int, finite float, str, list or dict with str keys."""


def digest_bytes(content: bytes | memoryview) -> Digest:
    """Return the SHA-256 of `content`."""
    return Digest(hashlib.sha256(content).hexdigest())


def digest_chunks(chunks: Iterable[bytes | memoryview]) -> Digest:
    """Return the SHA-256 of the chunks laid end to end."""
    hasher = hashlib.sha256()
    for chunk in chunks:
        hasher.update(chunk)
    return Digest(hasher.hexdigest())


def digest_json(value: Json) -> Digest:
    """Return the SHA-256 of the value's canonical JSON."""
    return digest_bytes(canonical_json(value).encode())


def canonical_json(value: Json) -> str:
    """Return the one JSON text of `value`: keys sorted, no white space, no NaN.

    Raises:
        InvalidInput: The value holds something JSON cannot, such as NaN, bytes or a datetime.

    Example:
        >>> canonical_json({"b": 1.0, "a": [True, None]})
        '{"a":[true,null],"b":1.0}'
    """
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"The value cannot be kept as JSON: {error}.") from error


def finite_or_none(number: float) -> float | None:
    """Return the number, or None where JSON has no way to write it (NaN, infinity)."""
    return number if math.isfinite(number) else None
