"""Every table, a module for each domain; the migrations build the same tables step by step."""

from trivet.storage.sql.schema import (
    control,
    data,
    features,
    ledger,
    monitoring,
    pipelines,
    registry,
    rollout,
    serving,
    tracking,
)
from trivet.storage.sql.schema.columns import metadata

__all__ = [
    "control",
    "data",
    "features",
    "ledger",
    "metadata",
    "monitoring",
    "pipelines",
    "registry",
    "rollout",
    "serving",
    "tracking",
]
