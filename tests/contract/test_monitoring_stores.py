import pytest

from trivet.control import RepairStore, SqlRepairStore
from trivet.ledger import Ledger, Recorder, SqlLedger
from trivet.monitoring import AlertStore, SqlAlertStore, SqlWindowStore, WindowStore
from trivet.storage.sql import Database
from trivet.testing.alert_store import AlertStoreContract
from trivet.testing.repair_store import RepairStoreContract
from trivet.testing.window_store import WindowStoreContract


class TestSqlWindowStore(WindowStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> WindowStore:
        return SqlWindowStore(database, recorder)


class TestSqlAlertStore(AlertStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> AlertStore:
        return SqlAlertStore(database, recorder)

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> Ledger:
        return SqlLedger(database, recorder)


class TestSqlRepairStore(RepairStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> RepairStore:
        return SqlRepairStore(database, recorder)

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> Ledger:
        return SqlLedger(database, recorder)
