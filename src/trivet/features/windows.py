"""Rolling aggregates kept up event by event: the incremental twin of `trivet.features.rolling`.

Its numbers are those of the offline computation over the same events, in whatever order they
came: sums are kept as exact integers and rounded once, when they are read.
"""

from bisect import bisect_left, bisect_right
from datetime import timedelta
from functools import lru_cache

from trivet.features.definitions import Aggregate, FeatureView

_UNIT_BITS = 1074
_UNIT = 1 << _UNIT_BITS  # Every double is a whole multiple of 2 ** -1074.
_TRIM_AT = 256
_MICROSECOND = timedelta(microseconds=1)

Values = tuple[float | None, ...]
Event = tuple[int, Values, str | None]
"""When it became known (microseconds), its values by column, and its id if events have one."""


@lru_cache(maxsize=65_536)
def _exact(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return numerator << (_UNIT_BITS + 1 - denominator.bit_length())


class WindowShape:
    """Which columns a rolling view folds, over which windows, into which features."""

    def __init__(self, view: FeatureView) -> None:
        self.columns = tuple(dict.fromkeys(rolling.column for rolling in view.rolling))
        lengths = sorted({rolling.window // _MICROSECOND for rolling in view.rolling})
        self.lengths = tuple(lengths)
        self.features = tuple(
            (
                lengths.index(rolling.window // _MICROSECOND),
                2 * self.columns.index(rolling.column),
                rolling.function,
            )
            for rolling in view.rolling
        )

    @property
    def longest(self) -> int:
        """The length of the longest window, in microseconds."""
        return self.lengths[-1]


class EntityWindows:
    """The windows of one entity, which end at the newest moment it has an event for.

    An event that is not younger than the newest one less the longest window can change nothing
    any more and is not kept. An event whose id is there already takes the earlier one's place.
    """

    __slots__ = ("_heads", "_ids", "_known", "_moment_of", "_shape", "_totals", "_values")

    def __init__(self, shape: WindowShape) -> None:
        self._shape = shape
        self._known: list[int] = []
        self._values: list[Values] = []
        self._ids: list[str | None] = []
        self._moment_of: dict[str | None, int] = {}
        self._start_again()

    def _start_again(self) -> None:
        self._heads = [0] * len(self._shape.lengths)
        # For each window: the count and the exact sum of each column, one after the other.
        self._totals = [[0] * (2 * len(self._shape.columns)) for _ in self._shape.lengths]

    @property
    def newest(self) -> int | None:
        """The moment the windows end at, or None before the first event."""
        return self._known[-1] if self._known else None

    def events(self) -> list[Event]:
        """Return the events that are kept, by the moment they became known."""
        return list(zip(self._known, self._values, self._ids, strict=True))

    def add(self, event: Event) -> None:
        """Take one event in, in whichever order it comes."""
        known, values, event_id = event
        if event_id in self._moment_of and not self._make_room(event):
            return
        if not self._known or known >= self._known[-1]:
            self._append(known, values, event_id)
        elif known > self._known[-1] - self._shape.longest:
            place = bisect_right(self._known, known)
            self._known.insert(place, known)
            self._values.insert(place, values)
            self._ids.insert(place, event_id)
            self._count_again()
        else:
            return
        if event_id is not None:
            self._moment_of[event_id] = known

    def features(self) -> Values:
        """Return the view's features as of the newest moment."""
        self._expire()
        found: list[float | None] = []
        for window, place, function in self._shape.features:
            count, total = self._totals[window][place : place + 2]
            if function is Aggregate.COUNT:
                found.append(float(count))
            elif function is Aggregate.SUM:
                found.append(total / _UNIT)
            else:
                found.append(total / _UNIT / count if count else None)
        return tuple(found)

    def _append(self, known: int, values: Values, event_id: str | None) -> None:
        self._known.append(known)
        self._values.append(values)
        self._ids.append(event_id)
        self._count(values)

    def _count(self, values: Values) -> None:
        for place, value in enumerate(values):
            if value is not None:
                exact = _exact(value)
                for totals in self._totals:
                    totals[2 * place] += 1
                    totals[2 * place + 1] += exact

    def _expire(self) -> None:
        known, rows, heads = self._known, self._values, self._heads
        for window, length in enumerate(self._shape.lengths):
            head, last, totals = heads[window], known[-1] - length, self._totals[window]
            while known[head] <= last:
                for place, value in enumerate(rows[head]):
                    if value is not None:
                        totals[2 * place] -= 1
                        totals[2 * place + 1] -= _exact(value)
                head += 1
            heads[window] = head
        if heads[-1] > _TRIM_AT and 2 * heads[-1] > len(known):
            self._trim(heads[-1])

    def _trim(self, count: int) -> None:
        for event_id in self._ids[:count]:
            self._moment_of.pop(event_id, None)
        del self._known[:count], self._values[:count], self._ids[:count]
        self._heads = [head - count for head in self._heads]

    def _count_again(self) -> None:
        self._start_again()
        for values in self._values:
            self._count(values)

    def _make_room(self, event: Event) -> bool:
        """Remove an earlier event of the same id; return False if it says the same."""
        known, values, event_id = event
        moment = self._moment_of[event_id]
        place = self._ids.index(event_id, bisect_left(self._known, moment))
        if moment == known and self._values[place] == values:
            return False
        del self._known[place], self._values[place], self._ids[place], self._moment_of[event_id]
        self._count_again()
        return True
