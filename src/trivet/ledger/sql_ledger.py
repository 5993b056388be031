"""The ledger in the database."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from trivet.kernel.digests import Digest, digest_json
from trivet.ledger.errors import EvidenceNotFound
from trivet.ledger.recorder import Recorder, fact_digest
from trivet.ledger.records import Edge, Evidence, Fact, Verdict, Verification
from trivet.storage.sql.database import ConstraintViolated, Database, Row
from trivet.storage.sql.schema import ledger as schema

_GENESIS = Digest("0" * 64)
_FACTS_IN_A_SEAL = 10_000


class SqlLedger:
    """Reads and seals the tables that `Recorder` writes."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database = database
        self._recorder = recorder

    def list_facts(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Fact]:
        facts = schema.facts
        query = select(facts).where(facts.c.seq > after).limit(limit)
        query = query.order_by(facts.c.seq.desc() if newest_first else facts.c.seq)
        if before is not None:
            query = query.where(facts.c.seq < before)
        if subject is not None:
            query = query.where(_matches(facts.c.subject, subject))
        if kind is not None:
            query = query.where(_matches(facts.c.kind, kind))
        with self._database.read() as connection:
            return [Fact(**row._mapping) for row in connection.execute(query)]

    def list_edges(self, ref: str, *, upstream: bool, depth: int = 20) -> list[Edge]:
        near, far = (
            (schema.edges.c.to_ref, schema.edges.c.from_ref)
            if upstream
            else (schema.edges.c.from_ref, schema.edges.c.to_ref)
        )
        found: dict[Edge, None] = {}
        seen, frontier = {ref}, [ref]
        with self._database.read() as connection:
            for _ in range(depth):
                if not frontier:
                    break
                rows = connection.execute(
                    select(schema.edges, far.label("far"))
                    .where(near.in_(frontier))
                    .order_by(schema.edges.c.id)
                ).all()
                found.update(
                    (Edge(from_ref=row.from_ref, to_ref=row.to_ref, role=row.role), None)
                    for row in rows
                )
                frontier = list(dict.fromkeys(row.far for row in rows if row.far not in seen))
                seen.update(frontier)
        return list(found)

    def get_evidence(self, evidence_id: str) -> Evidence:
        with self._database.read() as connection:
            row = connection.execute(
                select(schema.evidence).where(schema.evidence.c.id == evidence_id)
            ).one_or_none()
        if row is None:
            raise EvidenceNotFound(evidence_id)
        return _to_evidence(row)

    def list_evidence(
        self, *, subject: str | None = None, kind: str | None = None, limit: int = 100
    ) -> list[Evidence]:
        evidence = schema.evidence
        query = select(evidence).order_by(evidence.c.id.desc()).limit(limit)
        if subject is not None:
            query = query.where(_matches(evidence.c.subject, subject))
        if kind is not None:
            query = query.where(evidence.c.kind == kind)
        with self._database.read() as connection:
            return [_to_evidence(row) for row in connection.execute(query)]

    def judge(
        self,
        kind: str,
        subject: str,
        verdict: Verdict,
        summary: str,
        *,
        inputs: dict[str, Any] | None = None,
        numbers: dict[str, Any] | None = None,
    ) -> Evidence:
        with self._database.write() as connection:
            return self._recorder.judge(
                connection, kind, subject, verdict, summary, inputs=inputs, numbers=numbers
            )

    def note(
        self, kind: str, subject: str, payload: dict[str, Any], *, edges: Sequence[Edge] = ()
    ) -> str:
        with self._database.write() as connection:
            return self._recorder.record(connection, kind, subject, payload, edges=edges)

    def seal(self) -> int:
        sealed = 0
        while batch := self._seal_batch():
            sealed += batch
        return sealed

    def _seal_batch(self) -> int:
        try:
            with self._database.write() as connection:
                return self._chain_new_facts(connection)
        except ConstraintViolated:
            # Another sealer put its seal after the same predecessor first; it has these facts.
            return 0

    def _chain_new_facts(self, connection: Connection) -> int:
        # The last seal before the facts: if another sealer comes between, our number is taken.
        last = connection.execute(
            select(schema.seals).order_by(schema.seals.c.number.desc()).limit(1)
        ).one_or_none()
        # What has no seal, and not what follows the last sealed `seq`: a transaction may commit a
        # lower number after a higher one.
        rows = connection.execute(
            select(schema.facts.c.seq, schema.facts.c.digest)
            .where(schema.facts.c.seal.is_(None))
            .order_by(schema.facts.c.seq)
            .limit(_FACTS_IN_A_SEAL)
        ).all()
        if not rows:
            return 0
        previous = last.digest if last else _GENESIS
        number = last.number + 1 if last else 1
        connection.execute(
            insert(schema.seals),
            {
                "number": number,
                "at": self._recorder.clock(),
                "facts": len(rows),
                "previous": previous,
                "digest": _seal_digest(previous, number, (row.digest for row in rows)),
            },
        )
        connection.execute(
            update(schema.facts)
            .where(schema.facts.c.seq.in_([row.seq for row in rows]))
            .values(seal=number)
        )
        return len(rows)

    def verify(self) -> Verification:
        problems: list[str] = []
        with self._database.read() as connection:
            unsealed = 0
            digests_of: dict[int, list[str]] = {}
            facts = 0
            for row in connection.execute(select(schema.facts).order_by(schema.facts.c.seq)):
                facts += 1
                if fact_digest(dict(row._mapping)) != row.digest:
                    problems.append(f"fact {row.seq} ({row.kind}) is not what was recorded")
                if row.seal is None:
                    unsealed += 1
                else:
                    digests_of.setdefault(row.seal, []).append(row.digest)
            seals = connection.execute(select(schema.seals).order_by(schema.seals.c.number)).all()
            count = connection.execute(
                select(func.count()).select_from(schema.evidence)
            ).scalar_one()
            problems += _broken_links(seals, digests_of)
            problems += _changed_evidence(connection, count)
        return Verification(
            facts=facts, seals=len(seals), unsealed=unsealed, problems=tuple(problems)
        )


