"""Confidence sequences for shares."""

import math

import numpy as np
import pytest
from scipy.special import betaln

from trivet.kernel.errors import InvalidInput
from trivet.rollout.intervals import difference_interval, share_interval


def test_at_the_ends_of_an_interval_the_mixture_is_as_likely_as_alpha_allows() -> None:
    for end in share_interval(80, 100, 0.05):
        mixture = betaln(80.5, 20.5) - betaln(0.5, 0.5)
        ratio = mixture - 80 * math.log(end) - 20 * math.log(1 - end)
        assert ratio == pytest.approx(math.log(1 / 0.05), abs=1e-6)


def test_without_data_a_share_may_be_anything() -> None:
    assert share_interval(0, 0, 0.05) == (0.0, 1.0)
    assert difference_interval((0, 0), (0, 0), 0.05) == (-1.0, 1.0)


def test_a_share_of_none_or_of_all_has_an_open_side() -> None:
    assert share_interval(0, 50, 0.05)[0] == 0.0
    assert share_interval(50, 50, 0.05)[1] == 1.0


def test_an_interval_narrows_as_outcomes_come() -> None:
    widths = [high - low for low, high in (share_interval(8 * n, 10 * n, 0.05) for n in (1, 9))]
    assert widths[0] > widths[1]


def test_an_interval_holds_the_share_at_all_times_at_once() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(300):
        successes = np.cumsum(rng.random(200) < 0.7)
        missed += any(
            not low <= 0.7 <= high
            for low, high in (
                share_interval(int(successes[n - 1]), n, 0.1) for n in range(5, 200, 5)
            )
        )
    assert missed <= 45  # 0.1 of 300, and three standard deviations


def test_a_difference_lies_between_the_shares_ends() -> None:
    low, high = difference_interval((20, 100), (80, 100), 0.05)
    assert low < -0.6 < high < 0


def test_more_successes_than_outcomes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="5 of 4"):
        share_interval(5, 4, 0.05)
