"""What the contract of the online store does not say: URLs, failures, other processes."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import exceptions as redis_errors

from trivet.kernel.errors import InvalidInput, Unavailable
from trivet.storage.online import OnlineRow, OnlineStoreUnavailable, open_online_store
from trivet.storage.online.errors import UnknownOnlineStore
from trivet.storage.online.redis import RedisOnlineStore
from trivet.storage.online.sqlite import SqliteOnlineStore

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROW = OnlineRow("UA", AT, AT, (1.0, None))

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from trivet.storage.online import OnlineRow, open_online_store

store = open_online_store(sys.argv[1])
at = datetime(2026, 1, 1, tzinfo=UTC)
for number in range(2_000):
    at += timedelta(seconds=1)
    store.write("v@1", [OnlineRow("UA", at, at, (float(number), float(-number)))])
    if number == 0:
        print("started", flush=True)
"""


def test_an_unknown_scheme_names_those_there_are() -> None:
    with pytest.raises(UnknownOnlineStore, match=r"scheme 'mongo'; installed are redis, sqlite\."):
        open_online_store("mongo://host")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="names no file"):
        open_online_store(url)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "online.db").write_text("not a database" * 100)

    with pytest.raises(OnlineStoreUnavailable, match="not a database"):
        SqliteOnlineStore(tmp_path / "online.db")


def test_a_locked_file_is_unavailable_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivet.storage.online.sqlite._BUSY_SECONDS", 0.01)
    store = SqliteOnlineStore(tmp_path / "online.db")
    other = sqlite3.connect(tmp_path / "online.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        store.write("v@1", [ROW])
    assert store.read([("v@1", "UA")]) == [None]

    other.execute("ROLLBACK")
    other.close()
    store.write("v@1", [ROW])
    assert store.read([("v@1", "UA")]) == [ROW]
    store.close()


def test_a_write_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    store = SqliteOnlineStore(tmp_path / "online.db")

    with pytest.raises(UnicodeEncodeError):
        store.write("v@1", [ROW, OnlineRow("\ud800", AT, AT, (1.0, 2.0))])

    assert store.count("v@1") == 0
    store.write("v@1", [ROW])
    assert store.count("v@1") == 1
    store.close()


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    store = SqliteOnlineStore(tmp_path / "online.db")
    store.write("v@1", [ROW])
    store._writer.execute("PRAGMA max_page_count = 6")
    many = [OnlineRow(str(n), AT, AT, (1.0,) * 50) for n in range(500)]

    with pytest.raises(OnlineStoreUnavailable, match="full"):
        store.commit({"v@1": many}, {"v@1/s": b"state"}, expected={})

    assert store.count("v@1") == 1
    assert store.read_state("v@1/s") is None
    store._writer.execute("PRAGMA max_page_count = 1000000")
    assert store.write("v@1", many) == 500
    store.close()


def test_one_process_reads_while_another_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/online.db"
    store = open_online_store(url)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()

    seen = []
    while writer.poll() is None:
        row = store.read([("v@1", "UA")])[0]
        assert row is not None
        first, second = row.values
        assert first is not None
        assert second == -first
        seen.append(first)
    writer.stdout.close()

    last = store.read([("v@1", "UA")])[0]
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert last is not None
    assert last.values == (1999.0, -1999.0)
    SqliteOnlineStore(tmp_path / "online.db").close()


def test_a_redis_that_is_not_there_is_unavailable() -> None:
    store = RedisOnlineStore("redis://127.0.0.1:1/0")

    for call in (
        lambda: store.read([("v@1", "UA")]),
        lambda: store.write("v@1", [ROW]),
        lambda: store.count("v@1"),
        lambda: store.delete("v@1"),
        lambda: store.read_state("v@1/s"),
        lambda: store.write_state("v@1/s", b""),
        lambda: store.commit({}, {}, expected={}),
    ):
        with pytest.raises(OnlineStoreUnavailable, match=r"redis://127\.0\.0\.1:1/0"):
            call()
    store.close()


def test_every_error_of_the_redis_client_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    store = RedisOnlineStore("redis://127.0.0.1:1/0")
    kinds = [
        kind
        for kind in vars(redis_errors).values()
        if isinstance(kind, type) and issubclass(kind, redis_errors.RedisError)
    ]

    for kind in kinds:
        error = kind.__new__(kind)

        def fail(_key: str, raised: Exception = error) -> int:
            raise raised

        monkeypatch.setattr(store._redis, "hlen", fail)
        with pytest.raises(OnlineStoreUnavailable):
            store.count("v@1")
    store.close()


def test_an_error_survives_pickling() -> None:
    assert "did not answer: gone" in str(OnlineStoreUnavailable("redis://h", "gone"))
