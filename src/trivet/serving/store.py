"""The port of routing: the tables gateways serve by, and what gateways report."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from trivet.serving.records import GatewayStatus, RoutingTable


class RoutingStore(Protocol):
    """Keeps the routing table of each deployment.

    Every implementation promises, and `trivet.testing.RoutingStoreContract` checks, that

    - a table is swapped whole, by compare-and-swap on its generation;
    - a swap with a fence older than the table's is refused, and the fence of a table never falls
      (I6); fence 0 is a person, who is never refused;
    - a swap that gives a revision more traffic needs evidence that passed or was forced (I3);
    - a swap and the fact that records it are one transaction (I2).
    """

    def find_table(self, deployment: str) -> RoutingTable | None:
        """Return the deployment's table, or None before its first release."""
        ...

    def list_tables(self) -> list[RoutingTable]:
        """Return all tables by deployment."""
        ...

    def list_generations(self) -> dict[str, int]:
        """Return the generation in force of each deployment: what a gateway polls."""
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
                stable revision changes (I3), but for the way back to an older warm revision.
            connection: A write transaction to take part in; one of its own otherwise.

        Raises:
            BadTable: The table contradicts itself.
            StaleGeneration: The generation in force is not `expected`.
            FenceTooOld: A newer controller has written the table.
            MoveWithoutEvidence: The evidence is missing, or neither passed nor forced.
        """
        ...

    def report(
        self,
        gateway: str,
        url: str,
        generations: Mapping[str, int],
        problems: Mapping[str, str] | None = None,
    ) -> None:
        """Write down which generations a gateway serves now, and why not newer ones.

        A generation that the gateway did not report before is recorded as `weights.verified`.
        """
        ...

    def list_gateways(self) -> list[GatewayStatus]:
        """Return what each gateway last reported."""
        ...
