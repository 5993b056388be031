"""Features computed from the request itself: once for a table, once for a single row.

The two ways must give the same number; a test compares them over generated requests.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME, numbers, times
from trivet.features.definitions import RequestFeature, TimePart
from trivet.features.errors import ColumnMissing, ColumnUnusable, RequestFieldInvalid

_LABELS = "The table of labels"
_LARGEST = float(np.finfo(np.float32).max)
_NAN = float("nan")
_DAY = 86_400_000_000

Compute = Callable[[Mapping[str, object], datetime, int], float]
"""Returns a feature of (request row, its event time, its index)."""


def request_column(
    feature: RequestFeature, labels: pa.Table, event_time: str
) -> NDArray[np.float64]:
    """Return the feature for every label, NaN where its column is null, shape (labels,)."""
    if feature.part is not None:
        return _time_parts(feature.part, times(labels, feature.column or event_time, _LABELS))
    column = str(feature.column)
    if feature.vocabulary is None:
        return numbers(labels, column, _LABELS)
    return _codes(feature.vocabulary, labels, column)


def request_function(feature: RequestFeature) -> Compute:
    """Return the function that computes the feature of one request row.

    It raises `RequestFieldInvalid` where the row lacks the column or holds what is not meant.
    """
    if feature.part is not None:
        return _time_function(feature.part, feature.column)
    column = str(feature.column)
    if feature.vocabulary is not None:
        return _vocabulary_function(feature.vocabulary, column)
    return _number_function(column)


def _number_function(column: str) -> Compute:
    def number(row: Mapping[str, object], _at: datetime, index: int) -> float:
        value = field(row, column, index)
        if value is None:
            return _NAN
        if not isinstance(value, int | float):
            raise RequestFieldInvalid(index, column, f"must be a number, not {_kind(value)}")
        if not -_LARGEST <= value <= _LARGEST:
            raise RequestFieldInvalid(index, column, "must be a finite float32 number")
        return float(value)

    return number


def _vocabulary_function(vocabulary: tuple[str, ...], column: str) -> Compute:
    code_of = {word: float(code) for code, word in enumerate(vocabulary)}

    def code(row: Mapping[str, object], _at: datetime, index: int) -> float:
        value = field(row, column, index)
        if value is None:
            return _NAN
        if not isinstance(value, str):
            raise RequestFieldInvalid(index, column, f"must be a text, not {_kind(value)}")
        return code_of.get(value, -1.0)

    return code


def _time_function(part: TimePart, column: str | None) -> Compute:
    read = _PARTS_OF_ONE[part]
    if column is None:
        return lambda _row, at, _index: read(at)

    def time_part(row: Mapping[str, object], _at: datetime, index: int) -> float:
        value = field(row, column, index)
        return _NAN if value is None else read(_instant(value, column, index))

    return time_part


def field(row: Mapping[str, object], column: str, index: int) -> object:
    """Return the row's value in the column, or raise `RequestFieldInvalid` if it has none."""
    try:
        return row[column]
    except KeyError:
        raise RequestFieldInvalid(index, column, "is missing") from None


def in_utc(at: datetime) -> datetime:
    """Return the instant in UTC; without a zone it is in UTC already."""
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _instant(value: object, column: str, index: int) -> datetime:
    if isinstance(value, datetime):
        return in_utc(value)
    if isinstance(value, str):
        try:
            return in_utc(datetime.fromisoformat(value))
        except (ValueError, OverflowError):
            raise RequestFieldInvalid(index, column, "must be an ISO 8601 time") from None
    raise RequestFieldInvalid(index, column, f"must be an ISO 8601 time, not {_kind(value)}")


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return kinds.get(type(value), type(value).__name__)


_PARTS_OF_ONE: dict[TimePart, Callable[[datetime], float]] = {
    TimePart.HOUR: lambda at: float(at.hour),
    TimePart.WEEKDAY: lambda at: float(at.weekday()),
    TimePart.MONTH: lambda at: float(at.month),
    TimePart.DAY_OF_YEAR: lambda at: float(at.timetuple().tm_yday),
    TimePart.MINUTE_OF_DAY: lambda at: float(at.hour * 60 + at.minute),
}


def _time_parts(part: TimePart, at: NDArray[np.int64]) -> NDArray[np.float64]:
    found = _whole_parts(part, np.where(at == NO_TIME, 0, at)).astype(np.float64)
    return np.where(at == NO_TIME, np.nan, found)


def _whole_parts(part: TimePart, at: NDArray[np.int64]) -> NDArray[np.int64]:
    if part is TimePart.HOUR:
        return at % _DAY // 3_600_000_000
    if part is TimePart.MINUTE_OF_DAY:
        return at % _DAY // 60_000_000
    days = at // _DAY
    if part is TimePart.WEEKDAY:
        return (days + 3) % 7  # 1970-01-01 was a Thursday.
    dates = days.astype("datetime64[D]")
    if part is TimePart.MONTH:
        return dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    days_in: NDArray[np.int64] = (dates - dates.astype("datetime64[Y]")).astype(np.int64) + 1
    return days_in


def _codes(vocabulary: tuple[str, ...], labels: pa.Table, column: str) -> NDArray[np.float64]:
    if column not in labels.column_names:
        raise ColumnMissing(_LABELS, column, tuple(labels.column_names))
    encoded = labels.column(column).combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    words = encoded.dictionary.to_pylist()
    if not all(word is None or isinstance(word, str) for word in words):
        raise ColumnUnusable(_LABELS, column, "a text", str(encoded.type.value_type))
    code_of = {word: float(code) for code, word in enumerate(vocabulary)}
    codes = [_NAN if word is None else code_of.get(word, -1.0) for word in words]
    indices = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
    coded: NDArray[np.float64] = np.array([*codes, _NAN])[indices]
    return coded
