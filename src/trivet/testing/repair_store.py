"""The contract of `trivet.control.RepairStore`."""

from datetime import UTC, datetime

import pytest

from trivet.control import Repair, RepairActive, RepairNotFound, RepairPhase, RepairStore
from trivet.ledger import Ledger, StaleGeneration

JULY = datetime(2013, 7, 1, tzinfo=UTC)


def begin(store: RepairStore, deployment: str = "delay") -> Repair:
    """Return a repair that has just begun."""
    return store.start(deployment, cause="harm", alert="a1", event_at=JULY, reason="It does harm.")


class RepairStoreContract:
    """Subclass, and provide fixtures `store` and `ledger` on one empty database."""

    def test_a_deployment_is_under_repair_once_at_a_time(self, store: RepairStore) -> None:
        repair = begin(store)

        with pytest.raises(RepairActive):
            begin(store)
        other = begin(store, "fraud")

        assert store.find_active("delay") == repair
        assert store.list_repairs() == [other, repair]

    @pytest.mark.parametrize("end", [RepairPhase.DONE, RepairPhase.FAILED, RepairPhase.REFUSED])
    def test_a_repair_that_has_ended_is_never_written_again(
        self, store: RepairStore, end: RepairPhase
    ) -> None:
        ended = store.advance(begin(store), end, "It is over.")

        with pytest.raises(StaleGeneration):
            store.advance(ended, RepairPhase.TRAINING, "Once more.")

        assert store.get(ended.id) == ended
        assert ended.ended_at is not None
        assert store.find_active("delay") is None
        assert begin(store).phase is RepairPhase.NOTICED

    def test_of_two_writers_one_is_refused(self, store: RepairStore) -> None:
        repair = begin(store)
        store.advance(repair, RepairPhase.TRAINING, "Runs.")

        with pytest.raises(StaleGeneration):
            store.advance(repair, RepairPhase.TRAINING, "Runs too.")

    def test_what_is_known_stays_and_every_move_is_a_fact(
        self, store: RepairStore, ledger: Ledger
    ) -> None:
        repair = store.advance(
            begin(store), RepairPhase.TRAINING, "Runs.", detail={"trained": True}
        )
        repair = store.advance(repair, RepairPhase.REGISTERED, "Good.", model="model:delay@3")
        repair = store.advance(repair, RepairPhase.SHADOW, "Compared.", rollout="r1")

        assert (repair.model, repair.rollout) == ("model:delay@3", "r1")
        assert repair.detail == {"trained": True}
        kinds = [fact.kind for fact in ledger.list_facts(kind="repair.*")]
        assert kinds == [
            "repair.noticed",
            "repair.training",
            "repair.registered",
            "repair.shadow",
        ]

    def test_an_unknown_repair_is_named(self, store: RepairStore) -> None:
        with pytest.raises(RepairNotFound, match="r9"):
            store.get("r9")
