"""Repairs in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from trivet.control.errors import RepairActive, RepairNotFound
from trivet.control.records import Repair, RepairPhase
from trivet.ledger import Recorder, StaleGeneration
from trivet.storage.sql.database import Database, Row
from trivet.storage.sql.schema.control import repairs


class SqlRepairStore:
    """Keeps a row a repair."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def start(
        self, deployment: str, *, cause: str, alert: str | None, event_at: datetime, reason: str
    ) -> Repair:
        now = self._recorder.clock()
        repair = Repair(
            id=self._recorder.new_id(),
            deployment=deployment,
            cause=cause,
            alert=alert,
            phase=RepairPhase.NOTICED,
            reason=reason,
            started_at=now,
            event_at=event_at,
            phase_at=now,
        )
        values = {name: getattr(repair, name) for name in Repair.__slots__}
        with self._database.write() as connection:
            try:
                connection.execute(insert(repairs), {**values, "active_key": deployment})
            except IntegrityError:
                raise RepairActive(deployment) from None
            self._recorder.record(
                connection,
                "repair.noticed",
                f"deployment:{deployment}",
                {"repair": repair.id, "cause": cause, "alert": alert, "reason": reason},
            )
        return repair

    def advance(
        self,
        repair: Repair,
        phase: RepairPhase,
        reason: str,
        *,
        model: str | None = None,
        rollout: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> Repair:
        now = self._recorder.clock()
        values: dict[str, Any] = {
            "phase": phase,
            "reason": reason,
            "phase_at": now,
            "model": model or repair.model,
            "rollout": rollout or repair.rollout,
            "detail": {**repair.detail, **(detail or {})},
            "version": repair.version + 1,
        }
        if phase.is_final:
            values |= {"ended_at": now, "active_key": None}
        mine = (repairs.c.id == repair.id) & (repairs.c.version == repair.version)
        with self._database.write() as connection:
            moved = connection.execute(
                update(repairs).where(mine & repairs.c.active_key.is_not(None)).values(**values)
            )
            if moved.rowcount == 0:
                found = self.get(repair.id)
                raise StaleGeneration(f"repair {repair.id}", repair.version, found.version)
            self._recorder.record(
                connection,
                f"repair.{phase}",
                f"deployment:{repair.deployment}",
                {
                    "repair": repair.id,
                    "reason": reason,
                    "model": values["model"],
                    "rollout": values["rollout"],
                    **(detail or {}),
                },
            )
        return self.get(repair.id)

    def get(self, repair_id: str) -> Repair:
        with self._database.read() as connection:
            row = connection.execute(
                select(repairs).where(repairs.c.id == repair_id)
            ).one_or_none()
        if row is None:
            raise RepairNotFound(repair_id)
        return _to_repair(row)

    def find_active(self, deployment: str) -> Repair | None:
        with self._database.read() as connection:
            row = connection.execute(
                select(repairs).where(repairs.c.active_key == deployment)
            ).one_or_none()
        return None if row is None else _to_repair(row)

    def list_repairs(self, deployment: str | None = None, *, limit: int = 100) -> list[Repair]:
        query = select(repairs).order_by(repairs.c.id.desc()).limit(limit)
        if deployment is not None:
            query = query.where(repairs.c.deployment == deployment)
        with self._database.read() as connection:
            return [_to_repair(row) for row in connection.execute(query)]


def _to_repair(row: Row) -> Repair:
    values = dict(row._mapping)
    del values["active_key"]
    values["phase"] = RepairPhase(values["phase"])
    return Repair(**values)
