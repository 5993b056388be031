"""Three-way merges by key: what both branches did since they parted, row by row and cell by cell.

touched on one side only              that side
deleted on both                       deleted
deleted on one, otherwise on another  conflict of the row
both added or changed it              cell by cell: changed on one side, that side; the same
                                      on both, that; otherwise conflict of the cell
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa

from trivet.data import changes as change_of
from trivet.data import graph
from trivet.data.changes import Changes, State
from trivet.data.content import moved
from trivet.data.errors import MergeConflicts
from trivet.data.graph import Node
from trivet.data.publishing import Draft
from trivet.data.records import Change, Commit, Dataset, MergeConflict
from trivet.data.sql_store import SqlDatasetStore
from trivet.data.touched import ADDED, CHANGED, DELETED, KIND, find_touched
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Verdict
from trivet.storage.tables import Query, quoted

Side = Literal["ours", "theirs"]
_LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What to do to our rows, and what was in conflict on the way."""

    upserts: pa.Table
    deletes: pa.Table
    conflicts: int


def merge_branch(
    store: SqlDatasetStore,
    name: str,
    source: str,
    into: str = "main",
    *,
    resolve: Side | None = None,
    message: str = "",
) -> Commit:
    """Bring what `source` (a branch, tag or commit) has into the branch `into`.

    If `into` has not moved since the two parted, it is pointed at the source's commit and nothing
    is written. A commit that did not pass the contract in force is always merged by a commit of
    its own, which the contract judges.

    Args:
        store: Where the dataset is.
        name: The dataset.
        source: What to merge.
        into: The branch that takes it.
        resolve: The side that wins where both changed the same; None to stop there instead.
        message: For the merge commit.

    Raises:
        MergeConflicts: Both sides changed the same, and no side was chosen.
        ContractViolated: `into` is protected and what comes in breaks the contract.
        StaleGeneration: `into` moved meanwhile.
    """
    with store.database.read() as connection:
        dataset, table = graph.find_dataset(connection, name)
        ours = graph.find_head(connection, name, into)
        theirs = graph.find_node(connection, name, source)
        if ours is None:
            raise InvalidInput(f"Dataset {name!r} has no commit to merge into.")
        base = graph.merge_base(connection, name, ours.commit.id, theirs.commit.id)
    if base.commit.id == theirs.commit.id:
        return ours.commit
    judged = theirs.commit.contract is Verdict.PASSED or store.find_contract(name) is None
    if base.commit.id == ours.commit.id and judged:
        return _fast_forward(store, into, ours, theirs)
    states = [store.state_of(table, node) for node in (base, ours, theirs)]
    merged = merge_rows(dataset, *states, resolve=resolve)
    draft = Draft(
        dataset=dataset,
        branch=into,
        head=ours,
        merged=theirs,
        change=Change.MERGED,
        message=message or f"Merge {source} into {into}",
        notes={"base": base.commit.id, "conflicts": merged.conflicts, "resolve": resolve},
    )
    return store.write(draft, table, _applied(dataset, states[1], merged))


def merge_rows(
    dataset: Dataset, base: State, ours: State, theirs: State, *, resolve: Side | None
) -> Merged:
    """Return what makes our rows the merge of both; raise `MergeConflicts` where it must."""
    schema = _merged_schema(dataset, base, ours, theirs)
    with Query({}) as query:
        find_touched(query, dataset, base, ours, "ours")
        find_touched(query, dataset, base, theirs, "theirs")
        key = quoted(dataset.key)
        query.execute(
            f"CREATE TEMP TABLE both_sides AS SELECT {quoted(dataset.key)},"
            f" ours.{KIND} AS our_kind, theirs.{KIND} AS their_kind,"
            " ours.before AS b, ours.after AS o, theirs.after AS t"
            f" FROM ours JOIN theirs USING ({key})"
        )
        shared = _shared_columns(dataset, ours, theirs)
        clashes = {name: _clash(name, base) for name in shared}
        conflicts = _conflicts(query, dataset, base, clashes)
        if conflicts and resolve is None:
            total = _count_conflicts(query, clashes)
            raise MergeConflicts(dataset.name, total, conflicts)
        cells = _cells(dataset, schema, (base, ours, theirs), clashes, resolve)
        upserts = query.table(_upserts(dataset, schema, theirs, cells, resolve)).cast(schema)
        deletes = query.table(_deletes(dataset, resolve))
        total = _count_conflicts(query, clashes)
    return Merged(upserts=upserts, deletes=deletes, conflicts=total)


