"""The ports of the ledger."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from trivet.ledger.records import Edge, Evidence, Fact, Lease, Verdict, Verification


class Ledger(Protocol):
    """Reads facts, lineage and evidence, and seals what is new.

    Every implementation promises, and `trivet.testing.LedgerContract` checks, that

    - a fact, once recorded, is returned unchanged for ever, in the order of `seq`;
    - sealing may run in several processes at once and gives one chain;
    - `verify` names every sealed fact and every seal that was changed, added or removed.
    """

    def list_facts(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Fact]:
        """Return facts with `after` < `seq` < `before`; `subject` and `kind` may end in `*`."""
        ...

    def list_edges(self, ref: str, *, upstream: bool, depth: int = 20) -> list[Edge]:
        """Return the lineage that leads to `ref` (or, downstream, from it), nearest first."""
        ...

    def get_evidence(self, evidence_id: str) -> Evidence:
        """Return the evidence with this id."""
        ...

    def list_evidence(
        self, *, subject: str | None = None, kind: str | None = None, limit: int = 100
    ) -> list[Evidence]:
        """Return evidence, newest first; `subject` may end in `*`."""
        ...

    def judge(
        self,
        kind: str,
        subject: str,
        verdict: Verdict,
        summary: str,
        *,
        inputs: dict[str, Any] | None = None,
        numbers: dict[str, Any] | None = None,
    ) -> Evidence:
        """Store evidence in a transaction of its own."""
        ...

    def note(
        self, kind: str, subject: str, payload: dict[str, Any], *, edges: Sequence[Edge] = ()
    ) -> str:
        """Record a fact that goes with no change of state in the database; return its id."""
        ...

    def seal(self) -> int:
        """Chain every fact that has no seal yet; return how many there were."""
        ...

    def verify(self) -> Verification:
        """Recompute every digest and every seal."""
        ...


class Leases(Protocol):
    """Hands out the right to act alone, with a fence against those who lost it unawares.

    Promises: at any moment at most one holder has an unexpired lease of a name; each change of
    hands raises the fence by one or more; `require` in a write transaction refuses every fence
    but the newest, however the clocks stand.
    """

    def acquire(self, name: str, holder: str, ttl: timedelta) -> Lease | None:
        """Take or renew the lease, or return None while somebody else has it."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back early; nothing happens if it is lost already."""
        ...

    def require(self, connection: Connection, name: str, fence: int) -> None:
        """Raise `LeaseLost` unless `fence` is the newest of this lease."""
        ...
