"""Rows of what a run logs, written and read within the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

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
        connection.execute(insert(schema.params), rows)


def write_tags(connection: Connection, run_id: RunId, tags: Mapping[str, str]) -> None:
    """Set tags; a later value replaces an earlier one."""
    rows = [{"run_id": run_id, "key": key, "value": value} for key, value in tags.items()]
    _replace(connection, schema.tags, rows)


def write_metrics(connection: Connection, run_id: RunId, metrics: Sequence[Metric]) -> None:
    """Append to the history, and keep the newest value of each key beside it."""
    if not metrics:
        return
    connection.execute(
        insert(schema.metrics),
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
    _replace(connection, schema.newest_metrics, rows, rises="step")


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
    _replace(connection, schema.artifacts, rows)


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


def _replace(
    connection: Connection, table: Table, rows: list[dict[str, Any]], rises: str | None = None
) -> None:
    """Insert rows or replace those of the same key; only where `rises` does not fall, if given.

    The caller holds the lock of the run that all the rows belong to, so what is looked up here
    is still so when it is written.
    """
    if not rows:
        return
    key = next(column for column in table.primary_key if column.name != "run_id")
    of_run = table.c.run_id == rows[0]["run_id"]
    there = set(connection.execute(select(key).where(of_run)).scalars())
    added = [row for row in rows if row[key.name] not in there]
    if added:
        connection.execute(insert(table), added)
    changed = [row for row in rows if row[key.name] in there]
    if changed:
        values = [column.name for column in table.c if not column.primary_key]
        statement = update(table).where(of_run, key == bindparam("of_key"))
        if rises is not None:
            statement = statement.where(table.c[rises] <= bindparam("of_rises"))
        connection.execute(
            statement.values({name: bindparam(f"new_{name}") for name in values}),
            [
                {f"new_{name}": row[name] for name in values}
                | {"of_key": row[key.name]}
                | ({} if rises is None else {"of_rises": row[rises]})
                for row in changed
            ],
        )
