import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import trivet.storage.sql.migrations as migrations
from trivet.kernel.errors import InvalidInput
from trivet.storage.sql import (
    HEAD,
    ConstraintViolated,
    Database,
    DatabaseUnavailable,
    ValueRefused,
    find_revision,
    is_current,
)
from trivet.storage.sql.migrate import migrate
from trivet.storage.sql.schema import metadata


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/trivet.db")


def test_the_migrations_build_the_schema_that_the_code_uses(database: Database) -> None:
    migrate(database)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_revision_the_code_expects_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_new_database_is_not_current_and_a_migrated_one_is(database: Database) -> None:
    assert find_revision(database) is None
    assert not is_current(database)
    migrate(database)
    migrate(database)
    assert is_current(database)


def test_of_two_writers_one_waits_for_the_other(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(50):
            with database.write() as connection:
                value = connection.execute(text("SELECT value FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET value = :v"), {"v": value + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as connection:
        assert connection.execute(text("SELECT value FROM counter")).scalar_one() == 200


def test_a_reader_sees_one_state_while_a_writer_goes_on(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (v INTEGER)"))

    with database.read() as reading:
        before = reading.execute(text("SELECT count(*) FROM t")).scalar_one()
        with database.write() as writing:
            writing.execute(text("INSERT INTO t VALUES (1)"))
        assert reading.execute(text("SELECT count(*) FROM t")).scalar_one() == before


def test_what_the_database_refuses_is_a_conflict_and_nothing_is_written(
    database: Database,
) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (v INTEGER PRIMARY KEY)"))

    with pytest.raises(ConstraintViolated, match="UNIQUE"), database.write() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))

    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == 0


def test_a_full_disk_is_an_error_that_leaves_what_was_there(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (v BLOB)"))
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with pytest.raises(DatabaseUnavailable, match="full"), database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        connection.execute(text("INSERT INTO t VALUES (zeroblob(1000000))"))

    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar_one() == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "sqlite+aiosqlite+x://"])
def test_a_url_of_no_back_end_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match=r"sqlite"):
        Database(url)


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")

    with pytest.raises(DatabaseUnavailable, match="try again"), database.read():
        pass


def test_a_number_that_no_column_holds_is_the_callers_fault(database: Database) -> None:
    with pytest.raises(ValueRefused, match="too large"), database.read() as connection:
        connection.execute(text("SELECT :number"), {"number": 10**20})
