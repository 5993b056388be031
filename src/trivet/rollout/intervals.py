"""Confidence sequences for shares: intervals that hold at all times at once, for reports."""

import math
from collections.abc import Callable

from trivet.rollout.sequential import check_counts


def share_interval(successes: int, total: int, alpha: float) -> tuple[float, float]:
    r"""Return a confidence sequence for a share: at all times at once it holds the true one.

    With $s$ of $n$ successes, the values $p$ for which the mixture likelihood ratio
    $B(s + \tfrac12, n - s + \tfrac12) / (B(\tfrac12, \tfrac12) p^s (1 - p)^{n - s})$ is below
    $1/\alpha$. Its probability of ever missing the share is at most $\alpha$.

    Returns:
        The least and the greatest such $p$; (0, 1) without data.

    Source:
        H. Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", Annals of
        Mathematical Statistics 41 (1970), the method of mixtures, with a Beta(½, ½) mixture.
    """
    check_counts(successes, total)
    if total == 0:
        return 0.0, 1.0
    failures = total - successes
    level = _log_beta(successes + 0.5, failures + 0.5) - _log_beta(0.5, 0.5) + math.log(alpha)
    peak = successes / total

    def is_inside(p: float) -> bool:
        log_likelihood = successes * math.log(p) if successes else 0.0
        log_likelihood += failures * math.log1p(-p) if failures else 0.0
        return log_likelihood > level

    return (
        _edge(0.0, peak, is_inside) if successes else 0.0,
        _edge(1.0, peak, is_inside) if failures else 1.0,
    )


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], alpha: float
) -> tuple[float, float]:
    """Return a confidence sequence for the first share less the second.

    Each share gets half of `alpha`, so it holds however the two depend on each other.

    Args:
        first: Successes and total of the first share.
        second: Successes and total of the second share.
        alpha: The chance of ever missing the difference.
    """
    low1, high1 = share_interval(*first, alpha / 2)
    low2, high2 = share_interval(*second, alpha / 2)
    return low1 - high2, high1 - low2


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _edge(outside: float, inside: float, is_inside: Callable[[float], bool]) -> float:
    for _ in range(60):
        middle = (outside + inside) / 2
        if is_inside(middle):
            inside = middle
        else:
            outside = middle
    return outside
