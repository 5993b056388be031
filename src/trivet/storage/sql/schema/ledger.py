"""Tables of the ledger: facts, edges, evidence, seals and leases."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from trivet.storage.sql.schema.columns import CanonicalJson, Sequence, UtcDateTime, metadata

seals = Table(
    "seals",
    metadata,
    Column("number", Sequence, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("facts", BigInteger, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
)

facts = Table(
    "facts",
    metadata,
    Column("seq", Sequence, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(100), nullable=False, index=True),
    Column("subject", String(300), nullable=False, index=True),
    Column("generation", BigInteger),
    Column("payload", CanonicalJson, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seal", Sequence, ForeignKey("seals.number"), index=True),
)

edges = Table(
    "edges",
    metadata,
    Column("id", Sequence, primary_key=True),
    Column("from_ref", String(300), nullable=False, index=True),
    Column("to_ref", String(300), nullable=False, index=True),
    Column("role", String(100), nullable=False),
    Column("fact_id", String(32), ForeignKey("facts.id"), nullable=False),
)
Index("ix_edges_ends", edges.c.from_ref, edges.c.to_ref, edges.c.role)

evidence = Table(
    "evidence",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(100), nullable=False, index=True),
    Column("subject", String(300), nullable=False, index=True),
    Column("verdict", String(20), nullable=False),
    Column("summary", Text, nullable=False),
    Column("inputs", CanonicalJson, nullable=False),
    Column("numbers", CanonicalJson, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("holder", String(100), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
