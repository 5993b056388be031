import asyncio
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trivet.features import SqlFeatureStore
from trivet.kernel.ids import Uuid7
from trivet.ledger import Recorder, SqlLedger
from trivet.serving import SqlRoutingStore
from trivet.storage.blobs import open_blob_store
from trivet.storage.online import open_online_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.testing.serving import House, Models, SteppingClock


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("empty") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def house(tmp_path: Path, empty_database: Path) -> Iterator[House]:
    with open_house(tmp_path, empty_database) as house:
        yield house


@pytest.fixture(scope="module")
def shared_house(
    tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> Iterator[House]:
    """A house for tests that leave it as it is."""
    with open_house(tmp_path_factory.mktemp("shared"), empty_database) as house:
        yield house


@contextmanager
def open_house(home: Path, empty_database: Path) -> Iterator[House]:
    shutil.copy(empty_database, home / "trivet.db")
    clock = SteppingClock()
    database = Database(f"sqlite:///{home}/trivet.db")
    recorder = Recorder("user:test", clock, Uuid7(clock, random.Random(7)))
    with asyncio.Runner() as runner:
        house = House(
            home=home,
            clock=clock,
            database=database,
            routing=SqlRoutingStore(database, recorder),
            ledger=SqlLedger(database, recorder),
            features=SqlFeatureStore(database, recorder),
            online=open_online_store(f"sqlite:///{home}/online.db"),
            models=Models(open_blob_store(f"file://{home}/blobs")),
            runner=runner,
        )
        yield house
        for running in list(house.running):
            running.stop()
    database.close()
