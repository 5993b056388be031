"""Make a change a commit: judged by the contract, and visible together with its fact."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert

from trivet.data import graph
from trivet.data.changes import Changes
from trivet.data.errors import BranchExists
from trivet.data.graph import Node
from trivet.data.judging import Judgement
from trivet.data.records import Change, Commit, Dataset
from trivet.data.rows import columns_of
from trivet.ledger import Edge, Recorder, StaleGeneration, Verdict
from trivet.storage.sql import ConstraintViolated, Database
from trivet.storage.sql.schema import data as schema
from trivet.storage.tables import TableVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a commit will say of itself, but for what it changes.

    Attributes:
        head: Where the branch was when the draft was begun.
        merged: The other side of a merge.
        notes: What else the fact says.
        aside: Why the rows are put aside as red, whatever the contract finds in them.
    """

    dataset: Dataset
    branch: str
    head: Node | None
    change: Change
    message: str
    merged: Node | None = None
    source: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    aside: str | None = None

    @property
    def before(self) -> tuple[Node, ...]:
        """The commits it follows."""
        return tuple(node for node in (self.head, self.merged) if node is not None)

    @property
    def follows_red(self) -> bool:
        """Whether rows that broke the contract are among those it builds on."""
        return any(node.commit.contract is Verdict.FAILED for node in self.before)


def publish(
    database: Database,
    recorder: Recorder,
    draft: Draft,
    changes: Changes,
    at: TableVersion,
    judgement: Judgement,
) -> Commit:
    """Insert the commit, move the branch and record the fact, in one transaction.

    Raises:
        StaleGeneration: The branch moved since the draft was begun; nothing is changed.
    """
    values = _values(recorder, draft, changes, at, judgement)
    name, branch = draft.dataset.name, draft.branch
    try:
        with database.write() as connection:
            evidence = judgement.store(connection, recorder, f"dataset:{name}@{values['id']}")
            values["evidence"] = evidence
            graph.insert_commit(connection, values)
            if judgement.summaries:
                connection.execute(
                    insert(schema.dataset_partitions),
                    {"commit_id": values["id"], "summaries": list(judgement.summaries)},
                )
            generation = _point(connection, draft, values["id"])
            _record(connection, recorder, draft, values, generation)
            return graph.get_node(connection, name, values["id"]).commit
    except (ConstraintViolated, BranchExists):
        if draft.head is not None:
            raise
        # Another first commit was first.
        raise StaleGeneration(f"Branch {branch!r} of dataset {name!r}", None, "a commit") from None


def _values(
    recorder: Recorder, draft: Draft, changes: Changes, at: TableVersion, judgement: Judgement
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "dataset": draft.dataset.name,
        "depth": 1 + max((node.depth for node in draft.before), default=0),
        "parents": [node.commit.id for node in draft.before],
        "change": str(draft.change),
        "message": draft.message,
        "author": recorder.actor,
        "at": recorder.clock(),
        "rows": changes.rows,
        "rows_added": changes.rows_added,
        "rows_changed": changes.rows_changed,
        "rows_deleted": changes.rows_deleted,
        "schema": graph.schema_json(columns_of(changes.schema)),
        "content": changes.content,
        "contract": str(judgement.verdict),
        "source": draft.source,
        "table_line": at.line,
        "table_number": at.number,
    }
    return {**values, "id": graph.commit_id(values)}


def _point(connection: Connection, draft: Draft, commit: str) -> int:
    if draft.head is None:
        graph.insert_branch(
            connection, draft.dataset.name, draft.branch, commit, protected=draft.branch == "main"
        )
        return 1
    return graph.move_branch(
        connection,
        draft.dataset.name,
        draft.branch,
        expected=draft.head.commit.id,
        to=commit,
    )


def _record(
    connection: Connection,
    recorder: Recorder,
    draft: Draft,
    values: dict[str, Any],
    generation: int,
) -> None:
    ref = f"dataset:{draft.dataset.name}@{values['id']}"
    edges = [Edge(from_ref=node.commit.ref, to_ref=ref, role="parent") for node in draft.before]
    if draft.source is not None:
        edges.append(Edge(from_ref=draft.source, to_ref=ref, role="produced"))
    payload = {
        name: values[name]
        for name in (
            "change",
            "message",
            "rows",
            "rows_added",
            "rows_changed",
            "rows_deleted",
            "contract",
        )
    }
    recorder.record(
        connection,
        "dataset.committed",
        ref,
        {**payload, **draft.notes, "branch": draft.branch, "evidence": values["evidence"]},
        generation=generation,
        edges=edges,
    )
