"""The events a rolling view folds, read off the rows of its source."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME, numbers, times
from trivet.features.definitions import FeatureView
from trivet.features.keys import EntityCodes
from trivet.features.windows import Event


@dataclass(frozen=True, slots=True)
class RollingEvents:
    """Events as arrays, n of them, in the order of the source.

    Attributes:
        entities: The entity of each event.
        known: When it became known: the later of its event time and its created time,
            microseconds, shape (n,).
        values: One array of shape (n,) for each column the view folds, NaN where there is none.
        ids: The text of each event's key, or None where the view has no `event_key`.
        places: Where in the source's table each event stands, shape (n,).
    """

    entities: EntityCodes
    known: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    ids: EntityCodes | None
    places: NDArray[np.int64]

    def listed(self, places: NDArray[np.int64]) -> list[tuple[str, Event]]:
        """Return (entity key, event) for some of the events, in the order of `places`."""
        keys = self.entities.keys
        found_keys = [keys[code] for code in self.entities.codes[places].tolist()]
        columns = [
            [None if value != value else value for value in values[places].tolist()]
            for values in self.values.values()
        ]
        ids: list[str | None] = [None] * len(places)
        if self.ids is not None:
            texts = [*self.ids.keys, None]
            ids = [texts[code] for code in self.ids.codes[places].tolist()]
        events = zip(self.known[places].tolist(), zip(*columns, strict=True), ids, strict=True)
        return list(zip(found_keys, events, strict=True))


def rolling_events(view: FeatureView, table: pa.Table) -> RollingEvents:
    """Return the events of the rows, those without an entity or an event time left out."""
    what = f"The source of {view.name!r}"
    known = event = times(table, view.event_time, what)
    if view.created_time is not None:
        known = np.maximum(event, times(table, view.created_time, what))
    entities = EntityCodes.of(table, view.entity, what)
    values = {
        name: numbers(table, name, what)
        for name in dict.fromkeys(rolling.column for rolling in view.rolling)
    }
    ids = EntityCodes.of(table, view.event_key, what) if view.event_key else None
    places = np.flatnonzero((entities.codes >= 0) & (event != NO_TIME))
    if len(places) == len(known):
        return RollingEvents(entities, known, values, ids, places)
    return RollingEvents(
        entities.take(places),
        known[places],
        {name: of_column[places] for name, of_column in values.items()},
        ids.take(places) if ids is not None else None,
        places,
    )
