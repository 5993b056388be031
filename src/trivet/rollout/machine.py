"""The state machine of a rollout. Pure: what it is told and when decide what it says.

    PENDING → PREPARING → STEPPING ⇄ HOLDING → PROMOTING → SUCCEEDED
    from each of these: → ABORTING → ROLLED_BACK, and → SUPERSEDED

The test for harm runs in every phase that is not final. Missing data holds a rollout and never
passes it (I12). A final phase is for ever.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from trivet.ledger import Verdict
from trivet.rollout.analysis import Analysis, Arms, Opening
from trivet.rollout.errors import VerbRefused
from trivet.rollout.records import Phase, Rollout, RolloutStep, Strategy, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What can be seen from outside at one moment.

    Attributes:
        arms: Everything counted so far.
        gateways: How many gateways are up.
        confirmed: Whether all of these serve the table that the rollout last put in place.
        problem: What a gateway says keeps it from doing so, if anything.
        sticky: Whether units stick to a revision, so that requests do not split independently.
    """

    arms: Arms
    gateways: int
    confirmed: bool
    problem: str | None = None
    sticky: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be: the rollout's next state, and what it rests on.

    Attributes:
        weight: The share of units the candidate is to answer.
        shadow: The share of requests it is to compute without answering.
        verdict: What the tests say of the candidate so far.
        sentence: Why, for a person.
        numbers: What was measured, where the decision rests on measurements.
    """

    phase: Phase
    step: int
    weight: float
    shadow: float
    verdict: Verdict
    sentence: str
    numbers: dict[str, Any]
    analysis: Analysis
    step_at: datetime

    @property
    def promotes(self) -> bool:
        """Whether the candidate is to be the stable revision."""
        return self.phase in (Phase.PROMOTING, Phase.SUCCEEDED)


_PATIENCE_SECONDS = 5.0
"""How long a gateway's problem may last: it may be the network, and the gateway tries again."""

_EXPOSED = (Phase.STEPPING, Phase.HOLDING, Phase.PROMOTING)


def advance(rollout: Rollout, observation: Observation, now: datetime) -> Decision:
    """Return what follows from what is seen; a final rollout stays as it is."""
    analysis = Analysis.from_json(rollout.analysis)
    if rollout.phase.is_final:
        return _decide(rollout, analysis, rollout.phase, Verdict.INCONCLUSIVE, rollout.reason)
    analysis = analysis.look(observation.arms, exposed=rollout.phase in _EXPOSED)
    if rollout.phase is Phase.ABORTING:
        return _finish_abort(rollout, analysis, observation)
    harm = analysis.harm(rollout.spec)
    if harm is not None:
        return _decide(rollout, analysis, Phase.ABORTING, Verdict.FAILED, harm)
    if rollout.phase in (Phase.PENDING, Phase.PREPARING):
        return _prepare(rollout, analysis, observation, now)
    if rollout.phase is Phase.PROMOTING:
        return _finish_promotion(rollout, analysis, observation)
    return _step(rollout, analysis, observation, now)


def ask(rollout: Rollout, verb: Verb, sentence: str, now: datetime) -> Decision:
    """Return what follows from a verb; `sentence` says who wants it and why.

    To abort what is over, and to repeat a verb, changes nothing.

    Raises:
        VerbRefused: The verb means nothing in the rollout's phase.
    """
    analysis = Analysis.from_json(rollout.analysis)
    phase = _AFTER[verb].get(rollout.phase)
    if phase is None:
        raise VerbRefused(verb, rollout.id, rollout.phase)
    if verb in (Verb.PAUSE, Verb.RESUME):
        analysis = replace(analysis, paused=verb is Verb.PAUSE)
    elif phase is rollout.phase:
        sentence = rollout.reason
    begun = now if phase is not rollout.phase and verb in (Verb.PROMOTE, Verb.ABORT) else None
    return _decide(rollout, analysis, phase, Verdict.FORCED, sentence, now=begun)


_ENDED = {phase: phase for phase in Phase if phase.is_final}
_GOING = {phase: phase for phase in Phase if not phase.is_final}

