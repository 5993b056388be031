"""The SQL database: SQLite in WAL mode or PostgreSQL, through the same statements.

`trivet.storage.sql.migrate` is not imported here: Alembic takes a third of a second to load, and
a database that `is_current` has no need of it.
"""

from trivet.storage.sql.database import (
    ConstraintViolated,
    Database,
    DatabaseUnavailable,
    ValueRefused,
)
from trivet.storage.sql.revision import HEAD, find_revision, is_current

__all__ = [
    "HEAD",
    "ConstraintViolated",
    "Database",
    "DatabaseUnavailable",
    "ValueRefused",
    "find_revision",
    "is_current",
]
