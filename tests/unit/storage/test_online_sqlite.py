"""What the SQLite online store keeps in memory is never older than what is acknowledged."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trivet.storage.online import OnlineRow
from trivet.storage.online.sqlite import SqliteOnlineStore

AT = datetime(2013, 3, 1, tzinfo=UTC)
WRITE = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from trivet.storage.online import OnlineRow
from trivet.storage.online.sqlite import SqliteOnlineStore
store = SqliteOnlineStore(Path(sys.argv[1]))
at = datetime(2013, 3, 1, tzinfo=UTC)
for line in sys.stdin:
    at += timedelta(seconds=1)
    store.write("v@1", [OnlineRow("UA", at, at, (float(line),))])
    print("written", flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteOnlineStore]:
    opened = SqliteOnlineStore(tmp_path / "online.db")
    yield opened
    opened.close()


def value(store: SqliteOnlineStore) -> float | None:
    row = store.read([("v@1", "UA")])[0]
    return None if row is None else row.values[0]


def test_every_push_of_another_process_is_seen_once_it_is_acknowledged(
    store: SqliteOnlineStore, tmp_path: Path
) -> None:
    assert value(store) is None
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, str(tmp_path / "online.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(200):
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            assert process.stdout.readline() == "written\n"
            assert value(store) == number
            assert value(store) == number
        process.stdin.close()


def test_every_write_of_this_process_is_seen_by_the_next_read(store: SqliteOnlineStore) -> None:
    for number in range(50):
        at = AT + timedelta(seconds=number)
        store.write("v@1", [OnlineRow("UA", at, at, (float(number),))])
        assert value(store) == number
    store.delete("v@1")
    assert value(store) is None
