"""What a row of a request must look like, and sentences that name the field that does not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from trivet.registry import Signature
from trivet.serving.errors import BadRequest

Row = Mapping[str, Any]
"""The columns of one row: JSON scalars by name; null is a value that is known to be missing."""

EVENT_AT = "event_at"
"""The column that says which instant a row is about; the present where it is absent."""

MAX_ROWS = 10_000
_MAX_TEXT = 4_096
_MAX_INTEGER = 2**63


@dataclass(frozen=True, slots=True)
class RowSchema:
    """The columns a row must have, with their JSON types.

    Attributes:
        columns: (name, type): `string`, `number`, `integer`, `boolean` or `time`.
        logged: The columns that the journal keeps.
    """

    columns: tuple[tuple[str, str], ...]
    logged: tuple[str, ...]

    @classmethod
    def of(cls, signature: Signature) -> "RowSchema":
        """Return the schema of a model's requests; without a plan its inputs are the columns.

        Raises:
            BadRequest: The signature has a type that requests cannot have.
        """
        columns = dict(signature.request)
        if signature.plan is None and not columns:
            columns = dict.fromkeys(signature.inputs, "number")
        for name, kind in columns.items():
            if kind not in _CHECKS:
                raise BadRequest(name, f"no request has the type {kind!r}")
        logged = dict.fromkeys((*columns, *signature.slices))
        return cls(tuple(columns.items()), tuple(logged))

    def check(self, rows: Sequence[Row]) -> None:
        """Raise `BadRequest` for the first value that is absent or of another type."""
        for position, row in enumerate(rows):
            for name, kind in self.columns:
                try:
                    value = row[name]
                except KeyError:
                    field = f"rows[{position}].{name}"
                    raise BadRequest(field, "this column is missing") from None
                if value is not None and not _CHECKS[kind](value):
                    raise BadRequest(
                        f"rows[{position}].{name}", f"expected {_WORDS[kind]}, got {_show(value)}"
                    )

    def inputs(self, row: Row) -> dict[str, Any]:
        """Return the part of the row that the journal keeps."""
        return {name: _scalar(row[name]) for name in self.logged if name in row}


def check_rows(rows: Sequence[Row]) -> None:
    """Raise `BadRequest` if there are no rows or too many."""
    if not rows:
        raise BadRequest("rows", "expected one row or more, got none")
    if len(rows) > MAX_ROWS:
        raise BadRequest("rows", f"expected {MAX_ROWS} rows at most, got {len(rows)}")


def event_times(rows: Sequence[Row], now: datetime) -> list[datetime]:
    """Return the instant that each row is about."""
    return [
        parse_time(f"rows[{position}].{EVENT_AT}", row[EVENT_AT])
        if row.get(EVENT_AT) is not None
        else now
        for position, row in enumerate(rows)
    ]


def parse_time(field: str, value: object) -> datetime:
    """Return the instant an ISO 8601 text with a zone names, or raise `BadRequest`."""
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        # An instant at the edge of the calendar has no counterpart in UTC.
        if parsed is not None and parsed.tzinfo is not None and 1 < parsed.year < 9999:
            return parsed
    except ValueError:
        pass
    raise BadRequest(
        field, f"expected a time with a zone, such as '2013-03-01T10:00:00Z', got {_show(value)}"
    )


def unit_of(field: str, value: object) -> str:
    """Return the unit that a request's column names, or raise `BadRequest`."""
    if _is_text(value) or _is_number(value) or isinstance(value, bool):
        return str(value)
    raise BadRequest(field, f"expected a text or a number to route by, got {_show(value)}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isfinite(value) if isinstance(value, float) else abs(value) < _MAX_INTEGER


def _is_integer(value: object) -> bool:
    return _is_number(value) and int(value) == value  # type: ignore[call-overload]  # it is a number


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    try:
        parse_time("", value)
    except BadRequest:
        return False
    return True


_CHECKS: dict[str, Callable[[object], bool]] = {
    "string": _is_text,
    "number": _is_number,
    "integer": _is_integer,
    "boolean": _is_boolean,
    "time": _is_time,
}
_WORDS = {
    "string": f"a text of {_MAX_TEXT} characters at most",
    "number": "a finite number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time with a zone, such as '2013-03-01T10:00:00Z'",
}


def _scalar(value: object) -> object:
    """Return what may be logged of a column that the schema says nothing about."""
    if value is None or isinstance(value, bool) or _is_number(value):
        return value
    return value[:_MAX_TEXT] if isinstance(value, str) else None


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
