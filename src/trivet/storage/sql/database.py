"""A database opened by URL, with one way to read and one way to write.

No driver's error leaves this module: what the database refuses is a `ConstraintViolated`, a value
that no column can hold is a `ValueRefused`, and a database that does not answer is
`DatabaseUnavailable`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError

from trivet.kernel.errors import Conflict, InvalidInput, Unavailable
from trivet.kernel.extras import extra
from trivet.kernel.urls import without_secrets

_BUSY_TIMEOUT_MILLISECONDS = 15_000


class ConstraintViolated(Conflict):
    """A write broke a constraint of the schema, such as a key that exists already."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The database refused the write: {self.detail}."


class ValueRefused(InvalidInput):
    """A value is of a kind that the database cannot hold, such as a number of twenty digits."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"A value cannot be looked up or stored: {self.detail}."


class DatabaseUnavailable(Unavailable):
    """The database did not answer, or could not carry out a statement."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The database did not answer: {self.detail}. Nothing was changed; try again."


class Database:
    """Hands out connections; safe to share between threads, not across a fork.

    A SQLite write transaction takes the write lock at its start (`BEGIN IMMEDIATE`), so that two
    writers wait for each other instead of failing half way; reads are snapshots and never wait.
    Every commit is synced to the disk before it is acknowledged.

    Args:
        url: Where the database is.
        create: Whether a SQLite file that is not there is made; otherwise it is unavailable.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self.url = url
        self.engine = _open_engine(url, create=create)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection to read one consistent state from."""
        with _errors_translated(), self._reading_engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose writes all take effect at the end, or on an error none."""
        with _errors_translated(), self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def join(self, connection: Connection | None) -> Iterator[Connection]:
        """Yield `connection`, to take part in its transaction, or without one a new `write`."""
        if connection is not None:
            yield connection
            return
        with self.write() as own:
            yield own

    @cached_property
    def _reading_engine(self) -> Engine:
        if self.dialect == "sqlite":
            return self.engine  # A read transaction of SQLite is a snapshot as it is.
        return self.engine.execution_options(isolation_level="REPEATABLE READ")

    @property
    def _writing_engine(self) -> Engine:
        return self.engine.execution_options(trivet_write=True)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ConstraintViolated(_first_line(error)) from error
    except (DataError, OverflowError) as error:
        # SQLite's driver says of a number beyond 64 bits what is Python's own error.
        raise ValueRefused(_first_line(error)) from error
    except SQLAlchemyError as error:
        raise DatabaseUnavailable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__


def _open_engine(url: str, *, create: bool) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInput(
            f"{without_secrets(url)!r} is no database URL; write 'sqlite:///trivet.db' or 'postgresql://…'."
        ) from None
    if parsed.drivername == "sqlite":
        engine = _create_sqlite(parsed, create=create)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        with extra("postgresql", "A database in PostgreSQL"):
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=8
            )
    raise InvalidInput(
        f"No database back end for {parsed.drivername!r}; it is 'sqlite' or 'postgresql'."
    )


def _create_sqlite(url: URL, *, create: bool) -> Engine:
    options = {"check_same_thread": False}
    if not url.database:
        return create_engine(url, connect_args=options)
    if create:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(url, connect_args=options)
    existing = f"file:{quote(url.database)}?mode=rw"
    return create_engine(
        url, creator=lambda: sqlite3.connect(existing, uri=True, check_same_thread=False)
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions are begun by `_begin_sqlite`; the driver would begin them too late.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {_BUSY_TIMEOUT_MILLISECONDS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("trivet_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


Row = Any
"""A row as SQLAlchemy returns it; stores turn it into a record in one function each."""
