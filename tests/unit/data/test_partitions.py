from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from trivet.data.contract import PartitionRule
from trivet.data.partitions import compare, robust_z, summarise
from trivet.data.records import Dataset
from trivet.ledger import Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = Dataset(
    name="orders", key=("id",), event_time="at", description="", owner="", created_at=START
)
BY_DAY = PartitionRule(by="day", least=14)


def days(first: int, count: int, *, scale: float = 1.0, nulls: float = 0.0) -> pa.Table:
    """Return 200 orders for each of some days."""
    rng = np.random.default_rng(first)
    size = 200 * count
    price = rng.gamma(4.0, 10.0, size) * scale
    at = [START + timedelta(days=first + row // 200, seconds=row) for row in range(size)]
    return pa.table(
        {
            "id": np.arange(size) + first * 200,
            "price": pa.array(price, mask=rng.random(size) < nulls),
            "at": pa.array(at, pa.timestamp("us", "UTC")),
        }
    )


def test_a_summary_says_how_a_partition_looks() -> None:
    rows = pa.table({"id": [1, 2, 3], "price": [1.0, 3.0, None], "at": [START] * 3})
    assert summarise(ORDERS, rows, "day") == [
        {
            "period": "2026-01-01",
            "rows": 3,
            "columns": {
                "id": {"nulls": 0.0, "distinct": 3.0},
                "price": {
                    "nulls": pytest.approx(1 / 3),
                    "distinct": 2.0,
                    "mean": 2.0,
                    "p50": 1.0,
                    "p95": 3.0,
                },
                "at": {"nulls": 0.0, "distinct": 1.0},
            },
        }
    ]


def test_days_like_the_past_pass() -> None:
    history = summarise(ORDERS, days(0, 40), "day")
    checks = compare(summarise(ORDERS, days(40, 7), "day"), history, BY_DAY)
    assert [each.verdict for each in checks] == [Verdict.PASSED]


def test_a_unit_that_changed_is_out_of_line() -> None:
    history = summarise(ORDERS, days(0, 40), "day")
    checks = compare(summarise(ORDERS, days(40, 7, scale=60), "day"), history, BY_DAY)
    broken = {(each.column, each.name) for each in checks if each.verdict is Verdict.FAILED}
    assert broken >= {("price", "mean"), ("price", "median"), ("price", "95th percentile")}


def test_a_burst_of_nulls_is_out_of_line() -> None:
    history = summarise(ORDERS, days(0, 40), "day")
    checks = compare(summarise(ORDERS, days(40, 7, nulls=0.3), "day"), history, BY_DAY)
    assert ("price", "share of nulls") in {(each.column, each.name) for each in checks}
    assert checks[0].verdict is Verdict.FAILED


def test_one_odd_day_of_seven_is_no_alarm() -> None:
    history = summarise(ORDERS, days(0, 40), "day")
    week = summarise(ORDERS, days(40, 6), "day") + summarise(ORDERS, days(46, 1, scale=60), "day")
    assert compare(week, history, BY_DAY)[0].verdict is Verdict.PASSED


def test_a_short_past_is_learning_and_no_rows_are_no_data() -> None:
    history = summarise(ORDERS, days(0, 13), "day")
    odd = summarise(ORDERS, days(40, 7, scale=60), "day")
    assert [each.verdict for each in compare(odd, history, BY_DAY)] == [Verdict.LEARNING]
    assert compare([], history, BY_DAY)[0].verdict is Verdict.NO_DATA


def test_robust_z_is_the_distance_from_the_median_in_scaled_deviations() -> None:
    past = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert robust_z(3.0, past, 0.1) == 0
    assert robust_z(3 + 1.4826, past, 0.1) == pytest.approx(1.0)
    assert robust_z(4.0, [3.0] * 5, 0.5) == pytest.approx(2.0)


def test_a_past_that_is_quiet_on_most_days_knows_the_others() -> None:
    rain = [0.0] * 18 + [0.5] * 6
    assert robust_z(0.6, rain, 0.001) == pytest.approx(0.6 / (0.5 / 3.2897))
