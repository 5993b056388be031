"""What changed between two commits, by row and by cell."""

from trivet.data.records import CellChange, Diff, RowChange
from trivet.data.sql_store import SqlDatasetStore
from trivet.data.touched import (
    ADDED,
    CHANGED,
    DELETED,
    KIND,
    all_names,
    differs,
    find_touched,
)
from trivet.storage.tables import Query, quoted


def diff_commits(
    store: SqlDatasetStore, name: str, before: str, after: str, *, sample: int = 30
) -> Diff:
    """Return what became of the rows between two commits, by key.

    Args:
        store: Where the dataset is.
        name: The dataset.
        before: The earlier commit: a branch, a tag, an id or the start of one.
        after: The later commit.
        sample: How many rows to show, a third of them of each kind.
    """
    dataset = store.get(name)
    old, new = store.state(name, before), store.state(name, after)
    first, last = store.resolve(name, before), store.resolve(name, after)
    with Query({}) as query:
        find_touched(query, dataset, old, new, "touched")
        others = [each for each in all_names(old.schema, new.schema) if each not in dataset.key]
        cells = [
            f"count(*) FILTER (WHERE {KIND} = '{CHANGED}' AND"
            f" {differs(each, old.schema, new.schema, left='before', right='after')}) AS c{at}"
            for at, each in enumerate(others)
        ]
        kinds = [
            f"count(*) FILTER (WHERE {KIND} = '{kind}') AS {kind}"
            for kind in (ADDED, CHANGED, DELETED)
        ]
        counts = query.row(f"SELECT {', '.join(kinds + cells)} FROM touched")
        shown = _sample(query, dataset.key, others, sample)
    shared = [each for each in new.schema.names if each in old.schema.names]
    return Diff(
        dataset=name,
        before=first.id,
        after=last.id,
        rows_added=counts[ADDED],
        rows_changed=counts[CHANGED],
        rows_deleted=counts[DELETED],
        cells_changed={
            each: counts[f"c{at}"] for at, each in enumerate(others) if counts[f"c{at}"]
        },
        columns_added=tuple(each for each in new.schema.names if each not in shared),
        columns_removed=tuple(each for each in old.schema.names if each not in shared),
        columns_retyped=tuple(
            (each, str(old.schema.field(each).type), str(new.schema.field(each).type))
            for each in shared
            if old.schema.field(each).type != new.schema.field(each).type
        ),
        sample=shown,
    )


def _sample(
    query: Query, key: tuple[str, ...], others: list[str], limit: int
) -> tuple[RowChange, ...]:
    each_kind = max(1, limit // 3)
    rows = query.table(
        f"SELECT * FROM touched QUALIFY row_number() OVER"
        f" (PARTITION BY {KIND} ORDER BY {quoted(key)}) <= {each_kind} ORDER BY {quoted(key)}"
    ).to_pylist()
    changes = []
    for row in rows:
        before = row["before"] if row[KIND] != ADDED else {}
        after = row["after"] if row[KIND] != DELETED else {}
        cells = tuple(
            CellChange(column=name, before=before.get(name), after=after.get(name))
            for name in others
            if before.get(name) != after.get(name)
        )
        found = {name: row[name] for name in key}
        changes.append(RowChange(kind=row[KIND], key=found, cells=cells))
    return tuple(changes)
