"""Rolling aggregates over the events of an entity, for a whole table at once.

The incremental twin, which must give the same numbers, is `trivet.features.windows`.
"""

import math
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from trivet.features.definitions import Aggregate, Rolling

_LIMB_BITS = 40
_HALF_LIMB = 1 << (_LIMB_BITS - 1)
_LEAST_EXPONENT = -1074  # of the smallest double
_MICROSECOND = timedelta(microseconds=1)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class WindowEnds:
    """Where the window of each row starts and ends among rows sorted by entity and time.

    Args:
        codes: The entity of each row, ascending, shape (n,).
        times: When the row's event became known, ascending within an entity, shape (n,).
    """

    def __init__(self, codes: Ints, times: Ints) -> None:
        self._codes = codes
        self._times = times
        # Ranks in place of times: entity and rank fit into one integer for any table.
        self._known = np.unique(times)
        self._width = len(self._known) + 1
        self._ranks = np.searchsorted(self._known, times)
        self._order = codes * self._width + self._ranks
        self.ends = np.searchsorted(self._order, self._order, side="right")

    def starts(self, window: timedelta) -> Ints:
        """Return the first row of each row's window (T - window, T]."""
        # Distinct times are fewer than rows, so each is looked up once.
        after = np.searchsorted(self._known, self._known - window // _MICROSECOND, side="right")
        starts: Ints = np.searchsorted(self._order, self._codes * self._width + after[self._ranks])
        return starts


def rolling_values(
    ends: WindowEnds, rolling: Sequence[Rolling], columns: dict[str, Floats]
) -> dict[str, Floats]:
    r"""Return each rolling feature's value at each row.

    Over the events $e$ of the row's entity with $T - w < t_e \le T$, where $t_e$ is when an event
    became known and $T$ the row's own: `count` is how many of them have a value in the column,
    `sum` adds these values (0 over none), and `mean` is sum / count (NaN, which is missing, over
    none). A null, NaN or infinite value is no value.

    Values are added exactly, as whole multiples of powers of two, and the sum is rounded at the
    end (to a unit in the last place; sums of whole numbers below 2^53 are exact), so that
    neither a long history nor the order of the events shows in it.

    Args:
        ends: The windows.
        rolling: What to compute.
        columns: The values of each column that `rolling` names, in the order of the rows, (n,).
    """
    starts = {window: ends.starts(window) for window in {r.window for r in rolling}}
    totals = {name: _Totals(values, ends.ends) for name, values in columns.items()}
    found: dict[str, Floats] = {}
    for feature in rolling:
        total, first = totals[feature.column], starts[feature.window]
        if feature.function is Aggregate.SUM:
            found[feature.name] = total.sums(first)
            continue
        counts = total.counts(first).astype(np.float64)
        if feature.function is Aggregate.MEAN:
            # 0 / 0 is the NaN that is wanted.
            with np.errstate(invalid="ignore"):
                counts = total.sums(first) / counts
        found[feature.name] = counts
    return found


class _Totals:
    """Running counts and exact running sums of one column."""

    def __init__(self, values: Floats, ends: Ints) -> None:
        present = ~np.isnan(values)
        self._ends = ends
        self._counts = None if present.all() else _running(present)
        filled = values if self._counts is None else np.where(present, values, 0.0)
        self._limbs = [(_running(limb), scale) for limb, scale in _limbs(filled)]

    def counts(self, starts: Ints) -> Ints:
        if self._counts is None:
            return self._ends - starts
        return self._counts[self._ends] - self._counts[starts]

    def sums(self, starts: Ints) -> Floats:
        # Differences of running integers are exact even where the running one wrapped.
        parts = [running[self._ends] - running[starts] for running, _ in self._limbs]
        total = np.zeros(len(starts))
        for number in range(len(parts) - 1, -1, -1):
            if number > 0:
                # What a limb holds beyond half its width goes to the next: the rest fits a
                # double, and the first limb that is not 0 outweighs all below it.
                carry = (parts[number] + _HALF_LIMB) >> _LIMB_BITS
                parts[number - 1] += carry
                parts[number] -= carry << _LIMB_BITS
            total += parts[number] * self._limbs[number][1]
        return total


def _running(values: NDArray[np.bool_] | Ints) -> Ints:
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return running


def _limbs(values: Floats) -> list[tuple[Ints, float]]:
    """Return integers and scales, the largest first; values = sum of integers * scale."""
    largest = np.abs(values).max(initial=0.0)
    if largest < 2.0**_LIMB_BITS and not (values % 1.0).any():
        return [(values.astype(np.int64), 1.0)]
    exponent = int(np.frexp(largest)[1])
    limbs = []
    rest = values
    while rest.any():
        exponent = max(exponent - _LIMB_BITS, _LEAST_EXPONENT)
        scale = math.ldexp(1.0, exponent)
        limb = np.rint(rest / scale)
        rest = rest - limb * scale
        limbs.append((limb.astype(np.int64), scale))
    return limbs
