"""Carry repairs on: notice, train, compare, release. Each look continues from what is stored."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from trivet.control.policies import is_due, read_policy, why_not_now
from trivet.control.records import Level, Repair, RepairPhase, RepairPolicy
from trivet.control.releasing import Releasing
from trivet.control.stores import Stores
from trivet.control.training import Training
from trivet.kernel.clock import Clock
from trivet.kernel.errors import TrivetError
from trivet.ledger import Evidence, Lease, LeaseLost, Verdict
from trivet.monitoring import Alert, AlertStatus
from trivet.rollout import CONTROLLER_LEASE, Deployment

_START_AGAIN_AFTER = timedelta(seconds=60)
_WAITING = (AlertStatus.OPEN, AlertStatus.TRIAGED)


TrainingCommand = Callable[[Repair, RepairPolicy], Sequence[str]]
"""Returns the command that trains; the JSON it prints names the version it registered."""


def pipeline_command(home: Path, repair: Repair, policy: RepairPolicy) -> list[str]:
    """Return the command that runs the policy's pipeline, as a person would run it."""
    until = f"{repair.event_at:%Y-%m-%d}"
    command = [sys.executable, "-m", "trivet.cli.main", "--home", str(home)]
    command += ["run", policy.pipeline, "--json"]
    for name, text in policy.params.items():
        command += ["--param", f"{name}={text.replace('{until}', until)}"]
    return command


