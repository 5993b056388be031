"""Percentiles of latency, read off the buckets that monitoring counts in."""

from collections.abc import Sequence
from itertools import accumulate

from trivet.monitoring import LATENCY_EDGES_MS


def latency_percentile(buckets: Sequence[int], share: float) -> float | None:
    """Return the latency in ms below which `share` of the answers lie; None without answers.

    Within a bucket answers are taken to be evenly spread; what lies beyond the last edge is given
    as that edge, so the result is then a lower bound.
    """
    total = sum(buckets)
    if total == 0:
        return None
    wanted = share * total
    edges = (0.0, *LATENCY_EDGES_MS)
    before = 0
    for position, after in enumerate(accumulate(buckets)):
        if after >= wanted and after > before:
            if position >= len(LATENCY_EDGES_MS):
                return LATENCY_EDGES_MS[-1]
            low, high = edges[position], edges[position + 1]
            return low + (high - low) * (wanted - before) / (after - before)
        before = after
    return LATENCY_EDGES_MS[-1]
