"""Tables of monitoring: answers, outcomes, windows, feature counts, rule states and alerts."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

_COUNTS = (
    *("requests", "errors", "invalid", "labelled", "correct", "positives"),
    *("agreed", "gained", "lost"),
)
_SUMS = ("loss", "loss_squared", "loss_positive")


def _tally() -> list[Column[object]]:
    """Return the columns that hold a tally."""
    return [
        *(Column(name, BigInteger, nullable=False) for name in _COUNTS),
        *(Column(name, Double, nullable=False) for name in _SUMS),
        Column("latency", CanonicalJson),
        Column("scores", CanonicalJson),
    ]


windows = Table(
    "windows",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("slice", String(200), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("role", String(10), primary_key=True),
    *_tally(),
)

window_totals = Table(
    "window_totals",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("role", String(10), primary_key=True),
    Column("first_event_at", UtcDateTime, nullable=False),
    Column("latest_event_at", UtcDateTime, nullable=False),
    *_tally(),
)

feature_hours = Table(
    "feature_hours",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("counts", CanonicalJson, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("request", String(64), nullable=False, index=True),
    Column("deployment", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("role", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event_at", UtcDateTime, nullable=False),
    Column("output", Double),
    Column("label", Integer),
    Column("latency_ms", Double, nullable=False),
    Column("primary_label", Integer),
    Column("outcome", Double),
    Column("slices", Text, nullable=False),
)
Index("ix_answers_revision", answers.c.deployment, answers.c.revision, answers.c.at)
Index("ix_answers_at", answers.c.at)

outcomes = Table(
    "outcomes",
    metadata,
    Column("request", String(64), primary_key=True),
    Column("deployment", String(100), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("event_at", UtcDateTime, nullable=False),
    Column("outcome", Double, nullable=False),
)

fold_positions = Table(
    "fold_positions",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("position", CanonicalJson, nullable=False),
    Column("version", BigInteger, nullable=False),
)

rule_states = Table(
    "rule_states",
    metadata,
    Column("deployment", String(100), primary_key=True),
    Column("rule", String(50), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("summary", Text, nullable=False),
    Column("numbers", CanonicalJson, nullable=False),
    Column("evidence", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event_at", UtcDateTime),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(32), primary_key=True),
    # Holds deployment, rule and subject while the alert is open; NULL afterwards. Unique, so
    # that of two who raise the same alert one finds the other's.
    Column("open_key", String(300), unique=True),
    Column("deployment", String(100), nullable=False, index=True),
    Column("rule", String(50), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("summary", Text, nullable=False),
    Column("evidence", String(32), nullable=False),
    Column("samples", CanonicalJson, nullable=False),
    Column("harm_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("triage_due_at", UtcDateTime, nullable=False),
    Column("resolve_due_at", UtcDateTime, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("triaged_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("action", Text, nullable=False),
    Column("detail", CanonicalJson, nullable=False),
)
