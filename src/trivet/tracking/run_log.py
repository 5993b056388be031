"""Deliver what runs log to the store, in the background: training never waits for the tracker."""

import atexit
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trivet.kernel.clock import Clock, Stopwatch, stopwatch, utc_now
from trivet.kernel.errors import TrivetError, Unavailable
from trivet.kernel.ids import new_id
from trivet.tracking.errors import RunFinished
from trivet.tracking.process import this_process
from trivet.tracking.records import FinalStatus, Run, RunId
from trivet.tracking.spill import Spill, Write, carry_out_or_report, spill_file
from trivet.tracking.store import RunStore

_log = logging.getLogger(__name__)

Entry = tuple[Any, ...]
"""(run id, kind, …): `metric` key value step at; `params`, `tags` mapping; `artifact`; `link`."""


class RunLog:
    """Takes entries from any thread at once, and writes them to the store from one of its own.

    While the store is away the writes go to a file, in order; they are delivered, each once, when
    it is back, or by the next command if the process is gone by then. A process that is killed
    loses at most what it logged in the last `gather_seconds`.

    The same thread says, every `beat_seconds`, that the open runs are alive.
    """

    def __init__(
        self,
        store: RunStore,
        spill: Path,
        *,
        clock: Clock = utc_now,
        stopwatch: Stopwatch = stopwatch,
        gather_seconds: float = 0.05,
        beat_seconds: float = 10.0,
    ) -> None:
        self.store = store
        self.clock = clock
        self._stopwatch = stopwatch
        self._gather_seconds = gather_seconds
        self._beat_seconds = beat_seconds
        self._entries: deque[Entry] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._delivering = threading.Lock()
        self._spill = Spill(spill_file(spill, f"{this_process()['pid']}-{new_id()}"))
        self._sequences: dict[RunId, int] = {}
        self._open: dict[RunId, float] = {}
        self._thread = threading.Thread(target=self._work, name="trivet-run-log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def follow(self, run_id: RunId) -> None:
        """Say from now on that the run is alive."""
        self._open[run_id] = self._stopwatch()

    def put(self, entry: Entry) -> None:
        """Take an entry; costs about a microsecond and never waits."""
        self._entries.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> bool:
        """Deliver what was put so far; False if it waits on disk for the store to come back."""
        with self._delivering:
            self._deliver()
            return self._spill.waiting == 0

    def finish(
        self,
        run: Run,
        status: FinalStatus,
        error: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Run:
        """End the run after all that it logged, and return it.

        While the store is away the end waits with the rest, and the run is returned as it was.
        """
        self._open.pop(run.id, None)
        with self._delivering:
            self._deliver()
            self._write(
                run.id,
                "finish",
                {"status": str(status), "error": error, "detail": dict(detail or {})},
            )
            self._sequences.pop(run.id, None)
            if self._spill.waiting:
                return run
        return self.store.get_run(run.id)

    def close(self) -> None:
        """Deliver everything and stop; the log takes nothing any more."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._wake.set()
        self._thread.join()
        atexit.unregister(self.close)
        self.flush()

    def _work(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(self._beat_seconds)
            self._closing.wait(self._gather_seconds)
            self._wake.clear()
            try:
                with self._delivering:
                    self._deliver()
                self._beat()
            except Exception:  # noqa: BLE001 - the edge of a thread that must live on
                _log.exception("the run log could not deliver; it goes on trying")

    def _beat(self) -> None:
        now = self._stopwatch()
        for run_id, beaten in list(self._open.items()):
            if now - beaten < self._beat_seconds:
                continue
            self._open[run_id] = now
            try:
                self.store.beat(run_id)
            except RunFinished:
                self._open.pop(run_id, None)
                _log.warning("a run was ended by somebody else", extra={"run_id": run_id})
            except TrivetError:
                continue  # The store is away; the next beat tries again.

    def _deliver(self) -> None:
        if self._spill.waiting:
            with contextlib.suppress(Unavailable):
                self._spill.deliver(self.store)
        entries = []
        while self._entries:
            entries.append(self._entries.popleft())
        for run_id, gathered in _gather(entries).items():
            for call in ("log", "link"):
                if gathered[call]:
                    self._write(run_id, call, gathered[call])

    def _write(self, run_id: RunId, call: Any, content: dict[str, Any]) -> None:
        sequence = self._sequences[run_id] = self._sequences.get(run_id, 0) + 1
        write = Write(run_id=run_id, sequence=sequence, call=call, content=content)
        if self._spill.waiting == 0:
            try:
                carry_out_or_report(self.store, write)
            except Unavailable:
                pass
            else:
                return
        self._spill.append(write)


def _gather(entries: list[Entry]) -> dict[RunId, dict[str, dict[str, Any]]]:
    """Return one `log` and one `link` for each run that has entries."""
    found: dict[RunId, dict[str, dict[str, Any]]] = {}
    for run_id, kind, *rest in entries:
        calls = found.setdefault(run_id, {"log": {}, "link": {}})
        log, link = calls["log"], calls["link"]
        if kind == "metric":
            key, value, step, at = rest
            log.setdefault("metrics", []).append([key, value, step, at.isoformat()])
        elif kind in ("params", "tags"):
            log.setdefault(kind, {}).update(rest[0])
        elif kind == "artifact":
            log.setdefault("artifacts", []).append(asdict(rest[0]))
        else:
            link.setdefault(kind, []).append(list(rest))
    return found