_AFTER: dict[Verb, dict[Phase, Phase]] = {
    Verb.PROMOTE: {
        Phase.STEPPING: Phase.PROMOTING,
        Phase.HOLDING: Phase.PROMOTING,
        Phase.PROMOTING: Phase.PROMOTING,
    },
    Verb.ABORT: {**dict.fromkeys(_GOING, Phase.ABORTING), **_ENDED},
    Verb.PAUSE: {
        Phase.PENDING: Phase.PENDING,
        Phase.PREPARING: Phase.PREPARING,
        Phase.STEPPING: Phase.HOLDING,
        Phase.HOLDING: Phase.HOLDING,
    },
    Verb.RESUME: {
        Phase.PENDING: Phase.PENDING,
        Phase.PREPARING: Phase.PREPARING,
        Phase.STEPPING: Phase.STEPPING,
        Phase.HOLDING: Phase.STEPPING,
    },
    Verb.SUPERSEDE: {**dict.fromkeys(_GOING, Phase.SUPERSEDED), **_ENDED},
}
"""The phase after each verb in each phase; a pair that is left out is refused."""


def _prepare(
    rollout: Rollout, analysis: Analysis, observation: Observation, now: datetime
) -> Decision:
    if rollout.phase is Phase.PENDING:
        sentence = "The gateways load the candidate."
        return _decide(rollout, analysis, Phase.PREPARING, Verdict.INCONCLUSIVE, sentence, now=now)
    waited = (now - rollout.step_at).total_seconds()
    if observation.problem is not None and waited >= _PATIENCE_SECONDS:
        sentence = f"A gateway cannot serve the candidate: {observation.problem}"
        return _decide(rollout, analysis, Phase.ABORTING, Verdict.ERROR, sentence)
    if not observation.confirmed:
        if observation.gateways and waited > rollout.spec.prepare_seconds:
            sentence = f"The gateways did not load the candidate within {waited:.0f} s."
            return _decide(rollout, analysis, Phase.ABORTING, Verdict.ERROR, sentence)
        sentence = "No gateway is up." if not observation.gateways else rollout.reason
        return _decide(rollout, analysis, rollout.phase, Verdict.NO_DATA, sentence)
    if analysis.paused:
        return _decide(
            rollout, analysis, rollout.phase, Verdict.INCONCLUSIVE, "A person paused it."
        )
    return _open(rollout, analysis, 0, Verdict.INCONCLUSIVE, "The candidate is loaded.", now)


def _step(
    rollout: Rollout, analysis: Analysis, observation: Observation, now: datetime
) -> Decision:
    if analysis.opening is not Opening.OPEN:
        return _wait_for_gateways(rollout, analysis, observation, now)
    if analysis.paused:
        return _hold(rollout, analysis, Verdict.INCONCLUSIVE, rollout.reason)
    step = rollout.spec.steps[rollout.step]
    if not observation.sticky:
        analysis = analysis.check_split(step.weight)
    if analysis.split_doubted:
        arms = analysis.in_step
        sentence = (
            f"The candidate answered {arms.candidate.requests} of "
            f"{arms.candidate.requests + arms.stable.requests} requests where {step.weight:.0%} "
            "were due; the comparison is void until somebody finds out why."
        )
        return _hold(rollout, analysis, Verdict.INCONCLUSIVE, sentence)
    disagreement = _disagreement(rollout, analysis)
    if disagreement is not None:
        return _decide(rollout, analysis, Phase.ABORTING, Verdict.FAILED, disagreement)
    missing = _missing(rollout, analysis, step, now)
    if missing is None:
        return _pass(rollout, analysis, step, now)
    verdict, sentence = missing
    if verdict is Verdict.NO_DATA:
        return _hold(rollout, analysis, verdict, sentence)
    return _decide(rollout, analysis, Phase.STEPPING, verdict, sentence)


def _wait_for_gateways(
    rollout: Rollout, analysis: Analysis, observation: Observation, now: datetime
) -> Decision:
    phase, verdict = rollout.phase, Verdict.INCONCLUSIVE
    if analysis.opening is Opening.WAITING:
        if observation.confirmed:
            analysis = replace(analysis, opening=Opening.CONFIRMED)
        elif not observation.gateways:
            return _hold(rollout, analysis, Verdict.NO_DATA, "No gateway is up.")
        return _decide(rollout, analysis, phase, verdict, rollout.reason)
    return _decide(rollout, analysis.open_step(), phase, verdict, rollout.reason, now=now)


