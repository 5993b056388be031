"""Tables of rollout: deployments, their revisions, and rollouts."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

deployments = Table(
    "deployments",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("model", String(100), nullable=False),
    Column("unit", String(100)),
    Column("owner", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("settings", CanonicalJson, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("deployment", String(100), ForeignKey("deployments.name"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("model", String(300), nullable=False, index=True),
    Column("format", String(50), nullable=False),
    Column("artifacts", CanonicalJson, nullable=False),
    Column("signature", CanonicalJson, nullable=False),
    Column("settings", CanonicalJson, nullable=False),
)

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("deployment", String(100), ForeignKey("deployments.name"), nullable=False, index=True),
    # The deployment's name while the rollout is under way, else NULL: unique, so that of two
    # that start at once one is refused.
    Column("active", String(100), unique=True),
    Column("stable", Integer),
    Column("candidate", Integer, nullable=False),
    Column("spec", CanonicalJson, nullable=False),
    Column("phase", String(20), nullable=False),
    Column("step", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("step_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("actor", String(200), nullable=False),
    Column("analysis", CanonicalJson, nullable=False),
    Column("evidence", CanonicalJson, nullable=False),
    Column("version", Integer, nullable=False),
)
