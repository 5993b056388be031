"""Tables of the registry: models, their versions and their aliases."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

models = Table(
    "models",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("description", Text, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("latest", Integer, nullable=False),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model", String(100), ForeignKey("models.name"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("identity", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("author", String(200), nullable=False),
    Column("content", CanonicalJson, nullable=False),
    UniqueConstraint("model", "identity", name="uq_model_versions_identity"),
)

model_aliases = Table(
    "model_aliases",
    metadata,
    Column("model", String(100), primary_key=True),
    Column("alias", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("evidence", String(32), ForeignKey("evidence.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["model", "version"],
        ["model_versions.model", "model_versions.version"],
        name="fk_model_aliases_version",
    ),
)
