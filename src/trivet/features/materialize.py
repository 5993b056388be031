"""Fill the online store from a view's source, in one pass over Arrow columns."""

from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME
from trivet.features.definitions import FeatureView
from trivet.features.point_in_time import rows_by_precedence
from trivet.features.rows import ViewRows, compute_rows
from trivet.storage.online import OnlineRow, OnlineStore
from trivet.storage.online.packing import from_microseconds, to_microseconds

_ROWS_IN_A_WRITE = 20_000


def materialize(view: FeatureView, source: pa.Table, online: OnlineStore, until: datetime) -> int:
    """Write the newest row of each entity that was known by `until`; return how many were stored.

    What the online store holds already is only replaced by what is as new or newer, so this may
    be repeated, and may run while pushes come in.
    """
    newest = newest_rows(compute_rows(view, source), to_microseconds(until))
    return sum(
        online.write(view.online_name, newest[start : start + _ROWS_IN_A_WRITE])
        for start in range(0, len(newest), _ROWS_IN_A_WRITE)
    )


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
    columns = [values[places].tolist() for values in rows.values.values()]
    keys = [rows.entities.keys[code] for code in rows.entities.codes[places].tolist()]
    return [
        OnlineRow(key, from_microseconds(event_at), from_microseconds(created_at), values)
        for key, event_at, created_at, values in zip(
            keys, event, created, zip(*columns, strict=True), strict=True
        )
    ]
