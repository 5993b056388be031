from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.ledger import Recorder, SqlLedger
from trivet.pipelines import SqlStepCache, Workspace
from trivet.storage.blobs import open_blob_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.tracking import SqlRunStore


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/home/trivet.db")
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def workspace(database: Database, tmp_path: Path) -> Workspace:
    recorder = Recorder("user:test")
    home = tmp_path / "home"
    return Workspace(
        runs=SqlRunStore(database, recorder),
        blobs=open_blob_store(f"file://{home}/blobs"),
        cache=SqlStepCache(database, recorder),
        spill=home / "spill",
        home=home,
    )


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    return SqlLedger(database, Recorder("user:test"))
