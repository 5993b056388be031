"""Experiment tracking: what was tried, with which parameters, and how well it did."""

from trivet.tracking.errors import (
    AmbiguousRun,
    ExperimentConcluded,
    ExperimentNotFound,
    ParamChanged,
    RunFinished,
    RunNotFound,
)
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
from trivet.tracking.sql_experiment_store import SqlExperimentStore
from trivet.tracking.sql_run_store import SqlRunStore
from trivet.tracking.store import ExperimentStore, RunBatches, RunStore

__all__ = [
    "AmbiguousRun",
    "Artifact",
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
    "RunId",
    "RunKind",
    "RunNotFound",
    "RunStatus",
    "RunStore",
    "SqlExperimentStore",
    "SqlRunStore",
]
