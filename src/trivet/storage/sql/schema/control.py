"""Tables of control: repairs."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

repairs = Table(
    "repairs",
    metadata,
    Column("id", String(32), primary_key=True),
    # Holds the deployment while the repair goes on; NULL afterwards. Unique, so that a
    # deployment is under repair once at a time.
    Column("active_key", String(100), unique=True),
    Column("deployment", String(100), nullable=False),
    Column("cause", String(100), nullable=False),
    Column("alert", String(32)),
    Column("phase", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("event_at", UtcDateTime, nullable=False),
    Column("phase_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("model", String(200)),
    Column("rollout", String(32)),
    Column("detail", CanonicalJson, nullable=False),
    Column("version", BigInteger, nullable=False),
)
Index("ix_repairs_deployment", repairs.c.deployment, repairs.c.id)
