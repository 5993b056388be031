"""The rows of a feature view: what its features were, from when on, and since when known."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from trivet.features.columns import NO_TIME, numbers, times, to_timestamps
from trivet.features.definitions import FeatureView
from trivet.features.events import rolling_events
from trivet.features.keys import EntityCodes
from trivet.features.rolling import WindowEnds, rolling_values
from trivet.kernel.errors import InvalidInput

EVENT_AT = "event_at"
CREATED_AT = "created_at"


@dataclass(frozen=True, slots=True)
class ViewRows:
    """The rows of a view as arrays, n of them, in the order in which ties are decided.

    Attributes:
        view: The view.
        entities: The entity of each row.
        event_at: When the values became true, microseconds, shape (n,).
        created_at: When they became known, NO_TIME where the source does not say, shape (n,).
        values: One array of shape (n,) for each feature, NaN where it is missing.
        table: The rows that `entities` counts; holds the entity's columns.
    """

    view: FeatureView
    entities: EntityCodes
    event_at: NDArray[np.int64]
    created_at: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    table: pa.Table


def view_rows(view: FeatureView, source: pa.Table) -> pa.Table:
    """Return the view's rows as a table: entity, event_at, created_at, features.

    A view of columns has a row for each row of its source (or of its SQL). A rolling view has a
    row for each moment at which an event of the entity became known: the later of its event time
    and its created time. That moment is the row's event_at and created_at, and events known at
    the same moment share a row. Rows without an entity or without an event time are left out.

    Raises:
        ColumnMissing: The source lacks a column.
        ColumnUnusable: A column is no time, no number, or no entity key.
        InvalidInput: The view's SQL does not run.
    """
    rows = compute_rows(view, source)
    columns = {name: rows.table.column(name) for name in view.entity}
    columns[EVENT_AT] = to_timestamps(rows.event_at)
    columns[CREATED_AT] = to_timestamps(rows.created_at)
    for name, values in rows.values.items():
        columns[name] = pa.array(values, mask=np.isnan(values))
    return pa.table(columns)


def compute_rows(view: FeatureView, source: pa.Table) -> ViewRows:
    """Return the view's rows as arrays; `view_rows` says which they are."""
    table = select_source(view, source)
    return _rolling_rows(view, table) if view.rolling else _column_rows(view, table)


def select_source(view: FeatureView, source: pa.Table) -> pa.Table:
    """Return the rows of the source that take part in the view, after its `where` and `sql`.

    The SQL sees the table `source` and nothing else: no file, no network, no Python object.
    """
    source = _without_views(source)
    if view.where is None and view.sql is None:
        return source
    connection = duckdb.connect(
        config={"enable_external_access": False, "python_enable_replacements": False}
    )
    try:
        connection.register("source" if view.where is None else "whole_source", source)
        if view.where is not None:
            connection.execute(
                f"CREATE TEMP VIEW source AS SELECT * FROM whole_source WHERE {view.where}"  # noqa: S608
            )
        found = connection.sql(view.sql or "SELECT * FROM source")
        if found is None:
            raise InvalidInput(f"The SQL of view {view.name!r} is no query; write a SELECT.")
        return found.to_arrow_table()
    except duckdb.Error as error:
        raise InvalidInput(f"The SQL of view {view.name!r} does not run: {error}") from error
    finally:
        connection.close()


def _without_views(table: pa.Table) -> pa.Table:
    """Return the table with its string views as strings, which every Arrow function takes."""
    for place, name in enumerate(table.column_names):
        if pa.types.is_string_view(table.schema.field(place).type):
            table = table.set_column(place, name, table.column(place).cast(pa.large_string()))
    return table


def _column_rows(view: FeatureView, table: pa.Table) -> ViewRows:
    what = f"The source of {view.name!r}"
    event = times(table, view.event_time, what)
    created = (
        times(table, view.created_time, what)
        if view.created_time is not None
        else np.full(len(event), NO_TIME)
    )
    entities = EntityCodes.of(table, view.entity, what)
    taken = (entities.codes >= 0) & (event != NO_TIME)
    if not taken.all():
        kept = np.flatnonzero(taken)
        table, event, created = table.take(kept), event[kept], created[kept]
        entities = entities.take(kept)
    values = {name: numbers(table, name, what) for name in view.columns}
    return ViewRows(view, entities, event, created, values, table)


def _rolling_rows(view: FeatureView, table: pa.Table) -> ViewRows:
    events = rolling_events(view, table)
    by_time = np.argsort(events.known, kind="stable")
    order = by_time[np.argsort(events.entities.codes[by_time], kind="stable")]
    entities, known = events.entities.take(order), events.known[order]
    ends = WindowEnds(entities.codes, known)
    columns = {name: of_column[order] for name, of_column in events.values.items()}
    values = rolling_values(ends, view.rolling, columns)
    # Events known at one moment end in one window; the last of them stands for all.
    last = np.flatnonzero(ends.ends == np.arange(1, len(known) + 1))
    if len(last) != len(known):
        entities, known, order = entities.take(last), known[last], order[last]
        values = {name: of_feature[last] for name, of_feature in values.items()}
    shown = table.select(list(view.entity)).take(events.places[order])
    return ViewRows(view, entities, known, known, values, shown)
