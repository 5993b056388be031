"""Races that only PostgreSQL allows: SQLite lets one writer in, and gives readers a snapshot."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from trivet.ledger import Recorder, SqlLedger, Verdict
from trivet.monitoring import NewAlert, SqlAlertStore
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


def test_of_two_who_note_an_action_at_once_neither_is_forgotten(
    ledger: SqlLedger, database: Database, postgresql_url: str, recorder: Recorder
) -> None:
    evidence = ledger.judge("rule", "deployment:delay#1", Verdict.FAILED, "It does harm.")
    alerts = SqlAlertStore(database, recorder)
    alert = alerts.open(
        NewAlert(
            deployment="delay",
            rule="harm",
            severity="page",
            summary="It does harm.",
            evidence=evidence.id,
            harm_at=datetime(2026, 1, 1, tzinfo=UTC),
            playbook="Look at it.",
        )
    )
    slow = Database(postgresql_url)
    with ThreadPoolExecutor(1) as beside:
        noted = []

        def note() -> None:
            noted.append(beside.submit(alerts.note_action, alert.id, "looked", {"by": "anna"}))
            with suppress(TimeoutError):  # It waits for us, as it should, and goes on afterwards.
                noted[0].result(0.3)

        once_after(slow, "FROM alerts", note)
        SqlAlertStore(slow, recorder).note_action(alert.id, "rolled back", {"seconds": 1})
        noted[0].result(10)
    slow.close()

    found = alerts.get(alert.id)
    assert found.action == "rolled back; looked"
    assert (found.detail["by"], found.detail["seconds"]) == ("anna", 1)
