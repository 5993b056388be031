"""Times and values as the online stores keep them: microseconds, and packed doubles."""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isnan, nan

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


@lru_cache(maxsize=16_384)  # The rows that are read again and again share a few instants.
def from_microseconds(microseconds: int) -> datetime:
    """Return the instant so many microseconds after 1970."""
    return EPOCH + timedelta(0, 0, microseconds)


@lru_cache(maxsize=256)
def _doubles(count: int) -> struct.Struct:
    return struct.Struct(f"<{count}d")


def pack_values(values: Sequence[float | None]) -> bytes:
    """Return the values as little-endian doubles, a missing one as NaN."""
    return _doubles(len(values)).pack(*[nan if value is None else value for value in values])


def unpack_values(packed: bytes) -> tuple[float | None, ...]:
    """Return the values that `pack_values` packed; NaN comes back as None."""
    values = _doubles(len(packed) >> 3).unpack(packed)
    if not isnan(sum(values)):
        return values
    return tuple(None if isnan(value) else value for value in values)
