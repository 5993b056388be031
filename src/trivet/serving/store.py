"""The port of routing: the tables gateways serve by, and what gateways report."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from trivet.serving.records import GatewayStatus, RoutingTable


class RoutingStore(Protocol):
    """Keeps the routing table of each deployment.

    Every implementation promises, and `trivet.testing.RoutingStoreContract` checks, that

    - a table is swapped whole, by compare-and-swap on its generation;
    - a swap with a fence older than the table's is refused (I6);
    - a swap and the fact that records it are one transaction (I2).
    """

    def find_table(self, deployment: str) -> RoutingTable | None:
        """Return the deployment's table, or None before its first release."""
        ...

    def list_tables(self) -> list[RoutingTable]:
        """Return all tables by deployment."""
        ...

    def swap(
        self,
        table: RoutingTable,
        *,
        expected: int,
        reason: str,
        evidence: str | None,
        connection: Connection | None = None,
    ) -> RoutingTable:
        """Put `table` in place as generation `expected` + 1 and return it so.

        Args:
            table: The new table; its own `generation` is ignored.
            expected: The generation in force, 0 before the first.
            reason: One sentence for the ledger.
            evidence: What the move rests on; needed wherever the candidate's weight rises or the
                stable revision changes (I3).
            connection: A write transaction to take part in; one of its own otherwise.
        """
        ...

    def report(self, gateway: str, url: str, generations: Mapping[str, int]) -> None:
        """Write down which generations a gateway serves now."""
        ...

    def list_gateways(self) -> list[GatewayStatus]:
        """Return what each gateway last reported."""
        ...