def _missing(
    rollout: Rollout, analysis: Analysis, step: RolloutStep, now: datetime
) -> tuple[Verdict, str] | None:
    """Return what a step still needs to see, or None when it has seen enough."""
    arms = analysis.in_step
    seen = arms.candidate if step.weight else arms.shadow
    seconds = (now - rollout.step_at).total_seconds()
    quiet = seconds > rollout.spec.quiet_seconds
    if seen.requests < step.min_requests:
        verdict = Verdict.NO_DATA if quiet and not seen.requests else Verdict.INCONCLUSIVE
        return verdict, f"{step.name}: {seen.requests} of {step.min_requests} answers seen."
    if seen.labelled < step.min_labels:
        verdict = Verdict.NO_DATA if quiet and not seen.labelled else Verdict.INCONCLUSIVE
        return verdict, f"{step.name}: {seen.labelled} of {step.min_labels} outcomes known."
    if seconds < step.min_seconds:
        sentence = f"{step.name}: {seconds:.0f} of {step.min_seconds:.0f} s passed."
        return Verdict.INCONCLUSIVE, sentence
    return None


def _disagreement(rollout: Rollout, analysis: Analysis) -> str | None:
    """Return in a sentence that a shadow answers too differently, once enough were compared."""
    step, least = rollout.spec.steps[rollout.step], rollout.spec.min_agreement
    shadow = analysis.in_step.shadow
    if step.weight or not least or shadow.requests < step.min_requests:
        return None
    share = shadow.agreed / shadow.requests
    if share >= least:
        return None
    return f"The candidate agrees with the stable revision in {share:.1%}, less than {least:.1%}."


def _pass(rollout: Rollout, analysis: Analysis, step: RolloutStep, now: datetime) -> Decision:
    arms = analysis.in_step
    seen = arms.candidate if step.weight else arms.shadow
    sentence = (
        f"{step.name}: no harm in {seen.requests} answers, {seen.labelled} of them with a known "
        "outcome."
    )
    following = rollout.step + 1
    if following < len(rollout.spec.steps):
        return _open(rollout, analysis, following, Verdict.PASSED, sentence, now)
    if rollout.spec.strategy is Strategy.SHADOW:
        sentence += " 'trivet deploy promote' or 'trivet deploy abort' ends it."
        return _decide(rollout, analysis, Phase.HOLDING, Verdict.PASSED, sentence)
    analysis = replace(analysis, opening=Opening.WAITING)
    return _decide(rollout, analysis, Phase.PROMOTING, Verdict.PASSED, sentence, now=now)


def _open(
    rollout: Rollout,
    analysis: Analysis,
    step: int,
    verdict: Verdict,
    sentence: str,
    now: datetime,
) -> Decision:
    analysis = replace(analysis, opening=Opening.WAITING, step=analysis.now)
    there = replace(rollout, step=step)
    return _decide(there, analysis, Phase.STEPPING, verdict, sentence, now=now)


def _hold(rollout: Rollout, analysis: Analysis, verdict: Verdict, sentence: str) -> Decision:
    return _decide(rollout, analysis, Phase.HOLDING, verdict, sentence)


def _finish_promotion(rollout: Rollout, analysis: Analysis, observation: Observation) -> Decision:
    if not observation.confirmed:
        return _decide(rollout, analysis, rollout.phase, Verdict.INCONCLUSIVE, rollout.reason)
    sentence = f"Revision {rollout.candidate} answers everybody: {rollout.reason}"
    return _decide(rollout, analysis, Phase.SUCCEEDED, Verdict.PASSED, sentence)


def _finish_abort(rollout: Rollout, analysis: Analysis, observation: Observation) -> Decision:
    # Without a gateway nobody is served by the candidate, so there is nobody to wait for.
    done = observation.confirmed or not observation.gateways
    phase = Phase.ROLLED_BACK if done else Phase.ABORTING
    return _decide(rollout, analysis, phase, Verdict.FAILED, rollout.reason)


def _decide(
    rollout: Rollout,
    analysis: Analysis,
    phase: Phase,
    verdict: Verdict,
    sentence: str,
    *,
    now: datetime | None = None,
) -> Decision:
    """Return the decision; `now` is given where a step or a phase with a clock begins."""
    steps = rollout.spec.steps
    is_step = phase in (Phase.STEPPING, Phase.HOLDING) and rollout.step < len(steps)
    return Decision(
        phase=phase,
        step=rollout.step,
        weight=steps[rollout.step].weight if is_step else 0.0,
        shadow=steps[rollout.step].shadow if is_step else 0.0,
        verdict=verdict,
        sentence=sentence,
        numbers=analysis.numbers(rollout.spec),
        analysis=analysis,
        step_at=now or rollout.step_at,
    )
