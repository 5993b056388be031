"""The point-in-time join: for each label, the features as they could be known at its moment."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME, times
from trivet.features.rows import ViewRows
from trivet.kernel.errors import InvalidInput

_LABELS = "The table of labels"
_MICROSECOND = timedelta(microseconds=1)


def point_in_time_join(
    labels: pa.Table, views: Sequence[ViewRows], *, event_time: str, bitemporal: bool = True
) -> pa.Table:
    """Return the labels, each with the features of every view as of its event time.

    A row of a view is visible at T if neither its event time nor its created time is after T
    (a row without a created time was known at once). Of the visible rows of the label's entity,
    the one with the greatest event time is taken; of several, the one with the greatest created
    time, where none is least; of several still, the last in the source. It counts if it is at
    most the view's TTL old, to the microsecond; a TTL of None or 0 is no limit. Its nulls stay
    null: no older value is put in their place.

    Every label comes back once, in its place, with nulls where nothing is visible. A null entity
    or event time matches nothing. Times without a zone are UTC.

    Args:
        labels: Holds the entity columns of each view, the event time, and whatever else.
        views: Each view's rows, from `compute_rows`.
        event_time: The labels' time column.
        bitemporal: False joins by event time alone, and so lets in corrections that came later.

    Raises:
        InvalidInput: Two columns of the result would have one name.
        ColumnMissing: The labels lack an entity column or the event time.
    """
    at = times(labels, event_time, _LABELS)
    columns = {name: labels.column(name) for name in labels.column_names}
    for rows in views:
        place = visible_rows(labels, at, rows, bitemporal=bitemporal)
        for name, values in rows.values.items():
            if name in columns:
                raise InvalidInput(f"The join would have two columns called {name!r}; rename one.")
            taken = take_values(values, place)
            columns[name] = pa.array(taken, mask=np.isnan(taken))
    return pa.table(columns)


def visible_rows(
    labels: pa.Table, at: NDArray[np.int64], rows: ViewRows, *, bitemporal: bool = True
) -> NDArray[np.int64]:
    """Return which row of the view each label sees, -1 for none, shape (labels,)."""
    codes = rows.entities.codes
    count = len(codes)
    label_codes = rows.entities.matched(labels, rows.view.entity, _LABELS)
    if count == 0 or len(at) == 0:
        return np.full(len(at), -1, np.int64)
    known = np.maximum(rows.event_at, rows.created_at) if bitemporal else rows.event_at
    moments = np.unique(known)
    width = len(moments) + 1
    position = codes * width + np.searchsorted(moments, known)
    by_known = np.argsort(position, kind="stable")
    by_rank = rows_by_precedence(rows)
    rank = np.empty(count, np.int64)
    rank[by_rank] = np.arange(count)
    # A later entity's ranks are all greater, so the running maximum starts anew with each.
    best = by_rank[np.maximum.accumulate(rank[by_known])]
    seen = np.searchsorted(moments, at, side="right")
    last = np.searchsorted(position[by_known], label_codes * width + seen, side="left") - 1
    place = best[last]
    found = (last >= 0) & (label_codes >= 0) & (at != NO_TIME)
    found &= codes[place] == label_codes
    if rows.view.ttl:
        found &= at - rows.event_at[place] <= rows.view.ttl // _MICROSECOND
    return np.where(found, place, -1)


def take_values(values: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the value at each place, NaN at -1."""
    if len(values) == 0:
        return np.full(len(place), np.nan)
    return np.where(place < 0, np.nan, values[place])


def rows_by_precedence(rows: ViewRows) -> NDArray[np.int64]:
    """Return the rows by entity, event time, created time and place, so that the last one wins."""
    created_order = np.argsort(rows.created_at, kind="stable")
    by_event = created_order[np.argsort(rows.event_at[created_order], kind="stable")]
    return by_event[np.argsort(rows.entities.codes[by_event], kind="stable")]
