"""The ledger: what happened, what came of what, on what evidence, sealed against tampering.

A store records a fact with `Recorder.record` on the connection of the change itself, so that
neither can exist without the other.
"""

from trivet.ledger.errors import EvidenceNotFound, LeaseLost, LedgerTampered, StaleGeneration
from trivet.ledger.recorder import Recorder
from trivet.ledger.records import (
    Edge,
    Evidence,
    EvidenceId,
    Fact,
    Lease,
    Seal,
    Verdict,
    Verification,
)
from trivet.ledger.sql_leases import SqlLeases
from trivet.ledger.sql_ledger import SqlLedger
from trivet.ledger.store import Leases, Ledger

__all__ = [
    "Edge",
    "Evidence",
    "EvidenceId",
    "EvidenceNotFound",
    "Fact",
    "Lease",
    "LeaseLost",
    "Leases",
    "Ledger",
    "LedgerTampered",
    "Recorder",
    "Seal",
    "SqlLeases",
    "SqlLedger",
    "StaleGeneration",
    "Verdict",
    "Verification",
]
