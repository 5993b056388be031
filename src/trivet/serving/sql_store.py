"""Routing tables and gateways' reports in the database."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from trivet.ledger import Edge, Recorder, StaleGeneration, Verdict
from trivet.serving.errors import FenceTooOld, MoveWithoutEvidence
from trivet.serving.records import GatewayStatus, RoutingTable
from trivet.serving.tables import check_table, needs_evidence, table_from_json, table_to_json
from trivet.storage.sql.database import Database, Row
from trivet.storage.sql.schema import ledger as ledger_schema
from trivet.storage.sql.schema.serving import gateways, routing_tables

_CARRIES = (Verdict.PASSED, Verdict.FORCED)


class SqlRoutingStore:
    """Keeps a row a deployment and a row a gateway; the history is in the ledger."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def find_table(self, deployment: str) -> RoutingTable | None:
        with self._database.read() as connection:
            return _find(connection, deployment)

    def list_tables(self) -> list[RoutingTable]:
        query = select(routing_tables).order_by(routing_tables.c.deployment)
        with self._database.read() as connection:
            return [_to_table(row) for row in connection.execute(query)]

    def list_generations(self) -> dict[str, int]:
        query = select(routing_tables.c.deployment, routing_tables.c.generation)
        with self._database.read() as connection:
            return {row.deployment: row.generation for row in connection.execute(query)}

    def swap(
        self,
        table: RoutingTable,
        *,
        expected: int,
        reason: str,
        evidence: str | None,
        connection: Connection | None = None,
    ) -> RoutingTable:
        check_table(table)
        with self._database.join(connection) as writing:
            before = _find(writing, table.deployment, lock=True)
            fence = _check_move(writing, before, table, expected=expected, evidence=evidence)
            after = replace(table, generation=expected + 1, fence=fence)
            self._put(writing, after, expected)
            self._record(writing, before, after, reason=reason, evidence=evidence)
        return after

    def _put(self, connection: Connection, table: RoutingTable, expected: int) -> None:
        row = {
            "deployment": table.deployment,
            "generation": table.generation,
            "fence": table.fence,
            "stable": table.stable,
            "content": table_to_json(table),
            "at": self._recorder.clock(),
        }
        mine = routing_tables.c.deployment == table.deployment
        mine &= routing_tables.c.generation == expected
        if connection.execute(update(routing_tables).where(mine).values(**row)).rowcount:
            return
        try:
            with connection.begin_nested():
                connection.execute(insert(routing_tables), row)
        except IntegrityError:
            # Somebody else inserted the deployment's first table just before.
            raise StaleGeneration(f"deployment:{table.deployment}", expected, 1) from None

    def _record(
        self,
        connection: Connection,
        before: RoutingTable | None,
        after: RoutingTable,
        *,
        reason: str,
        evidence: str | None,
    ) -> None:
        was = before.revisions if before else ()
        self._recorder.record(
            connection,
            "routing.swapped",
            f"deployment:{after.deployment}",
            {
                **_shares(after),
                "revisions": [spec.number for spec in after.revisions],
                "fence": after.fence,
                "reason": reason,
                "evidence": evidence,
                "before": _shares(before) if before else None,
            },
            generation=after.generation,
            edges=[
                Edge(from_ref=spec.model, to_ref=spec.ref, role="serves")
                for spec in after.revisions
                if spec not in was
            ],
        )

    def report(
        self,
        gateway: str,
        url: str,
        generations: Mapping[str, int],
        problems: Mapping[str, str] | None = None,
    ) -> None:
        row = {
            "id": gateway,
            "url": url,
            "seen_at": self._recorder.clock(),
            "generations": dict(generations),
            "problems": dict(problems or {}),
        }
        mine = gateways.c.id == gateway
        with self._database.write() as connection:
            known = connection.execute(select(gateways).where(mine)).one_or_none()
            if known is None:
                connection.execute(insert(gateways), row)
            else:
                connection.execute(update(gateways).where(mine).values(**row))
            before = known.generations if known else {}
            for deployment, generation in sorted(generations.items()):
                if before.get(deployment) != generation:
                    self._recorder.record(
                        connection,
                        "weights.verified",
                        f"deployment:{deployment}",
                        {"gateway": gateway},
                        generation=generation,
                    )

    def list_gateways(self) -> list[GatewayStatus]:
        query = select(gateways).order_by(gateways.c.id)
        with self._database.read() as connection:
            return [GatewayStatus(**row._mapping) for row in connection.execute(query)]


def _find(connection: Connection, deployment: str, *, lock: bool = False) -> RoutingTable | None:
    query = select(routing_tables).where(routing_tables.c.deployment == deployment)
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _to_table(row)


def _to_table(row: Row) -> RoutingTable:
    return table_from_json(row.content)


def _shares(table: RoutingTable) -> dict[str, Any]:
    names = ("generation", "stable", "candidate", "weight", "shadow")
    return {name: getattr(table, name) for name in names}


def _check_move(
    connection: Connection,
    before: RoutingTable | None,
    after: RoutingTable,
    *,
    expected: int,
    evidence: str | None,
) -> int:
    """Return the fence the new table is to carry, or raise what forbids the move."""
    generation = before.generation if before else 0
    if generation != expected:
        raise StaleGeneration(f"deployment:{after.deployment}", expected, generation)
    current = before.fence if before else 0
    # A person has no fence; what a person writes still shuts out every older controller.
    if after.fence and after.fence < current:
        raise FenceTooOld(after.deployment, after.fence, current)
    _check_evidence(connection, after.deployment, evidence, needed=needs_evidence(before, after))
    return max(after.fence, current)


def _check_evidence(
    connection: Connection, deployment: str, evidence: str | None, *, needed: bool
) -> None:
    if evidence is None:
        if needed:
            problem = "more traffic needs evidence that passed, or a recorded force"
            raise MoveWithoutEvidence(deployment, None, problem)
        return
    stored = ledger_schema.evidence
    verdict = connection.execute(
        select(stored.c.verdict).where(stored.c.id == evidence)
    ).scalar_one_or_none()
    if verdict is None:
        raise MoveWithoutEvidence(deployment, evidence, "no such evidence is stored")
    if needed and verdict not in _CARRIES:
        problem = f"its verdict is {verdict}, where only 'passed' or 'forced' carries the move"
        raise MoveWithoutEvidence(deployment, evidence, problem)
