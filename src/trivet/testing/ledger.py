"""The contracts of `trivet.ledger.Ledger` and `trivet.ledger.Leases`."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Delete, Update, delete, text, update

from trivet.ledger import (
    Edge,
    EvidenceNotFound,
    LeaseLost,
    Leases,
    Ledger,
    Recorder,
    Verdict,
)
from trivet.storage.sql import Database
from trivet.storage.sql.schema import ledger as schema

Advance = Callable[[timedelta], None]
MINUTE = timedelta(minutes=1)


class LedgerContract:
    """Subclass, and provide fixtures `ledger`, and `database` and `recorder` that it is on."""

    def test_facts_come_back_as_they_were_recorded(self, ledger: Ledger) -> None:
        ledger.note("model.registered", "model:delay@1", {"auc": 0.742, "words": "é, 한국어"})

        [fact] = ledger.list_facts()

        assert (fact.kind, fact.subject) == ("model.registered", "model:delay@1")
        assert fact.payload == {"auc": 0.742, "words": "é, 한국어"}

    def test_facts_are_found_by_subject_and_kind_and_by_how_they_begin(
        self, ledger: Ledger
    ) -> None:
        ledger.note("model.registered", "model:delay@1", {})
        ledger.note("model.aliased", "model:delay@1", {})
        ledger.note("run.started", "run:r_1", {})

        assert len(ledger.list_facts(subject="model:delay*")) == 2
        assert len(ledger.list_facts(kind="model.aliased")) == 1
        assert ledger.list_facts(subject="run:r%*") == []
        newest = ledger.list_facts(newest_first=True, limit=1)
        assert [fact.kind for fact in newest] == ["run.started"]
        assert len(ledger.list_facts(after=newest[0].seq)) == 0

    def test_no_change_leaves_no_fact(
        self, ledger: Ledger, database: Database, recorder: Recorder
    ) -> None:
        with pytest.raises(RuntimeError), database.write() as connection:
            recorder.record(connection, "run.started", "run:1", {})
            raise RuntimeError

        assert ledger.list_facts() == []

    def test_lineage_is_followed_both_ways_and_through_circles(self, ledger: Ledger) -> None:
        commit_to_run = Edge(from_ref="dataset:f@1", to_ref="run:1", role="train")
        run_to_model = Edge(from_ref="run:1", to_ref="model:m@1", role="trained")
        back = Edge(from_ref="model:m@1", to_ref="dataset:f@1", role="labelled")
        ledger.note("a.b", "run:1", {}, edges=[commit_to_run, run_to_model])

        assert ledger.list_edges("model:m@1", upstream=True) == [run_to_model, commit_to_run]
        assert ledger.list_edges("dataset:f@1", upstream=False) == [commit_to_run, run_to_model]
        assert ledger.list_edges("model:m@1", upstream=True, depth=1) == [run_to_model]

        ledger.note("a.b", "run:1", {}, edges=[back])
        assert set(ledger.list_edges("run:1", upstream=True)) == {
            commit_to_run,
            run_to_model,
            back,
        }

    def test_evidence_comes_back_as_it_was_given(self, ledger: Ledger) -> None:
        given = ledger.judge(
            "gate",
            "model:delay@1",
            Verdict.FAILED,
            "AUC 0.61 is below 0.65.",
            inputs={"floor": 0.65},
            numbers={"auc": 0.61},
        )

        assert ledger.get_evidence(given.id) == given
        assert ledger.list_evidence(subject="model:delay*") == [given]
        assert ledger.list_evidence(kind="contract") == []
        with pytest.raises(EvidenceNotFound, match="no-such"):
            ledger.get_evidence("no-such")

    def test_what_is_sealed_verifies(self, ledger: Ledger) -> None:
        for number in range(5):
            ledger.note("a.b", f"run:{number}", {"value": number / 3})
        assert ledger.seal() == 5
        ledger.judge("gate", "run:1", Verdict.PASSED, "It holds.")
        assert ledger.seal() == 1
        assert ledger.seal() == 0

        found = ledger.verify()

        assert found.is_intact
        assert (found.facts, found.seals, found.unsealed) == (6, 2, 0)

    @pytest.mark.parametrize(
        ("tamper", "found"),
        [
            (update(schema.facts).where(schema.facts.c.seq == 2).values(actor="x"), "fact 2"),
            (
                update(schema.facts).where(schema.facts.c.seq == 2).values(digest="0" * 64),
                "fact 2",
            ),
            (delete(schema.facts).where(schema.facts.c.seq == 2), "3 facts, 2 are left"),
            (update(schema.seals).values(facts=2), "2 facts, 3 are left"),
            (update(schema.seals).values(digest="1" * 64), "not those that were sealed"),
            (update(schema.seals).values(previous="1" * 64), "does not follow"),
            (update(schema.evidence).values(verdict="passed"), "verdict of evidence"),
            (update(schema.evidence).values(numbers={"auc": 0.9}), "evidence"),
            (delete(schema.evidence), "evidence"),
        ],
    )
    def test_any_change_to_what_is_sealed_is_found(
        self, ledger: Ledger, database: Database, tamper: Update | Delete, found: str
    ) -> None:
        ledger.note("a.b", "run:1", {})
        ledger.note("a.b", "run:2", {})
        ledger.judge("gate", "run:2", Verdict.FAILED, "It does not hold.", numbers={"auc": 0.5})
        ledger.seal()

        with database.write() as connection:
            assert connection.execute(tamper).rowcount == 1

        verification = ledger.verify()
        assert not verification.is_intact
        assert any(found in problem for problem in verification.problems)

    def test_facts_may_not_be_added_under_a_seal(self, ledger: Ledger, database: Database) -> None:
        ledger.note("a.b", "run:1", {})
        ledger.seal()
        ledger.note("a.b", "run:2", {})

        with database.write() as connection:
            connection.execute(text("UPDATE facts SET seal = 1"))

        assert "covered 1 facts, 2 are left" in ledger.verify().problems[0]


class LeasesContract:
    """Subclass, and provide fixtures `leases`, `database` and `advance`, which moves its clock."""

    def test_one_holds_a_lease_at_a_time(self, leases: Leases) -> None:
        first = leases.acquire("control", "a", MINUTE)

        assert first is not None
        assert leases.acquire("control", "b", MINUTE) is None
        assert leases.acquire("other", "b", MINUTE) is not None

    def test_renewing_keeps_the_fence(self, leases: Leases, advance: Advance) -> None:
        first = leases.acquire("control", "a", MINUTE)
        advance(timedelta(seconds=30))
        second = leases.acquire("control", "a", MINUTE)

        assert first is not None
        assert second is not None
        assert second.fence == first.fence
        assert second.expires_at > first.expires_at

    def test_an_expired_lease_changes_hands_with_a_higher_fence(
        self, leases: Leases, database: Database, advance: Advance
    ) -> None:
        first = leases.acquire("control", "a", MINUTE)
        advance(2 * MINUTE)
        second = leases.acquire("control", "b", MINUTE)

        assert first is not None
        assert second is not None
        assert second.fence > first.fence
        with database.write() as connection:
            leases.require(connection, "control", second.fence)
        with pytest.raises(LeaseLost, match="Another controller"):
            self.write_with(database, leases, first.fence)

    def test_a_released_lease_is_free_at_once(self, leases: Leases) -> None:
        first = leases.acquire("control", "a", MINUTE)
        assert first is not None

        leases.release(first)

        second = leases.acquire("control", "b", MINUTE)
        assert second is not None
        assert second.fence > first.fence

    def test_releasing_a_lost_lease_harms_nobody(self, leases: Leases, advance: Advance) -> None:
        first = leases.acquire("control", "a", MINUTE)
        advance(2 * MINUTE)
        leases.acquire("control", "b", MINUTE)
        assert first is not None

        leases.release(first)

        assert leases.acquire("control", "a", MINUTE) is None

    def test_an_unknown_fence_is_refused(self, database: Database, leases: Leases) -> None:
        with pytest.raises(LeaseLost):
            self.write_with(database, leases, 7)

    @staticmethod
    def write_with(database: Database, leases: Leases, fence: int) -> None:
        """Try a write that carries `fence`."""
        with database.write() as connection:
            leases.require(connection, "control", fence)
