import asyncio
import random
from collections.abc import Iterator
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


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = SteppingClock()
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    recorder = Recorder("user:test", clock, Uuid7(clock, random.Random(7)))
    with asyncio.Runner() as runner:
        house = House(
            home=tmp_path,
            clock=clock,
            database=database,
            routing=SqlRoutingStore(database, recorder),
            ledger=SqlLedger(database, recorder),
            features=SqlFeatureStore(database, recorder),
            online=open_online_store(f"sqlite:///{tmp_path}/online.db"),
            models=Models(open_blob_store(f"file://{tmp_path}/blobs")),
            runner=runner,
        )
        yield house
        for running in list(house.running):
            running.stop()
    database.close()
