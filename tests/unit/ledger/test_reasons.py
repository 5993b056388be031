from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trivet.kernel.digests import Digest
from trivet.ledger import Fact, Recorder, SqlLedger, Verdict
from trivet.ledger.reasons import find_reasons
from trivet.ledger.wording import word_fact
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    yield SqlLedger(database, Recorder("user:anna"))
    database.close()


def test_a_move_is_told_with_the_evidence_it_rests_on(ledger: SqlLedger) -> None:
    gate = ledger.judge("gate", "run:1", Verdict.PASSED, "AUC 0.7 is above 0.65.")
    release = ledger.judge("release", "deployment:delay#2", Verdict.PASSED, "All gates passed.")
    ledger.note("model.registered", "model:delay@2", {"run": "1", "evidence": [gate.id]})
    moved = {"from": 1, "to": 2, "evidence": release.id}
    ledger.note("alias.moved", "model:delay@champion", moved)
    ledger.note("alias.moved", "model:other@champion", moved)

    reasons = find_reasons(ledger, ["model:delay@champion", "model:delay@2"])

    assert [(reason.kind, reason.sentence) for reason in reasons] == [
        ("alias.moved", "The alias moved from version 1 to version 2."),
        ("model.registered", "Registered; run:1 made it."),
        ("release", "All gates passed."),
        ("gate", "AUC 0.7 is above 0.65."),
    ]
    assert reasons[0].evidence == release.id
    assert [reason.verdict for reason in reasons[2:]] == [Verdict.PASSED, Verdict.PASSED]


def test_a_judgement_of_the_thing_itself_is_told_once(ledger: SqlLedger) -> None:
    found = ledger.judge("rule", "deployment:delay#2", Verdict.NO_DATA, "No labels yet.")

    [reason] = find_reasons(ledger, ["deployment:delay#2"])

    assert (reason.sentence, reason.verdict) == ("No labels yet.", Verdict.NO_DATA)
    assert reason.evidence == found.id


def test_no_more_than_asked_for_is_told_and_the_newest_first(ledger: SqlLedger) -> None:
    for version in range(1, 6):
        ledger.note("dataset.contracted", "dataset:flights", {"version": version})

    told = [reason.sentence for reason in find_reasons(ledger, ["dataset:*"], limit=2)]

    assert told == [f"Version {version} of the contract is in force." for version in (5, 4)]


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        ("alias.moved", {"from": None, "to": 1}, "The alias moved to version 1."),
        ("repair.done", {"reason": "It is better."}, "Repair done: It is better."),
        ("thing.happened_to", {}, "Thing happened to."),
        ("run.finished", {"status": "lost"}, "Run finished."),
        ("alert.acted_on", {"action": "{0.__class__}"}, "Acted on: {0.__class__}."),
        ("run.linked", {"inputs": [["dataset:a@1", "data"]]}, "It read or made dataset:a@1."),
    ],
)
def test_every_fact_has_a_sentence(kind: str, payload: dict[str, object], sentence: str) -> None:
    fact = Fact(
        seq=1,
        id="1",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="user:anna",
        kind=kind,
        subject="run:1",
        generation=None,
        payload=payload,
        digest=Digest("0" * 64),
    )
    assert word_fact(fact) == sentence
