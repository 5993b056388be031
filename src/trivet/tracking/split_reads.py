"""How often a test split was read: it is for the finalists, and each read is counted (I11)."""

from trivet.ledger import Ledger
from trivet.tracking.records import Run, RunId, RunKind, RunStatus
from trivet.tracking.store import RunStore

TEST = "test"
"""The role of a dataset commit whose rows a run judged its final model by."""


def count_test_reads(ledger: Ledger, runs: RunStore, run: Run) -> dict[str, int]:
    """Return, by commit, how many runs of the experiment have read the test split of this run.

    A number above 1 says that choices may have been made on what was to judge them. A step that
    came from the cache read nothing again and does not count.
    """
    read = {
        edge.from_ref
        for edge in ledger.list_edges(run.ref, upstream=True, depth=1)
        if edge.role == TEST
    }
    return {ref: len(_readers(ledger, runs, ref, run.experiment)) for ref in sorted(read)}


def _readers(ledger: Ledger, runs: RunStore, commit: str, experiment: str) -> set[RunId]:
    readers = set()
    for edge in ledger.list_edges(commit, upstream=False, depth=1):
        if edge.role != TEST:
            continue
        reader = runs.get_run(RunId(edge.to_ref.removeprefix("run:")))
        # What a step has read is linked to its pipeline's run too, which the step stands for.
        itself = reader.kind is not RunKind.PIPELINE and reader.status is not RunStatus.CACHED
        if itself and reader.experiment == experiment:
            readers.add(reader.parent or reader.id)
    return readers
