"""Hold incoming partitions against the history of past ones, as a robust z of each statistic.

What varies from one partition to the next is the measure, not what varies within one: a shift that
happens every week is no news, and one that never happened is.
"""

import statistics
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as types

from trivet.data.contract import PartitionBy, PartitionRule
from trivet.data.records import CheckResult, Dataset
from trivet.kernel.digests import finite_or_none
from trivet.ledger import Verdict
from trivet.storage.tables import Query, quoted

HISTORY = 60
"""How many past partitions are looked at."""

# The standard deviation of a normal distribution in MADs, and its 5 % to 95 % range in those.
_NORMAL, _NORMAL_RANGE = 1.4826, 3.2897
# Below this share of the usual value (and for shares of nulls, below one row in a hundred) a
# difference is not worth an alarm however steady the past was.
_SHARE_FLOOR = 0.01
_RELATIVE_FLOOR = {"rows": 0.1, "distinct": 0.05, "mean": 0.05, "p50": 0.05, "p95": 0.05}

Summary = dict[str, Any]
"""`{"period", "rows", "columns": {name: {"nulls", "distinct", "mean", "p50", "p95"}}}`."""


def summarise(dataset: Dataset, rows: pa.Table, by: PartitionBy) -> list[Summary]:
    """Return a summary of each partition in `rows`, in order of time."""
    if rows.num_rows == 0:
        return []
    names = list(rows.schema.names)
    measures = [
        f"{sql} AS c{at}_{statistic}"
        for at, name in enumerate(names)
        for statistic, sql in _measures(dataset, rows.schema.field(name)).items()
    ]
    period = _period(dataset, rows.schema, by)
    with Query({"data": rows}) as query:
        found = query.table(
            f"SELECT {period} AS period, count(*) AS n, {', '.join(measures)}"
            " FROM data GROUP BY ALL ORDER BY ALL"
        ).to_pylist()
    return [_summary(row, names) for row in found]


def compare(
    incoming: list[Summary], history: list[Summary], rule: PartitionRule
) -> list[CheckResult]:
    r"""Return the statistics in which the incoming partitions are out of line with history.

    A statistic is out of line when its `robust_z` exceeds the rule's bound, with a floor of 5 % of
    the past median (10 % for the rows), of 1 for counts, and of 1 % for shares of nulls. It is
    reported when that is so in more than half of the incoming partitions.

    Returns:
        One check named `partition history`, with the largest median z, LEARNING while the past
        is shorter than the rule asks; and one FAILED for each statistic that is out of line.

    Source:
        S. Shankar et al., "Automatic and Precise Data Validation for Machine Learning" (2023),
        for partition summaries and z-scores; the robust form is ours.
    """
    expected = f"at most z = {rule.bound:g} from past partitions"
    if not incoming or len(history) < rule.least:
        learning = Verdict.LEARNING if incoming else Verdict.NO_DATA
        have = f"a past of at least {rule.least} partitions ({len(history)} so far)"
        return [_result("partition history", None, learning, None, have)]
    failures = []
    largest = 0.0
    for column, statistic in _statistics(incoming, rule):
        past = _series(history, column, statistic)
        now = _series(incoming, column, statistic)
        if len(past) < rule.least or not now:
            continue
        scores = [robust_z(value, past, _floor(statistic, past)) for value in now]
        middle = statistics.median(scores)
        largest = max(largest, middle)
        out = sum(score > rule.bound for score in scores)
        if 2 * out > len(scores):
            usual, worst = statistics.median(past), now[scores.index(max(scores))]
            said = f"about {usual:.4g} ({expected})"
            failures.append(_result(_WORDS[statistic], column, Verdict.FAILED, worst, said))
    verdict = Verdict.FAILED if failures else Verdict.PASSED
    return [_result("partition history", None, verdict, largest, expected), *failures]


def robust_z(value: float, past: list[float], floor: float) -> float:
    r"""Return how many robust standard deviations `value` is from the median of `past`.

    The deviation is the larger of two estimates that agree under a normal distribution,
    $1.4826\,\mathrm{MAD}$ and $(q_{0.95} - q_{0.05}) / 3.29$, and at least `floor`. The second
    knows of a past that is quiet on most days and not on some, such as rain, where the MAD is 0.

    Args:
        value: The present value.
        past: Past values, one at least.
        floor: The least deviation, above 0.

    Returns:
        A number from 0 on; beyond 8, say, the value is out of line.
    """
    middle = statistics.median(past)
    mad = statistics.median([abs(each - middle) for each in past])
    low, high = np.quantile(past, [0.05, 0.95])
    return abs(value - middle) / max(_NORMAL * mad, float(high - low) / _NORMAL_RANGE, floor)


_WORDS = {
    "rows": "rows in a partition",
    "nulls": "share of nulls",
    "distinct": "distinct values",
    "mean": "mean",
    "p50": "median",
    "p95": "95th percentile",
}


def _measures(dataset: Dataset, field: pa.Field) -> dict[str, str]:
    name = quoted(field.name)
    measures = {"nulls": f"(count(*) - count({name})) / count(*)"}
    if types.is_nested(field.type) or types.is_binary(field.type):
        return measures
    measures["distinct"] = f"approx_count_distinct({name})"
    # A key tells rows apart and a time goes on; where their values lie says nothing of harm.
    if field.name in dataset.key or not _is_number(field.type):
        return measures
    finite = f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
    measures["mean"] = f"avg({finite})"
    measures["p50"] = f"quantile_disc({finite}, 0.5)"
    measures["p95"] = f"quantile_disc({finite}, 0.95)"
    return measures


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _period(dataset: Dataset, schema: pa.Schema, by: PartitionBy) -> str:
    time = dataset.event_time
    if by == "commit" or time is None or time not in schema.names:
        return "''"
    return f"coalesce(date_trunc('{by}', {quoted(time)}::TIMESTAMP)::DATE::VARCHAR, '')"


def _summary(row: dict[str, Any], names: list[str]) -> Summary:
    columns: dict[str, dict[str, float]] = {}
    for at, name in enumerate(names):
        prefix = f"c{at}_"
        values = {key.removeprefix(prefix): row[key] for key in row if key.startswith(prefix)}
        columns[name] = {
            key: value
            for key, given in values.items()
            if given is not None and (value := finite_or_none(float(given))) is not None
        }
    return {"period": row["period"], "rows": row["n"], "columns": columns}


def _statistics(incoming: list[Summary], rule: PartitionRule) -> list[tuple[str | None, str]]:
    found: dict[tuple[str | None, str], None] = {(None, "rows"): None}
    for summary in incoming:
        for column, values in summary["columns"].items():
            if not rule.columns or column in rule.columns:
                found.update(((column, statistic), None) for statistic in values)
    return list(found)


def _series(summaries: list[Summary], column: str | None, statistic: str) -> list[float]:
    if column is None:
        return [float(each["rows"]) for each in summaries]
    found = (each["columns"].get(column, {}).get(statistic) for each in summaries)
    return [float(value) for value in found if value is not None]


def _floor(statistic: str, past: list[float]) -> float:
    if statistic == "nulls":
        return _SHARE_FLOOR
    least = 1.0 if statistic in ("rows", "distinct") else 1e-9
    return max(_RELATIVE_FLOOR[statistic] * abs(statistics.median(past)), least)


def _result(
    name: str, column: str | None, verdict: Verdict, measured: float | None, expected: str
) -> CheckResult:
    return CheckResult(
        name=name, column=column, verdict=verdict, measured=measured, expected=expected
    )
