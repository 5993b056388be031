"""The back ends that the contracts are run on: SQLite, S3, and PostgreSQL where one answers."""

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from trivet.kernel.clock import Clock
from trivet.kernel.ids import Uuid7, new_id
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


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """The URL of a bucket: that of TRIVET_TEST_S3 if it is set, else one of a server of ours.

    Such as s3://bucket?endpoint=http://127.0.0.1:9000&allow_http=true&region=us-east-1&…
    """
    given = os.environ.get("TRIVET_TEST_S3")
    if given:
        yield given
        return
    program = Path(__file__).with_name("s3_server.py")
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        endpoint = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with urlopen(Request(f"{endpoint}/trivet", method="PUT")) as answer:  # noqa: S310 - ours
            assert answer.status == 200
        yield (
            f"s3://trivet?endpoint={endpoint}&allow_http=true&region=us-east-1"
            "&access_key_id=test&secret_access_key=test"
        )
        # Leaving the block closes the server's standard input, at which it stops.


@pytest.fixture
def s3_url(s3_bucket: str) -> str:
    """The URL of an empty place in S3, for this test alone."""
    bucket, _, options = s3_bucket.partition("?")
    return f"{bucket.rstrip('/')}/{new_id()}?{options}"


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
