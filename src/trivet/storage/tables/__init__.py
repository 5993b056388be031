"""Versioned tables in Lance, and the engine that queries them."""

from trivet.storage.tables.lance_tables import (
    LanceTables,
    TablesUnavailable,
    TableVersion,
    TableWriter,
)
from trivet.storage.tables.query import Query, QueryFailed, quoted

__all__ = [
    "LanceTables",
    "Query",
    "QueryFailed",
    "TableVersion",
    "TableWriter",
    "TablesUnavailable",
    "quoted",
]
