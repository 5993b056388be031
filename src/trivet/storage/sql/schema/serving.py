"""Tables of serving: the routing table of each deployment, and what gateways report."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

routing_tables = Table(
    "routing_tables",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("stable", Integer, nullable=False),
    Column("content", CanonicalJson, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

gateways = Table(
    "gateways",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("url", Text, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("generations", CanonicalJson, nullable=False),
    Column("problems", CanonicalJson, nullable=False),
)
