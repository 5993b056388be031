"""The online store in a SQLite file of its own, which many processes may read while one writes."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from trivet.kernel.errors import InvalidInput
from trivet.storage.online.errors import OnlineStoreUnavailable
from trivet.storage.online.packing import (
    from_microseconds,
    pack_values,
    to_microseconds,
    unpack_values,
)
from trivet.storage.online.store import OnlineRow

_SEPARATOR = "\x1f"
_AFTER_SEPARATOR = "\x20"
_BUSY_SECONDS = 15.0
_KEYS_IN_A_READ = 512
_KEPT_ROWS = 20_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS online_rows (
    key TEXT PRIMARY KEY, event_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    packed BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS online_states (name TEXT PRIMARY KEY, state BLOB NOT NULL);
"""
_UPSERT = """
INSERT INTO online_rows (key, event_at, created_at, packed) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    event_at = excluded.event_at, created_at = excluded.created_at, packed = excluded.packed
WHERE (excluded.event_at, excluded.created_at) >= (online_rows.event_at, online_rows.created_at)
"""
_PUT_STATE = "INSERT OR REPLACE INTO online_states (name, state) VALUES (?, ?)"
_GET_STATE = "SELECT state FROM online_states WHERE name = ?"


_Stored = tuple[str, int, int, bytes]
"""A row of `online_rows`."""


def _select(keys: int) -> str:
    marks = ", ".join("?" * keys)
    return f"SELECT key, event_at, created_at, packed FROM online_rows WHERE key IN ({marks})"  # noqa: S608


class _Reader:
    """One thread's connection for reading, with the rows it has read since the file last changed.

    `PRAGMA data_version` gives another number once any other connection, of this process or
    another, has committed. This connection never writes, so a row that was read while the number
    stands is what the file holds: nobody is answered with less than was acknowledged.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute
        self._version: int | None = None
        self._rows: dict[tuple[str, str], OnlineRow | None] = {}

    def kept(self) -> dict[tuple[str, str], OnlineRow | None]:
        """Return the rows that still hold, by view and key; None for a key without a row."""
        version: int = self.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version or len(self._rows) > _KEPT_ROWS:
            self._rows = {}
            self._version = version
        return self._rows


# One statement for each power of two, so that the driver's statement cache holds them all.
_SELECTS = {1 << power: _select(1 << power) for power in range(10)}


class SqliteOnlineStore:
    """Keeps one row for each view and key, in WAL mode.

    Each thread reads through a connection of its own and never waits for a writer. A commit is
    safe from the death of the process; `synchronous = NORMAL` leaves the last commits before a
    power cut to be materialized again.
    """

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[sqlite3.Connection] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._errors_translated():
            self._writer = self._connect()
            self._writer.executescript(_SCHEMA)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Open `sqlite:///relative.db` or `sqlite:////absolute.db`."""
        path = unquote(url.removeprefix("sqlite:///"))
        if not path or path.startswith("sqlite:"):
            raise InvalidInput(f"{url!r} names no file; write 'sqlite:///online.db'.")
        return cls(Path(path))

    def write(self, view: str, rows: Sequence[OnlineRow]) -> int:
        with self._writing():
            return self._upsert(view, rows)

    def commit(
        self,
        rows: Mapping[str, Sequence[OnlineRow]],
        states: Mapping[str, bytes],
        *,
        expected: Mapping[str, bytes | None],
    ) -> bool:
        with self._writing():
            for name, state in expected.items():
                found = self._writer.execute(_GET_STATE, (name,)).fetchone()
                if (found[0] if found else None) != state:
                    return False
            for view, of_view in rows.items():
                self._upsert(view, of_view)
            self._writer.executemany(_PUT_STATE, states.items())
        return True

    def read(self, wanted: Sequence[tuple[str, str]]) -> list[OnlineRow | None]:
        try:
            kept = self._reader.kept()
            missing = [pair for pair in wanted if pair not in kept]
            if missing:
                kept.update(self._select_all(missing))
        except sqlite3.Error as error:
            raise OnlineStoreUnavailable(self.url, str(error)) from error
        return [kept[pair] for pair in wanted]

    def count(self, view: str) -> int:
        with self._errors_translated():
            row = self._reader.execute(
                "SELECT count(*) FROM online_rows WHERE key >= ? AND key < ?", _span(view)
            ).fetchone()
        return int(row[0])

    def delete(self, view: str) -> None:
        with self._writing():
            self._writer.execute("DELETE FROM online_rows WHERE key >= ? AND key < ?", _span(view))
            self._writer.execute(
                "DELETE FROM online_states WHERE name >= ? AND name < ?", (f"{view}/", f"{view}0")
            )

    def write_state(self, name: str, state: bytes) -> None:
        with self._writing():
            self._writer.execute(_PUT_STATE, (name, state))

    def read_state(self, name: str) -> bytes | None:
        with self._errors_translated():
            row = self._reader.execute(_GET_STATE, (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        """Close the connections of every thread; the store cannot be used afterwards."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def _upsert(self, view: str, rows: Sequence[OnlineRow]) -> int:
        prefix = view + _SEPARATOR
        written = self._writer.executemany(
            _UPSERT,
            [
                (
                    prefix + row.key,
                    to_microseconds(row.event_at),
                    to_microseconds(row.created_at),
                    pack_values(row.values),
                )
                for row in rows
            ],
        ).rowcount
        return max(written, 0)

    def _select_all(
        self, wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], OnlineRow | None]:
        keys = [view + _SEPARATOR + key for view, key in wanted]
        found: dict[str, _Stored] = {}
        for start in range(0, len(keys), _KEYS_IN_A_READ):
            for row in self._select_rows(keys[start : start + _KEYS_IN_A_READ]):
                found[row[0]] = row
        return {
            pair: _to_row(pair[1], found[full]) if full in found else None
            for full, pair in zip(keys, wanted, strict=True)
        }

    def _select_rows(self, keys: list[str]) -> list[_Stored]:
        size = 1 << (len(keys) - 1).bit_length()
        padded = keys + [""] * (size - len(keys))
        rows: list[_Stored] = self._reader.execute(_SELECTS[size], padded).fetchall()
        return rows

    @property
    def _reader(self) -> _Reader:
        try:
            reader: _Reader = self._local.reader
        except AttributeError:
            reader = self._local.reader = _Reader(self._connect())
        return reader

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        self._opened.append(connection)
        return connection

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, self._errors_translated():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                # A full disk ends the transaction by itself.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OnlineStoreUnavailable(self.url, str(error)) from error


def _to_row(key: str, stored: _Stored) -> OnlineRow:
    _, event_at, created_at, packed = stored
    return OnlineRow(
        key, from_microseconds(event_at), from_microseconds(created_at), unpack_values(packed)
    )


def _span(view: str) -> tuple[str, str]:
    return view + _SEPARATOR, view + _AFTER_SEPARATOR
