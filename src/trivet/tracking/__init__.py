"""Experiment tracking: what was tried, with which parameters, and how well it did."""

from trivet.tracking.capture import Captured, capture
from trivet.tracking.current import RunHandle, activate, current_run, start_run
from trivet.tracking.environment import compare_environments, read_environment
from trivet.tracking.errors import (
    AmbiguousRun,
    ExperimentConcluded,
    ExperimentNotFound,
    ParamChanged,
    RunFinished,
    RunNotFound,
)
from trivet.tracking.lost import mark_lost_runs
from trivet.tracking.process import is_alive, this_process
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
from trivet.tracking.run_log import RunLog
from trivet.tracking.split_reads import TEST, count_test_reads
from trivet.tracking.sql_experiment_store import SqlExperimentStore
from trivet.tracking.sql_run_store import SqlRunStore
from trivet.tracking.store import ExperimentStore, RunBatches, RunStore

__all__ = [
    "TEST",
    "AmbiguousRun",
    "Artifact",
    "Captured",
    "Experiment",
    "ExperimentConcluded",
    "ExperimentNotFound",
    "ExperimentStore",
    "FinalStatus",
    "Metric",
    "Outcome",
    "ParamChanged",
    "Run",
    "RunBatches",
    "RunData",
    "RunFinished",
    "RunHandle",
    "RunId",
    "RunKind",
    "RunLog",
    "RunNotFound",
    "RunStatus",
    "RunStore",
    "SqlExperimentStore",
    "SqlRunStore",
    "activate",
    "capture",
    "compare_environments",
    "count_test_reads",
    "current_run",
    "is_alive",
    "mark_lost_runs",
    "read_environment",
    "start_run",
    "this_process",
]
