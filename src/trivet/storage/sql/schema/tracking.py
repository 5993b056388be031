"""Tables of tracking: experiments, runs, and what runs log."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
)

from trivet.storage.sql.schema.columns import (
    CanonicalJson,
    MetricValue,
    Sequence,
    UtcDateTime,
    metadata,
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("objective", Text, nullable=False),
    Column("hypothesis", Text, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("kill_criteria", CanonicalJson, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("outcome_reason", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("experiment", String(100), ForeignKey("experiments.name"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("status", String(20), nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("started_at", UtcDateTime, nullable=False, index=True),
    Column("ended_at", UtcDateTime),
    Column("heartbeat_at", UtcDateTime),
    Column("parent", String(32), ForeignKey("runs.id"), index=True),
    Column("code", CanonicalJson, nullable=False),
    Column("environment", String(64)),
    Column("error", Text),
    Column("detail", CanonicalJson, nullable=False),
    Column("process", CanonicalJson, nullable=False),
    Column("logged", BigInteger, nullable=False),
)

params = Table(
    "run_params",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id"), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

tags = Table(
    "run_tags",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id"), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

metrics = Table(
    "run_metrics",
    metadata,
    Column("id", Sequence, primary_key=True),
    Column("run_id", String(32), ForeignKey("runs.id"), nullable=False),
    Column("key", String(250), nullable=False),
    Column("value", MetricValue),
    Column("step", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
Index("ix_run_metrics_history", metrics.c.run_id, metrics.c.key, metrics.c.step)

newest_metrics = Table(
    "run_newest_metrics",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id"), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", MetricValue),
    Column("step", BigInteger, nullable=False),
)

artifacts = Table(
    "run_artifacts",
    metadata,
    Column("run_id", String(32), ForeignKey("runs.id"), primary_key=True),
    Column("path", String(500), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
)
