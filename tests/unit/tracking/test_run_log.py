import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from trivet.kernel.errors import Unavailable
from trivet.ledger import Recorder
from trivet.storage.blobs import BlobStore, open_blob_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.tracking import (
    ParamChanged,
    RunHandle,
    RunLog,
    RunStatus,
    SqlRunStore,
    current_run,
    mark_lost_runs,
    start_run,
    this_process,
)
from trivet.tracking.spill import Spill, Write, read_spill


class AwayStore(SqlRunStore):
    """A store that can be away; it may also lose its answer after it has written."""

    is_away = False
    loses_answers = 0

    def log(self, *args: Any, **kwargs: Any) -> None:
        self._require()
        super().log(*args, **kwargs)
        if self.loses_answers:
            self.loses_answers -= 1
            raise Unavailable("the answer was lost")

    def link(self, *args: Any, **kwargs: Any) -> None:
        self._require()
        super().link(*args, **kwargs)

    def finish_run(self, *args: Any, **kwargs: Any) -> Any:
        self._require()
        return super().finish_run(*args, **kwargs)

    def _require(self) -> None:
        if self.is_away:
            raise Unavailable("away")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "trivet.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[AwayStore]:
    shutil.copy(migrated, tmp_path / "trivet.db")
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    yield AwayStore(database, Recorder("user:test"))
    database.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blob_store(f"file://{tmp_path}/blobs")


def values(store: SqlRunStore, handle: RunHandle, key: str = "loss") -> list[float]:
    return [metric.value for metric in store.metric_history(handle.run.id, key)]


def test_a_run_keeps_all_that_was_logged(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("hello")
    with start_run(store, blobs, "churn", spill=tmp_path / "spill", name="first") as run:
        assert current_run() is run
        run.log_params({"rate": 0.1})
        for number in range(1000):
            run.log_metric("loss", 1 / (1 + number))
        run.set_tags({"by": "me"})
        run.log_artifact(tmp_path / "note.txt", media_type="text/plain")
        run.log_artifact(b"bytes", "data/b.bin")
        run.link_input("dataset:d@1", "data")
    assert current_run() is None
    data = store.get_data(run.run.id)
    assert data.params == {"rate": "0.1"}
    assert values(store, run) == [1 / (1 + number) for number in range(1000)]
    assert {file.path: blobs.get(file.digest) for file in data.artifacts} == {  # type: ignore[arg-type]  # a digest
        "data/b.bin": b"bytes",
        "note.txt": b"hello",
    }
    assert store.get_run(run.run.id).status is RunStatus.FINISHED
    assert not (tmp_path / "spill").exists()


def test_an_error_ends_the_run_as_failed_with_its_traceback(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        start_run(store, blobs, "churn", spill=tmp_path / "spill") as run,
    ):
        run.log_metric("loss", 1 / 0)
    ended = store.get_run(run.run.id)
    assert ended.status is RunStatus.FAILED
    assert "ZeroDivisionError" in str(ended.error)


def test_a_param_that_changes_is_refused_at_once(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    with start_run(store, blobs, "churn", spill=tmp_path / "spill") as run:
        run.log_params({"rate": 0.1})
        with pytest.raises(ParamChanged):
            run.log_params({"rate": 0.2})


def test_while_the_store_is_away_nothing_waits_and_nothing_is_lost(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    run = store.create_run("churn", process=this_process())
    log = RunLog(store, tmp_path / "spill")
    handle = RunHandle(run, log, blobs)
    handle.log_metric("loss", 1.0)
    assert log.flush()
    store.is_away = True
    handle.log_metric("loss", 2.0)
    assert not log.flush()
    handle.log_metric("loss", 3.0)
    assert not log.flush()
    assert len(list((tmp_path / "spill").iterdir())) == 1
    store.is_away = False
    handle.log_metric("loss", 4.0)
    assert log.flush()
    assert values(store, handle) == [1.0, 2.0, 3.0, 4.0]
    log.finish(run, RunStatus.FINISHED)
    log.close()
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_write_whose_answer_was_lost_takes_effect_once(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    run = store.create_run("churn")
    log = RunLog(store, tmp_path / "spill")
    handle = RunHandle(run, log, blobs)
    store.loses_answers = 2
    handle.log_metric("loss", 1.0)
    log.flush()
    handle.log_metric("loss", 2.0)
    log.flush()
    assert log.flush()
    assert values(store, handle) == [1.0, 2.0]
    log.close()


def test_what_a_dead_process_left_is_delivered_before_its_runs_are_called_lost(
    store: AwayStore, tmp_path: Path
) -> None:
    gone = {**this_process(), "started": "another process of this id"}
    ended, silent = (store.create_run("churn", process=gone) for _ in range(2))
    alive = store.create_run("churn", process=this_process())
    spill = Spill(tmp_path / "spill" / "1-a.jsonl")
    spill.append(Write(run_id=ended.id, sequence=1, call="log", content={"tags": {"a": "b"}}))
    end: dict[str, Any] = {"status": "finished", "error": None, "detail": {}}
    spill.append(Write(run_id=ended.id, sequence=2, call="finish", content=end))
    file = tmp_path / "spill" / "1-a.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0].replace(this_process()["started"], "x"), *lines[1:]]) + '["')
    lost = mark_lost_runs(store, tmp_path / "spill")
    assert [run.id for run in lost] == [silent.id]
    assert store.get_run(ended.id).status is RunStatus.FINISHED
    assert store.get_data(ended.id).tags == {"a": "b"}
    assert store.get_run(alive.id).status is RunStatus.RUNNING
    assert not file.exists()


def test_a_line_that_a_crash_cut_off_is_no_write(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "a.jsonl")
    write = Write(run_id=store_id(), sequence=1, call="log", content={"tags": {"a": "b"}})
    spill.append(write)
    spill.append(replace(write, sequence=2))
    content = (tmp_path / "a.jsonl").read_bytes()
    (tmp_path / "a.jsonl").write_bytes(content[:-5])
    assert [one.sequence for one in read_spill(tmp_path / "a.jsonl")] == [1]


def test_several_threads_log_to_one_run(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    with start_run(store, blobs, "churn", spill=tmp_path / "spill") as run:

        def log_often() -> None:
            for _ in range(500):
                run.log_metric("n", 1, 0)

        threads = [threading.Thread(target=log_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.metric_history(run.run.id, "n")) == 2000


def test_lineage_of_a_step_is_that_of_its_pipeline_too(
    store: AwayStore, blobs: BlobStore, tmp_path: Path
) -> None:
    log = RunLog(store, tmp_path / "spill")
    parent = RunHandle(store.create_run("churn"), log, blobs)
    step = RunHandle(store.create_run("churn", parent=parent.run.id), log, blobs, parent)
    step.link_output("model:m@1", "model")
    step.link_output("model:m@1", "model")
    assert list(step.links) == list(parent.links) == [("outputs", "model:m@1", "model")]
    log.close()


def store_id() -> Any:
    return "a" * 32


def test_what_somebody_else_delivered_meanwhile_is_no_matter(
    store: AwayStore, tmp_path: Path
) -> None:
    # A file that is listed and then gone, as when a controller and a command deliver at once.
    (tmp_path / "1-a.jsonl").symlink_to(tmp_path / "gone")
    assert mark_lost_runs(store, tmp_path) == []
