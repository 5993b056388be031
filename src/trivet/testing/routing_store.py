"""The contract of routing stores."""

import threading
from dataclasses import replace

import pytest

from trivet.ledger import Evidence, SqlLedger, StaleGeneration, Verdict
from trivet.serving import (
    BadTable,
    FenceTooOld,
    MoveWithoutEvidence,
    RevisionSpec,
    RoutingStore,
    RoutingTable,
)


def revision(number: int, deployment: str = "delay") -> RevisionSpec:
    """Return a revision that only its number tells from others."""
    return RevisionSpec(
        deployment=deployment,
        number=number,
        model=f"model:delay@{number}",
        format="onnx",
        artifacts={"model.onnx": f"{number:064x}"},
        signature={"inputs": ["x"]},
        settings={"unknown_entities": "missing"},
    )


def first_table(fence: int = 0) -> RoutingTable:
    """Return a table in which revision 1 answers everything."""
    return RoutingTable(
        deployment="delay", generation=0, fence=fence, revisions=(revision(1),), stable=1
    )


def canary(weight: float, fence: int = 0) -> RoutingTable:
    """Return a table in which revision 2 is on trial."""
    table = first_table(fence)
    both = (revision(1), revision(2))
    return replace(table, revisions=both, candidate=2, weight=weight, salt="s", unit="carrier")


