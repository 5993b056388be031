"""Datasets on every database."""

from pathlib import Path

import pytest

from trivet.data import SqlDatasetStore
from trivet.ledger import Recorder, SqlLedger
from trivet.storage.sql import Database
from trivet.testing.dataset_store import ContractStoreContract


class TestSqlDatasetStore(ContractStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder, tmp_path: Path) -> SqlDatasetStore:
        return SqlDatasetStore(database, recorder, f"file://{tmp_path}/tables")

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> SqlLedger:
        return SqlLedger(database, recorder)