def _broken_links(seals: Iterable[Row], digests_of: dict[int, list[str]]) -> list[str]:
    problems = []
    previous: str = _GENESIS
    number = 0
    for seal in seals:
        number += 1
        digests = digests_of.get(seal.number, [])
        if seal.number != number or seal.previous != previous:
            problems.append(f"seal {seal.number} does not follow seal {number - 1}")
            number = seal.number
        elif seal.facts != len(digests):
            problems.append(f"seal {number} covered {seal.facts} facts, {len(digests)} are left")
        elif seal.digest != _seal_digest(previous, number, digests):
            problems.append(f"the facts under seal {number} are not those that were sealed")
        previous = seal.digest
    return problems


def _changed_evidence(connection: Connection, count: int) -> list[str]:
    """Return what is wrong with evidence, each of which a fact vouches for by its digest."""
    vouched = {
        row.payload["evidence"]: row.payload
        for row in connection.execute(
            select(schema.facts.c.payload).where(schema.facts.c.kind.like("%.judged"))
        )
    }
    problems = []
    for row in connection.execute(select(schema.evidence)):
        fact = vouched.get(row.id)
        if fact is None or fact["content"] != digest_json([row.inputs, row.numbers]):
            problems.append(f"evidence {row.id} is not what was recorded")
        elif (fact["verdict"], fact["summary"]) != (row.verdict, row.summary):
            problems.append(f"the verdict of evidence {row.id} is not what was recorded")
    if count < len(vouched):
        problems.append(f"{len(vouched) - count} pieces of evidence are missing")
    return problems


def _seal_digest(previous: str, number: int, digests: Iterable[str]) -> Digest:
    return digest_json([previous, number, list(digests)])


def _matches(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    if pattern.endswith("*"):
        return column.startswith(pattern[:-1], autoescape=True)
    return column == pattern


def _to_evidence(row: Row) -> Evidence:
    values = dict(row._mapping)
    values["verdict"] = Verdict(values["verdict"])
    return Evidence(**values)
