"""Features of all 336,776 flights: point-in-time joins, rolling rows, pushes, online reads.

The limit to hold the join against is DuckDB's `ASOF LEFT JOIN` by event time over the same rows,
which leaves out what ours does beside it: visibility by created time, corrections, the TTL.
"""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from benchmarks.figures import Figure, ratio, timed
from trivet.demo.flights.features import BY_CARRIER, BY_ORIGIN, BY_ROUTE, WEATHER
from trivet.demo.source import load_tables
from trivet.features import (
    FeatureService,
    FeatureView,
    OnlineReader,
    Pusher,
    RequestFeature,
    TimePart,
    compute_rows,
    make_plan,
    materialize,
    point_in_time_join,
    view_rows,
)
from trivet.storage.online import OnlineRow, OnlineStore, open_online_store

_PUSHED, _BATCH = 20_000, 50
_READS = 2_000
_END = datetime(2014, 2, 1, tzinfo=UTC)


def measure() -> list[Figure]:
    """Time what training and serving do with features."""
    tables = load_tables()
    delays = [replace(view, version=1) for view in (BY_CARRIER, BY_ORIGIN, BY_ROUTE)]
    views = [*delays, replace(WEATHER, version=1)]
    sources = {"landings": tables.landings, "weather": tables.weather}
    labels = tables.flights.select(["flight_id", "carrier", "origin", "dest", "scheduled_at"])
    rows = [compute_rows(view, sources[view.source]) for view in views]
    history = {view.name: view_rows(view, sources[view.source]) for view in views}
    join = timed(
        "point-in-time join, 336,776 labels x 4 views",
        lambda: point_in_time_join(labels, rows, event_time="scheduled_at"),
        unit="s",
        repeats=3,
        target="under 2 s",
    )
    peers = [_asof(labels, history, views), _join_asof(labels, history, views)]
    figures = [
        timed(
            "rolling rows of 3 views x 9 features, 336,776 landings",
            lambda: [compute_rows(view, tables.landings) for view in delays],
            unit="s",
            repeats=3,
            target="about 1 s",
        ),
        join,
        *(row for peer in peers for row in (peer, ratio(join, peer))),
    ]
    with tempfile.TemporaryDirectory() as folder:
        online = open_online_store(f"sqlite:///{Path(folder) / 'online.db'}")
        for view in views:
            materialize(view, sources[view.source].slice(0, 200_000), online, _END)
        figures.append(_pushes(delays, online, tables.landings))
        figures += _reads(views, online)
    return figures


def _asof(labels: pa.Table, rows: dict[str, pa.Table], views: list[FeatureView]) -> Figure:
    connection = duckdb.connect(config={"threads": 2})
    connection.register("labels", labels)
    for name, table in rows.items():
        connection.register(name, table.drop_columns("created_at"))
    joins = " ".join(
        f"ASOF LEFT JOIN {view.name} ON "
        + " AND ".join(f"labels.{part} = {view.name}.{part}" for part in view.entity)
        + f" AND labels.scheduled_at >= {view.name}.event_at"
        for view in views
    )
    chosen = ", ".join(f"{view.name}.{name}" for view in views for name in view.features)
    query = f"SELECT labels.*, {chosen} FROM labels {joins}"  # noqa: S608 - our own names
    return timed(
        "the same labels and views, DuckDB ASOF by event time alone",
        lambda: connection.sql(query).to_arrow_table(),
        unit="s",
        repeats=3,
    )


def _join_asof(labels: pa.Table, rows: dict[str, pa.Table], views: list[FeatureView]) -> Figure:
    asked = pl.DataFrame(labels)
    given = [
        (list(view.entity), pl.DataFrame(rows[view.name].drop_columns("created_at")))
        for view in views
    ]

    def join() -> pl.DataFrame:
        joined = asked.sort("scheduled_at")
        for entity, table in given:
            joined = joined.join_asof(
                table.sort("event_at"),
                left_on="scheduled_at",
                right_on="event_at",
                by=entity,
                check_sortedness=False,
            ).drop("event_at", strict=False)
        return joined

    work = "the same labels and views, Polars join_asof by event time alone"
    return timed(work, join, unit="s", repeats=3)


def _pushes(views: list[FeatureView], online: OnlineStore, landings: pa.Table) -> Figure:
    pusher = Pusher(views, online)
    times = []
    for start in range(200_000, 200_000 + _PUSHED, _BATCH):
        began = time.perf_counter()
        pusher.push("landings", landings.slice(start, _BATCH))
        times.append((time.perf_counter() - began) * 1e3)
    return Figure(
        f"push of {_BATCH} landings into 3 rolling views, SQLite",
        sorted(times)[len(times) // 2],
        "ms",
        min(times),
        max(times),
        "under 1.8 ms",
    )


def _reads(views: list[FeatureView], online: OnlineStore) -> list[Figure]:
    service = FeatureService(
        name="delay",
        views=tuple((view.name, ()) for view in views),
        request=(
            RequestFeature(name="hour", part=TimePart.HOUR),
            RequestFeature(name="distance", column="distance"),
        ),
    )
    reader = OnlineReader(make_plan(service, views), online)
    row = {"carrier": "UA", "origin": "EWR", "dest": "SFO", "distance": 2565}
    at = datetime(2013, 8, 1, tzinfo=UTC)

    def read() -> None:
        for _ in range(_READS):
            reader.vectors([row], [at])

    found = timed("", read, unit="us")
    after_writes = []
    for number in range(_READS // 10):
        online.write("other@1", [OnlineRow("k", at, at, (float(number),))])
        began = time.perf_counter()
        reader.vectors([row], [at])
        after_writes.append((time.perf_counter() - began) * 1e6)
    work = "inputs of one request: 4 views in SQLite, 34 numbers"
    return [
        Figure(
            f"{work}; nothing written since the last read",
            found.value / _READS,
            "us",
            found.low / _READS,
            found.high / _READS,
            "at most 40 us",
        ),
        Figure(
            f"{work}; the first read after a write",
            sorted(after_writes)[len(after_writes) // 2],
            "us",
            min(after_writes),
            max(after_writes),
        ),
    ]
