"""The graph of commits and the pointers into it, as statements on a connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from trivet.data.errors import (
    AmbiguousCommit,
    BranchExists,
    CommitNotFound,
    DatasetNotFound,
    UnrelatedHistories,
)
from trivet.data.records import Branch, Change, Column, Commit, CommitId, Dataset, Tag
from trivet.kernel.digests import digest_json
from trivet.ledger import StaleGeneration, Verdict
from trivet.storage.sql.database import Row
from trivet.storage.sql.schema import data as schema
from trivet.storage.tables import TableVersion

_commits = schema.dataset_commits
_parents = schema.dataset_parents
_branches = schema.dataset_branches
_tags = schema.dataset_tags
_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A commit with what only the store needs to know of it."""

    commit: Commit
    depth: int
    at: TableVersion


def commit_id(values: dict[str, Any]) -> CommitId:
    """Return the digest over all that a commit says of itself."""
    named = {name: values[name] for name in _DIGESTED}
    return CommitId(digest_json({**named, "at": values["at"].isoformat()}))


_DIGESTED = (
    "dataset",
    "parents",
    "change",
    "message",
    "author",
    "rows",
    "content",
    "schema",
    "contract",
    "source",
)


def find_dataset(connection: Connection, name: str) -> tuple[Dataset, str]:
    """Return the dataset and the name of its table, or raise `DatasetNotFound`."""
    row = connection.execute(
        select(schema.datasets).where(schema.datasets.c.name == name)
    ).one_or_none()
    if row is None:
        raise DatasetNotFound(name)
    return to_dataset(row), row.table_name


def find_node(connection: Connection, dataset: str, at: str) -> Node:
    """Return what a branch, a tag, a commit id or a unique start of one names."""
    pointed = (
        select(table.c.commit_id).where((table.c.dataset == dataset) & (table.c.name == at))
        for table in (_branches, _tags)
    )
    for query in pointed:
        target = connection.execute(query).scalar()
        if target is not None:
            return get_node(connection, dataset, target)
    return get_node(connection, dataset, _complete_id(connection, dataset, at))


def get_node(connection: Connection, dataset: str, commit: str) -> Node:
    """Return the commit with this id."""
    row = connection.execute(
        select(_commits).where((_commits.c.id == commit) & (_commits.c.dataset == dataset))
    ).one_or_none()
    if row is None:
        raise CommitNotFound(dataset, commit)
    return to_node(row)


def _complete_id(connection: Connection, dataset: str, start: str) -> str:
    if len(start) < _SHORTEST_PREFIX:
        raise CommitNotFound(dataset, start)
    found = list(
        connection.execute(
            select(_commits.c.id)
            .where(
                (_commits.c.dataset == dataset) & _commits.c.id.startswith(start, autoescape=True)
            )
            .limit(10)
        ).scalars()
    )
    if not found:
        raise CommitNotFound(dataset, start)
    if len(found) > 1:
        raise AmbiguousCommit(dataset, start, len(found))
    return str(found[0])


def find_head(connection: Connection, dataset: str, branch: str) -> Node | None:
    """Return where a branch points, or None if its first commit is still to come.

    That is so for `main`, and for any branch of a dataset that has none: a mistyped name is not to
    begin another history.

    Raises:
        CommitNotFound: There are other branches, but not this one.
    """
    row = connection.execute(
        select(_branches.c.commit_id).where(
            (_branches.c.dataset == dataset) & (_branches.c.name == branch)
        )
    ).one_or_none()
    if row is not None:
        return get_node(connection, dataset, row.commit_id)
    others = connection.execute(
        select(_branches.c.name).where(_branches.c.dataset == dataset).limit(1)
    ).first()
    if others is not None and branch != "main":
        raise CommitNotFound(dataset, branch)
    return None


def ancestry(commit: str, label: str = "ancestors") -> Select[Any]:
    """Return the query for the ids of a commit and all its ancestors, as `id`."""
    start = select(_commits.c.id).where(_commits.c.id == commit).cte(label, recursive=True)
    return select(
        start.union(
            select(_parents.c.parent_id).join(start, _parents.c.commit_id == start.c.id)
        ).c.id
    )


def history(connection: Connection, commit: str, limit: int) -> list[Node]:
    """Return a commit and its ancestors, newest first, each before its parents."""
    rows = connection.execute(
        select(_commits)
        .where(_commits.c.id.in_(ancestry(commit)))
        .order_by(_commits.c.depth.desc(), _commits.c.at.desc(), _commits.c.id)
        .limit(limit)
    )
    return [to_node(row) for row in rows]


def find_green(connection: Connection, commits: Sequence[str]) -> Node | None:
    """Return the nearest ancestor of some commits that did not break its contract, or None."""
    found = [
        connection.execute(
            select(_commits)
            .where(_commits.c.id.in_(ancestry(commit)) & (_commits.c.contract != Verdict.FAILED))
            .order_by(_commits.c.depth.desc(), _commits.c.id)
            .limit(1)
        ).one_or_none()
        for commit in commits
    ]
    return next((to_node(row) for row in found if row is not None), None)


