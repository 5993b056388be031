"""Read the columns of an Arrow table as numpy: instants in microseconds, numbers as doubles."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from trivet.features.errors import ColumnMissing, ColumnUnusable
from trivet.storage.online.packing import to_microseconds

NO_TIME = np.iinfo(np.int64).min
"""Stands for a null instant."""

_FIRST_TIME = to_microseconds(datetime.min.replace(tzinfo=UTC))
_LAST_TIME = to_microseconds(datetime.max.replace(tzinfo=UTC))


def times(table: pa.Table, column: str, what: str) -> NDArray[np.int64]:
    """Return a time column as microseconds since 1970 in UTC, shape (rows,), null as NO_TIME.

    A time without a zone is taken for UTC; one finer than a microsecond is cut off below it.

    Args:
        table: The table.
        column: Its column: a timestamp, a date, or ISO 8601 text.
        what: What to call the table in an error.
    """
    values = _column(table, column, what)
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        values = _parsed(values, column, what)
    if pa.types.is_null(values.type):
        return np.full(len(values), NO_TIME)
    if not (pa.types.is_timestamp(values.type) or pa.types.is_date(values.type)):
        raise ColumnUnusable(what, column, "a time", str(values.type))
    try:
        instants = pc.cast(values, pa.timestamp("us"), safe=not _is_nanoseconds(values.type))
    except pa.ArrowInvalid as error:
        raise ColumnUnusable(what, column, "a time", str(error)) from error
    found = _integers(instants.cast(pa.int64()))
    beyond = (found != NO_TIME) & ((found < _FIRST_TIME) | (found > _LAST_TIME))
    if beyond.any():
        raise ColumnUnusable(what, column, "a time in the years 1 to 9999", "one beyond them")
    return found


def numbers(table: pa.Table, column: str, what: str) -> NDArray[np.float64]:
    """Return a column as doubles, shape (rows,); null, NaN and infinite are all NaN: missing."""
    values = _column(table, column, what)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    if not _is_number(values.type):
        raise ColumnUnusable(what, column, "a number", str(values.type))
    found = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    doubles = np.asarray(found, np.float64)
    if not np.isfinite(doubles).all():
        doubles = np.where(np.isfinite(doubles), doubles, np.nan)
    return doubles


def to_timestamps(microseconds: NDArray[np.int64]) -> pa.Array:
    """Return microseconds as an Arrow column of UTC timestamps, NO_TIME as null."""
    missing = microseconds == NO_TIME
    return pa.array(microseconds, mask=missing if missing.any() else None).cast(
        pa.timestamp("us", "UTC")
    )


def _column(table: pa.Table, column: str, what: str) -> pa.Array:
    if column not in table.column_names:
        raise ColumnMissing(what, column, tuple(table.column_names))
    values = table.column(column)
    values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _parsed(values: pa.Array, column: str, what: str) -> pa.Array:
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            return values.cast(kind)
        except pa.ArrowInvalid:
            continue
    raise ColumnUnusable(what, column, "a time, all with a zone or all without", "other text")


def _integers(values: pa.Array) -> NDArray[np.int64]:
    filled = values.fill_null(int(NO_TIME)) if values.null_count else values
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def _is_nanoseconds(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.unit == "ns")


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    )
