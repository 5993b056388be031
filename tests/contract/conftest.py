"""The back ends that the contracts are run on: SQLite, and PostgreSQL where one answers."""

import itertools
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from trivet.kernel.clock import Clock
from trivet.kernel.ids import Uuid7
from trivet.ledger import Recorder
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.storage.sql.schema import metadata

SERVER = os.environ.get("TRIVET_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")


def stepping_clock(start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Clock:
    """Return a clock that goes on by one millisecond each time it is read."""
    ticks = itertools.count()
    return lambda: start + timedelta(milliseconds=next(ticks))


@pytest.fixture
def recorder() -> Recorder:
    """A recorder whose ids and times are the same in every run."""
    clock = stepping_clock()
    return Recorder("user:test", clock, Uuid7(clock, random.Random(7)))


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of an empty database that is dropped after the last test."""
    name = f"trivet_test_{os.getpid()}"
    server = create_engine(
        f"{SERVER.replace('postgresql://', 'postgresql+psycopg://')}/postgres?connect_timeout=3",
        isolation_level="AUTOCOMMIT",
    )
    try:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        server.dispose()
        reason = f"no PostgreSQL answers at {SERVER}: {str(error.orig).splitlines()[0]}"
        if os.environ.get("TRIVET_TESTS_MUST_NOT_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    yield f"{SERVER}/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="session")
def postgresql(postgresql_url: str) -> Iterator[Database]:
    """A migrated PostgreSQL database, shared by the tests of a session."""
    database = Database(postgresql_url)
    migrate(database)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; every test that asks for it runs once on each kind."""
    if request.param == "sqlite":
        sqlite = Database(f"sqlite:///{tmp_path}/trivet.db")
        migrate(sqlite)
        yield sqlite
        sqlite.close()
        return
    shared: Database = request.getfixturevalue("postgresql")
    yield shared
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with shared.write() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
