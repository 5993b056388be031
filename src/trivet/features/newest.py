"""The newest row of each entity, as the online store takes it."""

import numpy as np
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME
from trivet.features.point_in_time import rows_by_precedence
from trivet.features.rows import ViewRows
from trivet.storage.online import OnlineRow
from trivet.storage.online.packing import from_microseconds


def newest_rows(rows: ViewRows, until: int | None = None) -> list[OnlineRow]:
    """Return each entity's row that wins among those known by `until` (microseconds)."""
    order = rows_by_precedence(rows)
    if until is not None:
        known = np.maximum(rows.event_at, rows.created_at)
        order = order[known[order] <= until]
    codes = rows.entities.codes[order]
    last = order[np.append(codes[1:] != codes[:-1], True)] if len(order) else order
    return _to_online(rows, last)


def _to_online(rows: ViewRows, places: NDArray[np.int64]) -> list[OnlineRow]:
    event = rows.event_at[places].tolist()
    created = np.where(
        rows.created_at[places] == NO_TIME, rows.event_at[places], rows.created_at[places]
    ).tolist()
    columns = [
        [None if value != value else value for value in values[places].tolist()]
        for values in rows.values.values()
    ]
    keys = [rows.entities.keys[code] for code in rows.entities.codes[places].tolist()]
    return [
        OnlineRow(key, from_microseconds(event_at), from_microseconds(created_at), values)
        for key, event_at, created_at, values in zip(
            keys, event, created, zip(*columns, strict=True), strict=True
        )
    ]