class Repairer:
    """Trains a deployment's model anew when it does harm, and releases what is better.

    What it has begun is in the repair's row and in the folder of its training, so a controller
    that is killed anywhere is followed by one that goes on there; nothing is trained twice.
    """

    def __init__(self, stores: Stores, home: Path, command: TrainingCommand | None = None) -> None:
        self._stores = stores
        self._home = home
        self._command = command or (lambda repair, policy: pipeline_command(home, repair, policy))
        self._releasing = Releasing(stores)
        self._asked: dict[str, datetime] = {}

    def run(self, lease: Lease) -> None:
        """Look at every deployment that has a policy once."""
        problems: list[TrivetError] = []
        for deployment in self._stores.deployments.list_deployments():
            try:
                self._look(deployment, lease)
            except LeaseLost:
                raise
            except TrivetError as problem:
                problems.append(problem)
        if problems:
            raise problems[0]

    def _look(self, deployment: Deployment, lease: Lease) -> None:
        policy = read_policy(deployment.settings)
        if policy is None:
            return
        repair = self._stores.repairs.find_active(deployment.name)
        if repair is None:
            self._notice(deployment, policy, lease)
        else:
            self._carry_on(repair, policy, lease)

    @property
    def _clock(self) -> Clock:
        return self._stores.recorder.clock

    def _require(self, lease: Lease) -> None:
        with self._stores.database.write() as connection:
            self._stores.leases.require(connection, CONTROLLER_LEASE, lease.fence)

    def _notice(self, deployment: Deployment, policy: RepairPolicy, lease: Lease) -> None:
        """Begin a repair if an alert or the calendar asks for one and nothing speaks against."""
        event_at = self._stores.windows.latest_event(deployment.name)
        busy = self._stores.rollouts.find_active(deployment.name) is not None
        if policy.level is Level.MANUAL or event_at is None or busy:
            return
        past = self._stores.repairs.list_repairs(deployment.name)
        alert = self._find_alert(deployment, policy, past)
        if alert is None and not self._is_due(deployment, policy, past):
            return
        if why_not_now(policy, past, event_at) is not None:
            return
        red = self._find_red(policy)
        if red is not None and any(r.detail.get("data_evidence") == red.id for r in past):
            return  # It was refused for this very judgement already.
        self._require(lease)
        repair = self._stores.repairs.start(
            deployment.name,
            cause=alert.rule if alert else "schedule",
            alert=alert.id if alert else None,
            event_at=event_at,
            reason=alert.summary if alert else f"Nothing was trained for {policy.every}.",
        )
        if red is not None:
            self._refuse(repair, red)

    def _find_alert(
        self, deployment: Deployment, policy: RepairPolicy, past: list[Repair]
    ) -> Alert | None:
        """Return the alert to act on: one that waits or, where one must ask, was confirmed."""
        answered = {repair.alert for repair in past if repair.phase is RepairPhase.DONE}
        for alert in self._stores.alerts.list_alerts(deployment=deployment.name, limit=20):
            if alert.rule != "harm" or alert.id in answered or not self._is_current(alert):
                continue
            if policy.level is Level.AUTO and alert.status in _WAITING:
                return alert
            if policy.level is Level.ASK and alert.status is AlertStatus.CONFIRMED:
                return alert
        return None

    def _is_current(self, alert: Alert) -> bool:
        """Return whether the revision that did the harm is still the one that serves."""
        table = self._stores.routing.find_table(alert.deployment)
        return table is not None and table.stable == alert.detail.get("revision")

    def _is_due(self, deployment: Deployment, policy: RepairPolicy, past: list[Repair]) -> bool:
        event_at = self._stores.windows.latest_event(deployment.name)
        first = self._stores.windows.first_event(deployment.name)
        if event_at is None or first is None:
            return False
        begun = [repair.event_at for repair in past if repair.detail.get("trained")]
        return is_due(policy, max(begun, default=first), event_at)

    def _find_red(self, policy: RepairPolicy) -> Evidence | None:
        """Return a dataset's newest judgement if it is red: then nothing is trained (I9)."""
        for name in policy.datasets:
            judged = [
                evidence
                for subject in (f"dataset:{name}", f"dataset:{name}@*")
                for evidence in self._stores.ledger.list_evidence(
                    subject=subject, kind="contract", limit=1
                )
            ]
            newest = max(judged, key=lambda evidence: evidence.id, default=None)
            if newest is not None and newest.verdict is Verdict.FAILED:
                return newest
        return None

    def _refuse(self, repair: Repair, red: Evidence) -> None:
        reason = f"Not trained, the data are red: {red.summary}"
        self._stores.repairs.advance(
            repair, RepairPhase.REFUSED, reason, detail={"data_evidence": red.id}
        )
        self._tell(repair, f"{reason} (evidence:{red.id})")

    def _tell(self, repair: Repair, action: str) -> None:
        if repair.alert is not None:
            alert = self._stores.alerts.get(repair.alert)
            if alert.closed_at is None:
                self._stores.alerts.note_action(alert.id, action, {"repair": repair.id})

    def _carry_on(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        looks: dict[RepairPhase, Callable[[Repair, RepairPolicy, Lease], None]] = {
            RepairPhase.NOTICED: self._begin,
            RepairPhase.TRAINING: self._look_at_training,
            RepairPhase.REGISTERED: self._compare,
            RepairPhase.SHADOW: self._look_at_comparison,
            RepairPhase.CANARY: self._look_at_release,
        }
        looks[repair.phase](repair, policy, lease)

    def _begin(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        red = self._find_red(policy)
        if red is not None:
            self._refuse(repair, red)
            return
        # Written before the process is started: it counts for cooldown and budget from here on.
        self._stores.repairs.advance(
            repair, RepairPhase.TRAINING, f"Runs {policy.pipeline}.", detail={"trained": True}
        )

    def _look_at_training(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        training = Training(self._home / "repairs" / repair.id)
        # In this order: one that ends between two questions is seen as running or as ended.
        running, started = training.is_running, training.was_started
        result = training.find_result()
        if result is not None and result.model is not None:
            self._stores.repairs.advance(
                repair,
                RepairPhase.REGISTERED,
                f"Training registered {result.model}.",
                model=result.model,
            )
        elif result is not None:
            self._fail(repair, result.error)
        elif started and not running:
            self._fail(repair, "The training process was killed.")
        elif not started and self._may_start(repair):
            self._require(lease)
            training.start(
                self._command(repair, policy),
                project=self._home / Path(policy.project).expanduser(),
                limit_seconds=policy.time_limit.total_seconds(),
            )

    def _may_start(self, repair: Repair) -> bool:
        """Whether to start a process: a second one would end at once, but not for free."""
        now, asked = self._clock(), self._asked.get(repair.id)
        if asked is not None and now - asked < _START_AGAIN_AFTER:
            return False
        self._asked[repair.id] = now
        return True

    def _compare(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        if self._releasing.is_busy(repair):
            return  # A person is releasing something; a repair waits for its turn.
        self._require(lease)
        rollout = self._releasing.shadow(repair, policy)
        self._stores.repairs.advance(
            repair,
            RepairPhase.SHADOW,
            f"{repair.model} answers beside the champion.",
            rollout=rollout.id,
        )

    def _look_at_comparison(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        said = self._releasing.compare(repair, policy)
        if said is None:
            return
        self._require(lease)
        if said.verdict is not Verdict.PASSED:
            self._releasing.end_shadow(repair, said.summary)
            self._fail(repair, said.summary)
            return
        self._stores.repairs.advance(
            repair, RepairPhase.CANARY, said.summary, detail={"duel": said.id}
        )

    def _look_at_release(self, repair: Repair, policy: RepairPolicy, lease: Lease) -> None:
        if "canary" not in repair.detail:
            self._require(lease)
            rollout = self._releasing.canary(repair, policy)
            self._stores.repairs.advance(
                repair,
                RepairPhase.CANARY,
                repair.reason,
                rollout=rollout.id,
                detail={"canary": rollout.id},
            )
            return
        ended = self._releasing.find_end(repair)
        if ended is None:
            return
        good, reason = ended
        if not good:
            self._fail(repair, reason)
            return
        done = self._stores.repairs.advance(repair, RepairPhase.DONE, reason)
        self._close(done)

    def _close(self, repair: Repair) -> None:
        """Close the alert: that the champion lost on the newest outcomes confirms the harm."""
        if repair.alert is None:
            return
        alert = self._stores.alerts.get(repair.alert)
        if alert.closed_at is None:
            took = (self._clock() - alert.opened_at).total_seconds()
            said = f"repaired by {repair.model} (evidence:{repair.detail['duel']})"
            self._stores.alerts.note_action(
                alert.id, said, {"repair": repair.id, "alert_to_repair_seconds": took}
            )
            self._stores.alerts.confirm(alert.id)

    def _fail(self, repair: Repair, reason: str) -> None:
        self._stores.repairs.advance(repair, RepairPhase.FAILED, reason)
        self._tell(repair, f"a repair failed: {reason}")
