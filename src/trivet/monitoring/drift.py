"""How far features have moved from their reference. An explanation of harm, never an alarm."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trivet.kernel.errors import InvalidInput
from trivet.monitoring.records import Drift
from trivet.monitoring.references import Reference

_HALF_A_ROW = 0.5


def population_stability_index(reference: Sequence[int], current: Sequence[int]) -> float:
    r"""Return how far `current` has moved from `reference`; 0 means not at all.

    $\mathrm{PSI} = \sum_i (c_i - r_i) \ln(c_i / r_i)$, where $r_i$ and $c_i$ are the shares of
    the two samples in bin $i$: the symmetrised Kullback-Leibler divergence. Half a row is added
    to every bin, so that an empty one leaves the result finite.

    Args:
        reference: Rows in each bin at training time; the bins are its deciles.
        current: Rows in the same bins in production, one or more in all.

    Returns:
        A number in nats, 0 or more. Common usage calls 0.1 noticeable and 0.25 large; neither is
        a significance level: without any drift its mean is about
        (bins - 1)(1 / reference rows + 1 / current rows), 0.09 for 100 rows and 0.009 for 1000.

    Raises:
        InvalidInput: The samples have different bins, or one is empty.

    Source:
        H. Jeffreys, "An Invariant Form for the Prior Probability in Estimation Problems", Proc.
        R. Soc. A 186 (1946), p. 453-461, the divergence J; B. Yurdakul, "Statistical Properties
        of Population Stability Index" (2018) for its mean.
    """
    expected, actual = _shares(reference, current)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def jensen_shannon_distance(reference: Sequence[int], current: Sequence[int]) -> float:
    r"""Return the Jensen-Shannon distance of two samples in the same bins.

    $\sqrt{\tfrac12 D(r \| m) + \tfrac12 D(c \| m)}$ with $m = (r + c) / 2$ and $D$ in bits, so
    it lies between 0 (alike) and 1 (nothing in common); empty bins add nothing.

    Raises:
        InvalidInput: The samples have different bins, or one is empty.

    Source:
        D. Endres, J. Schindelin, "A New Metric for Probability Distributions", IEEE Trans.
        Inf. Theory 49 (2003), p. 1858-1860.
    """
    _check(reference, current)
    r = np.asarray(reference, dtype=np.float64) / sum(reference)
    c = np.asarray(current, dtype=np.float64) / sum(current)
    middle = (r + c) / 2
    divergences = (
        np.sum(np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, middle, 1)), 0))
        for p in (r, c)
    )
    return float(np.sqrt(max(0.0, sum(divergences) / 2)))


def _shares(
    reference: Sequence[int], current: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _check(reference, current)
    r = np.asarray(reference, dtype=np.float64) + _HALF_A_ROW
    c = np.asarray(current, dtype=np.float64) + _HALF_A_ROW
    return r / r.sum(), c / c.sum()


def _check(reference: Sequence[int], current: Sequence[int]) -> None:
    if len(reference) != len(current):
        raise InvalidInput(
            f"The samples have {len(reference)} and {len(current)} bins; both need the same."
        )
    if sum(reference) <= 0 or sum(current) <= 0:
        raise InvalidInput("Drift is undefined for an empty sample.")


def drifts(reference: Reference, counts: Mapping[str, Sequence[int]]) -> list[Drift]:
    """Return the drift of each feature of the reference, the furthest first.

    Args:
        reference: How the features were at training time.
        counts: How they fell between its deciles in production, the missing ones last; a feature
            without a value has a PSI of None.
    """
    found = []
    for name, was in reference.features.items():
        is_now = counts.get(name)
        if is_now is None:
            continue
        rows, present = sum(is_now), is_now[:-1]
        comparable = sum(present) > 0 and was.counts.sum() > 0
        found.append(
            Drift(
                feature=name,
                psi=population_stability_index(was.counts.tolist(), present)
                if comparable
                else None,
                rows=rows,
                missing_share=is_now[-1] / rows if rows else 0.0,
                reference_missing_share=was.missing,
            )
        )
    return sorted(found, key=lambda drift: -1.0 if drift.psi is None else drift.psi, reverse=True)
