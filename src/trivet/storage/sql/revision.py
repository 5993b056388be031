"""Which schema a database has."""

from sqlalchemy import inspect, text

from trivet.storage.sql.database import Database

HEAD = "0001"
"""The newest migration; a test holds it against those there are."""


def find_revision(database: Database) -> str | None:
    """Return the last migration the database has seen, None before the first."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar()
        return revision


def is_current(database: Database) -> bool:
    """Whether the database has the present schema."""
    return find_revision(database) == HEAD
