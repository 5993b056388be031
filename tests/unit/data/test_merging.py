from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.data import MergeConflicts
from trivet.data.changes import State
from trivet.data.merging import Side, merge_rows
from trivet.data.records import Dataset
from trivet.kernel.errors import InvalidInput

ORDERS = Dataset(
    name="orders",
    key=("shop", "id"),
    event_time=None,
    description="",
    owner="",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
COLUMNS = ("x", "y")
SCHEMA = pa.schema(
    [("shop", pa.string()), ("id", pa.int64()), ("x", pa.int64()), ("y", pa.string())]
)

Cells = tuple[int | None, str | None]
Rows = dict[tuple[str, int], Cells]


def state(rows: Rows, schema: pa.Schema = SCHEMA) -> State:
    records = [
        {"shop": shop, "id": number, "x": x, "y": y} for (shop, number), (x, y) in rows.items()
    ]
    table = pa.Table.from_pylist(records, schema=schema)
    return State(table=table, rows=table.num_rows, content="")


def merge(base: Rows, ours: Rows, theirs: Rows, resolve: Side | None) -> Rows:
    """Return our rows after the merge was applied to them."""
    merged = merge_rows(ORDERS, state(base), state(ours), state(theirs), resolve=resolve)
    result = dict(ours)
    for row in merged.upserts.to_pylist():
        result[row["shop"], row["id"]] = (row["x"], row["y"])
    for row in merged.deletes.to_pylist():
        del result[row["shop"], row["id"]]
    return result


def by_cell(
    before: Cells | None, mine: Cells, other: Cells, side: Side
) -> tuple[Cells, list[str]]:
    """Return a row that both sides touched, and the columns in conflict."""
    cells: list[Any] = []
    clashing = []
    for at, column in enumerate(COLUMNS):
        if mine[at] == other[at] or (before is not None and other[at] == before[at]):
            cells.append(mine[at])
        elif before is not None and mine[at] == before[at]:
            cells.append(other[at])
        else:
            clashing.append(column)
            cells.append(mine[at] if side == "ours" else other[at])
    return (cells[0], cells[1]), clashing


def brute_force(base: Rows, ours: Rows, theirs: Rows, side: Side) -> tuple[Rows, set[Any]]:
    """Return the merge, row by row and cell by cell, and what was in conflict."""
    result: Rows = {}
    conflicts: set[Any] = set()
    for key in {*base, *ours, *theirs}:
        before, mine, other = base.get(key), ours.get(key), theirs.get(key)
        if mine in (before, other):
            chosen = other
        elif other == before:
            chosen = mine
        elif mine is None or other is None:
            conflicts.add((key, None))
            chosen = mine if side == "ours" else other
        else:
            chosen, clashing = by_cell(before, mine, other, side)
            conflicts |= {(key, column) for column in clashing}
        if chosen is not None:
            result[key] = chosen
    return result, conflicts


keys = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 3))
cells = st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from(["p", "q"]))
tables = st.dictionaries(keys, cells, max_size=8)
sides = st.sampled_from(["ours", "theirs"])


@settings(max_examples=50, deadline=None)
@given(base=tables, ours=tables, theirs=tables, side=sides)
def test_a_merge_is_what_brute_force_finds(
    base: Rows, ours: Rows, theirs: Rows, side: Side
) -> None:
    expected, conflicts = brute_force(base, ours, theirs, side)
    assert merge(base, ours, theirs, side) == expected
    if conflicts:
        with pytest.raises(MergeConflicts) as refused:
            merge(base, ours, theirs, None)
        found = {((c.key["shop"], c.key["id"]), c.column) for c in refused.value.conflicts}
        assert found == conflicts
        assert refused.value.total == len(conflicts)
    else:
        assert merge(base, ours, theirs, None) == expected


def test_different_cells_of_one_row_come_together() -> None:
    base: Rows = {("a", 1): (1, "p")}
    ours: Rows = {("a", 1): (2, "p")}
    theirs: Rows = {("a", 1): (1, "q")}
    assert merge(base, ours, theirs, None) == {("a", 1): (2, "q")}


def test_a_conflict_names_base_ours_and_theirs() -> None:
    base: Rows = {("a", 1): (1, "p")}
    ours: Rows = {("a", 1): (2, "p")}
    theirs: Rows = {("a", 1): (3, "p")}
    with pytest.raises(
        MergeConflicts, match="x of row shop=a, id=1 is 2 in ours, 3 in theirs"
    ) as e:
        merge(base, ours, theirs, None)
    conflict = e.value.conflicts[0]
    assert (conflict.base, conflict.ours, conflict.theirs) == (1, 2, 3)


def test_a_deleted_row_that_the_other_side_changed_is_a_conflict() -> None:
    base: Rows = {("a", 1): (1, "p")}
    with pytest.raises(MergeConflicts, match="was deleted by ours and changed by theirs"):
        merge(base, {}, {("a", 1): (2, "p")}, None)
    assert merge(base, {}, {("a", 1): (2, "p")}, "ours") == {}
    assert merge(base, {}, {("a", 1): (2, "p")}, "theirs") == {("a", 1): (2, "p")}


def test_columns_that_each_side_added_are_both_there() -> None:
    base = state({("a", 1): (1, "p"), ("a", 2): (2, "q")})
    ours = State(table=base.table.append_column("u", pa.array([5, None])), rows=2, content="")
    theirs = State(table=base.table.append_column("t", pa.array([None, 6])), rows=2, content="")
    merged = merge_rows(ORDERS, base, ours, theirs, resolve=None)
    assert merged.upserts.to_pylist() == [
        {"shop": "a", "id": 2, "x": 2, "y": "q", "u": None, "t": 6}
    ]


def test_a_removed_column_is_not_merged() -> None:
    base = state({("a", 1): (1, "p")})
    less = State(table=base.table.drop(["y"]), rows=1, content="")
    with pytest.raises(InvalidInput, match="'y' of 'orders' was removed"):
        merge_rows(ORDERS, base, base, less, resolve=None)


def test_a_column_of_two_types_is_not_merged() -> None:
    base = state({("a", 1): (1, "p")})
    other = SCHEMA.set(2, pa.field("x", pa.float64()))
    with pytest.raises(InvalidInput, match="int64 in ours and double in theirs"):
        merge_rows(ORDERS, base, base, state({("a", 1): (1, "p")}, other), resolve=None)
