"""Tables of data: datasets, their graph of commits, their branches, tags and contracts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

datasets = Table(
    "datasets",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("key", CanonicalJson, nullable=False),
    Column("event_time", String(200)),
    Column("description", Text, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("table_name", String(200), nullable=False, unique=True),
)

dataset_commits = Table(
    "dataset_commits",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("dataset", String(100), ForeignKey("datasets.name"), nullable=False),
    Column("depth", BigInteger, nullable=False),
    Column("parents", CanonicalJson, nullable=False),
    Column("change", String(20), nullable=False),
    Column("message", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("rows_added", BigInteger, nullable=False),
    Column("rows_changed", BigInteger, nullable=False),
    Column("rows_deleted", BigInteger, nullable=False),
    Column("schema", CanonicalJson, nullable=False),
    Column("content", String(32), nullable=False),
    Column("contract", String(20), nullable=False),
    Column("evidence", String(32)),
    Column("source", String(300)),
    Column("table_line", String(100)),
    Column("table_number", BigInteger, nullable=False),
)
Index("ix_dataset_commits_history", dataset_commits.c.dataset, dataset_commits.c.id)

dataset_parents = Table(
    "dataset_parents",
    metadata,
    Column("commit_id", String(64), ForeignKey("dataset_commits.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("parent_id", String(64), ForeignKey("dataset_commits.id"), nullable=False, index=True),
)

dataset_branches = Table(
    "dataset_branches",
    metadata,
    Column("dataset", String(100), ForeignKey("datasets.name"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("commit_id", String(64), ForeignKey("dataset_commits.id"), nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("generation", BigInteger, nullable=False),
)

dataset_tags = Table(
    "dataset_tags",
    metadata,
    Column("dataset", String(100), ForeignKey("datasets.name"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("commit_id", String(64), ForeignKey("dataset_commits.id"), nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

dataset_contracts = Table(
    "dataset_contracts",
    metadata,
    Column("dataset", String(100), ForeignKey("datasets.name"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

dataset_partitions = Table(
    "dataset_partitions",
    metadata,
    Column("commit_id", String(64), ForeignKey("dataset_commits.id"), primary_key=True),
    Column("summaries", CanonicalJson, nullable=False),
)

dataset_profiles = Table(
    "dataset_profiles",
    metadata,
    Column("commit_id", String(64), ForeignKey("dataset_commits.id"), primary_key=True),
    Column("columns", CanonicalJson, nullable=False),
)
