"""The SQL database: SQLite in WAL mode or PostgreSQL, through the same statements."""

from trivet.storage.sql.database import ConstraintViolated, Database, DatabaseUnavailable
from trivet.storage.sql.migrate import migrate

__all__ = ["ConstraintViolated", "Database", "DatabaseUnavailable", "migrate"]
