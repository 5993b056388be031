"""The first schema: every table that trivet keeps."""

import sqlalchemy as sa
from alembic import op

from trivet.storage.sql.schema import columns

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables; there are no older rows."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.String(length=300), nullable=True),
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("samples", columns.CanonicalJson(), nullable=False),
        sa.Column("harm_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("opened_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("triage_due_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("resolve_due_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("triaged_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", columns.CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("open_key", name=op.f("uq_alerts_open_key")),
    )
    op.create_index(op.f("ix_alerts_deployment"), "alerts", ["deployment"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("event_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("output", sa.Double(), nullable=True),
        sa.Column("label", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        sa.Column("primary_label", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.Double(), nullable=True),
        sa.Column("slices", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index("ix_answers_at", "answers", ["at"], unique=False)
    op.create_index(op.f("ix_answers_request"), "answers", ["request"], unique=False)
    op.create_index(
        "ix_answers_revision", "answers", ["deployment", "revision", "at"], unique=False
    )
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key", columns.CanonicalJson(), nullable=False),
        sa.Column("event_time", sa.String(length=200), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("table_name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_datasets")),
        sa.UniqueConstraint("table_name", name=op.f("uq_datasets_table_name")),
    )
    op.create_table(
        "deployments",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settings", columns.CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_deployments")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("inputs", columns.CanonicalJson(), nullable=False),
        sa.Column("numbers", columns.CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_kind"), "evidence", ["kind"], unique=False)
    op.create_index(op.f("ix_evidence_subject"), "evidence", ["subject"], unique=False)
    op.create_table(
        "experiments",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("objective", sa.Text(), nullable=False),
        sa.Column("hypothesis", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("kill_criteria", columns.CanonicalJson(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("outcome_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_experiments")),
    )
    op.create_table(
        "feature_definitions",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("definition", columns.CanonicalJson(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_feature_definitions")),
        sa.UniqueConstraint("name", "digest", name=op.f("uq_feature_definitions_name")),
    )
    op.create_table(
        "feature_heads",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feature_heads")),
    )
    op.create_table(
        "feature_hours",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("hour", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("counts", columns.CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "revision", "hour", name=op.f("pk_feature_hours")),
    )
    op.create_table(
        "fold_positions",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("position", columns.CanonicalJson(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fold_positions")),
    )
    op.create_table(
        "gateways",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("seen_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("generations", columns.CanonicalJson(), nullable=False),
        sa.Column("problems", columns.CanonicalJson(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateways")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "materializations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("commit_ref", sa.String(length=300), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("until", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_materializations")),
    )
    op.create_index(op.f("ix_materializations_name"), "materializations", ["name"], unique=False)
    op.create_table(
        "models",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_models")),
    )
    op.create_table(
        "outcomes",
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("event_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_outcomes")),
    )
    op.create_index(op.f("ix_outcomes_at"), "outcomes", ["at"], unique=False)
    op.create_table(
        "repairs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("active_key", sa.String(length=100), nullable=True),
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.Column("alert", sa.String(length=32), nullable=True),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("event_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("phase_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("model", sa.String(length=200), nullable=True),
        sa.Column("rollout", sa.String(length=32), nullable=True),
        sa.Column("detail", columns.CanonicalJson(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repairs")),
        sa.UniqueConstraint("active_key", name=op.f("uq_repairs_active_key")),
    )
    op.create_index("ix_repairs_deployment", "repairs", ["deployment", "id"], unique=False)
    op.create_table(
        "routing_tables",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("stable", sa.Integer(), nullable=False),
        sa.Column("content", columns.CanonicalJson(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deployment", name=op.f("pk_routing_tables")),
    )
    op.create_table(
        "rule_states",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("numbers", columns.CanonicalJson(), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("event_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("deployment", "rule", name=op.f("pk_rule_states")),
    )
    op.create_table(
        "seals",
        sa.Column("number", columns.Sequence, nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seals")),
        sa.UniqueConstraint("digest", name=op.f("uq_seals_digest")),
        sa.UniqueConstraint("previous", name=op.f("uq_seals_previous")),
    )
    op.create_table(
        "window_totals",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("first_event_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("latest_event_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("invalid", sa.BigInteger(), nullable=False),
        sa.Column("labelled", sa.BigInteger(), nullable=False),
        sa.Column("correct", sa.BigInteger(), nullable=False),
        sa.Column("positives", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.BigInteger(), nullable=False),
        sa.Column("gained", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=False),
        sa.Column("loss_squared", sa.Double(), nullable=False),
        sa.Column("loss_positive", sa.Double(), nullable=False),
        sa.Column("latency", columns.CanonicalJson(), nullable=True),
        sa.Column("scores", columns.CanonicalJson(), nullable=True),
        sa.PrimaryKeyConstraint("deployment", "revision", "role", name=op.f("pk_window_totals")),
    )
    op.create_table(
        "windows",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("hour", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("slice", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("invalid", sa.BigInteger(), nullable=False),
        sa.Column("labelled", sa.BigInteger(), nullable=False),
        sa.Column("correct", sa.BigInteger(), nullable=False),
        sa.Column("positives", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.BigInteger(), nullable=False),
        sa.Column("gained", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=False),
        sa.Column("loss_squared", sa.Double(), nullable=False),
        sa.Column("loss_positive", sa.Double(), nullable=False),
        sa.Column("latency", columns.CanonicalJson(), nullable=True),
        sa.Column("scores", columns.CanonicalJson(), nullable=True),
        sa.PrimaryKeyConstraint(
            "deployment", "hour", "slice", "revision", "role", name=op.f("pk_windows")
        ),
    )
    op.create_table(
        "dataset_commits",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("depth", sa.BigInteger(), nullable=False),
        sa.Column("parents", columns.CanonicalJson(), nullable=False),
        sa.Column("change", sa.String(length=20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("rows_added", sa.BigInteger(), nullable=False),
        sa.Column("rows_changed", sa.BigInteger(), nullable=False),
        sa.Column("rows_deleted", sa.BigInteger(), nullable=False),
        sa.Column("schema", columns.CanonicalJson(), nullable=False),
        sa.Column("content", sa.String(length=32), nullable=False),
        sa.Column("contract", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.Column("table_line", sa.String(length=100), nullable=True),
        sa.Column("table_number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.name"], name=op.f("fk_dataset_commits_dataset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_commits")),
    )
    op.create_index(
        "ix_dataset_commits_history", "dataset_commits", ["dataset", "id"], unique=False
    )
    op.create_table(
        "dataset_contracts",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.name"], name=op.f("fk_dataset_contracts_dataset")
        ),
        sa.PrimaryKeyConstraint("dataset", "version", name=op.f("pk_dataset_contracts")),
    )
    op.create_table(
        "facts",
        sa.Column("seq", columns.Sequence, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=True),
        sa.Column("payload", columns.CanonicalJson(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seal", columns.Sequence, nullable=True),
        sa.ForeignKeyConstraint(["seal"], ["seals.number"], name=op.f("fk_facts_seal")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_facts")),
        sa.UniqueConstraint("id", name=op.f("uq_facts_id")),
    )
    op.create_index(op.f("ix_facts_kind"), "facts", ["kind"], unique=False)
    op.create_index(op.f("ix_facts_seal"), "facts", ["seal"], unique=False)
    op.create_index(op.f("ix_facts_subject"), "facts", ["subject"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("content", columns.CanonicalJson(), nullable=False),
        sa.ForeignKeyConstraint(["model"], ["models.name"], name=op.f("fk_model_versions_model")),
        sa.PrimaryKeyConstraint("model", "version", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("model", "identity", name="uq_model_versions_identity"),
    )
    op.create_table(
        "revisions",
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model", sa.String(length=300), nullable=False),
        sa.Column("format", sa.String(length=50), nullable=False),
        sa.Column("artifacts", columns.CanonicalJson(), nullable=False),
        sa.Column("signature", columns.CanonicalJson(), nullable=False),
        sa.Column("settings", columns.CanonicalJson(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.name"], name=op.f("fk_revisions_deployment")
        ),
        sa.PrimaryKeyConstraint("deployment", "number", name=op.f("pk_revisions")),
    )
    op.create_index(op.f("ix_revisions_model"), "revisions", ["model"], unique=False)
    op.create_table(
        "rollouts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("deployment", sa.String(length=100), nullable=False),
        sa.Column("active", sa.String(length=100), nullable=True),
        sa.Column("stable", sa.Integer(), nullable=True),
        sa.Column("candidate", sa.Integer(), nullable=False),
        sa.Column("spec", columns.CanonicalJson(), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("step_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("analysis", columns.CanonicalJson(), nullable=False),
        sa.Column("evidence", columns.CanonicalJson(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployments.name"], name=op.f("fk_rollouts_deployment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollouts")),
        sa.UniqueConstraint("active", name=op.f("uq_rollouts_active")),
    )
    op.create_index(op.f("ix_rollouts_deployment"), "rollouts", ["deployment"], unique=False)
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("experiment", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("started_at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("parent", sa.String(length=32), nullable=True),
        sa.Column("code", columns.CanonicalJson(), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", columns.CanonicalJson(), nullable=False),
        sa.Column("process", columns.CanonicalJson(), nullable=False),
        sa.Column("logged", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment"], ["experiments.name"], name=op.f("fk_runs_experiment")
        ),
        sa.ForeignKeyConstraint(["parent"], ["runs.id"], name=op.f("fk_runs_parent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_experiment"), "runs", ["experiment"], unique=False)
    op.create_index(op.f("ix_runs_parent"), "runs", ["parent"], unique=False)
    op.create_index(op.f("ix_runs_started_at"), "runs", ["started_at"], unique=False)
    op.create_index(op.f("ix_runs_status"), "runs", ["status"], unique=False)
    op.create_table(
        "dataset_branches",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["dataset_commits.id"], name=op.f("fk_dataset_branches_commit_id")
        ),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.name"], name=op.f("fk_dataset_branches_dataset")
        ),
        sa.PrimaryKeyConstraint("dataset", "name", name=op.f("pk_dataset_branches")),
    )
    op.create_table(
        "dataset_parents",
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parent_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["dataset_commits.id"], name=op.f("fk_dataset_parents_commit_id")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["dataset_commits.id"], name=op.f("fk_dataset_parents_parent_id")
        ),
        sa.PrimaryKeyConstraint("commit_id", "ordinal", name=op.f("pk_dataset_parents")),
    )
    op.create_index(
        op.f("ix_dataset_parents_parent_id"), "dataset_parents", ["parent_id"], unique=False
    )
    op.create_table(
        "dataset_partitions",
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("summaries", columns.CanonicalJson(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["dataset_commits.id"], name=op.f("fk_dataset_partitions_commit_id")
        ),
        sa.PrimaryKeyConstraint("commit_id", name=op.f("pk_dataset_partitions")),
    )
    op.create_table(
        "dataset_profiles",
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("columns", columns.CanonicalJson(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["dataset_commits.id"], name=op.f("fk_dataset_profiles_commit_id")
        ),
        sa.PrimaryKeyConstraint("commit_id", name=op.f("pk_dataset_profiles")),
    )
    op.create_table(
        "dataset_tags",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("commit_id", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["commit_id"], ["dataset_commits.id"], name=op.f("fk_dataset_tags_commit_id")
        ),
        sa.ForeignKeyConstraint(
            ["dataset"], ["datasets.name"], name=op.f("fk_dataset_tags_dataset")
        ),
        sa.PrimaryKeyConstraint("dataset", "name", name=op.f("pk_dataset_tags")),
    )
    op.create_table(
        "edges",
        sa.Column("id", columns.Sequence, nullable=False),
        sa.Column("from_ref", sa.String(length=300), nullable=False),
        sa.Column("to_ref", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name=op.f("fk_edges_fact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edges")),
    )
    op.create_index("ix_edges_ends", "edges", ["from_ref", "to_ref", "role"], unique=False)
    op.create_index(op.f("ix_edges_from_ref"), "edges", ["from_ref"], unique=False)
    op.create_index(op.f("ix_edges_to_ref"), "edges", ["to_ref"], unique=False)
    op.create_table(
        "model_aliases",
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("alias", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.String(length=32), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence"], ["evidence.id"], name=op.f("fk_model_aliases_evidence")
        ),
        sa.ForeignKeyConstraint(
            ["model", "version"],
            ["model_versions.model", "model_versions.version"],
            name="fk_model_aliases_version",
        ),
        sa.PrimaryKeyConstraint("model", "alias", name=op.f("pk_model_aliases")),
    )
    op.create_table(
        "run_artifacts",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_artifacts_run_id")),
        sa.PrimaryKeyConstraint("run_id", "path", name=op.f("pk_run_artifacts")),
    )
    op.create_table(
        "run_metrics",
        sa.Column("id", columns.Sequence, nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", columns.MetricValue(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_metrics_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_metrics")),
    )
    op.create_index(
        "ix_run_metrics_history", "run_metrics", ["run_id", "key", "step"], unique=False
    )
    op.create_table(
        "run_newest_metrics",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", columns.MetricValue(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_newest_metrics_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_run_newest_metrics")),
    )
    op.create_table(
        "run_params",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_params_run_id")),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_run_params")),
    )
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_tags_run_id")),
        sa.PrimaryKeyConstraint("run_id", "key", name=op.f("pk_run_tags")),
    )
    op.create_table(
        "step_results",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=200), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("at", columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("output", columns.CanonicalJson(), nullable=False),
        sa.Column("metrics", columns.CanonicalJson(), nullable=False),
        sa.Column("links", columns.CanonicalJson(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_step_results_run_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_step_results")),
    )
    op.create_index(op.f("ix_step_results_step"), "step_results", ["step"], unique=False)
