"""Trivet takes a predictive model from idea to production and keeps it there, on one ledger."""

__version__ = "0.1.0"
