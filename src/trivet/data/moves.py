"""Moves of a branch beside commits and merges: back, aside, and the gate before training."""

from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from trivet.data import graph
from trivet.data.changes import Changes
from trivet.data.diffing import diff_commits
from trivet.data.errors import RedDataset
from trivet.data.judging import Judgement
from trivet.data.publishing import Draft, publish
from trivet.data.records import Change, Commit, Dataset
from trivet.data.sql_store import SqlDatasetStore
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.ledger import Verdict

QUARANTINE = "quarantine/"


def revert_branch(
    store: SqlDatasetStore, name: str, branch: str, to: str, *, message: str = ""
) -> Commit:
    """Make the branch read as an earlier commit did, by a commit that copies nothing.

    Raises:
        RedDataset: The branch is protected and the earlier commit broke its contract.
    """
    with store.database.read() as connection:
        dataset, table = graph.find_dataset(connection, name)
        head = graph.find_head(connection, name, branch)
        target = graph.find_node(connection, name, to)
        protected = {each.name: each.protected for each in graph.list_branches(connection, name)}
    if head is None:
        raise InvalidInput(f"Dataset {name!r} has no commit to go back from.")
    if protected[branch] and target.commit.contract is Verdict.FAILED:
        raise RedDataset(target.commit.ref, target.commit.evidence)
    undone = diff_commits(store, name, head.commit.id, target.commit.id, sample=3)
    state = store.state_of(table, target)
    changes = Changes(
        incoming=state.schema.empty_table(),
        schema=state.schema,
        new_columns=(),
        written=state.schema.empty_table(),
        deleted=(),
        rows=target.commit.rows,
        rows_added=undone.rows_added,
        rows_changed=undone.rows_changed,
        rows_deleted=undone.rows_deleted,
        content=target.commit.content,
    )
    draft = Draft(
        dataset=dataset,
        branch=branch,
        head=head,
        change=Change.REVERTED,
        message=message or f"Back to {target.commit.id[:12]}",
        notes={"to": target.commit.id},
    )
    judgement = Judgement.of(target.commit)
    return publish(store.database, store.recorder, draft, changes, target.at, judgement)


def quarantine(
    store: SqlDatasetStore,
    name: str,
    rows: pa.Table,
    *,
    message: str,
    evidence: str | None = None,
    source: str | None = None,
    at: str = "main",
) -> tuple[str, Commit]:
    """Put rows aside on a branch of their own, as a commit whose contract is red.

    Args:
        store: Where the dataset is.
        name: The dataset.
        rows: What no protected branch takes.
        message: Why they are put aside.
        evidence: The id of what was found against them, where it is stored already.
        source: The ref of what produced them.
        at: What the new branch starts from.

    Returns:
        The branch, named `quarantine/` and the first day of the rows, and the commit.
    """
    dataset = store.get(name)
    branch = _free_branch(store, dataset, rows)
    if store.list_branches(name):
        store.create_branch(name, branch, at=at)
    why = f"evidence:{evidence}" if evidence else "by hand"
    commit = store.set_aside(name, rows, branch=branch, message=message, why=why, source=source)
    return branch, commit


def require_green(store: SqlDatasetStore, ref: str | Ref) -> Commit:
    """Return the commit a ref names, unless its contract is red: nothing trains on that (I9).

    A commit without a verdict (no contract was in force) is let through; its `contract` says so.

    Raises:
        RedDataset: The contract of the commit is red.
    """
    parsed = ref if isinstance(ref, Ref) else Ref.parse(ref)
    if parsed.kind is not Kind.DATASET:
        raise InvalidInput(f"{parsed} is no dataset.")
    commit = store.resolve(parsed.name, parsed.version or "main")
    if commit.contract in (Verdict.FAILED, Verdict.ERROR):
        raise RedDataset(commit.ref, commit.evidence)
    return commit


def _free_branch(store: SqlDatasetStore, dataset: Dataset, rows: pa.Table) -> str:
    taken = {each.name for each in store.list_branches(dataset.name)}
    unique = store.recorder.new_id()
    first = None
    if dataset.event_time in rows.schema.names and rows.num_rows:
        first = pc.min(rows.column(dataset.event_time)).as_py()
    day = f"{first:%Y-%m-%d}" if isinstance(first, date | datetime) else unique[-12:]
    branch = f"{QUARANTINE}{day}"
    return branch if branch not in taken else f"{branch}-{unique[-6:]}"
