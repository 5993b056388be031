"""Whether the gateways serve the table that is in force, and how long that took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trivet.kernel.clock import Clock, Sleep, Stopwatch, sleep, stopwatch
from trivet.rollout.errors import NotConfirmed
from trivet.serving import GatewayStatus, RoutingStore

LIVE_SECONDS = 5.0
"""A gateway that has not reported for so long counts as down, and is not waited for."""

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the gateways that are up say of one generation of one deployment's table.

    Attributes:
        waiting: The ids of those that do not serve it yet.
        problem: What one of these says keeps it from doing so.
    """

    gateways: int
    waiting: tuple[str, ...]
    problem: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether at least one gateway is up and all of them serve the generation."""
        return self.gateways > 0 and not self.waiting


def confirmation(
    statuses: Sequence[GatewayStatus],
    deployment: str,
    generation: int,
    now: datetime,
    *,
    live_seconds: float = LIVE_SECONDS,
) -> Confirmation:
    """Return what the gateways that reported in the last `live_seconds` serve."""
    live = [
        status for status in statuses if now - status.seen_at <= timedelta(seconds=live_seconds)
    ]
    waiting = [status for status in live if status.generations.get(deployment, 0) < generation]
    problems = [
        f"{status.id}: {status.problems[deployment]}"
        for status in waiting
        if deployment in status.problems
    ]
    return Confirmation(
        gateways=len(live),
        waiting=tuple(status.id for status in waiting),
        problem=problems[0] if problems else None,
    )


def wait_for_table(
    routing: RoutingStore,
    deployment: str,
    generation: int,
    *,
    timeout_seconds: float,
    clock: Clock,
    pause: Sleep = sleep,
    watch: Stopwatch = stopwatch,
) -> float:
    """Return the seconds until the last gateway that is up reported the generation.

    Raises:
        NotConfirmed: One did not within `timeout_seconds`, or none is up.
    """
    started = watch()
    while True:
        found = confirmation(routing.list_gateways(), deployment, generation, clock())
        waited = watch() - started
        if found.is_complete:
            return waited
        if waited > timeout_seconds:
            raise NotConfirmed(deployment, generation, found.waiting)
        pause(_POLL_SECONDS)
