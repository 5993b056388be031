"""The routing store on each kind of database."""

import pytest

from trivet.ledger import Recorder, SqlLedger, Verdict
from trivet.serving import RoutingStore, SqlRoutingStore
from trivet.storage.sql import Database
from trivet.testing.routing_store import RoutingStoreContract, canary, first_table


class TestSqlRoutingStore(RoutingStoreContract):
    @pytest.fixture
    def ledger(self, database: Database, recorder: Recorder) -> SqlLedger:
        return SqlLedger(database, recorder)

    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> RoutingStore:
        return SqlRoutingStore(database, recorder)

    def test_a_swap_takes_part_in_a_transaction_and_goes_with_it(
        self, database: Database, recorder: Recorder, ledger: SqlLedger
    ) -> None:
        store = SqlRoutingStore(database, recorder)
        passed = ledger.judge("gate", "model:delay@1", Verdict.PASSED, "Good.").id
        with pytest.raises(RuntimeError), database.write() as connection:
            store.swap(
                first_table(), expected=0, reason="r", evidence=passed, connection=connection
            )
            raise RuntimeError("the rest of the transaction failed")
        assert store.find_table("delay") is None
        with database.write() as connection:
            store.swap(
                first_table(), expected=0, reason="r", evidence=passed, connection=connection
            )
            store.swap(canary(0.1), expected=1, reason="r", evidence=passed, connection=connection)
        assert store.list_generations() == {"delay": 2}
