from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pytest

from trivet.kernel.errors import InvalidInput
from trivet.ledger import Verdict
from trivet.monitoring import Drift, Reference, Tally, Watch, normalised_log_loss
from trivet.monitoring.intervals import confidence_sequence_radius
from trivet.monitoring.rules import (
    excess_loss,
    judge_coverage,
    judge_drift,
    judge_harm,
    judge_share,
)

Column = np.ndarray[tuple[int], np.dtype[np.float64]]
WATCH = Watch()
REFERENCE = Reference(rows=5000, features={}, log_loss=0.45, base_rate=0.22)


def labelled(probabilities: Column, outcomes: Column) -> Tally:
    """Return the tally of answers with these probabilities and outcomes."""
    losses = -np.where(outcomes == 1, np.log(probabilities), np.log1p(-probabilities))
    return Tally(
        requests=len(outcomes),
        labelled=len(outcomes),
        positives=int(outcomes.sum()),
        correct=int(((probabilities >= 0.5) == outcomes).sum()),
        loss=float(losses.sum()),
        loss_squared=float((losses**2).sum()),
        loss_positive=float(losses[outcomes == 1].sum()),
    )


def week(rng: np.random.Generator, rows: int, *, skill: float, bias: float = 0.0) -> Tally:
    """Return a week of a model whose log-odds are off by `bias` and follow `skill`."""
    signal = rng.normal(size=rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(1.3 - signal))
    told = 1 / (1 + np.exp(1.3 - skill * signal - bias))
    return labelled(told, truth.astype(float))


def test_normalised_log_loss_is_one_for_the_constant_that_knows_the_base_rate() -> None:
    outcomes = np.array([1.0, 0.0, 0.0, 0.0])

    assert normalised_log_loss(labelled(np.full(4, 0.25), outcomes)) == pytest.approx(1.0)
    assert normalised_log_loss(labelled(np.full(4, 0.5), outcomes)) == pytest.approx(1.2326, 1e-4)
    assert normalised_log_loss(labelled(np.full(4, 0.5), np.ones(4))) is None
    assert normalised_log_loss(Tally()) is None


def test_excess_loss_from_sums_is_that_of_the_rows() -> None:
    rng = np.random.default_rng(5)
    p, y = rng.uniform(0.05, 0.6, 400), (rng.random(400) < 0.3).astype(float)
    base = y.mean()
    rows = -np.where(y == 1, np.log(p), np.log1p(-p)) + 0.9 * np.where(
        y == 1, np.log(base), np.log1p(-base)
    )

    mean, radius = excess_loss(labelled(p, y), 0.9, alpha=0.01)

    assert mean == pytest.approx(rows.mean())
    spread = confidence_sequence_radius(rows.sum(), (rows**2).sum(), 400, alpha=0.01)
    assert radius == pytest.approx(spread)


def test_no_outcome_is_no_data_and_few_are_learning() -> None:
    rng = np.random.default_rng(1)

    assert judge_harm(Tally(requests=900), REFERENCE, WATCH, days=7).verdict is Verdict.NO_DATA
    few = judge_harm(week(rng, 50, skill=0.0, bias=2.0), REFERENCE, WATCH, days=7)
    assert few.verdict is Verdict.LEARNING


def test_a_model_that_went_blind_is_harmful() -> None:
    rng = np.random.default_rng(2)

    finding = judge_harm(week(rng, 800, skill=0.0, bias=1.0), REFERENCE, WATCH, days=7)

    assert finding.verdict is Verdict.FAILED
    assert finding.numbers["normalised_log_loss"] > 0.97
    assert finding.numbers["excess_loss_low"] > 0


def test_without_change_noise_does_not_fire_in_a_year_of_weeks() -> None:
    rng = np.random.default_rng(3)
    reference = week(rng, 20_000, skill=1.0)
    known = Reference(
        rows=20_000,
        features={},
        log_loss=reference.log_loss,
        base_rate=reference.positives / reference.labelled,
    )

    findings = [judge_harm(week(rng, 300, skill=1.0), known, WATCH, days=7) for _ in range(520)]

    assert Verdict.FAILED not in {finding.verdict for finding in findings}


def test_a_ceiling_crossed_by_chance_is_inconclusive() -> None:
    rng = np.random.default_rng(4)
    always = Reference(rows=100, features={}, log_loss=0.528, base_rate=0.22)  # as bad before

    finding = judge_harm(week(rng, 300, skill=0.0), always, WATCH, days=7)

    assert finding.verdict is Verdict.INCONCLUSIVE


def test_errors_fire_on_the_lower_end_of_their_interval() -> None:
    def judge(harmed: int, requests: int) -> Verdict:
        return judge_share("errors", harmed, requests, limit=0.01, min_requests=100).verdict

    assert judge(0, 0) is Verdict.NO_DATA
    assert judge(0, 20) is Verdict.LEARNING
    assert judge(1, 100) is Verdict.PASSED
    assert judge(30, 60) is Verdict.FAILED
    assert judge(100, 2000) is Verdict.FAILED


def test_outcomes_that_stop_coming_are_noticed() -> None:
    def judge(requests: int, known: int) -> Verdict:
        return judge_coverage(Tally(requests=requests, labelled=known), WATCH).verdict

    assert judge(0, 0) is Verdict.NO_DATA
    assert judge(20, 0) is Verdict.LEARNING
    assert judge(500, 480) is Verdict.PASSED
    assert judge(500, 100) is Verdict.FAILED


def test_drift_names_the_features_that_moved() -> None:
    def drift(name: str, psi: float | None, rows: int = 1000) -> Drift:
        return Drift(feature=name, psi=psi, rows=rows, missing_share=0, reference_missing_share=0)

    found = judge_drift([drift("rate", 0.4), drift("age", 0.01)], WATCH)

    assert found.verdict is Verdict.FAILED
    assert "rate (0.40)" in found.summary
    assert judge_drift([drift("age", 0.01)], WATCH).verdict is Verdict.PASSED
    assert judge_drift([drift("age", 0.9, rows=50)], WATCH).verdict is Verdict.LEARNING
    assert judge_drift([drift("age", None)], WATCH).verdict is Verdict.NO_DATA


def test_a_deployment_sets_its_own_bounds() -> None:
    watch = Watch.read({"harm_window": "3d", "harm_ceiling": 1, "min_labels": 50})

    assert (watch.harm_window, watch.harm_ceiling, watch.min_labels) == (
        timedelta(days=3),
        1.0,
        50,
    )
    assert asdict(Watch.read({})) == asdict(WATCH)


@pytest.mark.parametrize("settings", [{"harm": 1}, {"harm_window": "soon"}, {"min_labels": "x"}])
def test_a_bound_that_is_none_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Watch.read(settings)
