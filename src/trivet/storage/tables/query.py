"""DuckDB over Arrow and Lance: one way to ask, with nothing of the machine in reach."""

import os
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from trivet.kernel.errors import InvalidInput

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # A condition may come from a stranger; it sees the tables it was given and no file.
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


_engines: dict[int, duckdb.DuckDBPyConnection] = {}
"""The engine of each process: one that was forked must not use its parent's."""


def _engine() -> duckdb.DuckDBPyConnection:
    """Return the process's engine; each `Query` is a session of it, which no other sees into."""
    pid = os.getpid()
    if pid not in _engines:
        engine = duckdb.connect(":memory:", config=_CONFIG)
        engine.execute("SET lock_configuration = true")
        # Of two threads that come here at once, one engine is kept and the other freed.
        return _engines.setdefault(pid, engine)
    return _engines[pid]


class QueryFailed(InvalidInput):
    """The engine refused a query; most often a condition does not fit the columns."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The query failed: {self.detail}."


class Query:
    """A session of the in-memory engine over some named tables; close it, or use it in a `with`.

    What it makes has to be temporary, and is gone with it. Not safe to share between threads.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._connection = _engine().cursor()
        for name, table in tables.items():
            self.add(name, table)

    def add(self, name: str, table: Any) -> None:
        """Give an Arrow table, a reader or a Lance dataset a name."""
        self._connection.register(name, table)

    def execute(self, sql: str) -> None:
        """Run a statement for its effect, such as one that makes a temporary table."""
        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            raise QueryFailed(_sentence(error)) from error

    def table(self, sql: str) -> pa.Table:
        """Return the rows of a query, which is one statement, as Arrow."""
        try:
            if len(self._connection.extract_statements(sql)) != 1:
                raise QueryFailed("it is more than one statement")
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise QueryFailed(_sentence(error)) from error

    def row(self, sql: str) -> dict[str, Any]:
        """Return the only row of a query, by column name."""
        # Through Arrow, because the driver's own rows need pytz for times with a zone.
        rows: list[dict[str, Any]] = self.table(sql).to_pylist()
        return rows[0]

    def close(self) -> None:
        """Free the session's tables."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def quoted(names: str | Sequence[str], prefix: str = "") -> str:
    """Return column names as SQL, quoted and with commas between.

    Example:
        >>> quoted(["day", 'a"b'], "t.")
        't."day", t."a""b"'
    """
    listed = [names] if isinstance(names, str) else names
    return ", ".join(prefix + '"' + name.replace('"', '""') + '"' for name in listed)


def _sentence(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
