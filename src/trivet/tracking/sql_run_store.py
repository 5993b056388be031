"""Runs in the database. What runs log is written by `log_rows`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from trivet.kernel.refs import check_name
from trivet.ledger import Edge, Recorder
from trivet.storage.sql import ConstraintViolated, Database
from trivet.storage.sql.database import Row
from trivet.storage.sql.schema import tracking as schema
from trivet.tracking.errors import AmbiguousRun, RunFinished, RunNotFound
from trivet.tracking.log_rows import (
    read_data,
    read_history,
    write_artifacts,
    write_metrics,
    write_params,
    write_tags,
)
from trivet.tracking.records import (
    Artifact,
    Experiment,
    FinalStatus,
    Metric,
    Run,
    RunData,
    RunId,
    RunKind,
    RunStatus,
)
from trivet.tracking.sql_experiment_store import add_experiment, find_experiment

_ID_LENGTH = 32
_ERROR_LENGTH = 20_000
_RUNNING = schema.runs.c.status == RunStatus.RUNNING


class SqlRunStore:
    """Keeps a row a run, and beside the history of metrics the newest value of each."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def create_run(  # noqa: PLR0913 - all that is known of a run when it starts
        self,
        experiment: str,
        *,
        name: str = "",
        kind: RunKind = RunKind.RUN,
        parent: RunId | None = None,
        code: Mapping[str, Any] | None = None,
        environment: str | None = None,
        detail: Mapping[str, Any] | None = None,
        inputs: Sequence[tuple[str, str]] = (),
        process: Mapping[str, Any] | None = None,
    ) -> Run:
        now = self._recorder.clock()
        run = Run(
            id=RunId(self._recorder.new_id()),
            experiment=check_name(experiment),
            name=name,
            kind=kind,
            status=RunStatus.RUNNING,
            actor=self._recorder.actor,
            started_at=now,
            heartbeat_at=now,
            parent=parent,
            code=dict(code or {}),
            environment=environment,
            detail=dict(detail or {}),
            process=dict(process or {}),
        )
        try:
            self._insert([run], inputs)
        except ConstraintViolated:
            self._insert([run], inputs)  # Another process made the experiment just before.
        return run

    def record_runs(self, runs: Sequence[Run]) -> None:
        if runs:
            self._insert(runs, ())

    def _insert(self, runs: Sequence[Run], inputs: Sequence[tuple[str, str]]) -> None:
        with self._database.write() as connection:
            for experiment in {run.experiment for run in runs}:
                self._require_experiment(connection, experiment)
            connection.execute(insert(schema.runs), [_to_row(run) for run in runs])
            for run in runs:
                payload = {"experiment": run.experiment, "kind": run.kind, "name": run.name}
                if run.parent is not None:
                    payload["parent"] = run.parent
                edges = [Edge(from_ref=ref, to_ref=run.ref, role=role) for ref, role in inputs]
                self._recorder.record(connection, "run.started", run.ref, payload, edges=edges)
                if run.status is not RunStatus.RUNNING:
                    self._record_end(connection, run)

    def _require_experiment(self, connection: Connection, name: str) -> None:
        if find_experiment(connection, name) is None:
            experiment = Experiment(
                name=name,
                objective="",
                hypothesis="",
                owner=self._recorder.actor,
                created_at=self._recorder.clock(),
            )
            add_experiment(connection, self._recorder, experiment)

    def get_run(self, run_id: RunId) -> Run:
        with self._database.read() as connection:
            run = _find(connection, run_id)
            if run is None and 0 < len(run_id) < _ID_LENGTH:
                run = _find_by_start(connection, run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def get_data(self, run_id: RunId) -> RunData:
        with self._database.read() as connection:
            _get(connection, run_id)
            return read_data(connection, run_id)

    def log(
        self,
        run_id: RunId,
        *,
        params: Mapping[str, str] | None = None,
        metrics: Sequence[Metric] = (),
        tags: Mapping[str, str] | None = None,
        artifacts: Sequence[Artifact] = (),
        sequence: int | None = None,
    ) -> None:
        with self._database.write() as connection:
            if not _take_turn(connection, run_id, sequence):
                return
            write_params(connection, run_id, params or {})
            write_metrics(connection, run_id, metrics)
            write_tags(connection, run_id, tags or {})
            write_artifacts(connection, run_id, artifacts)

    def metric_history(self, run_id: RunId, key: str) -> list[Metric]:
        with self._database.read() as connection:
            _get(connection, run_id)
            return read_history(connection, run_id, key)

    def link(
        self,
        run_id: RunId,
        *,
        inputs: Sequence[tuple[str, str]] = (),
        outputs: Sequence[tuple[str, str]] = (),
        sequence: int | None = None,
    ) -> None:
        if not inputs and not outputs:
            return
        ref = f"run:{run_id}"
        edges = [Edge(from_ref=source, to_ref=ref, role=role) for source, role in inputs]
        edges += [Edge(from_ref=ref, to_ref=result, role=role) for result, role in outputs]
        with self._database.write() as connection:
            if not _take_turn(connection, run_id, sequence):
                return
            payload = {
                "inputs": [list(pair) for pair in inputs],
                "outputs": [list(pair) for pair in outputs],
            }
            self._recorder.record(connection, "run.linked", ref, payload, edges=edges)

    def finish_run(
        self,
        run_id: RunId,
        status: FinalStatus,
        error: str | None = None,
        *,
        detail: Mapping[str, Any] | None = None,
    ) -> Run:
        with self._database.write() as connection:
            values = (
                {} if not detail else {"detail": _get(connection, run_id).detail | dict(detail)}
            )
            return self._end(connection, run_id, status, error, **values)

    def _end(
        self,
        connection: Connection,
        run_id: RunId,
        status: FinalStatus,
        error: str | None,
        **values: Any,
    ) -> Run:
        kept = None if error is None else error[-_ERROR_LENGTH:]
        values |= {"status": status, "ended_at": self._recorder.clock(), "error": kept}
        _write_running(connection, run_id, **values)
        run = _get(connection, run_id)
        self._record_end(connection, run)
        return run

    def _record_end(self, connection: Connection, run: Run) -> None:
        payload: dict[str, Any] = {"status": run.status, "kind": run.kind}
        if run.ended_at is not None:
            payload["seconds"] = round((run.ended_at - run.started_at).total_seconds(), 6)
        if run.error:
            payload["error"] = run.error.strip().splitlines()[-1][:500]
        self._recorder.record(connection, "run.finished", run.ref, payload)

    def beat(self, run_id: RunId) -> None:
        with self._database.write() as connection:
            _write_running(connection, run_id, heartbeat_at=self._recorder.clock())

    def mark_lost(self, silent_since: datetime, *, dead: Sequence[RunId] = ()) -> list[Run]:
        silent = (schema.runs.c.heartbeat_at < silent_since) | schema.runs.c.id.in_(dead)
        query = select(schema.runs.c.id).where(_RUNNING & silent).order_by(schema.runs.c.id)
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            found = connection.execute(query).scalars().all()
            return [
                self._end(connection, RunId(run_id), RunStatus.LOST, _why_lost(run_id in dead))
                for run_id in found
            ]

    def list_runs(
        self,
        *,
        experiment: str | None = None,
        kind: RunKind | None = None,
        parent: RunId | None = None,
        status: RunStatus | None = None,
        limit: int = 100,
    ) -> list[Run]:
        runs = schema.runs
        wanted = {"experiment": experiment, "kind": kind, "parent": parent, "status": status}
        query = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
        for column, value in wanted.items():
            if value is not None:
                query = query.where(runs.c[column] == value)
        with self._database.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]


