from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.storage.online import OnlineStore
from trivet.storage.online.sqlite import SqliteOnlineStore


@pytest.fixture
def online(tmp_path: Path) -> Iterator[OnlineStore]:
    """An empty online store."""
    store = SqliteOnlineStore(tmp_path / "online.db")
    yield store
    store.close()
