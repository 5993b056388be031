"""The registry on every database."""

import pytest

from trivet.ledger import Recorder, SqlLedger
from trivet.registry import SqlModelStore
from trivet.storage.sql import Database
from trivet.testing.model_store import ModelStoreContract


class TestSqlModelStore(ModelStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> SqlModelStore:
        return SqlModelStore(database, recorder)

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> SqlLedger:
        return SqlLedger(database, recorder)
