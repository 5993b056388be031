"""The port of tracking: experiments and runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from trivet.tracking.records import (
    Artifact,
    Experiment,
    FinalStatus,
    Metric,
    Outcome,
    Run,
    RunData,
    RunId,
    RunKind,
    RunStatus,
)


class ExperimentStore(Protocol):
    """Keeps experiments; creating one that exists with the same words changes nothing."""

    def create_experiment(
        self,
        name: str,
        *,
        objective: str = "",
        hypothesis: str = "",
        owner: str = "",
        kill_criteria: Sequence[str] = (),
    ) -> Experiment:
        """Create the experiment, or return it if there is one of this name."""
        ...

    def get_experiment(self, name: str) -> Experiment:
        """Return the experiment."""
        ...

    def list_experiments(self) -> list[Experiment]:
        """Return all experiments by name."""
        ...

    def conclude(self, name: str, outcome: Outcome, reason: str) -> Experiment:
        """Record what became of the hypothesis."""
        ...


class RunStore(Protocol):
    """Keeps runs and what they log.

    Every implementation promises, and `trivet.testing.RunStoreContract` checks, that

    - it may be called from several threads and processes at once;
    - what it returns is a snapshot, which no later write changes;
    - a run that is not RUNNING accepts no write: the call raises `RunFinished`;
    - a param, once logged, keeps its value: another value is a `ParamChanged`, the same is fine;
    - a call that names an unknown run raises `RunNotFound`.
    """

    def create_run(  # noqa: PLR0913 - all that is known of a run when it starts
        self,
        experiment: str,
        *,
        name: str = "",
        kind: RunKind = RunKind.RUN,
        parent: RunId | None = None,
        code: Mapping[str, Any] | None = None,
        environment: str | None = None,
        detail: Mapping[str, Any] | None = None,
        inputs: Sequence[tuple[str, str]] = (),
        process: Mapping[str, Any] | None = None,
    ) -> Run:
        """Start a run, RUNNING from now; `inputs` are (ref, role) and become lineage.

        An experiment that does not exist yet is made, without words. `process` says which
        process runs it, as `this_process` does, so that its death can be seen.
        """
        ...

    def get_run(self, run_id: RunId) -> Run:
        """Return the run with this id, or with a unique start of it."""
        ...

    def get_data(self, run_id: RunId) -> RunData:
        """Return params, newest metrics, tags and artifacts."""
        ...

    def log(
        self,
        run_id: RunId,
        *,
        params: Mapping[str, str] | None = None,
        metrics: Sequence[Metric] = (),
        tags: Mapping[str, str] | None = None,
        artifacts: Sequence[Artifact] = (),
        sequence: int | None = None,
    ) -> None:
        """Write all of it or, on an error, none.

        A writer that may repeat itself counts its writes to a run: one whose `sequence` is not
        above that of an earlier one was written already, and changes nothing.
        """
        ...

    def metric_history(self, run_id: RunId, key: str) -> list[Metric]:
        """Return the run's values of one metric, by step and then in the order written."""
        ...

    def link(
        self,
        run_id: RunId,
        *,
        inputs: Sequence[tuple[str, str]] = (),
        outputs: Sequence[tuple[str, str]] = (),
        sequence: int | None = None,
    ) -> None:
        """Record lineage, as (ref, role), found while the run goes on; `sequence` as in `log`."""
        ...

    def finish_run(
        self,
        run_id: RunId,
        status: FinalStatus,
        error: str | None = None,
        *,
        detail: Mapping[str, Any] | None = None,
    ) -> Run:
        """End the run with `status` and return it as it then is; `detail` is added to its own."""
        ...

    def beat(self, run_id: RunId) -> None:
        """Say that the run's process is alive."""
        ...

    def mark_lost(self, silent_since: datetime, *, dead: Sequence[RunId] = ()) -> list[Run]:
        """Mark LOST every running run that has not been heard of since, and return them.

        Runs in `dead`, whose process is known to be gone, are marked however lately they were
        heard of.
        """
        ...

    def list_runs(
        self,
        *,
        experiment: str | None = None,
        kind: RunKind | None = None,
        parent: RunId | None = None,
        status: RunStatus | None = None,
        limit: int = 100,
    ) -> list[Run]:
        """Return runs, newest first."""
        ...


class RunBatches(Protocol):
    """An ability of a run store: to record runs that are over already, many at once."""

    def record_runs(self, runs: Sequence[Run]) -> None:
        """Record the runs, such as a pipeline's cached steps, all of them or none."""
        ...
