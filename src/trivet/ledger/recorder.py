"""Write facts, edges and evidence on the connection of the change that they record."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from trivet.kernel.clock import Clock, utc_now
from trivet.kernel.digests import Digest, Json, digest_json
from trivet.kernel.ids import NewId, new_id
from trivet.ledger.errors import EvidenceNotFound
from trivet.ledger.records import Edge, Evidence, EvidenceId, Verdict
from trivet.storage.sql.schema import ledger as schema


class Recorder:
    """Records on behalf of the stores; one is shared by all of them.

    Attributes:
        actor: Who acts where a call does not say otherwise: `user:anna`, `control`.
    """

    def __init__(self, actor: str, clock: Clock = utc_now, new_id: NewId = new_id) -> None:
        self.actor = actor
        self.clock = clock
        self.new_id = new_id

    def record(
        self,
        connection: Connection,
        kind: str,
        subject: str,
        payload: dict[str, Any],
        *,
        generation: int | None = None,
        edges: Sequence[Edge] = (),
    ) -> str:
        """Append a fact, and the edges it establishes, and return the fact's id.

        Args:
            connection: The write transaction of the change itself (I2).
            kind: What happened: `<noun>.<past participle>`, such as `model.registered`.
            subject: The ref it happened to.
            payload: What a reader needs to know of it; JSON.
            generation: The pointer's new generation, where a pointer moved.
            edges: Lineage that came to be.
        """
        fact: dict[str, Any] = {
            "id": self.new_id(),
            "at": self.clock(),
            "actor": self.actor,
            "kind": kind,
            "subject": subject,
            "generation": generation,
            "payload": payload,
        }
        connection.execute(insert(schema.facts), {**fact, "digest": fact_digest(fact)})
        if edges:
            connection.execute(
                insert(schema.edges),
                [
                    {
                        "from_ref": edge.from_ref,
                        "to_ref": edge.to_ref,
                        "role": edge.role,
                        "fact_id": fact["id"],
                    }
                    for edge in edges
                ],
            )
        return str(fact["id"])

    def judge(
        self,
        connection: Connection,
        kind: str,
        subject: str,
        verdict: Verdict,
        summary: str,
        *,
        inputs: dict[str, Any] | None = None,
        numbers: dict[str, Any] | None = None,
    ) -> Evidence:
        """Store a piece of evidence, with the fact that it was given, and return it."""
        evidence = Evidence(
            id=EvidenceId(self.new_id()),
            at=self.clock(),
            actor=self.actor,
            kind=kind,
            subject=subject,
            verdict=verdict,
            summary=summary,
            inputs=inputs or {},
            numbers=numbers or {},
        )
        row = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
        connection.execute(insert(schema.evidence), row)
        said = {"evidence": evidence.id, "verdict": verdict, "summary": summary}
        said["content"] = digest_json([evidence.inputs, evidence.numbers])
        self.record(connection, f"{kind}.judged", subject, said)
        return evidence


def require_evidence(connection: Connection, evidence_ids: Sequence[str]) -> None:
    """Raise `EvidenceNotFound` unless every id names stored evidence."""
    for evidence_id in evidence_ids:
        row = connection.execute(
            select(schema.evidence.c.id).where(schema.evidence.c.id == evidence_id)
        ).one_or_none()
        if row is None:
            raise EvidenceNotFound(evidence_id)


def fact_digest(fact: dict[str, Json]) -> Digest:
    """Return the digest over every field of a fact but the ones the database fills in."""
    return digest_json(
        {
            "id": fact["id"],
            "at": fact["at"].isoformat(),
            "actor": fact["actor"],
            "kind": fact["kind"],
            "subject": fact["subject"],
            "generation": fact["generation"],
            "payload": fact["payload"],
        }
    )
