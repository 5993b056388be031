"""Whatever a column holds, the answer is rows or an error of ours that names the column."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from trivet.features import (
    Aggregate,
    FeatureView,
    Pusher,
    Rolling,
    compute_rows,
    point_in_time_join,
    view_rows,
)
from trivet.kernel.errors import InvalidInput
from trivet.storage.online import OnlineStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLLING = FeatureView(
    name="rolling", entity=("who",), source="s", event_time="at", event_key=("id",), version=1,
    rolling=(Rolling(name="f", column="x", function=Aggregate.SUM, window=timedelta(hours=1)),),
)  # fmt: skip
COLUMNS = FeatureView(
    name="columns", entity=("who", "id"), source="s", event_time="at", created_time="at",
    columns=("x",), version=1,
)  # fmt: skip
GOOD = {
    "who": pa.array(["a", None]),
    "at": pa.array([NOW, None]),
    "x": pa.array([1.5, None]),
    "id": pa.array([1, 2]),
}
ODD = {
    "null": pa.nulls(2),
    "int": pa.array([1, None]),
    "uint64": pa.array([2**64 - 1, 1], pa.uint64()),
    "float": pa.array([1e308, float("nan")]),
    "float16": pa.array([1.0, 2.0], pa.float16()),
    "bool": pa.array([True, False]),
    "list": pa.array([[1], [2]]),
    "struct": pa.array([{"a": 1}, {"a": 2}]),
    "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    "binary": pa.array([b"a", b"b"]),
    "timestamp": pa.array([NOW, NOW]),
    "nanoseconds": pa.array([1, 2], pa.timestamp("ns")),
    "far": pa.array([2**62, 0], pa.timestamp("us")),
    "far seconds": pa.array([10**14, 0], pa.timestamp("s")),
    "long ago": pa.array([-(2**62), 0], pa.timestamp("us")),
    "date": pa.array([date(2026, 1, 1)] * 2),
    "time": pa.array([time(1), time(2)]),
    "duration": pa.array([timedelta(1)] * 2),
    "decimal": pa.array([Decimal("1.5"), None]),
    "iso": pa.array(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456+05:00"]),
    "mixed iso": pa.array(["2026-01-01T00:00:00Z", "2026-01-01"]),
    "large text": pa.array(["a", "b"], pa.large_string()),
    "text view": pa.array(["a", "b"], pa.string_view()),
    "dictionary": pa.array(["a", "b"]).dictionary_encode(),
    "separator": pa.array(["a\x1fb", "c"]),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("column", GOOD)
def test_an_odd_column_is_taken_or_refused(online: OnlineStore, column: str, odd: str) -> None:
    table = pa.table({**GOOD, column: ODD[odd]})
    labels = pa.table({"who": table["who"], "id": table["id"], "when": table["at"]})

    for view in (ROLLING, COLUMNS):
        with suppress(InvalidInput):
            Pusher([view], online).push("s", table)
        with suppress(InvalidInput):
            assert view_rows(view, table).num_rows <= 2
        with suppress(InvalidInput):
            joined = point_in_time_join(labels, [compute_rows(view, table)], event_time="when")
            assert joined.num_rows == 2


def test_a_time_no_calendar_has_is_named() -> None:
    with pytest.raises(InvalidInput, match="'at' must be a time in the years 1 to 9999"):
        view_rows(ROLLING, pa.table({**GOOD, "at": ODD["far"]}))


def test_a_key_of_lists_is_named() -> None:
    with pytest.raises(InvalidInput, match="'who' must be texts or numbers to be a key, not list"):
        view_rows(ROLLING, pa.table({**GOOD, "who": ODD["list"]}))
