"""Rows of what a run logs, written and read within the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects import postgresql, sqlite

from trivet.storage.sql.schema import tracking as schema
from trivet.tracking.errors import ParamChanged
from trivet.tracking.records import Artifact, Metric, RunData, RunId


def write_params(connection: Connection, run_id: RunId, params: Mapping[str, str]) -> None:
    """Add params, or raise `ParamChanged` where one has another value."""
    if not params:
        return
    there = _pairs(connection, schema.params, run_id)
    for key, value in params.items():
        if there.get(key, value) != value:
            raise ParamChanged(run_id, key, there[key], value)
    rows = [
        {"run_id": run_id, "key": key, "value": value}
        for key, value in params.items()
        if key not in there
    ]
    if rows:
        connection.execute(plain_insert(schema.params), rows)


def write_tags(connection: Connection, run_id: RunId, tags: Mapping[str, str]) -> None:
    """Set tags; a later value replaces an earlier one."""
    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in tags.items()]
    _upsert(connection, schema.tags, rows)


def write_metrics(connection: Connection, run_id: RunId, metrics: Sequence[Metric]) -> None:
    """Append to the history, and keep the newest value of each key beside it."""
    if not metrics:
        return
    connection.execute(
        plain_insert(schema.metrics),
        [
            {"run_id": run_id, "key": m.key, "value": m.value, "step": m.step, "at": m.at}
            for m in metrics
        ],
    )
    newest: dict[str, Metric] = {}
    for metric in metrics:
        if metric.key not in newest or metric.step >= newest[metric.key].step:
            newest[metric.key] = metric
    rows = [
        {"run_id": run_id, "key": m.key, "value": m.value, "step": m.step} for m in newest.values()
    ]
    _upsert(connection, schema.newest_metrics, rows, rises="step")


def write_artifacts(connection: Connection, run_id: RunId, artifacts: Sequence[Artifact]) -> None:
    """Name blobs as files of the run; a later one of the same path replaces an earlier one."""
    newest = {artifact.path: artifact for artifact in artifacts}
    rows = [
        {
            "run_id": run_id,
            "path": artifact.path,
            "digest": artifact.digest,
            "size": artifact.size,
            "media_type": artifact.media_type,
        }
        for artifact in newest.values()
    ]
    _upsert(connection, schema.artifacts, rows)


def read_data(connection: Connection, run_id: RunId) -> RunData:
    """Return what the run logged."""
    table = schema.artifacts
    columns = (table.c.path, table.c.digest, table.c.size, table.c.media_type)
    query = select(*columns).where(table.c.run_id == run_id).order_by(table.c.path)
    return RunData(
        params=_pairs(connection, schema.params, run_id),
        metrics=_pairs(connection, schema.newest_metrics, run_id),
        tags=_pairs(connection, schema.tags, run_id),
        artifacts=tuple(Artifact(**row._mapping) for row in connection.execute(query)),
    )


def read_history(connection: Connection, run_id: RunId, key: str) -> list[Metric]:
    """Return one metric's values, by step and then in the order written."""
    table = schema.metrics
    query = (
        select(table.c.key, table.c.value, table.c.step, table.c.at)
        .where(table.c.run_id == run_id, table.c.key == key)
        .order_by(table.c.step, table.c.id)
    )
    return [Metric(**row._mapping) for row in connection.execute(query)]


def _pairs(connection: Connection, table: Table, run_id: RunId) -> dict[str, Any]:
    query = select(table.c.key, table.c.value).where(table.c.run_id == run_id)
    return {row.key: row.value for row in connection.execute(query.order_by(table.c.key))}


def _upsert(
    connection: Connection, table: Table, rows: list[dict[str, Any]], rises: str | None = None
) -> None:
    """Insert rows or replace those of the same key; only where `rises` does not fall, if given."""
    if not rows:
        return
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in table.c
        if not column.primary_key
    }
    where = None if rises is None else statement.excluded[rises] >= table.c[rises]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=replaced, where=where
        ),
        rows,
    )