def merge_base(connection: Connection, dataset: str, ours: str, theirs: str) -> Node:
    """Return the nearest common ancestor of two commits; of several, the deepest."""
    row = connection.execute(
        select(_commits)
        .where(_commits.c.id.in_(ancestry(ours, "our_ancestors")))
        .where(_commits.c.id.in_(ancestry(theirs, "their_ancestors")))
        .order_by(_commits.c.depth.desc(), _commits.c.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise UnrelatedHistories(dataset, ours, theirs)
    return to_node(row)


def insert_commit(connection: Connection, values: dict[str, Any]) -> None:
    """Add a commit and its place in the graph."""
    connection.execute(insert(_commits), values)
    if values["parents"]:
        connection.execute(
            insert(_parents),
            [
                {"commit_id": values["id"], "ordinal": ordinal, "parent_id": parent}
                for ordinal, parent in enumerate(values["parents"])
            ],
        )


def insert_branch(
    connection: Connection, dataset: str, name: str, commit: str, *, protected: bool
) -> None:
    """Point a branch, which must not be there yet, at a commit."""
    _refuse_taken_name(connection, dataset, name)
    connection.execute(
        insert(_branches),
        {
            "dataset": dataset,
            "name": name,
            "commit_id": commit,
            "protected": protected,
            "generation": 1,
        },
    )


def move_branch(connection: Connection, dataset: str, name: str, *, expected: str, to: str) -> int:
    """Move a branch from one commit to another and return its new generation.

    Raises:
        StaleGeneration: It is not at `expected`.
    """
    at_branch = (_branches.c.dataset == dataset) & (_branches.c.name == name)
    swapped = connection.execute(
        update(_branches)
        .where(at_branch & (_branches.c.commit_id == expected))
        .values(commit_id=to, generation=_branches.c.generation + 1)
    )
    found = connection.execute(select(_branches).where(at_branch)).one_or_none()
    if swapped.rowcount == 0 or found is None:
        where = None if found is None else found.commit_id
        raise StaleGeneration(f"Branch {name!r} of dataset {dataset!r}", expected, where)
    return int(found.generation)


def list_branches(connection: Connection, dataset: str) -> list[Branch]:
    """Return the branches by name."""
    rows = connection.execute(
        select(_branches).where(_branches.c.dataset == dataset).order_by(_branches.c.name)
    )
    return [to_branch(row) for row in rows]


def to_dataset(row: Row) -> Dataset:
    """Return the record of a row."""
    return Dataset(
        name=row.name,
        key=tuple(row.key),
        event_time=row.event_time,
        description=row.description,
        owner=row.owner,
        created_at=row.created_at,
    )


def to_node(row: Row) -> Node:
    """Return the record of a row."""
    commit = Commit(
        id=CommitId(row.id),
        dataset=row.dataset,
        parents=tuple(CommitId(parent) for parent in row.parents),
        change=Change(row.change),
        message=row.message,
        author=row.author,
        at=row.at,
        rows=row.rows,
        rows_added=row.rows_added,
        rows_changed=row.rows_changed,
        rows_deleted=row.rows_deleted,
        schema=tuple(
            Column(name=name, type=kind, nullable=nullable) for name, kind, nullable in row.schema
        ),
        contract=Verdict(row.contract),
        source=row.source,
        evidence=row.evidence,
        content=row.content,
    )
    at = TableVersion(line=row.table_line, number=row.table_number)
    return Node(commit=commit, depth=row.depth, at=at)


def to_branch(row: Row) -> Branch:
    """Return the record of a row."""
    return Branch(
        dataset=row.dataset,
        name=row.name,
        commit=CommitId(row.commit_id),
        protected=row.protected,
        generation=row.generation,
    )


def to_tag(row: Row) -> Tag:
    """Return the record of a row."""
    return Tag(
        dataset=row.dataset,
        name=row.name,
        commit=CommitId(row.commit_id),
        author=row.author,
        at=row.at,
    )


def schema_json(columns: Sequence[Column]) -> list[list[Any]]:
    """Return the columns as a commit's row and its digest hold them."""
    return [[column.name, column.type, column.nullable] for column in columns]


def insert_tag(
    connection: Connection, dataset: str, name: str, commit: str, author: str, at: datetime
) -> None:
    """Add a tag, whose name no tag or branch has yet."""
    _refuse_taken_name(connection, dataset, name)
    connection.execute(
        insert(_tags),
        {"dataset": dataset, "name": name, "commit_id": commit, "author": author, "at": at},
    )


def list_tags(connection: Connection, dataset: str) -> list[Tag]:
    """Return the tags by name."""
    rows = connection.execute(
        select(_tags).where(_tags.c.dataset == dataset).order_by(_tags.c.name)
    )
    return [to_tag(row) for row in rows]


def _refuse_taken_name(connection: Connection, dataset: str, name: str) -> None:
    for table in (_branches, _tags):
        taken = connection.execute(
            select(table.c.name).where((table.c.dataset == dataset) & (table.c.name == name))
        ).first()
        if taken is not None:
            raise BranchExists(dataset, name)
