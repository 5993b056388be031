import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from trivet.storage.online import OnlineStore, open_online_store
from trivet.storage.online.redis import RedisOnlineStore
from trivet.storage.online.sqlite import SqliteOnlineStore
from trivet.testing.online_store import OnlineStoreContract

SERVER = os.environ.get("TRIVET_TEST_REDIS", "redis://127.0.0.1:6379/15")


class TestSqliteOnlineStore(OnlineStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[OnlineStore]:
        store = open_online_store(f"sqlite:///{tmp_path}/online.db")
        assert isinstance(store, SqliteOnlineStore)
        yield store
        store.close()


class TestRedisOnlineStore(OnlineStoreContract):
    @pytest.fixture
    def store(self) -> Iterator[OnlineStore]:
        server = Redis.from_url(SERVER)
        try:
            server.ping()
        except RedisError as error:
            reason = f"no Redis answers at {SERVER}: {error}"
            if os.environ.get("TRIVET_TESTS_MUST_NOT_SKIP"):
                pytest.fail(reason)
            pytest.skip(reason)
        prefix = f"trivet-test-{os.getpid()}"
        store = open_online_store(f"{SERVER}?prefix={prefix}")
        assert isinstance(store, RedisOnlineStore)
        yield store
        if keys := list(server.scan_iter(f"{prefix}:*")):
            server.delete(*keys)
        server.close()
        store.close()
