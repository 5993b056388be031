"""Bring a repair's model to the deployment: first beside the champion, then in its place."""

from trivet.control.duel import judge_duel
from trivet.control.records import Repair, RepairPolicy
from trivet.control.stores import Stores
from trivet.ledger import Evidence, Verdict
from trivet.rollout import (
    CANARY,
    Phase,
    Rollout,
    RolloutEngine,
    RolloutSpec,
    RolloutStep,
    Strategy,
    Verb,
    deploy,
    read_steps,
)
from trivet.serving import Role


class Releasing:
    """Each call can be repeated: what is under way already is found and not begun again."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._compared: dict[str, int] = {}

    def shadow(self, repair: Repair, policy: RepairPolicy) -> Rollout:
        """Let the challenger compute every request, and answer none."""
        step = RolloutStep(
            name="shadow",
            shadow=1.0,
            min_requests=policy.min_pairs,
            min_labels=policy.min_pairs,
        )
        return self._release(repair, RolloutSpec(strategy=Strategy.SHADOW, steps=(step,)))

    def canary(self, repair: Repair, policy: RepairPolicy) -> Rollout:
        """End the comparison, and let the challenger answer more and more."""
        self.end_shadow(repair, f"the canary of {repair.model} follows")
        usual = tuple(step for step in CANARY if step.weight)
        steps = read_steps(policy.steps) if policy.steps else usual
        return self._release(repair, RolloutSpec(strategy=Strategy.CANARY, steps=steps))

    def is_busy(self, repair: Repair) -> bool:
        """Return whether another model than the repair's is being released."""
        active = self._stores.rollouts.find_active(repair.deployment)
        return active is not None and self._candidate_of(active) != repair.model

    def _candidate_of(self, rollout: Rollout) -> str:
        return self._stores.deployments.get_revision(rollout.deployment, rollout.candidate).model

    def _release(self, repair: Repair, spec: RolloutSpec) -> Rollout:
        active = self._stores.rollouts.find_active(repair.deployment)
        if (
            active is not None
            and active.spec.strategy is spec.strategy
            and self._candidate_of(active) == repair.model
        ):
            return active
        return deploy(self._stores, repair.deployment, _model(repair), spec=spec)

    def end_shadow(self, repair: Repair, reason: str) -> None:
        """End the repair's rollout unless it has ended; that is no abort, and raises no alert."""
        if repair.rollout is None:
            return
        rollout = self._stores.rollouts.get(repair.rollout)
        if not rollout.phase.is_final:
            RolloutEngine(self._stores).ask(rollout, Verb.SUPERSEDE, reason)

    def compare(self, repair: Repair, policy: RepairPolicy) -> Evidence | None:
        """Return the evidence on champion and challenger, or None while it is open."""
        rollout = self._stores.rollouts.get(repair.rollout or "")
        if rollout.phase.is_final or rollout.phase is Phase.ABORTING:
            return self._judge(repair, rollout, Verdict.FAILED, rollout.reason, {})
        if not self._has_grown(repair, rollout, policy):
            return None
        pairs = self._stores.windows.pairs(
            repair.deployment,
            rollout.stable or 0,
            rollout.candidate,
            limit=2 * policy.max_pairs,
        )
        duel = judge_duel(
            pairs,
            min_pairs=policy.min_pairs,
            max_pairs=policy.max_pairs,
            min_span=policy.min_span,
        )
        if duel.verdict not in (Verdict.PASSED, Verdict.FAILED):
            return None
        return self._judge(repair, rollout, duel.verdict, duel.summary, duel.numbers)

    def _has_grown(self, repair: Repair, rollout: Rollout, policy: RepairPolicy) -> bool:
        """Return whether there is enough, and a quarter more than the last time, to compare."""
        tallies = self._stores.windows.tallies(repair.deployment)
        shadow = tallies.get((rollout.candidate, Role.SHADOW))
        labelled = shadow.labelled if shadow else 0
        if labelled < max(policy.min_pairs, 1.25 * self._compared.get(repair.id, 0)):
            return False
        self._compared[repair.id] = labelled
        return True

    def _judge(
        self,
        repair: Repair,
        rollout: Rollout,
        verdict: Verdict,
        summary: str,
        numbers: dict[str, object],
    ) -> Evidence:
        return self._stores.ledger.judge(
            "duel",
            _model(repair),
            verdict,
            summary,
            inputs={
                "repair": repair.id,
                "rollout": rollout.ref,
                "champion": f"deployment:{rollout.deployment}#{rollout.stable}",
                "challenger": f"deployment:{rollout.deployment}#{rollout.candidate}",
            },
            numbers=numbers,
        )

    def find_end(self, repair: Repair) -> tuple[bool, str] | None:
        """Return whether the release ended well, and why; None while it goes on."""
        rollout = self._stores.rollouts.get(repair.rollout or "")
        if not rollout.phase.is_final:
            return None
        return rollout.phase is Phase.SUCCEEDED, f"{rollout.ref}: {rollout.reason}"


def _model(repair: Repair) -> str:
    if repair.model is None:
        raise ValueError(f"repair {repair.id} has registered no model")
    return repair.model
