"""The port of control: repairs."""

from datetime import datetime
from typing import Any, Protocol

from trivet.control.records import Repair, RepairPhase


class RepairStore(Protocol):
    """Keeps repairs.

    Every implementation promises, and `trivet.testing.RepairStoreContract` checks, that

    - a deployment has at most one repair that has not ended;
    - a write states the version it changes, and is refused if there is a newer one;
    - a repair that has ended is never written again;
    - a write and the fact that records it are one transaction (I2).
    """

    def start(
        self, deployment: str, *, cause: str, alert: str | None, event_at: datetime, reason: str
    ) -> Repair:
        """Begin a repair, NOTICED.

        Raises:
            RepairActive: The deployment has one that has not ended.
        """
        ...

    def advance(
        self,
        repair: Repair,
        phase: RepairPhase,
        reason: str,
        *,
        model: str | None = None,
        rollout: str | None = None,
        detail: dict[str, Any] | None = None,
    ) -> Repair:
        """Move the repair, which was read at `repair.version`, and return it as it then is.

        `detail` is added to what is there; `model` and `rollout` stay where they are not given.

        Raises:
            StaleGeneration: Somebody has written it since, or it has ended.
        """
        ...

    def get(self, repair_id: str) -> Repair:
        """Return the repair."""
        ...

    def find_active(self, deployment: str) -> Repair | None:
        """Return the deployment's repair that has not ended, or None."""
        ...

    def list_repairs(self, deployment: str | None = None, *, limit: int = 100) -> list[Repair]:
        """Return repairs, newest first."""
        ...
