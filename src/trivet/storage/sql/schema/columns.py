"""The metadata all tables share, and the column types that are alike on every database."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Double, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator

from trivet.kernel.digests import canonical_json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Sequence = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database counts up; SQLite counts only what it calls INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite drops the zone of its own accord."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a datetime without a zone, and write any other in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Put back the zone that SQLite dropped."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CanonicalJson(TypeDecorator[Any]):
    """A JSON value kept as its canonical text, so that both databases return what was digested."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """Write the canonical text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """Read the value back."""
        return None if value is None else json.loads(value)


class MetricValue(TypeDecorator[float]):
    """A float of any kind; SQLite has no NaN, so NULL stands for it on every database."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Any) -> float | None:
        """Write NaN as NULL."""
        return None if value is None or math.isnan(value) else value

    def process_result_value(self, value: float | None, dialect: Any) -> float:
        """Read NULL as NaN."""
        return math.nan if value is None else value
