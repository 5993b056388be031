"""Datasets on every database, and with their rows on a disk and in S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trivet.data import SqlDatasetStore
from trivet.ledger import Recorder, SqlLedger
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.testing.dataset_store import ContractStoreContract


class TestSqlDatasetStore(ContractStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder, tmp_path: Path) -> SqlDatasetStore:
        return SqlDatasetStore(database, recorder, f"file://{tmp_path}/tables")

    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> SqlLedger:
        return SqlLedger(database, recorder)


class TestSqlDatasetStoreInS3(ContractStoreContract):
    @pytest.fixture
    def sqlite(self, tmp_path: Path) -> Iterator[Database]:
        database = Database(f"sqlite:///{tmp_path}/trivet.db")
        migrate(database)
        yield database
        database.close()

    @pytest.fixture
    def store(self, sqlite: Database, recorder: Recorder, s3_url: str) -> SqlDatasetStore:
        return SqlDatasetStore(sqlite, recorder, s3_url)

    @pytest.fixture
    def ledger(self, sqlite: Database, recorder: Recorder) -> SqlLedger:
        return SqlLedger(sqlite, recorder)
