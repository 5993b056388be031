from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.data import SqlDatasetStore
from trivet.ledger import Recorder
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlDatasetStore]:
    """An empty store with a dataset `orders`, keyed by `id`, with the event time `at`."""
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    made = SqlDatasetStore(database, Recorder("user:test"), f"file://{tmp_path}/tables")
    made.create("orders", key=("id",), event_time="at")
    yield made
    database.close()
