import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.ledger import Recorder, SqlLedger
from trivet.pipelines import SqlStepCache, Workspace
from trivet.storage.blobs import open_blob_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.tracking import SqlRunStore


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the present schema, made once and copied for each test."""
    file = tmp_path_factory.mktemp("migrated") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Iterator[Database]:
    (tmp_path / "home").mkdir()
    shutil.copy(migrated, tmp_path / "home" / "trivet.db")
    database = Database(f"sqlite:///{tmp_path}/home/trivet.db")
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