class RoutingStoreContract:
    """Subclass, and provide fixtures `store` (an empty one) and `ledger` on one database."""

    @pytest.fixture
    def passed(self, ledger: SqlLedger) -> str:
        return self.judge(ledger, Verdict.PASSED).id

    @staticmethod
    def judge(ledger: SqlLedger, verdict: Verdict) -> Evidence:
        return ledger.judge("analysis", "rollout:r1", verdict, "It was judged.")

    def test_a_table_comes_back_as_it_was_put(self, store: RoutingStore, passed: str) -> None:
        first = store.swap(first_table(), expected=0, reason="first", evidence=passed)
        put = store.swap(canary(0.01, fence=7), expected=1, reason="try", evidence=passed)
        assert first.generation == 1
        assert put == replace(canary(0.01), generation=2, fence=7)
        assert store.find_table("delay") == put
        assert store.list_tables() == [put]
        assert store.list_generations() == {"delay": 2}

    def test_an_unknown_deployment_has_no_table(self, store: RoutingStore) -> None:
        assert store.find_table("delay") is None
        assert store.list_tables() == []

    def test_a_swap_on_another_generation_is_refused(
        self, store: RoutingStore, passed: str
    ) -> None:
        first = store.swap(first_table(), expected=0, reason="first", evidence=passed)
        for expected in (0, 2):
            with pytest.raises(StaleGeneration):
                store.swap(canary(0.1), expected=expected, reason="late", evidence=passed)
        assert store.find_table("delay") == first

    def test_of_many_who_swap_at_once_one_succeeds(self, store: RoutingStore, passed: str) -> None:
        won, lost = [], []

        def swap() -> None:
            try:
                won.append(store.swap(first_table(), expected=0, reason="me", evidence=passed))
            except StaleGeneration as error:
                lost.append(error)

        threads = [threading.Thread(target=swap) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 7)

    def test_a_controller_that_lost_its_lease_cannot_move_traffic(
        self, store: RoutingStore, passed: str
    ) -> None:
        store.swap(first_table(fence=5), expected=0, reason="first", evidence=passed)
        with pytest.raises(FenceTooOld):
            store.swap(canary(0.0, fence=4), expected=1, reason="late", evidence=passed)
        store.swap(canary(0.0, fence=5), expected=1, reason="mine", evidence=passed)

    def test_a_person_has_no_fence_and_still_shuts_out_older_controllers(
        self, store: RoutingStore, passed: str
    ) -> None:
        store.swap(first_table(fence=5), expected=0, reason="first", evidence=passed)
        by_hand = store.swap(canary(0.5), expected=1, reason="by hand", evidence=passed)
        assert by_hand.fence == 5
        with pytest.raises(FenceTooOld):
            store.swap(first_table(fence=4), expected=2, reason="late", evidence=passed)

    @pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FORCED])
    def test_evidence_that_passed_or_was_forced_carries_a_rise(
        self, store: RoutingStore, ledger: SqlLedger, verdict: Verdict
    ) -> None:
        judged = self.judge(ledger, verdict).id
        store.swap(first_table(), expected=0, reason="first", evidence=judged)
        assert store.swap(canary(0.1), expected=1, reason="up", evidence=judged).weight == 0.1

    @pytest.mark.parametrize(
        "verdict", [v for v in Verdict if v not in (Verdict.PASSED, Verdict.FORCED)]
    )
    def test_no_other_verdict_carries_a_rise(
        self, store: RoutingStore, ledger: SqlLedger, passed: str, verdict: Verdict
    ) -> None:
        store.swap(first_table(), expected=0, reason="first", evidence=passed)
        with pytest.raises(MoveWithoutEvidence, match=verdict):
            store.swap(
                canary(0.1), expected=1, reason="up", evidence=self.judge(ledger, verdict).id
            )

    @pytest.mark.parametrize("evidence", [None, "0" * 32])
    def test_traffic_does_not_rise_without_stored_evidence(
        self, store: RoutingStore, ledger: SqlLedger, passed: str, evidence: str | None
    ) -> None:
        with pytest.raises(MoveWithoutEvidence):
            store.swap(first_table(), expected=0, reason="first", evidence=evidence)
        assert store.find_table("delay") is None
        store.swap(first_table(), expected=0, reason="first", evidence=passed)
        promoted = replace(canary(0.0), stable=2, candidate=None)
        for table in (canary(0.1), promoted):
            with pytest.raises(MoveWithoutEvidence):
                store.swap(table, expected=1, reason="up", evidence=evidence)
        assert store.list_generations() == {"delay": 1}
        assert len(ledger.list_facts(kind="routing.swapped")) == 1

    def test_the_way_back_needs_no_evidence(self, store: RoutingStore, passed: str) -> None:
        store.swap(first_table(), expected=0, reason="first", evidence=passed)
        store.swap(canary(0.5), expected=1, reason="up", evidence=passed)
        store.swap(canary(0.1), expected=2, reason="down", evidence=None)
        promoted = replace(canary(0.0), stable=2, candidate=None)
        store.swap(promoted, expected=3, reason="promoted", evidence=passed)
        back = store.swap(
            replace(promoted, stable=1), expected=4, reason="rollback", evidence=None
        )
        assert (back.generation, back.stable) == (5, 1)

    def test_a_table_that_contradicts_itself_is_refused(
        self, store: RoutingStore, passed: str
    ) -> None:
        for bad in (
            replace(first_table(), stable=2),
            replace(first_table(), weight=0.1),
            replace(canary(0.1), weight=1.5),
            replace(canary(0.1), weight=float("nan")),
            replace(canary(0.1), candidate=1),
            replace(first_table(), revisions=(revision(1), revision(1))),
            replace(first_table(), revisions=(revision(1, "other"),)),
        ):
            with pytest.raises(BadTable):
                store.swap(bad, expected=0, reason="bad", evidence=passed)

    def test_a_swap_is_recorded_with_what_serves_from_then_on(
        self, store: RoutingStore, ledger: SqlLedger, passed: str
    ) -> None:
        store.swap(first_table(), expected=0, reason="the first release", evidence=passed)
        store.swap(canary(0.01), expected=1, reason="a canary", evidence=passed)
        first, second = ledger.list_facts(kind="routing.swapped")
        assert (first.subject, first.generation, second.generation) == ("deployment:delay", 1, 2)
        assert second.payload["reason"] == "a canary"
        assert second.payload["evidence"] == passed
        assert second.payload["before"]["weight"] == 0
        (edge,) = ledger.list_edges("deployment:delay#2", upstream=True)
        assert (edge.from_ref, edge.role) == ("model:delay@2", "serves")

    def test_a_report_says_who_serves_what_and_what_is_wrong(
        self, store: RoutingStore, ledger: SqlLedger
    ) -> None:
        store.report("g1", "http://127.0.0.1:1", {"delay": 1})
        store.report("g1", "http://127.0.0.1:1", {"delay": 1})
        store.report("g1", "http://127.0.0.1:1", {"delay": 2}, {"delay": "revision 3 is bad"})
        store.report("g2", "http://127.0.0.1:2", {})
        first, second = store.list_gateways()
        assert (first.id, first.generations) == ("g1", {"delay": 2})
        assert first.problems == {"delay": "revision 3 is bad"}
        assert (second.id, second.generations, second.problems) == ("g2", {}, {})
        verified = ledger.list_facts(kind="weights.verified")
        assert [fact.generation for fact in verified] == [1, 2]
        assert verified[0].payload == {"gateway": "g1"}
