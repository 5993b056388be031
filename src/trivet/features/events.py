"""The events a rolling view folds, read off the rows of its source."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME, numbers, times
from trivet.features.definitions import FeatureView
from trivet.features.keys import EntityCodes, row_keys
from trivet.features.windows import Event

_WHAT = "The source"


@dataclass(frozen=True, slots=True)
class RollingEvents:
    """Events as arrays, n of them, in the order of the source.

    Attributes:
        entities: The entity of each event.
        known: When it became known: the later of its event time and its created time,
            microseconds, shape (n,).
        values: One array of shape (n,) for each column the view folds, NaN where there is none.
        places: Where in the source's table each event stands, shape (n,).
    """

    entities: EntityCodes
    known: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    places: NDArray[np.int64]


def rolling_events(view: FeatureView, table: pa.Table) -> RollingEvents:
    """Return the events of the rows, those without an entity or an event time left out."""
    known = _known(view, table)
    entities = EntityCodes.of(table, view.entity, _WHAT)
    values = {name: numbers(table, name, _WHAT) for name in _columns(view)}
    places = np.flatnonzero((entities.codes >= 0) & (known != NO_TIME))
    if len(places) == len(known):
        return RollingEvents(entities, known, values, places)
    return RollingEvents(
        entities.take(places),
        known[places],
        {name: of_column[places] for name, of_column in values.items()},
        places,
    )


class PushedRows:
    """A few source rows as Python values, each column read once for however many views."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._known: dict[tuple[str, str | None], tuple[list[int], list[int]]] = {}
        self._values: dict[str, list[float | None]] = {}
        self._keys: dict[tuple[str, ...], list[str | None]] = {}

    def events(self, view: FeatureView) -> list[tuple[str, Event]]:
        """Return (entity key, event) of the rows that have both, by when they became known."""
        known, order = self._known_of(view)
        keys = self._keys_of(view.entity)
        columns = [self._values_of(name) for name in _columns(view)]
        values = list(zip(*columns, strict=True))
        ids = self._keys_of(view.event_key) if view.event_key else [None] * len(known)
        return [
            (key, (known[place], values[place], ids[place]))
            for place in order
            if (key := keys[place]) is not None
        ]

    def _known_of(self, view: FeatureView) -> tuple[list[int], list[int]]:
        names = (view.event_time, view.created_time)
        if names not in self._known:
            known = _known(view, self._table)
            order = np.argsort(known, kind="stable")
            self._known[names] = known.tolist(), order[known[order] != NO_TIME].tolist()
        return self._known[names]

    def _values_of(self, name: str) -> list[float | None]:
        if name not in self._values:
            found = numbers(self._table, name, _WHAT).tolist()
            self._values[name] = [None if value != value else value for value in found]
        return self._values[name]

    def _keys_of(self, columns: tuple[str, ...]) -> list[str | None]:
        if columns not in self._keys:
            self._keys[columns] = row_keys(self._table, columns, _WHAT)
        return self._keys[columns]


def _columns(view: FeatureView) -> dict[str, None]:
    return dict.fromkeys(rolling.column for rolling in view.rolling)


def _known(view: FeatureView, table: pa.Table) -> NDArray[np.int64]:
    """Return when each row was both true and known, NO_TIME where it has no event time."""
    event = times(table, view.event_time, _WHAT)
    if view.created_time is None:
        return event
    known = np.maximum(event, times(table, view.created_time, _WHAT))
    return np.where(event == NO_TIME, NO_TIME, known)
