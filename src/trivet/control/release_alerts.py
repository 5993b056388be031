"""Raise an alert for each release that the analysis aborted, and time what happened to it."""

from datetime import timedelta
from typing import Any

from trivet.control.stores import Stores
from trivet.ledger import Evidence, Verdict
from trivet.monitoring import Alert, Answer, NewAlert, playbook
from trivet.rollout.records import Phase, Rollout
from trivet.serving import Role

_LOOK_BACK = 50  # rollouts
_SETTLED_AFTER = timedelta(seconds=1)  # the last answers reach the windows a moment later


class ReleaseAlerts:
    """Looks at rollouts that were aborted on evidence; what a person aborted needs no alert."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._settled: set[str] = set()

    def run(self) -> None:
        """Raise what is missing, and add the numbers of rollbacks that are over."""
        for rollout in self._stores.rollouts.list_rollouts(limit=_LOOK_BACK):
            if rollout.phase not in (Phase.ABORTING, Phase.ROLLED_BACK):
                continue
            if rollout.id in self._settled:
                continue
            alert = self._alert(rollout)
            if alert is None or alert.closed_at or "alert_to_rollback_seconds" in alert.detail:
                self._settled.add(rollout.id)
            elif rollout.ended_at is not None and self._is_settled(rollout):
                self._time(alert, rollout)

    def _is_settled(self, rollout: Rollout) -> bool:
        now = self._stores.recorder.clock()
        return rollout.ended_at is not None and now - rollout.ended_at >= _SETTLED_AFTER

    def _alert(self, rollout: Rollout) -> Alert | None:
        """Return the rollout's alert, raised if need be; None where the analysis did not abort."""
        for alert in self._stores.alerts.list_alerts(deployment=rollout.deployment):
            if alert.rule == "rollout" and alert.detail.get("subject") == rollout.id:
                return alert
        evidence = self._failed_analysis(rollout)
        return None if evidence is None else self._raise(rollout, evidence)

    def _failed_analysis(self, rollout: Rollout) -> Evidence | None:
        for evidence_id in reversed(rollout.evidence):
            evidence = self._stores.ledger.get_evidence(evidence_id)
            if evidence.kind == "analysis" and evidence.verdict is Verdict.FAILED:
                return evidence
        return None

    def _answers(self, rollout: Rollout, **wanted: Any) -> list[Answer]:
        """Return answers of the candidate that callers got or, if they got none, its shadows'."""
        for role in (Role.PRIMARY, Role.SHADOW):
            found = self._stores.windows.list_answers(
                rollout.deployment, revision=rollout.candidate, role=role, **wanted
            )
            if found:
                return found
        return []

    def _raise(self, rollout: Rollout, evidence: Evidence) -> Alert:
        first = self._answers(rollout, harmful=True, limit=1, oldest_first=True)
        samples = tuple(answer.id for answer in self._answers(rollout, harmful=True))
        return self._stores.alerts.open(
            NewAlert(
                deployment=rollout.deployment,
                rule="rollout",
                severity="page",
                summary=f"Revision {rollout.candidate} was aborted: {rollout.reason}",
                evidence=evidence.id,
                harm_at=min(first[0].at, evidence.at) if first else evidence.at,
                playbook=playbook(
                    "rollout",
                    rollout.deployment,
                    evidence=evidence.id,
                    samples=samples,
                    revision=rollout.candidate,
                ),
                subject=rollout.id,
                samples=samples,
                detail={
                    "rollout": rollout.id,
                    "revision": rollout.candidate,
                    "seen_by_callers": bool(first) and first[0].role is Role.PRIMARY,
                },
            )
        )

    def _time(self, alert: Alert, rollout: Rollout) -> None:
        """Write down how long it took, and how much of the traffic saw the candidate."""
        ended_at = rollout.ended_at or self._stores.recorder.clock()
        windows = self._stores.windows
        last = windows.list_answers(
            rollout.deployment, revision=rollout.candidate, since=rollout.started_at, limit=1
        )
        exposed, everyone = windows.count_answers(
            rollout.deployment, rollout.candidate, rollout.started_at, ended_at
        )
        numbers: dict[str, Any] = {
            "alert_to_rollback_seconds": (ended_at - alert.opened_at).total_seconds(),
            "harm_to_rollback_seconds": (ended_at - alert.harm_at).total_seconds(),
            "harm_to_last_answer_seconds": (last[0].at - alert.harm_at).total_seconds()
            if last
            else None,
            "exposed_answers": exposed,
            "exposed_share": exposed / everyone if everyone else None,
        }
        action = (
            f"rolled back to deployment:{rollout.deployment}#{rollout.stable} by {rollout.ref}"
        )
        self._stores.alerts.note_action(alert.id, action, numbers)
