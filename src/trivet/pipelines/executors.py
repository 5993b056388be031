"""Where steps run: in this process, or in a pool of others."""

import multiprocessing
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from trivet.kernel.clock import utc_now
from trivet.kernel.digests import Digest, digest_bytes
from trivet.kernel.errors import TrivetError
from trivet.pipelines.graph import call_with
from trivet.pipelines.source import load_function
from trivet.storage.blobs.store import BlobStore
from trivet.tracking import Run, RunHandle, RunLog, activate
from trivet.tracking.run_log import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step to be run, with its arguments at hand."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    retries: int
    handle: RunHandle
    file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a task: a value, or an error and its traceback."""

    value: Any = None
    error: str | None = None
    traceback: str | None = None
    attempts: int = 1


class Executor(Protocol):
    """Runs tasks. A step's own error is in the result; `submit` raises nothing of the step's."""

    @property
    def width(self) -> int:
        """How many tasks may run at once."""
        ...

    def submit(self, task: Task) -> "Future[Result]":
        """Run the task, now or soon."""
        ...

    def close(self) -> None:
        """Wait for what runs, and give back what the executor holds."""
        ...


class InProcessExecutor:
    """Runs each task at once, in this process; arguments are handed on by reference."""

    width = 1

    def submit(self, task: Task) -> "Future[Result]":
        """Run the task and return a future that is done."""
        future: Future[Result] = Future()
        with activate(task.handle):
            future.set_result(_attempt(task.function, task.arguments, task.retries))
        return future

    def close(self) -> None:
        """Do nothing; nothing is held."""


class ProcessExecutor:
    """Runs tasks in processes of their own, several at once; arguments and values are copied.

    The step's file is loaded again in each process, so its functions must be found there by
    name. What a step logs is sent back with its value, and logged here.
    """

    def __init__(
        self, processes: int, initializer: Callable[..., None] | None = None, *given: Any
    ) -> None:
        self.width = processes
        # Spawned, not forked: a fork copies locks that the threads of this process hold.
        self._pool = ProcessPoolExecutor(
            processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=initializer,
            initargs=given,
        )

    def submit(self, task: Task) -> "Future[Result]":
        """Send the task to a process that is free."""
        where = (task.file, task.function.__module__, task.function.__qualname__)
        sent = self._pool.submit(_run_away, where, task.arguments, task.retries, task.handle.run)
        future: Future[Result] = Future()
        sent.add_done_callback(lambda done: _take_over(done, task, future))
        return future

    def close(self) -> None:
        """Wait for what runs, and end the processes."""
        self._pool.shutdown(cancel_futures=True)


class _Kept:
    """Stands in for a run log in another process: keeps what is put."""

    clock = staticmethod(utc_now)

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def put(self, entry: Entry) -> None:
        self.entries.append(entry)


class _KeptBlobs:
    """Stands in for a blob store in another process: keeps what is put."""

    def __init__(self) -> None:
        self.blobs: list[bytes] = []

    def put(self, content: bytes | memoryview) -> Digest:
        self.blobs.append(bytes(content))
        return digest_bytes(content)

    def put_chunks(self, chunks: Iterable[bytes | memoryview]) -> Digest:
        return self.put(b"".join(chunks))


def _run_away(
    where: tuple[Path | None, str, str], arguments: dict[str, Any], retries: int, run: Run
) -> tuple[Result, list[Entry], list[bytes]]:
    """Run a step in this other process, and return what came of it and what it logged."""
    log, blobs = _Kept(), _KeptBlobs()
    handle = RunHandle(run, cast("RunLog", log), cast("BlobStore", blobs))
    with activate(handle):
        result = _attempt(load_function(*where), arguments, retries)
    return result, log.entries, blobs.blobs


def _take_over(
    done: "Future[tuple[Result, list[Entry], list[bytes]]]", task: Task, future: "Future[Result]"
) -> None:
    error = done.exception()
    if error is not None:  # The process died, or what it was to send could not be pickled.
        future.set_result(Result(error=f"{type(error).__name__}: {error}", traceback=str(error)))
        return
    result, entries, blobs = done.result()
    try:
        for blob in blobs:
            task.handle.blobs.put(blob)
        for entry in entries:
            task.handle.take(entry)
    except TrivetError as error:
        # Raised from here it would be lost, and whoever waits for the future wait for ever.
        result = Result(error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
    future.set_result(result)


def _attempt(function: Callable[..., Any], arguments: dict[str, Any], retries: int) -> Result:
    result = Result()
    for attempt in range(1, retries + 2):
        try:
            return Result(value=call_with(function, arguments), attempts=attempt)
        except Exception as error:  # noqa: BLE001 - user code may raise anything; it is recorded
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            result = Result(error=reason, traceback=traceback.format_exc(), attempts=attempt)
    return result
