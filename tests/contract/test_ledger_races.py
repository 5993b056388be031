"""Races that only PostgreSQL allows: SQLite lets one writer in, and gives readers a snapshot."""

from collections.abc import Callable

import pytest
from sqlalchemy import event

from trivet.ledger import Recorder, SqlLedger
from trivet.storage.sql import Database


def once_after(database: Database, part: str, act: Callable[[], object]) -> None:
    """Let `act` happen right after the first statement that contains `part`."""
    left = [act]

    def follow(*arguments: object) -> None:
        if part in str(arguments[2]) and left:
            left.pop()()

    event.listen(database.engine, "after_cursor_execute", follow)


pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def ledger(database: Database, recorder: Recorder) -> SqlLedger:
    ledger = SqlLedger(database, recorder)
    for name in "abc":
        ledger.note("test.noted", f"run:{name}", {})
    return ledger


def test_of_two_sealers_at_once_one_seals_each_fact(
    ledger: SqlLedger, postgresql_url: str, recorder: Recorder
) -> None:
    slow = Database(postgresql_url)
    once_after(slow, "FROM facts", ledger.seal)

    SqlLedger(slow, recorder).seal()
    slow.close()

    assert ledger.verify().problems == ()


def test_a_seal_that_is_put_meanwhile_is_no_problem_to_who_verifies(
    ledger: SqlLedger, postgresql_url: str, recorder: Recorder
) -> None:
    slow = Database(postgresql_url)
    once_after(slow, "FROM facts", ledger.seal)

    found = SqlLedger(slow, recorder).verify()
    slow.close()

    assert found.problems == ()
    assert found.unsealed == 3
