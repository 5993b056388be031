"""What incoming rows mean for the rows that are there: added, changed, deleted, or the same."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from trivet.data.content import NOTHING, content_of, moved
from trivet.data.errors import RowsRefused
from trivet.data.records import Dataset
from trivet.storage.tables import Query, TableWriter, quoted

_KIND = "_trivet_kind"
_SAME, _ADDED, _CHANGED = 0, 1, 2
_ROW_IDS_IN_A_FILTER = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The rows as they are before a change: a Lance dataset, and the digest of its content."""

    table: Any
    rows: int
    content: str

    @property
    def schema(self) -> pa.Schema:
        """The columns, without Lance's own metadata."""
        return plain_schema(self.table.schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A change that is worked out but not written.

    Attributes:
        incoming: The rows that came, completed with what is there already.
        schema: The columns after the change.
        written: The rows to write: added and changed ones, or all if the table is overwritten.
        deleted: Lance row ids of the rows to delete.
    """

    incoming: pa.Table
    schema: pa.Schema
    new_columns: tuple[pa.Field, ...]
    written: pa.Table
    deleted: tuple[int, ...]
    rows: int
    rows_added: int
    rows_changed: int
    rows_deleted: int
    content: str
    overwrites: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the change leaves everything as it is."""
        nothing = self.rows_added + self.rows_changed + self.rows_deleted == 0
        return nothing and not self.new_columns and not self.overwrites

    def write(self, writer: TableWriter, key: tuple[str, ...]) -> None:
        """Carry the change out."""
        if self.overwrites:
            writer.overwrite(self.written)
            return
        if self.new_columns:
            writer.add_columns(self.new_columns)
        if self.deleted:
            writer.delete(self.deleted)
        if self.rows_changed:
            writer.upsert(self.written, key)
        elif self.rows_added:
            writer.append(self.written)


def first_rows(rows: pa.Table) -> Changes:
    """Return the change that makes `rows` the first of a dataset."""
    with Query({"incoming": rows}) as query:
        content = content_of(query, "incoming", rows.schema)
    return Changes(
        incoming=rows,
        schema=rows.schema,
        new_columns=(),
        written=rows,
        deleted=(),
        rows=rows.num_rows,
        rows_added=rows.num_rows,
        rows_changed=0,
        rows_deleted=0,
        content=content,
        overwrites=True,
    )


def upserted(dataset: Dataset, state: State, rows: pa.Table, *, append: bool = False) -> Changes:
    """Return the change that adds `rows` and replaces those of the same key.

    A column that `rows` lack keeps its value in the rows that are there, and is null in others.
    With `append`, a key that is there already is refused.
    """
    old_schema = state.schema
    new_columns = tuple(field for field in rows.schema if field.name not in old_schema.names)
    schema = pa.schema([*old_schema, *new_columns])
    with Query({"incoming": rows}) as query:
        before = _rows_with_keys_of(query, dataset, state)
        if append and before.num_rows:
            raise RowsRefused(dataset.name, f"{before.num_rows:,} keys are there already")
        query.add("before", before)
        query.execute(f"CREATE TEMP TABLE judged AS {_judged(dataset, rows, old_schema)}")
        query.execute(f"CREATE TEMP VIEW written AS SELECT * FROM judged WHERE {_KIND} > {_SAME}")
        counts = query.row(
            f"SELECT count(*) FILTER (WHERE {_KIND} = {_ADDED}) AS added,"
            f" count(*) FILTER (WHERE {_KIND} = {_CHANGED}) AS changed FROM judged"
        )
        columns = quoted(schema.names)
        complete = query.table(f"SELECT {columns} FROM judged").cast(schema)
        written = query.table(f"SELECT {columns} FROM written").cast(schema)
        add = content_of(query, "written", schema)
        query.execute(
            f"CREATE TEMP VIEW replaced AS SELECT before.* FROM before SEMI JOIN"
            f" (SELECT * FROM judged WHERE {_KIND} = {_CHANGED}) USING ({quoted(dataset.key)})"
        )
        subtract = content_of(query, "replaced", old_schema)
    return Changes(
        incoming=complete,
        schema=schema,
        new_columns=new_columns,
        written=written,
        deleted=(),
        rows=state.rows + counts["added"],
        rows_added=counts["added"],
        rows_changed=counts["changed"],
        rows_deleted=0,
        content=moved(state.content, add=add, subtract=subtract),
    )


def deleted(dataset: Dataset, state: State, keys: pa.Table) -> Changes:
    """Return the change that deletes the rows with these keys, as far as they are there."""
    schema = state.schema
    with Query({"incoming": keys.select(list(dataset.key))}) as query:
        before = _rows_with_keys_of(query, dataset, state)
        query.add("before", before)
        subtract = content_of(query, "before", schema)
    ids = tuple(before["_rowid"].to_pylist())
    return Changes(
        incoming=schema.empty_table(),
        schema=schema,
        new_columns=(),
        written=schema.empty_table(),
        deleted=ids,
        rows=state.rows - len(ids),
        rows_added=0,
        rows_changed=0,
        rows_deleted=len(ids),
        content=moved(state.content, add=NOTHING, subtract=subtract),
    )


def replaced(dataset: Dataset, state: State, rows: pa.Table) -> Changes:
    """Return the change that makes `rows` the whole of the dataset."""
    fresh = first_rows(rows)
    old_schema = state.schema
    key = quoted(dataset.key)
    with Query({"incoming": rows, "before": state.table}) as query:
        query.execute(f"CREATE TEMP TABLE judged AS {_judged(dataset, rows, old_schema)}")
        counts = query.row(
            f"SELECT count(*) FILTER (WHERE {_KIND} = {_ADDED}) AS added,"
            f" count(*) FILTER (WHERE {_KIND} = {_CHANGED}) AS changed,"
            f" (SELECT count(*) FROM before ANTI JOIN incoming USING ({key})) AS deleted"
            f" FROM judged"
        )
    unchanged = old_schema.equals(rows.schema) and not any(counts.values())
    return Changes(
        incoming=rows,
        schema=rows.schema,
        new_columns=(),
        written=rows,
        deleted=(),
        rows=rows.num_rows,
        rows_added=counts["added"],
        rows_changed=counts["changed"],
        rows_deleted=counts["deleted"],
        content=fresh.content,
        overwrites=not unchanged,
    )


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema without metadata, which says nothing of the rows."""
    return pa.schema([pa.field(field.name, field.type, field.nullable) for field in schema])


def _rows_with_keys_of(query: Query, dataset: Dataset, state: State) -> pa.Table:
    """Return the rows that are there and share a key with `incoming`, and their Lance row ids."""
    key = list(dataset.key)
    query.add("present", state.table.to_table(columns=key, with_row_id=True))
    found = query.table(f"SELECT _rowid FROM present SEMI JOIN incoming USING ({quoted(key)})")
    if found.num_rows == 0:
        return state.table.to_table(limit=0, with_row_id=True)
    if found.num_rows <= _ROW_IDS_IN_A_FILTER:
        ids = ",".join(map(str, found["_rowid"].to_pylist()))
        return state.table.to_table(filter=f"_rowid in ({ids})", with_row_id=True)
    query.add("whole", state.table.to_table(with_row_id=True))
    return query.table(f"SELECT whole.* FROM whole SEMI JOIN incoming USING ({quoted(key)})")


def _judged(dataset: Dataset, rows: pa.Table, before: pa.Schema) -> str:
    """Return the query for the incoming rows, completed, each with what it means as `_KIND`."""
    key = dataset.key
    named = list(rows.schema.names)
    differs = [
        f"i.{quoted(name)} IS DISTINCT FROM b.{quoted(name)}"
        if name in before.names
        else f"i.{quoted(name)} IS NOT NULL"
        for name in named
        if name not in key
    ]
    kept = [f"b.{quoted(name)}" for name in before.names if name not in named]
    kind = (
        f"CASE WHEN b.{quoted(key[0])} IS NULL THEN {_ADDED}"
        f" WHEN {' OR '.join(differs) or 'FALSE'} THEN {_CHANGED} ELSE {_SAME} END AS {_KIND}"
    )
    columns = ", ".join([*(f"i.{quoted(name)}" for name in named), *kept, kind])
    same_key = " AND ".join(f"i.{quoted(name)} = b.{quoted(name)}" for name in key)
    return f"SELECT {columns} FROM incoming i LEFT JOIN before b ON {same_key}"
