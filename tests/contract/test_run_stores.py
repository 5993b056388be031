"""Runs, experiments and step results on every database."""

import pytest

from trivet.ledger import Recorder, SqlLedger
from trivet.pipelines import SqlStepCache
from trivet.storage.sql import Database
from trivet.testing.run_store import ExperimentStoreContract, RunStoreContract
from trivet.testing.step_cache import StepCacheContract
from trivet.tracking import SqlExperimentStore, SqlRunStore


@pytest.fixture
def ledger(database: Database, recorder: Recorder) -> SqlLedger:
    return SqlLedger(database, recorder)


class TestSqlRunStore(RunStoreContract):
    @pytest.fixture
    def store(self, database: Database, recorder: Recorder) -> SqlRunStore:
        return SqlRunStore(database, recorder)


class TestSqlExperimentStore(ExperimentStoreContract):
    @pytest.fixture
    def experiments(self, database: Database, recorder: Recorder) -> SqlExperimentStore:
        return SqlExperimentStore(database, recorder)


class TestSqlStepCache(StepCacheContract):
    @pytest.fixture
    def cache(self, database: Database, recorder: Recorder) -> SqlStepCache:
        return SqlStepCache(database, recorder)

    @pytest.fixture
    def runs(self, database: Database, recorder: Recorder) -> SqlRunStore:
        return SqlRunStore(database, recorder)
