"""Bring a database to the present schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from trivet.storage.sql.database import Database
from trivet.storage.sql.revision import find_revision


def migrate(database: Database, to: str = "head") -> None:
    """Run every migration the database has not seen, up to the revision `to`.

    Safe to call at every start, from several processes at once: the first takes the write lock,
    and the others find nothing left to do.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    wanted = ScriptDirectory.from_config(config).get_current_head() if to == "head" else to
    if find_revision(database) == wanted:
        return
    with database.write() as connection:
        if database.dialect == "postgresql":
            # SQLite's write lock already lets one in; PostgreSQL needs to be asked.
            connection.execute(text("SELECT pg_advisory_xact_lock(7476697)"))
        config.attributes["connection"] = connection
        command.upgrade(config, to)
