"""DuckDB over Arrow and Lance: one way to ask, with nothing of the machine in reach."""

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


class QueryFailed(InvalidInput):
    """The engine refused a query; most often a condition does not fit the columns."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"The query failed: {self.detail}."


class Query:
    """A private in-memory engine over some named tables; close it, or use it in a `with`.

    Not safe to share between threads.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._connection = duckdb.connect(":memory:", config=_CONFIG)
        for name, table in tables.items():
            self.add(name, table)
        self._connection.execute("SET lock_configuration = true")

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
        """Return the rows of a query as Arrow."""
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise QueryFailed(_sentence(error)) from error

    def row(self, sql: str) -> dict[str, Any]:
        """Return the only row of a query, by column name."""
        # Through Arrow, because the driver's own rows need pytz for times with a zone.
        rows: list[dict[str, Any]] = self.table(sql).to_pylist()
        return rows[0]

    def close(self) -> None:
        """Free the engine's memory."""
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
