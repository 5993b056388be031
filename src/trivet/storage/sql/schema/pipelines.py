"""Tables of pipelines: what each step once gave, by cache key."""

from sqlalchemy import Column, ForeignKey, String, Table

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

step_results = Table(
    "step_results",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("step", String(200), nullable=False, index=True),
    Column("run_id", String(32), ForeignKey("runs.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("output", CanonicalJson, nullable=False),
    Column("metrics", CanonicalJson, nullable=False),
    Column("links", CanonicalJson, nullable=False),
)
