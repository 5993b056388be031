"""Fill the online store from a view's source, in one pass over Arrow columns."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.definitions import FeatureView
from trivet.features.events import PushedRows, RollingEvents, rolling_events
from trivet.features.newest import newest_rows
from trivet.features.push import PushContended, online_rows
from trivet.features.push_state import ViewState
from trivet.features.rows import compute_rows, select_source
from trivet.features.windows import EntityWindows, Event, WindowShape
from trivet.storage.online import OnlineStore
from trivet.storage.online.packing import to_microseconds

_ROWS_IN_A_WRITE = 20_000
_TRIES = 10


def materialize(view: FeatureView, source: pa.Table, online: OnlineStore, until: datetime) -> int:
    """Write the newest row of each entity that was known by `until`; return how many there are.

    What the online store holds already is only replaced by what is as new or newer, so this may
    be repeated, and may run while pushes come in. For a rolling view the windows are kept as
    well, so that pushes go on from there: an entity whose pushed events are newer than the
    source's keeps its windows, any other gets those of the source.

    Raises:
        ColumnMissing: The source lacks a column.
        PushContended: Pushes came in every time the windows were to be written.
    """
    end = to_microseconds(until)
    if view.rolling:
        return _materialize_windows(view, source, online, end)
    newest = newest_rows(compute_rows(view, source), end)
    for start in range(0, len(newest), _ROWS_IN_A_WRITE):
        online.write(view.online_name, newest[start : start + _ROWS_IN_A_WRITE])
    return len(newest)


def _materialize_windows(
    view: FeatureView, source: pa.Table, online: OnlineStore, end: int
) -> int:
    table = select_source(view, source)
    counting = _still_counting(rolling_events(view, table), WindowShape(view).longest, end)
    events = PushedRows(table.take(counting)).events(view)
    for _ in range(_TRIES):
        state = ViewState(view, online)
        expected = {state.head_name: state.stored_head}
        found = _windows(state, events)
        for key, windows in found.items():
            pushed = state.windows.get(key)
            if pushed is None or (pushed.newest or 0) <= (windows.newest or 0):
                state.windows[key] = windows
        rows = online_rows(state, found)
        if online.commit({view.online_name: rows}, state.after_change(), expected=expected):
            return len(rows)
    raise PushContended(view.name)


def _windows(state: ViewState, events: Sequence[tuple[str, Event]]) -> dict[str, EntityWindows]:
    found: dict[str, EntityWindows] = {}
    for key, event in events:
        if key not in found:
            found[key] = EntityWindows(state.shape)
        found[key].add(event)
    return found


def _still_counting(events: RollingEvents, longest: int, end: int) -> NDArray[np.int64]:
    """Return where in the source the events stand that count for their entity's newest row."""
    known, codes = events.known, events.entities.codes
    order = np.argsort(known, kind="stable")
    order = order[known[order] <= end]
    newest = np.zeros(len(events.entities.keys), np.int64)
    newest[codes[order]] = known[order]  # Ascending, so the last assignment is the newest.
    return events.places[order[known[order] > newest[codes[order]] - longest]]
