"""The reconciler: one process at a time looks, compares and acts, again and again."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from trivet.kernel.clock import Sleep, Stopwatch
from trivet.ledger import Lease, LeaseLost, Leases, Ledger
from trivet.rollout.records import CONTROLLER_LEASE

logger = logging.getLogger(__name__)
LEASE_TTL = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing the controller does.

    Attributes:
        run: Does it once, level-triggered: it looks at what is, and needs no memory of before.
        every_seconds: How long to leave between two runs at least.
    """

    name: str
    run: Callable[[Lease], None]
    every_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What one turn came to; `lease` is None while another controller is in charge."""

    lease: Lease | None
    ran: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


class Controller:
    """Runs its parts in turn while it holds the lease.

    A part that fails is logged and recorded, once for each new error, and the others go on. A
    controller that has lost the lease stops in the middle of its turn; whatever it was about to
    write is refused by the fence (I6).
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        leases: Leases,
        ledger: Ledger,
        holder: str,
        stopwatch: Stopwatch,
        ttl: timedelta = LEASE_TTL,
    ) -> None:
        self._parts = parts
        self._leases = leases
        self._ledger = ledger
        self._holder = holder
        self._stopwatch = stopwatch
        self._ttl = ttl
        self._ran_at: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._lease: Lease | None = None

    def tick(self) -> Tick:
        """Take or renew the lease, then run every part that is due."""
        self._lease = self._leases.acquire(CONTROLLER_LEASE, self._holder, self._ttl)
        if self._lease is None:
            return Tick(None)
        ran: list[str] = []
        failed: dict[str, str] = {}
        for part in self._parts:
            if not self._is_due(part):
                continue
            try:
                part.run(self._lease)
            except LeaseLost:
                logger.warning("lease lost", extra={"part": part.name, "holder": self._holder})
                self._lease = None
                return Tick(None, tuple(ran), failed)
            except Exception as error:  # noqa: BLE001 - the loop's edge: one part must not stop the others
                failed[part.name] = self._report(part.name, error)
            else:
                self._errors.pop(part.name, None)
            ran.append(part.name)
        return Tick(self._lease, tuple(ran), failed)

    def run(self, stopped: Callable[[], bool], sleep: Sleep, *, pause_seconds: float) -> None:
        """Tick until `stopped`, then give the lease back, so that another need not wait."""
        try:
            while not stopped():
                try:
                    self.tick()
                except Exception:
                    # The database did not answer for the lease: nothing was done, and what is
                    # served goes on without us (I4).
                    logger.exception("no lease could be had", extra={"holder": self._holder})
                sleep(pause_seconds)
        finally:
            self.release()

    def release(self) -> None:
        """Give the lease back early."""
        if self._lease is not None:
            self._leases.release(self._lease)
            self._lease = None

    def _is_due(self, part: Part) -> bool:
        now = self._stopwatch()
        before = self._ran_at.get(part.name)
        if before is not None and now - before < part.every_seconds:
            return False
        self._ran_at[part.name] = now
        return True

    def _report(self, name: str, error: Exception) -> str:
        message = f"{type(error).__name__}: {error}"
        if self._errors.get(name) != message:
            self._errors[name] = message
            logger.error("controller part failed", extra={"part": name}, exc_info=error)
            try:
                self._ledger.note(
                    "controller.part_failed", "controller", {"part": name, "error": message}
                )
            except Exception:
                logger.exception("the failure could not be recorded", extra={"part": name})
        return message
