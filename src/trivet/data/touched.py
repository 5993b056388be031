"""Which rows two states do not share, by key: what diffs and merges are made of."""

import pyarrow as pa

from trivet.data.changes import State
from trivet.data.records import Dataset
from trivet.storage.tables import Query, quoted

ADDED, CHANGED, DELETED = "added", "changed", "deleted"
KIND = "_trivet_kind"


def find_touched(
    query: Query, dataset: Dataset, before: State, after: State, relation: str
) -> None:
    """Make a temporary table of the rows that differ between two states.

    Its columns are the key, `_trivet_kind`, and two structs `before` and `after` with all columns
    of each state; of an added or deleted row one of them holds nothing.
    """
    left, right = f"{relation}_before", f"{relation}_after"
    query.add(left, before.table)
    query.add(right, after.table)
    same_key = " AND ".join(f"b.{quoted(name)} = a.{quoted(name)}" for name in dataset.key)
    key = ", ".join(
        f"coalesce(b.{quoted(name)}, a.{quoted(name)}) AS {quoted(name)}" for name in dataset.key
    )
    first = quoted(dataset.key[0])
    query.execute(
        f"CREATE TEMP TABLE {relation} AS SELECT {key},"
        f" CASE WHEN b.{first} IS NULL THEN '{ADDED}' WHEN a.{first} IS NULL THEN '{DELETED}'"
        f" ELSE '{CHANGED}' END AS {KIND},"
        f" {_packed('b', before.schema)} AS before, {_packed('a', after.schema)} AS after"
        f" FROM {left} b FULL JOIN {right} a ON {same_key}"
        f" WHERE b.{first} IS NULL OR a.{first} IS NULL"
        f" OR {_any_differs(dataset, before.schema, after.schema)}"
    )


def differs(name: str, before: pa.Schema, after: pa.Schema, *, left: str, right: str) -> str:
    """Return the SQL condition that a column of two relations differs, null being a value."""
    if name not in before.names:
        return f"{right}.{quoted(name)} IS NOT NULL"
    if name not in after.names:
        return f"{left}.{quoted(name)} IS NOT NULL"
    # Values of different types compare as their texts.
    cast = "" if before.field(name).type == after.field(name).type else "::VARCHAR"
    return f"{left}.{quoted(name)}{cast} IS DISTINCT FROM {right}.{quoted(name)}{cast}"


def all_names(before: pa.Schema, after: pa.Schema) -> list[str]:
    """Return the columns of either, those of the later state first."""
    return [*after.names, *(name for name in before.names if name not in after.names)]


def touched_rows(dataset: Dataset, before: State, after: State) -> pa.Table:
    """Return the rows of `after` that `before` lacks or has otherwise."""
    with Query({}) as query:
        find_touched(query, dataset, before, after, "touched")
        columns = ", ".join(
            f"after.{quoted(name)} AS {quoted(name)}" for name in after.schema.names
        )
        rows = query.table(f"SELECT {columns} FROM touched WHERE {KIND} <> '{DELETED}'")
    return rows.cast(after.schema)


def _any_differs(dataset: Dataset, before: pa.Schema, after: pa.Schema) -> str:
    names = [name for name in all_names(before, after) if name not in dataset.key]
    parts = [differs(name, before, after, left="b", right="a") for name in names]
    return " OR ".join(parts) or "FALSE"


def _packed(alias: str, schema: pa.Schema) -> str:
    cells = ", ".join(f"{quoted(name)} := {alias}.{quoted(name)}" for name in schema.names)
    return f"struct_pack({cells})"
