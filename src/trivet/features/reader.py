"""Read a model's inputs for requests: newest values by entity, and features of the request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

import numpy as np
from numpy.typing import NDArray

from trivet.features.definitions import FeaturePlan
from trivet.features.errors import RequestFieldInvalid
from trivet.features.keys import SEPARATOR, key_part
from trivet.features.request import Compute, field, in_utc, request_function
from trivet.storage.online import OnlineRow, OnlineStore

_NAN = float("nan")
_NO_AGE = timedelta.min


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFeatures:
    """The inputs of n requests, as a model takes them.

    Attributes:
        names: The d inputs, in the plan's order.
        values: Shape (n, d), NaN where an input is missing.
        missing: How many rows lack an input, for the inputs that any row lacks.
        unknown: The indexes of the rows none of whose entities has an online row, however old;
            empty where the plan takes no view.
        oldest_seconds: The age of the oldest value used, None where none was.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    missing: dict[str, int]
    unknown: tuple[int, ...]
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookup:
    """What is read of one view, and where it goes: (place among the inputs, place in the row)."""

    view: str
    key: Callable[[Mapping[str, object], int], str | None]
    ttl: timedelta | None
    places: tuple[tuple[int, int], ...]


class OnlineReader:
    """Fills a plan's inputs for requests; made once for each plan, safe to share by threads.

    A value is used if it is at most the view's TTL older than the request's event time; TTL None
    or 0 is no limit. A value newer than that is used as well: it is the newest there is, and a
    gateway asks about the present. (The point-in-time join, which asks about the past, never
    uses it.) An unknown entity, and one with a null part, has its inputs missing. Columns of a
    request that the plan does not take are left alone.
    """

    def __init__(self, plan: FeaturePlan, online: OnlineStore) -> None:
        self.plan = plan
        self._online = online
        self._names = plan.names
        self._lookups = _lookups(plan)
        self._computed: list[tuple[int, Compute]] = [
            (place, request_function(item.request))
            for place, item in enumerate(plan.inputs)
            if item.request is not None
        ]

    def vectors(
        self, rows: Sequence[Mapping[str, object]], at: Sequence[datetime]
    ) -> ServedFeatures:
        """Return the inputs of the request rows, as of the instants `at`.

        One read of the online store serves all rows and views.

        Raises:
            RequestFieldInvalid: A row lacks a column the plan takes, or holds what is not meant;
                the error names the row and the field.
            OnlineStoreUnavailable: The store did not answer.
        """
        instants = [in_utc(instant) for instant in at]
        filled = [[_NAN] * len(self._names) for _ in rows]
        for index, row in enumerate(rows):
            for place, compute in self._computed:
                filled[index][place] = compute(row, instants[index], index)
        known, oldest = self._look_up(rows, instants, filled)
        values = np.array(filled, np.float32).reshape(len(rows), len(self._names))
        return ServedFeatures(
            names=self._names,
            values=values,
            # One sum over Python floats tells "none missing" sooner than numpy does for a row.
            missing=self._missing(values) if isnan(sum(map(sum, filled))) else {},
            unknown=self._unknown(known, len(rows)),
            oldest_seconds=None if oldest is _NO_AGE else oldest.total_seconds(),
        )

    def _look_up(
        self,
        rows: Sequence[Mapping[str, object]],
        instants: list[datetime],
        filled: list[list[float]],
    ) -> tuple[set[int], timedelta]:
        """Fill in the views' inputs; return which rows have a known entity, and the oldest age."""
        wanted: list[tuple[str, str]] = []
        targets: list[tuple[int, _Lookup]] = []
        for index, row in enumerate(rows):
            for lookup in self._lookups:
                key = lookup.key(row, index)
                if key is not None:
                    wanted.append((lookup.view, key))
                    targets.append((index, lookup))
        known: set[int] = set()
        oldest = _NO_AGE
        found_rows = self._online.read(wanted) if wanted else []
        for (index, lookup), found in zip(targets, found_rows, strict=True):
            if found is None:
                continue
            known.add(index)
            age = instants[index] - found.event_at
            if lookup.ttl is not None and age > lookup.ttl:
                continue
            _copy(found, lookup, filled[index])
            oldest = max(oldest, age)
        return known, oldest

    def _missing(self, values: NDArray[np.float32]) -> dict[str, int]:
        counts = np.isnan(values).sum(axis=0).tolist()
        return {name: count for name, count in zip(self._names, counts, strict=True) if count}

    def _unknown(self, known: set[int], rows: int) -> tuple[int, ...]:
        if len(known) == rows or not self._lookups:
            return ()
        return tuple(index for index in range(rows) if index not in known)


def _copy(found: OnlineRow, lookup: _Lookup, filled: list[float]) -> None:
    values = found.values
    for place, position in lookup.places:
        value = values[position]
        if value is not None:
            filled[place] = value


def _lookups(plan: FeaturePlan) -> tuple[_Lookup, ...]:
    places: dict[str, list[tuple[int, int]]] = {}
    of_view = {}
    for place, item in enumerate(plan.inputs):
        if item.view is not None:
            places.setdefault(item.view, []).append((place, item.position))
            of_view[item.view] = item
    return tuple(
        _Lookup(
            view=view,
            key=_key_function(of_view[view].entity),
            ttl=timedelta(seconds=ttl) if (ttl := of_view[view].ttl_seconds) else None,
            places=tuple(places_of),
        )
        for view, places_of in places.items()
    )


def _key_function(columns: tuple[str, ...]) -> Callable[[Mapping[str, object], int], str | None]:
    first, *rest = columns

    def one(row: Mapping[str, object], index: int) -> str | None:
        return _part(row, first, index)

    def several(row: Mapping[str, object], index: int) -> str | None:
        key = _part(row, first, index)
        for column in rest:
            text = _part(row, column, index)
            key = None if key is None or text is None else key + SEPARATOR + text
        return key

    return several if rest else one


def _part(row: Mapping[str, object], column: str, index: int) -> str | None:
    value = field(row, column, index)
    try:
        text = key_part(value)
        if text is not None and not text.isascii():
            text.encode()
    except TypeError as error:
        raise RequestFieldInvalid(
            index, column, f"must be a text or a number, not {error}"
        ) from None
    except UnicodeEncodeError:
        raise RequestFieldInvalid(index, column, "holds half a character") from None
    return text
