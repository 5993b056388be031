"""Watching what is served: windows of tallies, drift, rules, and alerts with their playbooks."""

from trivet.monitoring.drift import drifts, jensen_shannon_distance, population_stability_index
from trivet.monitoring.errors import (
    AlertAmbiguous,
    AlertClosed,
    AlertNotFound,
    AnswerNotFound,
    FoldOvertaken,
)
from trivet.monitoring.fold import FindReference, FindRevision, Fold, FoldResult
from trivet.monitoring.playbook import playbook
from trivet.monitoring.records import (
    LATENCY_EDGES_MS,
    SCORE_BINS,
    Alert,
    AlertStatus,
    Answer,
    Drift,
    NewAlert,
    Point,
    Precision,
    RuleState,
    Tally,
    Window,
)
from trivet.monitoring.references import Reference, References
from trivet.monitoring.rules import Finding, Watch, normalised_log_loss
from trivet.monitoring.series import Period, series, total
from trivet.monitoring.sql_alert_store import SqlAlertStore
from trivet.monitoring.sql_window_store import SqlWindowStore
from trivet.monitoring.store import Added, AlertStore, Batch, FeatureHour, Outcome, WindowStore

__all__ = [
    "LATENCY_EDGES_MS",
    "SCORE_BINS",
    "Added",
    "Alert",
    "AlertAmbiguous",
    "AlertClosed",
    "AlertNotFound",
    "AlertStatus",
    "AlertStore",
    "Answer",
    "AnswerNotFound",
    "Batch",
    "Drift",
    "FeatureHour",
    "FindReference",
    "FindRevision",
    "Finding",
    "Fold",
    "FoldOvertaken",
    "FoldResult",
    "NewAlert",
    "Outcome",
    "Period",
    "Point",
    "Precision",
    "Reference",
    "References",
    "RuleState",
    "SqlAlertStore",
    "SqlWindowStore",
    "Tally",
    "Watch",
    "Window",
    "WindowStore",
    "drifts",
    "jensen_shannon_distance",
    "normalised_log_loss",
    "playbook",
    "population_stability_index",
    "series",
    "total",
]
