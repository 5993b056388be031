"""The data plane: routing tables, predictors, the gateway and the prediction log."""

from trivet.serving.records import (
    Feedback,
    GatewayStatus,
    Prediction,
    RevisionSpec,
    Role,
    RoutingTable,
    Status,
)
from trivet.serving.store import RoutingStore

__all__ = [
    "Feedback",
    "GatewayStatus",
    "Prediction",
    "RevisionSpec",
    "Role",
    "RoutingStore",
    "RoutingTable",
    "Status",
]
