"""Tables of features: definitions in versions, the current version of each, and freshness."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, UniqueConstraint

from trivet.storage.sql.schema.columns import CanonicalJson, UtcDateTime, metadata

feature_definitions = Table(
    "feature_definitions",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("definition", CanonicalJson, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("name", "digest"),
)

feature_heads = Table(
    "feature_heads",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),
)

materializations = Table(
    "materializations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(100), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("commit_ref", String(300), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
