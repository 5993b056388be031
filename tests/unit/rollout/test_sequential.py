"""The e-processes against values worked out by other means, and against their promises."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from scipy.stats import binom

from trivet.kernel.errors import InvalidInput
from trivet.rollout.sequential import (
    AccuracyDrop,
    PairedDrop,
    RateRatio,
    _nearest_in_null,
    log_e_of_split,
)

ALPHA = 0.05


def divergence(a: float, b: float) -> float:
    return a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))


def test_a_rate_ratio_is_the_mean_of_binomial_likelihood_ratios() -> None:
    looks = [(100, 2, 900, 1), (500, 3, 500, 2), (10, 0, 990, 4)]
    test = RateRatio(margin=1.25)
    products = np.ones(40)
    for n1, e1, n0, e0 in looks:
        test = test.look(n1, e1, n0, e0)
        for j, ratio in enumerate(1.25 * np.geomspace(1.05, 20, 40)):
            given = n1 * ratio / (n1 * ratio + n0), n1 * 1.25 / (n1 * 1.25 + n0)
            alternative, null = (binom.pmf(e1, e1 + e0, share) for share in given)
            products[j] *= alternative / null
    assert math.exp(test.log_e) == pytest.approx(products.mean(), rel=1e-12)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0, 1.25])
@pytest.mark.parametrize(("n1", "n0", "errors"), [(10, 990, 1), (500, 500, 4), (900, 100, 7)])
def test_a_look_of_the_rate_ratio_has_mean_one_or_less_within_the_margin(
    ratio: float, n1: int, n0: int, errors: int
) -> None:
    share = n1 * ratio / (n1 * ratio + n0)
    e_values = [
        math.exp(RateRatio(margin=1.25).look(n1, e1, n0, errors - e1).log_e)
        for e1 in range(errors + 1)
    ]
    mean = np.dot(binom.pmf(range(errors + 1), errors, share), e_values)
    assert mean <= 1 + 1e-12
    if ratio == 1.25:
        assert mean == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("stable", [0.05, 0.3, 0.8, 0.97])
@pytest.mark.parametrize(("n1", "n0"), [(1, 1), (3, 10), (8, 2)])
@pytest.mark.parametrize("drop", [-0.02, 0.0, 1.0])
def test_a_look_at_two_arms_accuracies_has_mean_one_or_less_within_the_margin(
    margin: float, stable: float, n1: int, n0: int, drop: float
) -> None:
    candidate = min(max(stable - drop * margin, 0.0), 1.0)
    mean = sum(
        binom.pmf(s1, n1, candidate)
        * binom.pmf(s0, n0, stable)
        * math.exp(AccuracyDrop(margin=margin).look(n1, s1, n0, s0).log_e)
        for s1, s0 in product(range(n1 + 1), range(n0 + 1))
    )
    assert mean <= 1 + 1e-9


@pytest.mark.parametrize(("n1", "n0"), [(1, 1), (1, 1_000_000), (1_000_000, 1), (40, 60)])
@pytest.mark.parametrize("stable", [0.1, 0.75, 0.98])
@pytest.mark.parametrize("margin", [0.0, 0.02, 0.09])
def test_the_nearest_point_of_the_null_is_the_one_a_minimiser_finds(
    n1: int, n0: int, stable: float, margin: float
) -> None:
    candidate = max(stable - margin - 0.3, 0.002)
    near1, near0 = _nearest_in_null(np.array([candidate]), stable, n1=n1, n0=n0, margin=margin)
    found = minimize_scalar(
        lambda t: n1 * divergence(candidate, t - margin) + n0 * divergence(stable, t),
        bounds=(candidate + margin, stable),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert near0[0] - near1[0] == pytest.approx(margin)
    assert near0[0] == pytest.approx(found.x, abs=1e-6)
    slope = n1 * (near1[0] - candidate) / (near1[0] * (1 - near1[0]))
    slope += n0 * (near0[0] - stable) / (near0[0] * (1 - near0[0]))
    assert abs(slope) / (n1 + n0) < 1e-9


def test_a_paired_drop_is_the_mean_of_the_capitals_of_its_stakes() -> None:
    test = PairedDrop(margin=0.02).look(10, 1, 3).look(5, 0, 2)
    stakes = np.linspace(0.03, 0.97, 24) / 1.02
    outcomes = [1, -1, -1, -1, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0]
    capitals = np.prod([1 + stakes * (-0.02 - z) for z in outcomes], axis=0)
    assert math.exp(test.log_e) == pytest.approx(capitals.mean(), rel=1e-12)


@pytest.mark.parametrize(("gained", "lost"), [(0.1, 0.1), (0.0, 0.02), (0.2, 0.22), (0.5, 0.4)])
def test_a_paired_look_has_mean_one_or_less_within_the_margin(gained: float, lost: float) -> None:
    outcomes = {(1, 0): gained, (0, 1): lost, (0, 0): 1 - gained - lost}
    mean = sum(
        share * math.exp(PairedDrop(margin=0.02).look(1, *outcome).log_e)
        for outcome, share in outcomes.items()
    )
    assert mean <= 1 + 1e-12


def test_looks_may_be_split_or_merged_where_the_split_of_traffic_is_the_same() -> None:
    halves = RateRatio().look(50, 1, 450, 2).look(50, 2, 450, 0)
    whole = RateRatio().look(100, 3, 900, 2)
    assert halves.log_e == pytest.approx(whole.log_e)
    pairs = PairedDrop().look(10, 1, 4).look(10, 0, 2)
    assert pairs.log_e == pytest.approx(PairedDrop().look(20, 1, 6).log_e)


def test_a_look_with_one_arm_says_nothing() -> None:
    assert RateRatio().look(0, 0, 100, 5).log_e == 0
    assert RateRatio().look(100, 5, 0, 0).log_e == 0
    assert AccuracyDrop().look(0, 0, 100, 80).log_e == 0
    assert AccuracyDrop().look(100, 10, 0, 0).log_e == 0


def test_where_the_stable_revision_is_worse_than_the_margin_nothing_is_bet() -> None:
    seen = AccuracyDrop(margin=0.1).look(0, 0, 1000, 20)
    assert seen.look(100, 0, 100, 2).log_e == 0


@pytest.mark.parametrize("test", [RateRatio(), AccuracyDrop()])
def test_more_failures_than_requests_are_refused(test: RateRatio | AccuracyDrop) -> None:
    with pytest.raises(InvalidInput, match="3 of 2"):
        test.look(2, 3, 10, 0)


def test_a_split_is_judged_by_the_dirichlet_multinomial() -> None:
    # Two arms: a beta-binomial marginal over the binomial likelihood.
    log_marginal = betaln(10 + 30, 90 + 70) - betaln(10, 90)
    expected = log_marginal - 30 * math.log(0.1) - 70 * math.log(0.9)
    assert log_e_of_split((30, 70), (0.1, 0.9)) == pytest.approx(expected)
    assert log_e_of_split((0, 0), (0.1, 0.9)) == pytest.approx(0)


def test_a_split_has_mean_one_where_the_shares_are_true() -> None:
    mean = sum(
        binom.pmf(x, 20, 0.3) * math.exp(log_e_of_split((x, 20 - x), (0.3, 0.7)))
        for x in range(21)
    )
    assert mean == pytest.approx(1)


def test_a_wrong_split_is_noticed_and_a_right_one_is_not() -> None:
    assert log_e_of_split((700, 9300), (0.1, 0.9)) > math.log(1 / 0.001)
    assert log_e_of_split((1010, 8990), (0.1, 0.9)) < 0


@pytest.mark.parametrize("shares", [(0.0, 1.0), (0.5, 0.6)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="Shares"):
        log_e_of_split((1, 1), shares)


def counts(
    rng: np.random.Generator, looks: int, weight: NDArray[np.float64], per_look: int
) -> NDArray[np.int64]:
    return rng.binomial(per_look, weight[np.arange(looks) * len(weight) // looks])


def ever(log_e_values: Iterable[float], alpha: float) -> bool:
    return any(log_e >= math.log(1 / alpha) for log_e in log_e_values)


def false_aborts(rollouts: int, rollout: Callable[[], Iterable[float]], alpha: float) -> int:
    return sum(ever(rollout(), alpha) for _ in range(rollouts))


def most(rollouts: int, alpha: float) -> int:
    """How many of `rollouts` would be aborted once in a thousand times at a level of `alpha`."""
    return int(binom.ppf(0.999, rollouts, alpha))


WEIGHTS = np.array([0.01, 0.05, 0.1, 0.25, 0.5])


def test_equal_error_rates_are_aborted_no_more_often_than_alpha_however_often_one_peeks() -> None:
    rng = np.random.default_rng(7)

    def rollout() -> Iterator[float]:
        test, rate = RateRatio(), rng.uniform(0.002, 0.03)
        for n1 in counts(rng, 25, WEIGHTS, 200):
            n0 = 200 - n1
            test = test.look(n1, rng.binomial(n1, rate), n0, rng.binomial(n0, rate))
            yield test.log_e

    # Twice alpha in place of half of it, so that some are aborted and the bound is a test.
    assert 0 < false_aborts(1500, rollout, 2 * ALPHA) <= most(1500, 2 * ALPHA)


def test_equal_accuracies_are_aborted_no_more_often_than_alpha_however_often_one_peeks() -> None:
    rng = np.random.default_rng(8)

    def rollout() -> Iterator[float]:
        # Accuracy drifts, for both alike, as it does from winter to summer.
        test, right = AccuracyDrop(), rng.uniform(0.6, 0.9)
        for n1 in counts(rng, 25, WEIGHTS, 200):
            right = np.clip(right + rng.uniform(-0.02, 0.02), 0.5, 0.98)
            n0 = 200 - n1
            test = test.look(n1, rng.binomial(n1, right), n0, rng.binomial(n0, right))
            yield test.log_e

    assert 0 < false_aborts(250, rollout, 2 * ALPHA) <= most(250, 2 * ALPHA)


def test_a_shadow_as_good_is_aborted_no_more_often_than_alpha_however_often_one_peeks() -> None:
    rng = np.random.default_rng(9)

    def rollout() -> Iterator[float]:
        test = PairedDrop()
        for _ in range(25):
            differing = rng.binomial(20, 0.2)
            gained = rng.binomial(differing, 0.5)
            test = test.look(20, gained, differing - gained)
            yield test.log_e

    assert 0 < false_aborts(1500, rollout, 2 * ALPHA) <= most(1500, 2 * ALPHA)


def test_six_times_the_errors_are_caught_within_ten_looks() -> None:
    rng = np.random.default_rng(8)
    caught_at = []
    for _ in range(200):
        errors = RateRatio(margin=1.25)
        for look, n1 in enumerate(counts(rng, 50, WEIGHTS, 2000), start=1):
            n0 = 2000 - n1
            errors = errors.look(n1, rng.binomial(n1, 0.03), n0, rng.binomial(n0, 0.005))
            if errors.log_e >= math.log(2 / ALPHA):
                caught_at.append(look)
                break
    assert len(caught_at) == 200
    assert np.median(caught_at) <= 10


def test_flipped_labels_are_caught_within_a_hundred_outcomes() -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        paired, accuracy = PairedDrop(margin=0.02), AccuracyDrop(margin=0.02)
        for _ in range(100):
            right = rng.random() < 0.8
            paired = paired.look(1, int(not right), int(right))
            accuracy = accuracy.look(1, int(rng.random() < 0.2), 9, rng.binomial(9, 0.8))
        assert paired.log_e >= math.log(4 / ALPHA)
        assert accuracy.log_e >= math.log(4 / ALPHA)
