import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from trivet.kernel.errors import InvalidInput
from trivet.monitoring import Tally, jensen_shannon_distance, population_stability_index
from trivet.monitoring.drift import drifts
from trivet.monitoring.intervals import confidence_sequence_radius, normal, wilson
from trivet.monitoring.references import FeatureReference, Reference, binary_entropy
from trivet.monitoring.tallying import log_loss


def test_psi_is_the_known_value_of_a_worked_example() -> None:
    # Shares with half a row added: (10.5, 20.5) / 31 against (20.5, 10.5) / 31.
    expected = 2 * (20.5 - 10.5) / 31 * math.log(20.5 / 10.5)

    assert population_stability_index([10, 20], [20, 10]) == pytest.approx(expected)


def test_psi_is_symmetric_zero_on_equal_shares_and_finite_on_empty_bins() -> None:
    assert population_stability_index([10, 20, 30], [10, 20, 30]) == 0
    one_way = population_stability_index([100, 0], [0, 100])
    assert one_way == pytest.approx(population_stability_index([0, 100], [100, 0]))
    assert 1 < one_way < math.inf


def test_psi_grows_with_the_shift() -> None:
    reference = [100] * 10
    shifted = [[100 - step * 5] * 5 + [100 + step * 5] * 5 for step in range(10)]

    found = [population_stability_index(reference, current) for current in shifted]

    assert found == sorted(found)


def test_psi_without_drift_has_the_mean_that_its_docstring_names() -> None:
    rng = np.random.default_rng(7)
    reference = [100_000] * 10
    found = [
        population_stability_index(reference, rng.multinomial(500, [0.1] * 10).tolist())
        for _ in range(400)
    ]

    assert np.mean(found) == pytest.approx(9 / 500, rel=0.1)


@pytest.mark.parametrize(
    ("reference", "current"), [([1, 2], [1]), ([0, 0], [1, 2]), ([1, 2], [0, 0])]
)
def test_psi_of_samples_that_do_not_fit_is_refused(
    reference: list[int], current: list[int]
) -> None:
    with pytest.raises(InvalidInput):
        population_stability_index(reference, current)


def test_jensen_shannon_agrees_with_scipy() -> None:
    reference, current = [5, 0, 15, 30], [1, 9, 20, 20]

    expected = jensenshannon(reference, current, base=2)

    assert jensen_shannon_distance(reference, current) == pytest.approx(expected)
    assert jensen_shannon_distance([1, 0], [0, 1]) == pytest.approx(1.0)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 17), (50, 50), (999, 1000)])
def test_wilson_agrees_with_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")

    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high))


def test_without_trials_there_is_no_interval() -> None:
    assert wilson(0, 0) is None
    assert normal(1.0, 1.0, 1) is None


def test_the_normal_interval_is_that_of_the_values() -> None:
    values = np.random.default_rng(3).exponential(size=50)
    half = 1.959963984540054 * values.std(ddof=1) / math.sqrt(50)

    found = normal(values.sum(), (values**2).sum(), 50)

    assert found == pytest.approx((values.mean() - half, values.mean() + half))


def test_a_confidence_sequence_errs_less_often_than_alpha_however_often_one_looks() -> None:
    rng = np.random.default_rng(11)
    looks = range(50, 2001, 10)
    wrong = 0
    for _ in range(200):
        values = rng.exponential(size=2000) - 1.0
        sums, squares = values.cumsum(), (values**2).cumsum()
        wrong += any(
            sums[n - 1] / n
            > confidence_sequence_radius(sums[n - 1], squares[n - 1], n, alpha=0.05)
            for n in looks
        )

    assert wrong / 200 <= 0.08  # 0.05 in the limit, and three standard errors


def test_a_confidence_sequence_narrows_and_is_infinite_for_one_value() -> None:
    radii = [confidence_sequence_radius(0.0, float(n), n, alpha=0.05) for n in (10, 100, 1000)]

    assert radii == sorted(radii, reverse=True)
    assert confidence_sequence_radius(1.0, 1.0, 1, alpha=0.05) == math.inf


def test_log_loss_is_finite_for_a_certain_error() -> None:
    assert log_loss(0.75, 1) == pytest.approx(-math.log(0.75))
    assert log_loss(0.75, 0) == pytest.approx(-math.log(0.25))
    assert log_loss(0.0, 1) == pytest.approx(34.54, abs=0.01)


def test_binary_entropy_is_that_of_scipy() -> None:
    assert binary_entropy(0.3) == pytest.approx(stats.entropy([0.3, 0.7]))
    assert binary_entropy(0.0) == binary_entropy(1.0) == 0


def test_tallies_add_up_and_empty_histograms_stand_for_zeros() -> None:
    first = Tally(requests=2, latency=(1, 1), loss=0.5)

    both = first + Tally(requests=1, loss=0.25)

    assert both == Tally(requests=3, latency=(1, 1), loss=0.75)


def test_drift_is_listed_furthest_first_with_missing_shares() -> None:
    edges = np.array([0.5])
    reference = Reference(
        rows=100,
        features={
            "calm": FeatureReference(edges, np.array([50, 50]), 0.0),
            "moved": FeatureReference(edges, np.array([50, 50]), 0.1),
            "gone": FeatureReference(edges, np.array([50, 50]), 0.0),
            "unseen": FeatureReference(edges, np.array([50, 50]), 0.0),
        },
    )

    found = drifts(reference, {"calm": (50, 50, 0), "moved": (90, 10, 25), "gone": (0, 0, 9)})

    assert [drift.feature for drift in found] == ["moved", "calm", "gone"]
    assert (found[0].rows, found[0].missing_share) == (125, 0.2)
    assert found[2].psi is None
    assert found[2].missing_share == 1.0