def _fast_forward(store: SqlDatasetStore, into: str, ours: Node, theirs: Node) -> Commit:
    name = ours.commit.dataset
    with store.database.write() as connection:
        generation = graph.move_branch(
            connection, name, into, expected=ours.commit.id, to=theirs.commit.id
        )
        store.recorder.record(
            connection,
            "dataset.fast_forwarded",
            theirs.commit.ref,
            {"branch": into, "from": ours.commit.id},
            generation=generation,
        )
    return theirs.commit


def _applied(dataset: Dataset, ours: State, merged: Merged) -> Changes:
    """Return the upserts and the deletes of a merge as one change of ours."""
    up = change_of.upserted(dataset, ours, merged.upserts)
    down = change_of.deleted(dataset, ours, merged.deletes)
    return replace(
        up,
        deleted=down.deleted,
        rows=up.rows - down.rows_deleted,
        rows_deleted=down.rows_deleted,
        content=moved(up.content, add=down.content, subtract=ours.content),
    )


def _merged_schema(dataset: Dataset, base: State, ours: State, theirs: State) -> pa.Schema:
    for name in base.schema.names:
        for side in (ours, theirs):
            if name not in side.schema.names:
                raise InvalidInput(
                    f"Column {name!r} of {dataset.name!r} was removed on one side; a merge does "
                    "not remove columns. Replace the rows of one branch first."
                )
    for name in _shared_columns(dataset, ours, theirs):
        if ours.schema.field(name).type != theirs.schema.field(name).type:
            raise InvalidInput(
                f"Column {name!r} of {dataset.name!r} is {ours.schema.field(name).type} in ours "
                f"and {theirs.schema.field(name).type} in theirs; make them alike first."
            )
    added = [each for each in theirs.schema if each.name not in ours.schema.names]
    return pa.schema([*ours.schema, *added])


def _shared_columns(dataset: Dataset, ours: State, theirs: State) -> list[str]:
    return [
        name
        for name in ours.schema.names
        if name in theirs.schema.names and name not in dataset.key
    ]


def _clash(name: str, base: State) -> str:
    column = quoted(name)
    if name not in base.schema.names:
        # Both sides added the column, so a null is a value that was never set.
        return (
            f"(o.{column} IS DISTINCT FROM t.{column}"
            f" AND o.{column} IS NOT NULL AND t.{column} IS NOT NULL)"
        )
    changed_by_both = (
        f"(our_kind = '{ADDED}' OR (o.{column} IS DISTINCT FROM b.{column}"
        f" AND t.{column} IS DISTINCT FROM b.{column}))"
    )
    return f"(o.{column} IS DISTINCT FROM t.{column} AND {changed_by_both})"


_LIVE = f"our_kind <> '{DELETED}' AND their_kind <> '{DELETED}'"
_ROW_CLASH = f"((our_kind = '{DELETED}') <> (their_kind = '{DELETED}'))"


def _count_conflicts(query: Query, clashes: dict[str, str]) -> int:
    cells = " + ".join(f"count(*) FILTER (WHERE {_LIVE} AND {each})" for each in clashes.values())
    counted = query.row(
        f"SELECT count(*) FILTER (WHERE {_ROW_CLASH}) + {cells or '0'} AS n FROM both_sides"
    )
    return int(counted["n"])


