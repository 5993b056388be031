"""Find runs that ended without saying so: controllers do it again and again, commands first."""

from datetime import timedelta
from pathlib import Path

from trivet.kernel.clock import Clock, utc_now
from trivet.tracking.process import is_alive
from trivet.tracking.records import Run, RunStatus
from trivet.tracking.spill import deliver_spilled
from trivet.tracking.store import RunStore

SILENCE = timedelta(minutes=2)
"""How long a run on another machine may be silent before it counts as lost."""

_MANY = 10_000


def mark_lost_runs(store: RunStore, spill: Path, clock: Clock = utc_now) -> list[Run]:
    """Mark LOST the running runs whose process is gone, and return them.

    A process of this machine is looked up, so its death shows at once; of one elsewhere only
    its silence can be seen. What a dead process left unsaid in the folder `spill` is delivered
    first, so that a run that ended while the store was away is not called lost.
    """
    deliver_spilled(store, spill)
    running = store.list_runs(status=RunStatus.RUNNING, limit=_MANY)
    if not running:
        return []
    dead = [run.id for run in running if is_alive(run.process) is False]
    return store.mark_lost(clock() - SILENCE, dead=dead)
