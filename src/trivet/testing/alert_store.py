"""The contract of `trivet.monitoring.AlertStore`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trivet.ledger import Evidence, EvidenceNotFound, Ledger, Verdict
from trivet.monitoring import (
    AlertClosed,
    AlertNotFound,
    AlertStatus,
    AlertStore,
    NewAlert,
    RuleState,
)

NOON = datetime(2026, 1, 1, tzinfo=UTC)


def judged(ledger: Ledger) -> Evidence:
    """Return stored evidence of harm."""
    return ledger.judge("rule", "deployment:delay#1", Verdict.FAILED, "It does harm.")


def new_alert(evidence: str, **changes: Any) -> NewAlert:
    """Return an alert to raise."""
    values: dict[str, Any] = {
        "deployment": "delay",
        "rule": "harm",
        "severity": "page",
        "summary": "It does harm.",
        "evidence": evidence,
        "harm_at": NOON,
        "playbook": "Look at it.",
        "samples": ("p1", "p2"),
    }
    return NewAlert(**{**values, **changes})


class AlertStoreContract:
    """Subclass, and provide fixtures `store` and `ledger` on one empty database."""

    def test_an_alert_has_two_clocks_and_says_how_long_it_took(
        self, store: AlertStore, ledger: Ledger
    ) -> None:
        alert = store.open(new_alert(judged(ledger).id))

        assert store.get(alert.id) == alert
        assert alert.status is AlertStatus.OPEN
        assert alert.triage_due_at - alert.opened_at == timedelta(minutes=10)
        assert alert.resolve_due_at - alert.opened_at == timedelta(minutes=30)
        took = alert.detail["harm_to_alert_seconds"]
        assert took == pytest.approx((alert.opened_at - NOON).total_seconds())

    def test_an_open_alert_is_not_raised_again(self, store: AlertStore, ledger: Ledger) -> None:
        first = store.open(new_alert(judged(ledger).id))

        again = store.open(new_alert(judged(ledger).id, summary="It does more harm."))

        assert again == first
        assert len(ledger.list_facts(kind="alert.opened")) == 1

    def test_alerts_of_other_subjects_and_closed_ones_do_not_stand_in_the_way(
        self, store: AlertStore, ledger: Ledger
    ) -> None:
        evidence = judged(ledger).id
        first = store.open(new_alert(evidence))

        other = store.open(new_alert(evidence, subject="rollout-2"))
        store.confirm(first.id)
        later = store.open(new_alert(evidence))

        assert len({first.id, other.id, later.id}) == 3
        assert [alert.id for alert in store.list_alerts(open_only=True)] == [later.id, other.id]

    def test_an_alert_without_evidence_is_refused(self, store: AlertStore) -> None:
        with pytest.raises(EvidenceNotFound):
            store.open(new_alert("no-such-evidence"))
        assert store.list_alerts() == []

    def test_the_first_look_counts(self, store: AlertStore, ledger: Ledger) -> None:
        alert = store.open(new_alert(judged(ledger).id))

        first = store.triage(alert.id)

        assert first.status is AlertStatus.TRIAGED
        assert store.triage(alert.id) == first

    @pytest.mark.parametrize("ending", ["confirm", "dismiss"])
    def test_a_closed_alert_never_changes(
        self, store: AlertStore, ledger: Ledger, ending: str
    ) -> None:
        alert = store.open(new_alert(judged(ledger).id))
        if ending == "confirm":
            closed = store.confirm(alert.id, action="rolled back")
        else:
            closed = store.dismiss(alert.id, reason="a load test")

        with pytest.raises(AlertClosed):
            store.triage(alert.id)
        with pytest.raises(AlertClosed):
            store.confirm(alert.id)
        with pytest.raises(AlertClosed):
            store.dismiss(alert.id, reason="no")
        with pytest.raises(AlertClosed):
            store.note_action(alert.id, "more", {})
        assert store.get(alert.id) == closed
        assert closed.closed_at is not None
        assert closed.triaged_at is not None

    def test_what_was_done_is_added_to_what_is_there(
        self, store: AlertStore, ledger: Ledger
    ) -> None:
        alert = store.open(new_alert(judged(ledger).id))

        store.note_action(alert.id, "rolled back", {"alert_to_rollback_seconds": 2.5})
        told = store.note_action(alert.id, "retrained", {"repair": "r1"})

        assert told.action == "rolled back; retrained"
        assert told.detail["alert_to_rollback_seconds"] == 2.5
        assert told.detail["repair"] == "r1"
        kinds = [fact.kind for fact in ledger.list_facts(subject=alert.ref)]
        assert kinds == ["alert.opened", "alert.acted_on", "alert.acted_on"]

    def test_precision_is_the_confirmed_share_of_the_closed(
        self, store: AlertStore, ledger: Ledger
    ) -> None:
        evidence = judged(ledger).id
        for number in range(5):
            alert = store.open(new_alert(evidence, subject=str(number)))
            if number < 4:
                store.confirm(alert.id) if number else store.dismiss(alert.id, reason="none")

        [precision] = store.precision()

        assert (precision.rule, precision.confirmed, precision.dismissed) == ("harm", 3, 1)
        assert precision.share == 0.75
        assert precision.low == pytest.approx(0.3006, abs=1e-4)
        assert precision.high == pytest.approx(0.9544, abs=1e-4)

    def test_an_alert_is_found_by_the_start_of_its_id(
        self, store: AlertStore, ledger: Ledger
    ) -> None:
        alert = store.open(new_alert(judged(ledger).id))

        assert store.get(alert.id[:20]) == alert
        for unknown in ("zzz", "", "%"):
            with pytest.raises(AlertNotFound):
                store.get(unknown)

    def test_the_newest_word_of_a_rule_is_kept(self, store: AlertStore) -> None:
        def state(verdict: Verdict) -> RuleState:
            return RuleState(
                deployment="delay",
                rule="harm",
                verdict=verdict,
                summary="So it is.",
                numbers={"labelled": 3},
                evidence="e",
                at=NOON,
                event_at=None,
            )

        store.put_states([state(Verdict.LEARNING)])
        store.put_states([state(Verdict.PASSED)])

        assert store.list_states("delay") == [state(Verdict.PASSED)]
