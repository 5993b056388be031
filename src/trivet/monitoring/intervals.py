"""Intervals for shares and means. Pure."""

import math

_Z95 = 1.959963984540054


def wilson(successes: int, trials: int, z: float = _Z95) -> tuple[float, float] | None:
    r"""Return the Wilson score interval of a share, or None without trials.

    $\frac{\hat p + z^2/2n \pm z \sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}$. It stays
    within [0, 1] and is usable at shares of 0 and 1 and for few trials.

    Args:
        successes: Between 0 and `trials`.
        trials: How many there were; independent, with one share.
        z: The normal quantile; 1.96 gives 95 %.

    Source:
        E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
        JASA 22 (1927), p. 209-212.

    Example:
        >>> [round(edge, 4) for edge in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    if trials == 0:
        return None
    share = successes / trials
    square = z * z / trials
    centre = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)


def normal(total: float, total_squared: float, count: int) -> tuple[float, float] | None:
    r"""Return the 95 % interval $\bar x \pm 1.96\, s / \sqrt n$ of a mean.

    Args:
        total: The sum of the values.
        total_squared: The sum of their squares.
        count: How many there are; None is returned for fewer than two.
    """
    if count < 2:
        return None
    mean = total / count
    half = _Z95 * math.sqrt(_variance(total, total_squared, count) / count)
    return mean - half, mean + half


def confidence_sequence_radius(
    total: float, total_squared: float, count: int, *, alpha: float, best_at: int = 500
) -> float:
    r"""Return the half width of an asymptotic confidence sequence for a mean.

    $\hat\sigma \sqrt{\frac{2(n\rho^2 + 1)}{n^2\rho^2} \ln\left(1 +
    \frac{\sqrt{n\rho^2 + 1}}{2\alpha}\right)}$:
    however often one looks as values come in, the chance that the mean is ever further than this
    *below* the running mean is at most `alpha`, in the limit of many values; so one may stop at
    the first look that satisfies.

    Args:
        total: The sum of the values, which may be of any sign.
        total_squared: The sum of their squares.
        count: How many there are; infinity is returned for fewer than two.
        alpha: The chance of error, one-sided.
        best_at: The count at which the sequence is to be narrowest; sets rho.

    Source:
        I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit
        theory and asymptotic confidence sequences", Annals of Statistics (2024),
        arXiv:2103.06476: theorem 2.2, in its one-sided form. A test simulates its error.
    """
    if count < 2:
        return math.inf
    rho_squared = (-2 * math.log(2 * alpha) + math.log(-2 * math.log(2 * alpha) + 1)) / best_at
    spread = count * rho_squared + 1
    factor = 2 * spread / (count**2 * rho_squared) * math.log(1 + math.sqrt(spread) / (2 * alpha))
    return math.sqrt(_variance(total, total_squared, count) * factor)


def _variance(total: float, total_squared: float, count: int) -> float:
    return max(0.0, (total_squared - total * total / count) / (count - 1))
