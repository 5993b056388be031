"""What an analysis keeps between looks."""

import json
import math
from dataclasses import replace

from trivet.kernel.digests import canonical_json
from trivet.monitoring.records import Tally
from trivet.rollout import CANARY, RolloutSpec, Strategy
from trivet.rollout.analysis import Analysis, Arms, Counts
from trivet.rollout.sequential import AccuracyDrop, PairedDrop, RateRatio

SPEC = RolloutSpec(strategy=Strategy.CANARY, steps=CANARY)


def looked(*arms: Arms, exposed: bool = True) -> Analysis:
    analysis = Analysis.begin(SPEC)
    for seen in arms:
        analysis = analysis.look(seen, exposed=exposed)
    return analysis


def test_an_analysis_survives_json() -> None:
    analysis = looked(
        Arms(),
        Arms(
            stable=Counts(requests=90, failures=1, labelled=50, correct=40),
            candidate=Counts(requests=10, failures=2, labelled=5, correct=1),
            shadow=Counts(requests=100, labelled=50, gained=2, lost=9),
        ),
    )
    stored = json.loads(canonical_json(analysis.to_json()))
    assert Analysis.from_json(stored) == analysis
    assert Analysis.from_json(stored).to_json() == stored


def test_failures_are_errors_and_invalid_answers() -> None:
    counts = Counts.of(Tally(requests=10, errors=2, invalid=3, labelled=4, correct=1))
    assert (counts.failures, counts.invalid, counts.labelled) == (5, 3, 4)


def test_what_the_stable_revision_did_before_the_rollout_does_not_count() -> None:
    past = Counts(requests=10_000, failures=500, labelled=9000, correct=100)
    analysis = looked(Arms(stable=past), Arms(stable=past + Counts(requests=10)))
    assert analysis.in_all.stable == Counts(requests=10)


def test_each_look_adds_what_is_new_to_each_test() -> None:
    first = Arms(stable=Counts(requests=90, failures=1), candidate=Counts(requests=10))
    second = Arms(
        stable=Counts(requests=180, failures=1, labelled=20, correct=16),
        candidate=Counts(requests=20, failures=1, labelled=4, correct=2),
    )
    analysis = looked(Arms(), first, second)
    expected = RateRatio(margin=1.25).look(10, 0, 90, 1).look(10, 1, 90, 0)
    assert analysis.errors == expected
    assert analysis.accuracy == AccuracyDrop(margin=0.02).look(4, 2, 20, 16)


def test_answers_of_one_arm_wait_for_the_others() -> None:
    candidate_first = Arms(candidate=Counts(requests=3, failures=3))
    both = replace(candidate_first, stable=Counts(requests=30))
    analysis = looked(Arms(), candidate_first, both)
    assert analysis.errors == RateRatio(margin=1.25).look(3, 3, 30, 0)


def test_while_the_candidate_is_idle_the_stable_revisions_answers_are_passed_over() -> None:
    idle = looked(Arms(), Arms(stable=Counts(requests=1000, failures=7)), exposed=False)
    both = Arms(
        stable=Counts(requests=1010, failures=7), candidate=Counts(requests=10, failures=1)
    )
    analysis = idle.look(both, exposed=True)
    assert analysis.errors == RateRatio(margin=1.25).look(10, 1, 10, 0)


def test_shadow_and_canary_are_judged_apart() -> None:
    analysis = looked(Arms(), Arms(shadow=Counts(requests=9, labelled=9, gained=1, lost=5)))
    assert analysis.paired == PairedDrop(margin=0.02).look(9, 1, 5)
    assert analysis.accuracy.log_e == 0


def split(analysis: Analysis, stable: int, candidate: int) -> Analysis:
    seen = analysis.now
    more = Arms(
        stable=seen.stable + Counts(requests=stable),
        candidate=seen.candidate + Counts(requests=candidate),
    )
    return analysis.look(more, exposed=True).check_split(0.1)


def test_late_answers_of_before_a_step_cast_doubt_on_the_split_only_for_a_moment() -> None:
    late = split(looked(Arms()).open_step(), 2000, 0)
    assert late.split_doubted
    few = split(late, 45, 5)
    assert few.split_doubted  # five expected answers clear nothing
    assert not split(few, 90, 10).split_doubted


def test_a_split_that_stays_wrong_stays_in_doubt() -> None:
    analysis = looked(Arms()).open_step()
    for _ in range(20):
        analysis = split(analysis, 70, 30)
    assert analysis.split_doubted
    assert not analysis.open_step().split_doubted


def test_the_bounds_of_the_tests_share_alpha() -> None:
    numbers = looked(Arms()).numbers(SPEC)
    bounds = [numbers[test]["abort_at"] for test in ("errors", "accuracy", "shadow")]
    assert math.isclose(sum(1 / bound for bound in bounds), SPEC.alpha)


def test_the_numbers_are_json_from_the_first_look_on() -> None:
    canonical_json(looked(Arms()).numbers(SPEC))
    many = Counts(requests=10**6, failures=10**6, labelled=10**6)
    canonical_json(
        looked(Arms(), Arms(stable=Counts(requests=10**6, labelled=1), candidate=many)).numbers(
            SPEC
        )
    )
