"""Whether the rows of a commit are still those that were committed."""

from trivet.data.content import content_of
from trivet.data.errors import CommitDamaged
from trivet.data.records import Commit
from trivet.data.sql_store import SqlDatasetStore
from trivet.storage.tables import Query


def verify_commit(store: SqlDatasetStore, name: str, at: str = "main") -> Commit:
    """Read every row of a commit, digest them again, and return the commit if they agree (I1).

    Raises:
        CommitDamaged: They do not.
    """
    commit = store.resolve(name, at)
    state = store.state(name, commit.id)
    with Query({"data": state.table}) as query:
        found = content_of(query, "data", state.schema)
    if found != commit.content:
        raise CommitDamaged(commit.ref, commit.content, found)
    return commit
