"""Hold each deployment against its rules, keep what they say, and raise alerts."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from trivet.control.stores import Stores
from trivet.kernel.errors import TrivetError
from trivet.ledger import Evidence, Verdict
from trivet.monitoring import (
    Alert,
    NewAlert,
    References,
    RuleState,
    Tally,
    Watch,
    Window,
    drifts,
    playbook,
    total,
)
from trivet.monitoring.rules import Finding, judge_coverage, judge_drift, judge_harm, judge_share
from trivet.rollout.records import Deployment
from trivet.serving import RevisionSpec

_SEVERITY = {"harm": "page", "errors": "page", "invalid": "page", "no_labels": "ticket"}
_HOUR = timedelta(hours=1)
_SETTLED_AFTER = timedelta(days=2)
"""How much event time an alert waits for somebody, although its rule passes again."""


class Watcher:
    """Judges the stable revision of each deployment whenever something new is known of it."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._references = References(stores.blobs)
        self._seen: dict[str, object] = {}

    def run(self) -> None:
        """Judge every deployment that has answered or learnt an outcome since the last time."""
        problems: list[TrivetError] = []
        for deployment in self._stores.deployments.list_deployments():
            table = self._stores.routing.find_table(deployment.name)
            latest = self._stores.windows.latest_event(deployment.name)
            if table is None or latest is None:
                continue
            known = (table.stable, self._stores.windows.tallies(deployment.name))
            if self._seen.get(deployment.name) == known:
                continue
            revision = self._stores.deployments.get_revision(deployment.name, table.stable)
            try:
                self._judge(deployment, revision, latest)
            except TrivetError as problem:
                problems.append(problem)
            else:
                self._seen[deployment.name] = known
        if problems:
            raise problems[0]

    def _judge(self, deployment: Deployment, revision: RevisionSpec, latest: datetime) -> None:
        watch = Watch.read(deployment.settings.get("monitoring", {}))
        before = {state.rule: state for state in self._stores.alerts.list_states(deployment.name)}
        findings = self._findings(watch, revision, latest)
        moved = next(finding for finding in findings if finding.rule == "drift")
        states = []
        self._close_settled(revision, findings, latest)
        for finding in findings:
            said = before.get(finding.rule)
            if said is not None and _is_old(finding, said, revision):
                evidence = said.evidence
            else:
                judged = self._keep(finding, revision, latest, watch)
                evidence = judged.id
                if finding.verdict is Verdict.FAILED and finding.rule in _SEVERITY:
                    since = latest - _window(finding.rule, watch)
                    self._raise(finding, judged, revision, since, moved)
            states.append(_state(revision, finding, evidence, self._now(), latest))
        # Last, so that a controller which dies before it judges again; the alert is one already.
        self._stores.alerts.put_states(states)

    def _close_settled(
        self, revision: RevisionSpec, findings: Sequence[Finding], latest: datetime
    ) -> None:
        """Dismiss the alerts that nobody need act on any more, unless a repair is at work.

        While an alert is open no second one is raised for its rule, so one that has outlived its
        cause would hide the next.
        """
        if self._stores.repairs.find_active(revision.deployment) is not None:
            return
        passes = {finding.rule for finding in findings if finding.verdict is Verdict.PASSED}
        for alert in self._stores.alerts.list_alerts(deployment=revision.deployment, limit=20):
            if alert.closed_at is not None or alert.rule not in _SEVERITY:
                continue
            if alert.detail.get("revision") != revision.number:
                reason = f"revision {alert.detail.get('revision')} does not serve any more"
            elif alert.rule in passes and latest - _event_of(alert) >= _SETTLED_AFTER:
                reason = "the rule passes again, before anybody acted"
            else:
                continue
            self._stores.alerts.dismiss(alert.id, reason=reason)

    def _now(self) -> datetime:
        return self._stores.recorder.clock()

    def _findings(self, watch: Watch, revision: RevisionSpec, latest: datetime) -> list[Finding]:
        hours = self._hours(revision, latest - watch.harm_window, latest)
        days = {window.hour.date() for window in hours if window.tally.labelled}
        day = self._tally(revision, latest - watch.error_window, latest)
        matured_until = latest - watch.label_delay
        matured = self._tally(revision, matured_until - watch.harm_window, matured_until)
        reference = self._references.find(revision)
        counts = self._stores.windows.feature_counts(
            revision.deployment, revision.number, since=latest - watch.harm_window
        )
        least = watch.min_requests
        return [
            judge_harm(total(hours), reference, watch, days=len(days)),
            judge_share(
                "errors", day.errors, day.requests, limit=watch.error_limit, min_requests=least
            ),
            judge_share(
                "invalid", day.invalid, day.requests, limit=watch.invalid_limit, min_requests=least
            ),
            judge_coverage(matured, watch),
            judge_drift(drifts(reference, counts) if reference else [], watch),
        ]

    def _hours(self, revision: RevisionSpec, since: datetime, until: datetime) -> Sequence[Window]:
        return self._stores.windows.query(
            revision.deployment, since=since, until=until + _HOUR, revision=revision.number
        )

    def _tally(self, revision: RevisionSpec, since: datetime, until: datetime) -> Tally:
        return total(self._hours(revision, since, until))

    def _keep(
        self, finding: Finding, revision: RevisionSpec, latest: datetime, watch: Watch
    ) -> Evidence:
        inputs = {name: _plain(value) for name, value in asdict(watch).items()}
        return self._stores.ledger.judge(
            "rule",
            revision.ref,
            finding.verdict,
            f"{finding.rule}: {finding.summary}",
            inputs={"rule": finding.rule, "latest_event": latest.isoformat(), "watch": inputs},
            numbers=finding.numbers,
        )

    def _raise(
        self,
        finding: Finding,
        evidence: Evidence,
        revision: RevisionSpec,
        since: datetime,
        moved: Finding,
    ) -> None:
        deployment = revision.deployment
        harmful = finding.rule != "no_labels"
        shown = self._stores.windows.list_answers(
            deployment, revision=revision.number, harmful=harmful, event_since=since
        )
        first = self._stores.windows.list_answers(
            deployment,
            revision=revision.number,
            harmful=harmful,
            event_since=since,
            limit=1,
            oldest_first=True,
        )
        samples = tuple(answer.id for answer in shown)
        detail: dict[str, Any] = {
            "revision": revision.number,
            "latest_event": evidence.inputs["latest_event"],
            **finding.numbers,
        }
        if finding.rule == "harm":
            detail["drift"] = moved.summary
        self._stores.alerts.open(
            NewAlert(
                deployment=deployment,
                rule=finding.rule,
                severity=_SEVERITY[finding.rule],
                summary=finding.summary,
                evidence=evidence.id,
                harm_at=first[0].at if first else evidence.at,
                playbook=playbook(
                    finding.rule,
                    deployment,
                    evidence=evidence.id,
                    samples=samples,
                    revision=revision.number,
                ),
                subject=f"revision {revision.number}",
                samples=samples,
                detail=detail,
            )
        )


def _plain(value: float | timedelta) -> float | str:
    return f"{value / _HOUR:g}h" if isinstance(value, timedelta) else value


def _is_old(finding: Finding, said: RuleState, revision: RevisionSpec) -> bool:
    """Return whether the rule said the same of the same revision before."""
    return said.verdict is finding.verdict and said.numbers.get("revision") == revision.number


def _window(rule: str, watch: Watch) -> timedelta:
    return watch.error_window if rule in ("errors", "invalid") else watch.harm_window


def _event_of(alert: Alert) -> datetime:
    """Return the event time at which the alert was raised."""
    return datetime.fromisoformat(alert.detail["latest_event"])


def _state(
    revision: RevisionSpec, finding: Finding, evidence: str, now: datetime, latest: datetime
) -> RuleState:
    return RuleState(
        deployment=revision.deployment,
        rule=finding.rule,
        verdict=finding.verdict,
        summary=finding.summary,
        numbers={**finding.numbers, "revision": revision.number},
        evidence=evidence,
        at=now,
        event_at=latest,
    )
