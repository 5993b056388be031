"""The data plane: routing tables, predictors, the gateway and the prediction log.

What needs onnxruntime or numpy is not imported here: see `gateway`, `revisions` and `predictors`.
"""

from trivet.serving.assignment import assign
from trivet.serving.errors import (
    BadTable,
    DeploymentNotServed,
    FenceTooOld,
    JournalFailed,
    JournalInUse,
    ModelRefused,
    MoveWithoutEvidence,
    PredictionNotFound,
)
from trivet.serving.journal import JournalWriter
from trivet.serving.journal_reader import JournalReader, find_prediction, find_predictions
from trivet.serving.records import (
    Feedback,
    GatewayStatus,
    Prediction,
    RevisionSpec,
    Role,
    RoutingTable,
    Status,
)
from trivet.serving.sql_store import SqlRoutingStore
from trivet.serving.store import RoutingStore
from trivet.serving.tables import find_revision, table_from_json, table_to_json

__all__ = [
    "BadTable",
    "DeploymentNotServed",
    "Feedback",
    "FenceTooOld",
    "GatewayStatus",
    "JournalFailed",
    "JournalInUse",
    "JournalReader",
    "JournalWriter",
    "ModelRefused",
    "MoveWithoutEvidence",
    "Prediction",
    "PredictionNotFound",
    "RevisionSpec",
    "Role",
    "RoutingStore",
    "RoutingTable",
    "SqlRoutingStore",
    "Status",
    "assign",
    "find_prediction",
    "find_predictions",
    "find_revision",
    "table_from_json",
    "table_to_json",
]
