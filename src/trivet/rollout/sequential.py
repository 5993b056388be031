r"""Tests that may be looked at as often as one likes: e-processes for two arms.

An e-process $E_t$ starts at 1 and, while its null hypothesis holds, has mean 1 or less at every
stopping time; by Ville's inequality $P(\exists t: E_t \ge 1/\alpha) \le \alpha$. So "abort as
soon as $E_t \ge 1/\alpha$" keeps its level however often, and for whatever reason, one looks.

Every test here keeps sums of logarithms only: a look costs the same on the first day and on the
last, its state is JSON, and the states of disjoint looks add up. The text of each class names its
null hypothesis; "look" means what was counted since the look before.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trivet.kernel.errors import InvalidInput

Floats = NDArray[np.float64]

_RATIOS = np.geomspace(1.05, 20.0, 40)
_DROPS = np.geomspace(0.01, 0.9, 24)
_STAKES = np.linspace(0.03, 0.97, 24)
_PRIOR_RIGHT, _PRIOR_LABELS = 3.0, 4.0
_SPLIT_PRIOR = 100.0
_NEWTON_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRatio:
    r"""Tests "the candidate fails at most `margin` times as often as the stable revision".

    Given that a failure happened in look $s$, with $n_1$ and $n_0$ answers of the candidate and
    the stable revision, it is the candidate's with probability
    $\theta_s(r) = n_1 r / (n_1 r + n_0)$, where $r$ is the ratio of the two failure rates. With
    $e_1, e_0$ failures,

    $$E_t = \frac1K \sum_{j=1}^K \prod_{s \le t}
        \left[\frac{\theta_s(r_j)}{\theta_s(r_0)}\right]^{e_1}
        \left[\frac{1 - \theta_s(r_j)}{1 - \theta_s(r_0)}\right]^{e_0},
        \qquad r_j = r_0 g_j,$$

    $g_j$ geometric from 1.05 to 20, $K = 40$. Each factor has mean 1 at $r = r_0$ and less below
    it (the likelihood ratio is monotone), so $E$ is an e-process for $r \le r_0$, also when
    traffic and weights change between looks and for failure rates that change with time. Exact
    for rare failures (Poisson); conservative where both arms fail on the same requests.

    Attributes:
        margin: $r_0$, 1 or more.
        logs: The logarithm of each product, shape (40,).

    Source:
        M. Lindon and A. Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS
        2022, arXiv:2011.03567, on inhomogeneous Poisson processes.
    """

    margin: float = 1.0
    logs: tuple[float, ...] = field(default=(0.0,) * len(_RATIOS))

    def look(self, n1: int, e1: int, n0: int, e0: int) -> Self:
        """Return the state after a look; a look without failures, or with one arm, adds nothing.

        Args:
            n1: The candidate's answers.
            e1: Of these, the failures.
            n0: The stable revision's answers.
            e0: Of these, the failures.
        """
        check_counts(e1, n1)
        check_counts(e0, n0)
        if n1 == 0 or n0 == 0 or e1 + e0 == 0:
            return self
        ratios = self.margin * _RATIOS
        log_sums = np.log(n1 * ratios + n0) - np.log(n1 * self.margin + n0)
        steps = e1 * (np.log(_RATIOS) - log_sums) - e0 * log_sums
        return replace(self, logs=_added(self.logs, steps))

    @property
    def log_e(self) -> float:
        """The logarithm of the e-value."""
        return _log_mean(self.logs)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyDrop:
    r"""Tests "the candidate's accuracy is at least the stable revision's less `margin`".

    The two arms answered different requests. For a look with $n_1, n_0$ known outcomes, $s_1,
    s_0$ of them right, and an alternative $(\theta_1^*, \theta_0^*)$ outside the null set
    $\Theta_0 = \{\theta_1 \ge \theta_0 - m\}$, let $(\theta_1^\circ, \theta_0^\circ)$ be the point
    of $\Theta_0$ that is nearest by $n_1 D(\theta_1^* \| \theta_1) + n_0 D(\theta_0^* \|
    \theta_0)$, with $D$ the Bernoulli divergence. The look's factor is the likelihood ratio of
    the two points. Its mean is at most 1 for every $(\theta_1', \theta_0') \in \Theta_0$: an
    outcome $x$ contributes $1 + A_a (x - \theta_a^\circ)$ with $A_a = (\theta_a^* -
    \theta_a^\circ) / \theta_a^\circ(1 - \theta_a^\circ)$, hence $\log \mathrm{E} \le
    \sum_a n_a A_a (\theta_a' - \theta_a^\circ)$ as $\log(1 + x) \le x$; and $(n_a A_a)_a$ is
    minus the gradient of the divergence at its minimum over a convex set, so this sum is 0 or
    less. The argument needs the look's *mean* accuracies to be in the null set, not
    equal ones: accuracies may differ between requests and change with time, as long as they
    do so for both arms. Outcomes of one look must be independent given what came before it.

    The alternatives are drops of 1 to 90 points below $\theta_0^* - m$, mixed with equal
    weights; $\theta_0^*$ is the stable revision's accuracy in the looks before (3 right of 4 to
    begin with), so it is known before the look.

    Attributes:
        margin: $m$, from 0 to 0.5.
        logs: The logarithm of each product, shape (24,).
        right: Right outcomes of the stable revision so far.
        labels: Known outcomes of the stable revision so far.

    Source:
        R. Turner and P. Grünwald, "Exact Anytime-valid Confidence Intervals for Contingency
        Tables and Beyond", arXiv:2203.09785, E-variables for two streams and a convex null.
    """

    margin: float = 0.0
    logs: tuple[float, ...] = field(default=(0.0,) * len(_DROPS))
    right: int = 0
    labels: int = 0

    def look(self, n1: int, s1: int, n0: int, s0: int) -> Self:
        """Return the state after a look; a look with outcomes of one arm only adds nothing.

        Args:
            n1: The candidate's known outcomes.
            s1: Of these, the ones it had right.
            n0: The stable revision's known outcomes.
            s0: Of these, the ones it had right.
        """
        check_counts(s1, n1)
        check_counts(s0, n0)
        seen = replace(self, right=self.right + s0, labels=self.labels + n0)
        if n1 == 0 or n0 == 0:
            return seen
        stable = (self.right + _PRIOR_RIGHT) / (self.labels + _PRIOR_LABELS)
        stable = min(max(stable, 0.02), 0.98)
        candidate = np.maximum(stable - self.margin - _DROPS, 0.002)
        bets = candidate < stable - self.margin
        near1, near0 = _nearest_in_null(candidate, stable, n1=n1, n0=n0, margin=self.margin)
        steps = (
            s1 * np.log(candidate / near1)
            + (n1 - s1) * np.log((1 - candidate) / (1 - near1))
            + s0 * np.log(stable / near0)
            + (n0 - s0) * np.log((1 - stable) / (1 - near0))
        )
        return replace(seen, logs=_added(self.logs, np.where(bets, steps, 0.0)))

    @property
    def log_e(self) -> float:
        """The logarithm of the e-value."""
        return _log_mean(self.logs)


def _nearest_in_null(
    candidate: Floats, stable: float, *, n1: int, n0: int, margin: float
) -> tuple[Floats, Floats]:
    """Return the point of the null set's edge that is nearest to each alternative.

    On the edge the candidate's accuracy is t - margin and the stable revision's t. The weighted
    divergence is convex in t; Newton's method finds the zero of its derivative, kept within the
    bracket that the signs seen so far leave. It starts at the weighted mean, which is the zero
    where the margin is 0.
    """
    low, high = candidate + margin, np.maximum(candidate + margin, stable)
    t = (n1 * low + n0 * high) / (n1 + n0)
    for _ in range(_NEWTON_STEPS):
        u = t - margin
        spread1, spread0 = u * (1 - u), t * (1 - t)
        pull1, pull0 = (u - candidate) / spread1, (t - stable) / spread0
        slope = n1 * pull1 + n0 * pull0
        bend = n1 * (1 - pull1 * (1 - 2 * u)) / spread1 + n0 * (1 - pull0 * (1 - 2 * t)) / spread0
        low, high = np.where(slope < 0, t, low), np.where(slope < 0, high, t)
        following = t - slope / bend
        inside = (following >= low) & (following <= high)
        t = np.where(inside, following, (low + high) / 2)
    return np.clip(t - margin, 1e-9, 1 - 1e-9), np.clip(t, 1e-9, 1 - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDrop:
    r"""Tests the same as `AccuracyDrop` where both revisions answered the same requests.

    With $Z_i = 1$ where only the candidate was right, $-1$ where only the stable revision was,
    else 0, the null says $\mathrm{E}[Z_i \mid \text{past}] \ge -m$. Betting a stake $\lambda_j
    \in (0, 1/(1+m))$ against it multiplies the capital by $1 + \lambda_j(-m - Z_i) > 0$, whose
    mean is 1 or less; $E_t$ is the mean of the capitals over 24 stakes. Only counts are needed, as
    $Z$ has three values. Pairing takes out what makes a request hard for both.

    Attributes:
        margin: $m$, from 0 to 0.5.
        logs: The logarithm of each stake's capital, shape (24,).

    Source:
        I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting",
        JRSS B 2024, arXiv:2010.09686: the capital process, here mixed over fixed stakes.
    """

    margin: float = 0.0
    logs: tuple[float, ...] = field(default=(0.0,) * len(_STAKES))

    def look(self, labelled: int, gained: int, lost: int) -> Self:
        """Return the state after a look at `labelled` requests whose outcome is known."""
        check_counts(gained + lost, labelled)
        stakes = _STAKES / (1 + self.margin)
        steps = (
            gained * np.log1p(stakes * (-self.margin - 1))
            + lost * np.log1p(stakes * (1 - self.margin))
            + (labelled - gained - lost) * np.log1p(-stakes * self.margin)
        )
        return replace(self, logs=_added(self.logs, steps))

    @property
    def log_e(self) -> float:
        """The logarithm of the e-value."""
        return _log_mean(self.logs)


def log_e_of_split(counts: tuple[int, ...], shares: tuple[float, ...]) -> float:
    r"""Return the logarithm of the e-value against "requests were split by `shares`".

    $$E = \frac{\Gamma(\sum_i \alpha_i)}{\Gamma(\sum_i \alpha_i + n)} \prod_i
        \frac{\Gamma(\alpha_i + x_i)}{\Gamma(\alpha_i)} \Big/ \prod_i \theta_i^{x_i},
        \qquad \alpha_i = k \theta_i, \; k = 100.$$

    It may be recomputed at every look, as it depends on the totals only. Requests must be split
    independently: units that stick make them clump, and the test void.

    Args:
        counts: Requests by arm so far, $x$.
        shares: What each arm should get, $\theta$, all above 0, with sum 1.

    Source:
        M. Lindon and A. Malek, arXiv:2011.03567, the Dirichlet-multinomial Bayes factor.
    """
    if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9 or min(counts) < 0:
        raise InvalidInput(f"Shares {shares} must be above 0 and add up to 1, counts 0 or more.")
    log_e = math.lgamma(_SPLIT_PRIOR) - math.lgamma(_SPLIT_PRIOR + sum(counts))
    for count, share in zip(counts, shares, strict=True):
        prior = _SPLIT_PRIOR * share
        log_e += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return log_e


def _added(logs: tuple[float, ...], steps: Floats) -> tuple[float, ...]:
    return tuple((np.asarray(logs) + steps).tolist())


def _log_mean(logs: tuple[float, ...]) -> float:
    highest = max(logs)
    return highest + math.log(math.fsum(math.exp(log - highest) for log in logs) / len(logs))


def check_counts(part: int, whole: int) -> None:
    """Raise `InvalidInput` unless 0 <= part <= whole."""
    if not 0 <= part <= whole:
        raise InvalidInput(f"{part} of {whole} is no count of a part.")
