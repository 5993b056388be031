"""Shadows: the candidate computes what the stable revision has answered, off the response path."""

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trivet.kernel.clock import Clock, Stopwatch
from trivet.kernel.errors import TrivetError
from trivet.kernel.ids import NewId
from trivet.serving.errors import JournalFailed
from trivet.serving.journal import JournalWriter
from trivet.serving.metrics import Metrics
from trivet.serving.records import Prediction, Role
from trivet.serving.requests import Row
from trivet.serving.revisions import Outcome, Revision, Timing, failed

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShadowJob:
    """Rows that were answered, for the candidate to compute as well.

    Attributes:
        answered: For each row the id and the label of the answer that was given.
    """

    deployment: str
    generation: int
    candidate: Revision
    rows: Sequence[Row]
    at: Sequence[datetime]
    units: Sequence[str]
    answered: Sequence[tuple[str, int | None]]


class ShadowWorker:
    """Computes shadows on a thread of its own, from a bounded queue.

    A job that finds the queue full is dropped and counted: a slow candidate costs its own
    evidence, never the caller's time.
    """

    def __init__(
        self,
        journal: JournalWriter,
        metrics: Metrics,
        *,
        clock: Clock,
        new_id: NewId,
        stopwatch: Stopwatch,
        capacity: int = 1_000,
    ) -> None:
        self._journal = journal
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._stopwatch = stopwatch
        self._jobs: queue.Queue[ShadowJob | None] = queue.Queue(capacity)
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return self._jobs.qsize()

    def offer(self, job: ShadowJob) -> None:
        """Queue the job, or drop and count it if there is no room."""
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._metrics.counted("shadow_dropped", len(job.rows))

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name="shadows", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Finish what waits, as far as the time allows."""
        if self._thread is None:
            return
        try:
            self._jobs.put(None, timeout=timeout_seconds)
        except queue.Full:
            return
        self._thread.join(timeout_seconds)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self.compute(job)
            except JournalFailed as error:
                self._metrics.counted("journal_failed")
                _log.warning("shadow not kept", extra={"error": str(error)})

    def compute(self, job: ShadowJob) -> None:
        """Let the candidate answer the job and keep what it says."""
        began = self._stopwatch()
        outcomes = candidate_outcomes(job.candidate, job.rows, job.at, Timing())
        latency_ms = (self._stopwatch() - began) * 1000 / len(job.rows)
        predictions = [
            self._prediction(job, position, outcome, latency_ms)
            for position, outcome in enumerate(outcomes)
        ]
        self._journal.append(predictions)
        number = job.candidate.number
        self._metrics.answered(
            job.deployment, [(number, outcome.status) for outcome in outcomes], Role.SHADOW
        )

    def _prediction(
        self, job: ShadowJob, position: int, outcome: Outcome, latency_ms: float
    ) -> Prediction:
        primary, primary_label = job.answered[position]
        return Prediction(
            id=self._new_id(),
            at=self._clock(),
            event_at=job.at[position],
            deployment=job.deployment,
            revision=job.candidate.number,
            generation=job.generation,
            role=Role.SHADOW,
            status=outcome.status,
            unit=job.units[position],
            inputs=job.candidate.schema.inputs(job.rows[position]),
            features=outcome.features,
            output=outcome.output,
            label=outcome.label,
            latency_ms=latency_ms,
            error=outcome.error,
            primary=primary,
            primary_label=primary_label,
        )


def candidate_outcomes(
    candidate: Revision, rows: Sequence[Row], at: Sequence[datetime], timing: Timing
) -> list[Outcome]:
    """Return the candidate's outcomes; a request only it cannot take is its failure, not one."""
    try:
        candidate.schema.check(rows)
        return candidate.answer(rows, at, timing)
    except TrivetError as error:
        return [failed(str(error)) for _ in rows]
