"""What the columns of a commit look like: counts, extremes, quantiles, histograms, top values."""

from typing import Any

import pyarrow as pa
import pyarrow.types as types
from sqlalchemy import insert, select

from trivet.data.records import ColumnProfile, Commit
from trivet.data.sql_store import SqlDatasetStore
from trivet.kernel.digests import finite_or_none
from trivet.storage.sql import ConstraintViolated
from trivet.storage.sql.schema import data as schema
from trivet.storage.tables import Query, quoted

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 10
_TOP = 10


def profile_commit(store: SqlDatasetStore, name: str, at: str = "main") -> list[ColumnProfile]:
    """Return the profile of each column; it is computed once for a commit, and then kept."""
    commit = store.resolve(name, at)
    kept = schema.dataset_profiles
    with store.database.read() as connection:
        row = connection.execute(select(kept).where(kept.c.commit_id == commit.id)).one_or_none()
    if row is not None:
        return [_to_profile(values) for values in row.columns]
    columns = _compute(store, commit)
    try:
        with store.database.write() as connection:
            connection.execute(insert(kept), {"commit_id": commit.id, "columns": columns})
    except ConstraintViolated:
        pass  # Somebody else computed the same at the same time.
    return [_to_profile(values) for values in columns]


def _compute(store: SqlDatasetStore, commit: Commit) -> list[dict[str, Any]]:
    table = store.read(commit.dataset, commit.id)
    fields = list(table.schema)
    with Query({"data": table}) as query:
        parts = [
            f"{sql} AS c{at}_{what}"
            for at, each in enumerate(fields)
            for what, sql in _measures(each).items()
        ]
        row = query.row(f"SELECT count(*) AS n, {', '.join(parts)} FROM data")
        bins = _histograms(query, fields, row)
        return [
            {
                "name": each.name,
                "type": str(each.type),
                "rows": row["n"],
                "nulls": row[f"c{at}_nulls"],
                "distinct": row.get(f"c{at}_distinct") or 0,
                "min": _plain(row.get(f"c{at}_min")),
                "max": _plain(row.get(f"c{at}_max")),
                "mean": _plain(row.get(f"c{at}_mean")),
                "std": _plain(row.get(f"c{at}_std")),
                "quantiles": [_plain(value) for value in row.get(f"c{at}_quantiles") or []],
                "histogram": bins.get(each.name, []),
                "top": _top(query, each) if types.is_string(each.type) else [],
            }
            for at, each in enumerate(fields)
        ]


def _measures(field: pa.Field) -> dict[str, str]:
    name = quoted(field.name)
    measures = {"nulls": f"count(*) - count({name})"}
    if types.is_nested(field.type) or types.is_binary(field.type):
        return measures
    measures["distinct"] = f"approx_count_distinct({name})"
    if _is_number(field.type):
        finite = f"CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END"
        shares = ", ".join(map(str, _QUANTILES))
        return measures | {
            "min": f"min({finite})",
            "max": f"max({finite})",
            "mean": f"avg({finite})",
            "std": f"stddev_samp({finite})",
            "quantiles": f"quantile_cont({finite}, [{shares}])",
        }
    return measures | {"min": f"min({name})::VARCHAR", "max": f"max({name})::VARCHAR"}


def _histograms(
    query: Query, fields: list[pa.Field], row: dict[str, Any]
) -> dict[str, list[list[float]]]:
    """Return `_BINS` bins of equal width for each number that is not constant."""
    edges: dict[str, list[float]] = {}
    parts = []
    for at, each in enumerate(fields):
        low, high = row.get(f"c{at}_min"), row.get(f"c{at}_max")
        if not _is_number(each.type) or low is None or low == high:
            continue
        width = (high - low) / _BINS
        edges[each.name] = [low + width * step for step in range(_BINS)] + [high]
        name = f"{quoted(each.name)}::DOUBLE"
        place = f"least(floor(({name} - {low!r}) / {width!r}), {_BINS - 1})"
        parts += [
            f"count(*) FILTER (WHERE isfinite({name}) AND {place} = {step}) AS c{at}_{step}"
            for step in range(_BINS)
        ]
    if not parts:
        return {}
    counts = query.row(f"SELECT {', '.join(parts)} FROM data")
    index = {each.name: at for at, each in enumerate(fields)}
    return {
        name: [
            [cuts[step], cuts[step + 1], counts[f"c{index[name]}_{step}"]] for step in range(_BINS)
        ]
        for name, cuts in edges.items()
    }


def _top(query: Query, field: pa.Field) -> list[list[Any]]:
    name = quoted(field.name)
    rows = query.table(
        f"SELECT {name} AS value, count(*) AS n FROM data WHERE {name} IS NOT NULL"
        f" GROUP BY ALL ORDER BY n DESC, value LIMIT {_TOP}"
    ).to_pylist()
    return [[row["value"], row["n"]] for row in rows]


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _plain(value: Any) -> Any:
    return finite_or_none(value) if isinstance(value, float) else value


def _to_profile(values: dict[str, Any]) -> ColumnProfile:
    lists = {
        "quantiles": tuple(value for value in values["quantiles"] if value is not None),
        "histogram": tuple((low, high, rows) for low, high, rows in values["histogram"]),
        "top": tuple((value, rows) for value, rows in values["top"]),
    }
    return ColumnProfile(**{**values, **lists})
