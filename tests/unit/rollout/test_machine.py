"""Every verb in every phase, harm in every phase, and no pass without data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from trivet.ledger import Verdict
from trivet.rollout import CANARY, SHADOW, Phase, Rollout, RolloutSpec, Strategy, Verb, VerbRefused
from trivet.rollout.analysis import Analysis, Arms, Counts, Opening
from trivet.rollout.machine import Decision, Observation, advance, ask

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = RolloutSpec(strategy=Strategy.CANARY, steps=CANARY)
LIVE = [phase for phase in Phase if not phase.is_final]
FINAL = [phase for phase in Phase if phase.is_final]

GOOD = Counts(requests=1000, labelled=1000, correct=800)
SHADOWED = Counts(requests=1000, labelled=1000, correct=800, agreed=1000)


def rollout(
    phase: Phase, *, step: int = 0, analysis: Analysis | None = None, spec: RolloutSpec = SPEC
) -> Rollout:
    return Rollout(
        id="r1",
        deployment="delay",
        stable=1,
        candidate=2,
        spec=spec,
        phase=phase,
        step=step,
        reason="so far",
        started_at=NOW,
        step_at=NOW,
        analysis=(analysis or begun()).to_json(),
    )


def begun(*, opening: Opening = Opening.OPEN, paused: bool = False) -> Analysis:
    first = Analysis.begin(SPEC).look(Arms(), exposed=True)
    return replace(first, opening=opening, paused=paused)


def seen(
    *,
    stable: Counts = GOOD,
    candidate: Counts | None = None,
    shadow: Counts | None = None,
    gateways: int = 1,
    confirmed: bool = True,
    problem: str | None = None,
    sticky: bool = True,
) -> Observation:
    return Observation(
        arms=Arms(stable=stable, candidate=candidate or Counts(), shadow=shadow or Counts()),
        gateways=gateways,
        confirmed=confirmed,
        problem=problem,
        sticky=sticky,
    )


def after(rollout: Rollout, observation: Observation, seconds: float = 1.0) -> Decision:
    return advance(rollout, observation, NOW + timedelta(seconds=seconds))


EXPECTED: dict[tuple[Verb, Phase], Phase | None] = {
    (Verb.PROMOTE, Phase.PENDING): None,
    (Verb.PROMOTE, Phase.PREPARING): None,
    (Verb.PROMOTE, Phase.STEPPING): Phase.PROMOTING,
    (Verb.PROMOTE, Phase.HOLDING): Phase.PROMOTING,
    (Verb.PROMOTE, Phase.PROMOTING): Phase.PROMOTING,
    (Verb.PROMOTE, Phase.ABORTING): None,
    (Verb.PROMOTE, Phase.SUCCEEDED): None,
    (Verb.PROMOTE, Phase.ROLLED_BACK): None,
    (Verb.PROMOTE, Phase.SUPERSEDED): None,
    (Verb.ABORT, Phase.PENDING): Phase.ABORTING,
    (Verb.ABORT, Phase.PREPARING): Phase.ABORTING,
    (Verb.ABORT, Phase.STEPPING): Phase.ABORTING,
    (Verb.ABORT, Phase.HOLDING): Phase.ABORTING,
    (Verb.ABORT, Phase.PROMOTING): Phase.ABORTING,
    (Verb.ABORT, Phase.ABORTING): Phase.ABORTING,
    (Verb.ABORT, Phase.SUCCEEDED): Phase.SUCCEEDED,
    (Verb.ABORT, Phase.ROLLED_BACK): Phase.ROLLED_BACK,
    (Verb.ABORT, Phase.SUPERSEDED): Phase.SUPERSEDED,
    (Verb.PAUSE, Phase.PENDING): Phase.PENDING,
    (Verb.PAUSE, Phase.PREPARING): Phase.PREPARING,
    (Verb.PAUSE, Phase.STEPPING): Phase.HOLDING,
    (Verb.PAUSE, Phase.HOLDING): Phase.HOLDING,
    (Verb.PAUSE, Phase.PROMOTING): None,
    (Verb.PAUSE, Phase.ABORTING): None,
    (Verb.PAUSE, Phase.SUCCEEDED): None,
    (Verb.PAUSE, Phase.ROLLED_BACK): None,
    (Verb.PAUSE, Phase.SUPERSEDED): None,
    (Verb.RESUME, Phase.PENDING): Phase.PENDING,
    (Verb.RESUME, Phase.PREPARING): Phase.PREPARING,
    (Verb.RESUME, Phase.STEPPING): Phase.STEPPING,
    (Verb.RESUME, Phase.HOLDING): Phase.STEPPING,
    (Verb.RESUME, Phase.PROMOTING): None,
    (Verb.RESUME, Phase.ABORTING): None,
    (Verb.RESUME, Phase.SUCCEEDED): None,
    (Verb.RESUME, Phase.ROLLED_BACK): None,
    (Verb.RESUME, Phase.SUPERSEDED): None,
    (Verb.SUPERSEDE, Phase.PENDING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.PREPARING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.STEPPING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.HOLDING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.PROMOTING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.ABORTING): Phase.SUPERSEDED,
    (Verb.SUPERSEDE, Phase.SUCCEEDED): Phase.SUCCEEDED,
    (Verb.SUPERSEDE, Phase.ROLLED_BACK): Phase.ROLLED_BACK,
    (Verb.SUPERSEDE, Phase.SUPERSEDED): Phase.SUPERSEDED,
}


def test_every_verb_is_decided_in_every_phase() -> None:
    assert set(EXPECTED) == set(product(Verb, Phase))


@pytest.mark.parametrize(("verb", "phase"), list(product(Verb, Phase)))
def test_a_verb_in_a_phase_does_what_the_table_says(verb: Verb, phase: Phase) -> None:
    expected = EXPECTED[verb, phase]
    if expected is None:
        with pytest.raises(VerbRefused, match=f"is {phase}, so it cannot {verb}"):
            ask(rollout(phase), verb, "somebody asked", NOW)
        return
    decision = ask(rollout(phase), verb, "somebody asked", NOW)
    assert decision.phase is expected
    if expected not in (Phase.STEPPING, Phase.HOLDING):
        assert (decision.weight, decision.shadow) == (0.0, 0.0)


def test_abort_is_legal_in_every_phase() -> None:
    for phase in Phase:
        assert ask(rollout(phase), Verb.ABORT, "stop", NOW).weight == 0.0


@pytest.mark.parametrize("phase", FINAL)
def test_a_final_phase_is_for_ever(phase: Phase) -> None:
    invalid = Counts(requests=1000, failures=900, invalid=900)
    assert after(rollout(phase), seen(candidate=invalid)).phase is phase


HARM = {
    "one invalid answer": seen(candidate=Counts(requests=10, failures=1, invalid=1)),
    "an invalid shadow": seen(shadow=Counts(requests=10, failures=1, invalid=1)),
    "errors": seen(candidate=Counts(requests=200, failures=60)),
    "a wrong shadow": seen(shadow=Counts(requests=200, labelled=200, gained=40, lost=160)),
    "a wrong canary": seen(candidate=Counts(requests=200, labelled=200, correct=40)),
}


@pytest.mark.parametrize("harm", list(HARM.values()), ids=list(HARM))
@pytest.mark.parametrize("phase", [Phase.STEPPING, Phase.HOLDING, Phase.PROMOTING])
def test_harm_aborts_in_every_phase_where_the_candidate_computes(
    phase: Phase, harm: Observation
) -> None:
    decision = after(rollout(phase), harm)
    assert (decision.phase, decision.verdict) == (Phase.ABORTING, Verdict.FAILED)
    assert (decision.weight, decision.shadow) == (0.0, 0.0)
    assert "The candidate" in decision.sentence or "both computed" in decision.sentence


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PREPARING])
def test_an_invalid_answer_aborts_before_the_first_step_too(phase: Phase) -> None:
    decision = after(rollout(phase), HARM["one invalid answer"])
    assert decision.phase is Phase.ABORTING


def test_harm_aborts_a_paused_rollout_and_one_whose_gateways_have_not_confirmed() -> None:
    paused = rollout(Phase.HOLDING, analysis=begun(paused=True))
    assert after(paused, HARM["errors"]).phase is Phase.ABORTING
    waiting = rollout(Phase.STEPPING, analysis=begun(opening=Opening.WAITING))
    unconfirmed = replace(HARM["errors"], confirmed=False)
    assert after(waiting, unconfirmed).phase is Phase.ABORTING


def test_invalid_answers_of_both_are_left_to_the_test_of_rates() -> None:
    both = seen(
        stable=Counts(requests=1000, failures=10, invalid=10),
        candidate=Counts(requests=1000, failures=10, invalid=10),
    )
    assert after(rollout(Phase.STEPPING, step=3), both).phase is not Phase.ABORTING


def test_some_invalid_answers_are_borne_where_the_spec_bears_them() -> None:
    lenient = replace(SPEC, max_invalid=5)
    few = seen(candidate=Counts(requests=100, failures=1, invalid=1))
    decision = after(rollout(Phase.STEPPING, step=3, spec=lenient), few)
    assert decision.phase is Phase.STEPPING


def test_a_pending_rollout_is_prepared_at_weight_zero() -> None:
    decision = after(rollout(Phase.PENDING), seen())
    assert (decision.phase, decision.weight, decision.shadow) == (Phase.PREPARING, 0.0, 0.0)


def test_preparing_ends_when_every_gateway_has_loaded_the_candidate() -> None:
    preparing = rollout(Phase.PREPARING)
    assert after(preparing, seen(confirmed=False)).phase is Phase.PREPARING
    decision = after(preparing, seen())
    assert (decision.phase, decision.step) == (Phase.STEPPING, 0)
    assert (decision.weight, decision.shadow) == (0.0, 1.0)


def test_preparing_is_given_up_after_its_time_or_on_a_gateways_problem() -> None:
    preparing = rollout(Phase.PREPARING)
    late = after(preparing, seen(confirmed=False), seconds=121)
    assert (late.phase, late.verdict) == (Phase.ABORTING, Verdict.ERROR)
    troubled = seen(confirmed=False, problem="g1: no such blob")
    assert after(preparing, troubled, seconds=1).phase is Phase.PREPARING
    broken = after(preparing, troubled, seconds=5)
    assert (broken.phase, broken.verdict) == (Phase.ABORTING, Verdict.ERROR)
    assert "no such blob" in broken.sentence


def test_preparing_waits_for_ever_for_the_first_gateway() -> None:
    none = seen(gateways=0, confirmed=False)
    decision = after(rollout(Phase.PREPARING), none, seconds=10_000)
    assert (decision.phase, decision.verdict) == (Phase.PREPARING, Verdict.NO_DATA)


def test_a_rollout_paused_while_it_is_prepared_does_not_step() -> None:
    paused = rollout(Phase.PREPARING, analysis=begun(paused=True))
    assert after(paused, seen()).phase is Phase.PREPARING


def test_a_steps_counts_begin_at_the_second_look_after_all_gateways_confirmed() -> None:
    step = rollout(Phase.STEPPING, analysis=begun(opening=Opening.WAITING))
    for observation, opening in (
        (seen(shadow=SHADOWED, confirmed=False), Opening.WAITING),
        (seen(shadow=SHADOWED), Opening.CONFIRMED),
        (seen(shadow=SHADOWED), Opening.OPEN),
    ):
        decision = after(step, observation)
        assert decision.analysis.opening is opening
        step = replace(step, analysis=decision.analysis.to_json(), step_at=decision.step_at)
    # All that was seen before the step opened does not count for it.
    decision = after(step, seen(shadow=SHADOWED))
    assert (decision.step, decision.verdict) == (0, Verdict.INCONCLUSIVE)
    assert "0 of 300 answers" in decision.sentence


def test_a_step_that_has_seen_enough_passes_to_the_next() -> None:
    decision = after(rollout(Phase.STEPPING), seen(shadow=SHADOWED))
    assert (decision.phase, decision.step, decision.verdict) == (
        Phase.STEPPING,
        1,
        Verdict.PASSED,
    )
    assert (decision.weight, decision.shadow) == (0.01, 0.0)
    assert decision.analysis.opening is Opening.WAITING


def test_the_last_step_passes_to_promotion_and_promotion_waits_for_the_gateways() -> None:
    decision = after(rollout(Phase.STEPPING, step=3), seen(candidate=GOOD))
    assert (decision.phase, decision.verdict) == (Phase.PROMOTING, Verdict.PASSED)
    assert decision.promotes
    assert after(rollout(Phase.PROMOTING), seen(confirmed=False)).phase is Phase.PROMOTING
    assert after(rollout(Phase.PROMOTING), seen()).phase is Phase.SUCCEEDED


def test_a_shadow_release_holds_at_its_end_until_a_person_decides() -> None:
    spec = RolloutSpec(strategy=Strategy.SHADOW, steps=(SHADOW,))
    decision = after(rollout(Phase.STEPPING, spec=spec), seen(shadow=SHADOWED))
    assert (decision.phase, decision.verdict) == (Phase.HOLDING, Verdict.PASSED)
    assert decision.shadow == 1.0


@pytest.mark.parametrize("step", range(len(CANARY)))
@pytest.mark.parametrize("seconds", [1, 100, 1_000_000])
def test_no_data_never_passes_a_step(step: int, seconds: int) -> None:
    silent = seen(stable=Counts())
    decision = after(rollout(Phase.STEPPING, step=step), silent, seconds=seconds)
    assert decision.step == step
    assert decision.verdict is not Verdict.PASSED
    if seconds > SPEC.quiet_seconds:
        assert (decision.phase, decision.verdict) == (Phase.HOLDING, Verdict.NO_DATA)


def test_answers_without_outcomes_do_not_pass_a_step_that_needs_outcomes() -> None:
    unlabelled = seen(shadow=replace(SHADOWED, labelled=0, correct=0))
    decision = after(rollout(Phase.STEPPING), unlabelled, seconds=60)
    assert (decision.phase, decision.verdict) == (Phase.HOLDING, Verdict.NO_DATA)
    assert "0 of 100 outcomes" in decision.sentence


def test_a_step_lasts_at_least_its_time() -> None:
    slow = replace(SPEC, steps=(replace(SHADOW, min_seconds=60.0),))
    early = after(rollout(Phase.STEPPING, spec=slow), seen(shadow=SHADOWED), seconds=59)
    assert (early.phase, early.verdict) == (Phase.STEPPING, Verdict.INCONCLUSIVE)
    late = after(rollout(Phase.STEPPING, spec=slow), seen(shadow=SHADOWED), seconds=60)
    assert late.phase is Phase.PROMOTING


def test_a_held_rollout_goes_on_when_data_comes() -> None:
    decision = after(rollout(Phase.HOLDING), seen(shadow=SHADOWED))
    assert (decision.phase, decision.step) == (Phase.STEPPING, 1)


def test_a_paused_rollout_stays_where_it_is_whatever_it_sees() -> None:
    paused = rollout(Phase.HOLDING, analysis=begun(paused=True))
    decision = after(paused, seen(shadow=SHADOWED))
    assert (decision.phase, decision.step) == (Phase.HOLDING, 0)
    resumed = ask(paused, Verb.RESUME, "go on", NOW)
    assert not resumed.analysis.paused


def test_a_wrong_split_holds_unless_units_stick() -> None:
    all_of_it = seen(
        stable=Counts(requests=100), candidate=replace(GOOD, labelled=500, correct=400)
    )
    decision = after(rollout(Phase.STEPPING, step=2), replace(all_of_it, sticky=False))
    assert (decision.phase, decision.verdict) == (Phase.HOLDING, Verdict.INCONCLUSIVE)
    assert "1000 of 1100 requests where 10% were due" in decision.sentence
    assert after(rollout(Phase.STEPPING, step=2), all_of_it).step == 3


def test_a_shadow_that_agrees_too_seldom_is_aborted_where_the_spec_asks_for_agreement() -> None:
    strict = replace(SPEC, min_agreement=0.9)
    differs = seen(shadow=replace(SHADOWED, agreed=500))
    decision = after(rollout(Phase.STEPPING, spec=strict), differs)
    assert (decision.phase, decision.verdict) == (Phase.ABORTING, Verdict.FAILED)
    agrees = after(rollout(Phase.STEPPING, spec=strict), seen(shadow=SHADOWED))
    assert agrees.step == 1


def test_a_gateway_that_goes_away_before_a_step_opened_holds_it() -> None:
    waiting = rollout(Phase.STEPPING, analysis=begun(opening=Opening.WAITING))
    decision = after(waiting, seen(gateways=0, confirmed=False))
    assert (decision.phase, decision.verdict) == (Phase.HOLDING, Verdict.NO_DATA)


def test_an_abort_is_over_when_no_gateway_serves_the_candidate_any_more() -> None:
    aborting = rollout(Phase.ABORTING)
    assert after(aborting, seen(confirmed=False)).phase is Phase.ABORTING
    assert after(aborting, seen()).phase is Phase.ROLLED_BACK
    assert after(aborting, seen(gateways=0, confirmed=False)).phase is Phase.ROLLED_BACK


def test_the_same_things_seen_twice_are_counted_once() -> None:
    first = after(rollout(Phase.STEPPING, step=2), seen(candidate=Counts(requests=9, failures=2)))
    again = replace(rollout(Phase.STEPPING, step=2), analysis=first.analysis.to_json())
    second = after(again, seen(candidate=Counts(requests=9, failures=2)))
    assert second.analysis == first.analysis