def _why_lost(is_dead: bool) -> str:
    if is_dead:
        return "The process of the run ended without saying how the run ended."
    return "The process of the run has not been heard of for too long."


def _find(connection: Connection, run_id: str) -> Run | None:
    row = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).one_or_none()
    return None if row is None else _to_run(row)


def _get(connection: Connection, run_id: str) -> Run:
    run = _find(connection, run_id)
    if run is None:
        raise RunNotFound(run_id)
    return run


def _find_by_start(connection: Connection, start: str) -> Run | None:
    fits: ColumnElement[bool] = schema.runs.c.id.startswith(start, autoescape=True)
    query = select(schema.runs).where(fits).order_by(schema.runs.c.id).limit(3)
    rows = connection.execute(query).all()
    if len(rows) > 1:
        raise AmbiguousRun(start, tuple(row.id for row in rows))
    return _to_run(rows[0]) if rows else None


def _write_running(connection: Connection, run_id: str, **values: object) -> None:
    """Update the run if it is RUNNING; of two writers that race to end it, one loses here."""
    running = (schema.runs.c.id == run_id) & _RUNNING
    if connection.execute(update(schema.runs).where(running).values(**values)).rowcount == 0:
        raise RunFinished(run_id, _get(connection, run_id).status)


def _take_turn(connection: Connection, run_id: str, sequence: int | None) -> bool:
    """Lock the running run for a write; False if the write of this number was made before."""
    if sequence is None:
        # Writing the status back locks the run, so it cannot finish before the write does.
        _write_running(connection, run_id, status=RunStatus.RUNNING)
        return True
    later = (schema.runs.c.id == run_id) & _RUNNING & (schema.runs.c.logged < sequence)
    done = connection.execute(update(schema.runs).where(later).values(logged=sequence))
    if done.rowcount:
        return True
    logged = select(schema.runs.c.logged).where(schema.runs.c.id == run_id)
    run = _get(connection, run_id)
    if connection.execute(logged).scalar_one() >= sequence:
        return False
    raise RunFinished(run_id, run.status)


def _to_row(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in Run.__dataclass_fields__} | {"logged": 0}


def _to_run(row: Row) -> Run:
    values = dict(row._mapping)
    del values["logged"]
    values["status"] = RunStatus(values["status"])
    values["kind"] = RunKind(values["kind"])
    return Run(**values)
