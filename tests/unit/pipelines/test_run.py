import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from trivet.kernel.digests import Digest
from trivet.kernel.refs import Ref
from trivet.pipelines import (
    How,
    ProcessExecutor,
    StepEvent,
    StepFailed,
    StepStatus,
    Workspace,
    pipeline,
    pipeline_graph,
    run,
    step,
)
from trivet.storage.blobs import BlobStore
from trivet.storage.blobs.store import BlobStoreUnavailable
from trivet.tracking import RunKind, RunStatus, current_run

calls: list[str] = []
seen: list[pa.Table] = []


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    _forget()


def _forget() -> None:
    calls.clear()
    seen.clear()


@step
def load(data: str, rows: int = 3) -> pa.Table:
    calls.append("load")
    handle = current_run()
    if handle is not None:
        handle.link_input(data, "data")
    return pa.table({"x": list(range(rows))})


@step
def total(table: pa.Table) -> int:
    calls.append("total")
    seen.append(table)
    value: int = sum(table["x"].to_pylist())
    handle = current_run()
    if handle is not None:
        handle.log_metric("total", value)
    return value


@step
def keep_a_file(data: str) -> str:
    handle = current_run()
    assert handle is not None
    handle.log_artifact(b"a file", "file.txt")
    return data


@pipeline
def keeping(data: str = "a") -> Any:
    return keep_a_file(data)


