"""Every table, a module for each domain; the migrations build the same tables step by step."""

from trivet.storage.sql.schema import data, ledger, registry, serving
from trivet.storage.sql.schema.columns import metadata

__all__ = ["data", "ledger", "metadata", "registry", "serving"]
