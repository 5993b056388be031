import pytest

from trivet.features import FeatureStore, SqlFeatureStore
from trivet.ledger import Ledger, Recorder, SqlLedger
from trivet.storage.sql import Database
from trivet.testing.feature_store import FeatureStoreContract


class TestSqlFeatureStore(FeatureStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> FeatureStore:
        return SqlFeatureStore(database, recorder)

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> Ledger:
        return SqlLedger(database, recorder)