class StoreWithoutRoomForTheFile:
    """A blob store that takes everything but one file."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, content: bytes | memoryview) -> Digest:
        if bytes(content) == b"a file":
            raise BlobStoreUnavailable("no space left")
        return self._store.put(content)


@step
def twice(value: int) -> dict[str, int]:
    calls.append("twice")
    return {"twice": 2 * value}


@pipeline(experiment="sums")
def sums(data: str = "dataset:d@main", rows: int = 3) -> Any:
    table = load(data, rows)
    return table, twice(total(table))["twice"]


def resolved(ref: Ref) -> Ref:
    return Ref(ref.kind, ref.name, "c1") if ref.version == "main" else ref


def test_a_pipeline_and_its_steps_are_runs_of_the_tracker(workspace: Workspace) -> None:
    done = run(sums, {"rows": 4}, workspace=replace(workspace, resolve=resolved))
    table, doubled = done.outputs
    assert (table.num_rows, doubled) == (4, 12)
    assert (done.run.kind, done.run.status) == (RunKind.PIPELINE, RunStatus.FINISHED)
    assert done.run.experiment == "sums"
    data = workspace.runs.get_data(done.run.id)
    assert data.params == {"data": "dataset:d@c1", "rows": "4"}
    assert data.metrics == done.metrics == {"total": 6.0}
    steps = workspace.runs.list_runs(parent=done.run.id)
    assert [one.name for one in steps] == ["twice", "total", "load"]
    assert {one.status for one in steps} == {RunStatus.FINISHED}


def test_a_second_run_runs_nothing_and_gives_the_same(workspace: Workspace) -> None:
    first = run(sums, workspace=workspace)
    _forget()
    events: list[StepEvent] = []
    again = run(sums, workspace=workspace, how=How(on_step=events.append))
    assert calls == []
    assert {event.status for event in events} == {StepStatus.CACHED}
    assert again.outputs[0].equals(first.outputs[0])
    assert again.outputs[1] == first.outputs[1]
    assert workspace.runs.get_data(again.run.id).metrics == {"total": 3.0}
    steps = workspace.runs.list_runs(parent=again.run.id)
    assert {one.status for one in steps} == {RunStatus.CACHED}


def test_a_new_commit_of_the_data_runs_the_steps_again(workspace: Workspace) -> None:
    run(sums, workspace=replace(workspace, resolve=resolved))
    _forget()
    newer = replace(workspace, resolve=lambda ref: Ref(ref.kind, ref.name, "c2"))
    run(sums, workspace=newer)
    # The table is the same in the new commit, so what comes after it need not run again.
    assert calls == ["load"]


def test_without_the_cache_every_step_runs(workspace: Workspace) -> None:
    run(sums, workspace=workspace)
    _forget()
    run(sums, workspace=workspace, how=How(use_cache=False))
    assert calls == ["load", "total", "twice"]


def test_tables_are_handed_on_by_reference(workspace: Workspace) -> None:
    made = pa.table({"x": [1, 2, 3]})

    @step(cached=False)
    def make() -> pa.Table:
        return made

    @pipeline
    def handing() -> Any:
        return total(make())

    run(handing, workspace=workspace)
    assert seen[0] is made


def test_a_failing_step_ends_the_run_and_those_after_it_do_not_run(workspace: Workspace) -> None:
    @step
    def broken(table: pa.Table) -> int:
        raise ValueError("no rows left")

    @pipeline
    def breaking() -> Any:
        table = load("here")
        return twice(broken(table))

    with pytest.raises(StepFailed, match=r"'broken' failed: ValueError: no rows left\."):
        run(breaking, workspace=workspace)
    (parent,) = workspace.runs.list_runs(kind=RunKind.PIPELINE)
    assert parent.status is RunStatus.FAILED
    assert "no rows left" in str(parent.error)
    drawn = pipeline_graph(parent, workspace.runs.list_runs(parent=parent.id))
    states = {node["id"]: node["status"] for node in drawn["nodes"]}
    assert states == {"load": "finished", "broken": "failed", "twice": "skipped"}
    assert drawn["nodes"][1]["error"] == "ValueError: no rows left"
    assert calls == ["load"]


def test_an_interruption_leaves_no_run_running(workspace: Workspace) -> None:
    @step
    def interrupted() -> int:
        raise KeyboardInterrupt

    @pipeline
    def interrupting() -> Any:
        return interrupted()

    with pytest.raises(KeyboardInterrupt):
        run(interrupting, workspace=workspace)
    assert workspace.runs.list_runs(status=RunStatus.RUNNING) == []


def test_a_step_is_tried_as_often_as_it_says(workspace: Workspace) -> None:
    @step(retries=2)
    def flaky() -> int:
        calls.append("try")
        if len(calls) < 3:
            raise OSError("not yet")
        return len(calls)

    @pipeline
    def trying() -> Any:
        return flaky()

    done = run(trying, workspace=workspace)
    assert done.outputs == 3
    (one,) = workspace.runs.list_runs(parent=done.run.id)
    assert workspace.runs.get_data(one.id).tags == {"attempts": "3"}


def test_what_cannot_be_stored_is_handed_on_and_not_cached(workspace: Workspace) -> None:
    @step
    def lock() -> Any:
        calls.append("lock")
        return threading.Lock()

    @step
    def kind(value: Any) -> str:
        return type(value).__name__

    @pipeline
    def locking() -> Any:
        return kind(lock())

    assert run(locking, workspace=workspace).outputs == "lock"
    run(locking, workspace=workspace)
    assert calls == ["lock", "lock"]


def test_a_result_whose_blob_is_gone_is_made_again(workspace: Workspace) -> None:
    done = run(sums, workspace=workspace)
    load_run = workspace.runs.list_runs(parent=done.run.id)[-1]
    workspace.blobs.delete(load_run.detail["output"]["digest"])
    _forget()
    run(sums, workspace=workspace)
    assert calls == ["load"]


def test_metrics_that_several_steps_log_are_told_apart(workspace: Workspace) -> None:
    @pipeline
    def both() -> Any:
        return total(load("a", 2)), total(load("a", 3))

    assert run(both, workspace=workspace).metrics == {"total/total": 1.0, "total#2/total": 3.0}


def test_at_most_five_files_a_step(workspace: Workspace, tmp_path: Path) -> None:
    before = sum(path.is_file() for path in tmp_path.rglob("*"))
    run(sums, workspace=workspace)
    assert sum(path.is_file() for path in tmp_path.rglob("*")) - before <= 15


def test_outputs_are_described_without_reading_tables(workspace: Workspace) -> None:
    described = run(sums, workspace=workspace).describe_outputs()
    assert described[1] == 6
    assert described[0]["type"] == "table of 3 rows, 1 columns"


def test_steps_run_in_other_processes(workspace: Workspace) -> None:
    executor = ProcessExecutor(2)
    done = run(sums, workspace=workspace, how=How(executor=executor))
    assert done.outputs[1] == 6
    assert calls == []
    assert workspace.runs.get_data(done.run.id).metrics == {"total": 3.0}


@pytest.mark.timeout(30)
def test_a_file_that_cannot_be_kept_fails_the_step_and_does_not_hang(workspace: Workspace) -> None:
    full: Any = StoreWithoutRoomForTheFile(workspace.blobs)
    how = How(executor=ProcessExecutor(1))
    with pytest.raises(StepFailed, match="no space left"):
        run(keeping, workspace=replace(workspace, blobs=full), how=how)
