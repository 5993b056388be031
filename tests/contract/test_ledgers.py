from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from trivet.ledger import Leases, Ledger, Recorder, SqlLeases, SqlLedger
from trivet.storage.sql import Database
from trivet.testing.ledger import LeasesContract, LedgerContract


class TestSqlLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> Ledger:
        return SqlLedger(database, recorder)


class TestSqlLeases(LeasesContract):
    @pytest.fixture
    def instant(self) -> list[datetime]:
        return [datetime(2026, 1, 1, tzinfo=UTC)]

    @pytest.fixture
    def advance(self, instant: list[datetime]) -> Callable[[timedelta], None]:
        def move(by: timedelta) -> None:
            instant[0] += by

        return move

    @pytest.fixture
    def leases(self, database: Database, instant: list[datetime]) -> Leases:
        return SqlLeases(database, lambda: instant[0])