def _conflicts(
    query: Query, dataset: Dataset, base: State, clashes: dict[str, str]
) -> tuple[MergeConflict, ...]:
    any_cell = " OR ".join(clashes.values()) or "FALSE"
    flags = "".join(f", {each} AS _trivet_c{at}" for at, each in enumerate(clashes.values()))
    rows = query.table(
        f"SELECT *{flags} FROM both_sides WHERE {_ROW_CLASH} OR ({_LIVE} AND ({any_cell}))"
        f" ORDER BY {quoted(dataset.key)} LIMIT {_LISTED}"
    ).to_pylist()
    found: list[MergeConflict] = []
    for row in rows:
        found += _conflicts_of(row, dataset, base, list(clashes))
    return tuple(found[:_LISTED])


def _conflicts_of(
    row: dict[str, Any], dataset: Dataset, base: State, columns: list[str]
) -> list[MergeConflict]:
    key = {name: row[name] for name in dataset.key}
    if DELETED in (row["our_kind"], row["their_kind"]):
        return [
            MergeConflict(
                key=key, column=None, base="there", ours=row["our_kind"], theirs=row["their_kind"]
            )
        ]
    return [
        MergeConflict(
            key=key,
            column=name,
            base=row["b"].get(name) if row["our_kind"] == CHANGED else None,
            ours=row["o"][name],
            theirs=row["t"][name],
        )
        for at, name in enumerate(columns)
        if row[f"_trivet_c{at}"]
    ]


def _cells(
    dataset: Dataset,
    schema: pa.Schema,
    states: tuple[State, State, State],
    clashes: dict[str, str],
    resolve: Side | None,
) -> dict[str, str]:
    """Return the merged value of each column of a row that both sides touched, as SQL."""
    base, ours, theirs = states
    cells = {}
    for name in schema.names:
        column = quoted(name)
        if name in dataset.key:
            cells[name] = column
        elif name not in theirs.schema.names:
            cells[name] = f"o.{column}"
        elif name not in ours.schema.names:
            cells[name] = f"t.{column}"
        else:
            winner = "t" if resolve == "theirs" else "o"
            kept = (
                f"o.{column} IS NULL"
                if name not in base.schema.names
                else f"our_kind = '{CHANGED}' AND o.{column} IS NOT DISTINCT FROM b.{column}"
            )
            cells[name] = (
                f"CASE WHEN {clashes[name]} THEN {winner}.{column}"
                f" WHEN {kept} THEN t.{column} ELSE o.{column} END"
            )
    return cells


def _upserts(
    dataset: Dataset,
    schema: pa.Schema,
    theirs: State,
    cells: dict[str, str],
    resolve: Side | None,
) -> str:
    """Return the query for the rows to write to ours."""
    names = schema.names
    merged = ", ".join(f"{cells[name]} AS {quoted(name)}" for name in names)
    taken = ", ".join(_theirs_cell(name, theirs, "after") for name in names)
    parts = [
        f"SELECT {merged} FROM both_sides WHERE {_LIVE}",
        f"SELECT {taken} FROM theirs ANTI JOIN ours USING ({quoted(dataset.key)})"
        f" WHERE {KIND} <> '{DELETED}'",
    ]
    if resolve == "theirs":
        again = ", ".join(_theirs_cell(name, theirs, "t") for name in names)
        parts.append(
            f"SELECT {again} FROM both_sides"
            f" WHERE our_kind = '{DELETED}' AND their_kind <> '{DELETED}'"
        )
    return " UNION ALL ".join(parts)


def _theirs_cell(name: str, theirs: State, struct: str) -> str:
    if name not in theirs.schema.names:
        return f"NULL AS {quoted(name)}"
    return f"{struct}.{quoted(name)} AS {quoted(name)}"


def _deletes(dataset: Dataset, resolve: Side | None) -> str:
    """Return the query for the keys to delete from ours."""
    key = quoted(dataset.key)
    query = f"SELECT {key} FROM theirs ANTI JOIN ours USING ({key}) WHERE {KIND} = '{DELETED}'"
    if resolve == "theirs":
        query += (
            f" UNION ALL SELECT {key} FROM both_sides"
            f" WHERE their_kind = '{DELETED}' AND our_kind <> '{DELETED}'"
        )
    return query
