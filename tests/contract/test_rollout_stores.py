"""The stores of rollout keep their contracts on every database."""

import pytest

from trivet.ledger import Ledger, Recorder, SqlLedger
from trivet.rollout import DeploymentStore, RolloutStore, SqlDeploymentStore, SqlRolloutStore
from trivet.storage.sql import Database
from trivet.testing.rollout_stores import DeploymentStoreContract, RolloutStoreContract


@pytest.fixture
def ledger(database: Database, recorder: Recorder) -> Ledger:
    return SqlLedger(database, recorder)


class TestSqlDeploymentStore(DeploymentStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> DeploymentStore:
        return SqlDeploymentStore(database, recorder)


class TestSqlRolloutStore(RolloutStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> RolloutStore:
        SqlDeploymentStore(database, recorder).create_deployment("delay", "delay")
        return SqlRolloutStore(database, recorder)
