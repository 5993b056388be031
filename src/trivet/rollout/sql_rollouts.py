"""Rollouts in the database."""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from trivet.ledger import Recorder, StaleGeneration
from trivet.rollout.errors import RolloutActive, RolloutNotFound
from trivet.rollout.records import Phase, Rollout, RolloutSpec, RolloutStep, Strategy
from trivet.storage.sql.database import Database, Row
from trivet.storage.sql.schema.rollout import rollouts


class SqlRolloutStore:
    """Keeps a row a rollout; who wins a race is decided by the version in the statement."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def start(self, rollout: Rollout, *, connection: Connection | None = None) -> Rollout:
        started = replace(rollout, version=1)
        with self._database.join(connection) as transaction:
            if not started.phase.is_final:
                other = _find_active(transaction, rollout.deployment)
                if other is not None:
                    detail = f"{other.ref} is {other.phase} and must end first"
                    raise RolloutActive(rollout.deployment, detail)
            try:
                transaction.execute(insert(rollouts), _to_row(started))
            except IntegrityError as error:
                detail = "another rollout began at the same moment"
                raise RolloutActive(rollout.deployment, detail) from error
            self._record(transaction, "rollout.started", started)
            if started.phase.is_final:
                self._record(transaction, f"rollout.{started.phase}", started)
        return started

    def get(self, rollout_id: str) -> Rollout:
        with self._database.read() as connection:
            return _get(connection, rollout_id)

    def find_active(self, deployment: str) -> Rollout | None:
        with self._database.read() as connection:
            return _find_active(connection, deployment)

    def list_rollouts(
        self, deployment: str | None = None, *, active: bool = False, limit: int = 100
    ) -> list[Rollout]:
        query = select(rollouts).order_by(rollouts.c.id.desc()).limit(limit)
        if deployment is not None:
            query = query.where(rollouts.c.deployment == deployment)
        if active:
            query = query.where(rollouts.c.active.is_not(None))
        with self._database.read() as connection:
            return [_to_rollout(row) for row in connection.execute(query)]

    def save(self, rollout: Rollout, *, connection: Connection | None = None) -> Rollout:
        saved = replace(rollout, version=rollout.version + 1)
        with self._database.join(connection) as transaction:
            before = _get(transaction, rollout.id)
            expected = (rollouts.c.id == rollout.id) & (rollouts.c.version == rollout.version)
            # `active` is NULL once a rollout is final, which makes the end absorbing.
            written = transaction.execute(
                update(rollouts)
                .where(expected & rollouts.c.active.is_not(None))
                .values(**_to_row(saved))
            )
            if written.rowcount == 0:
                raise StaleGeneration(rollout.ref, rollout.version, before.version)
            if (before.phase, before.step) != (saved.phase, saved.step):
                self._record(transaction, f"rollout.{saved.phase}", saved)
            elif _is_paused(before) != _is_paused(saved):
                verb = "paused" if _is_paused(saved) else "resumed"
                self._record(transaction, f"rollout.{verb}", saved)
        return saved

    def _record(self, connection: Connection, kind: str, rollout: Rollout) -> None:
        steps = rollout.spec.steps
        payload = {
            "deployment": rollout.deployment,
            "stable": rollout.stable,
            "candidate": rollout.candidate,
            "strategy": rollout.spec.strategy,
            "phase": rollout.phase,
            "step": rollout.step,
            "step_name": steps[rollout.step].name if rollout.step < len(steps) else None,
            "reason": rollout.reason,
            "evidence": rollout.evidence[-1] if rollout.evidence else None,
        }
        self._recorder.record(
            connection, kind, rollout.ref, payload, generation=rollout.analysis.get("generation")
        )


def _is_paused(rollout: Rollout) -> bool:
    return bool(rollout.analysis.get("paused"))


def _get(connection: Connection, rollout_id: str) -> Rollout:
    row = connection.execute(select(rollouts).where(rollouts.c.id == rollout_id)).one_or_none()
    if row is None:
        raise RolloutNotFound(rollout_id)
    return _to_rollout(row)


def _find_active(connection: Connection, deployment: str) -> Rollout | None:
    row = connection.execute(select(rollouts).where(rollouts.c.active == deployment)).one_or_none()
    return None if row is None else _to_rollout(row)


def _to_row(rollout: Rollout) -> dict[str, Any]:
    row = {name: getattr(rollout, name) for name in Rollout.__dataclass_fields__}
    row["spec"] = asdict(rollout.spec)
    row["active"] = None if rollout.phase.is_final else rollout.deployment
    row["evidence"] = list(rollout.evidence)
    return row


def _to_rollout(row: Row) -> Rollout:
    values = dict(row._mapping)
    del values["active"]
    values["spec"] = _to_spec(values["spec"])
    values["phase"] = Phase(values["phase"])
    values["evidence"] = tuple(values["evidence"])
    return Rollout(**values)


def _to_spec(values: dict[str, Any]) -> RolloutSpec:
    return RolloutSpec(
        **{
            **values,
            "strategy": Strategy(values["strategy"]),
            "steps": tuple(RolloutStep(**step) for step in values["steps"]),
        }
    )
