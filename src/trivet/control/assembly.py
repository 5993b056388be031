"""Put the controller together from the stores of a home."""

from pathlib import Path

from trivet.control.controller import Controller, Part
from trivet.control.release_alerts import ReleaseAlerts
from trivet.control.repairing import Repairer
from trivet.control.stores import Stores
from trivet.control.watching import Watcher
from trivet.kernel.clock import Stopwatch, stopwatch
from trivet.kernel.errors import NotFound
from trivet.ledger import Lease
from trivet.monitoring import Fold, References
from trivet.rollout import RolloutEngine
from trivet.serving import JournalReader, RevisionSpec
from trivet.tracking import mark_lost_runs

_BATCHES_A_TURN = 5


def open_controller(
    stores: Stores,
    *,
    home: Path,
    journal: Path,
    holder: str,
    watch: Stopwatch = stopwatch,
) -> Controller:
    """Return a controller of a home, which does nothing until `tick` or `run` is called.

    Args:
        stores: The stores of the home; an `App` fits.
        home: Where trainings leave their results, and runs what they could not deliver.
        journal: The folder of the prediction log, with a folder for each gateway in it.
        holder: The name under which it takes the lease, of its own for each process.
        watch: Paces the parts.
    """
    fold = open_fold(stores, journal)
    engine = RolloutEngine(stores)
    watcher, releases = Watcher(stores), ReleaseAlerts(stores)
    repairer = Repairer(stores, home)
    parts = [
        Part("fold", lambda lease: _fold(fold)),
        Part("rollouts", lambda lease: _roll_out(engine, stores, lease)),
        Part("release alerts", lambda lease: releases.run(), every_seconds=0.2),
        Part("rules", lambda lease: watcher.run(), every_seconds=0.5),
        Part("repair", repairer.run, every_seconds=0.2),
        Part("lost runs", lambda lease: _mark_lost(stores, home), every_seconds=5.0),
        Part("seal", lambda lease: _seal(stores), every_seconds=2.0),
    ]
    return Controller(
        parts, leases=stores.leases, ledger=stores.ledger, holder=holder, stopwatch=watch
    )


def open_fold(stores: Stores, journal: Path) -> Fold:
    """Return the fold of a home's prediction log."""
    references = References(stores.blobs)

    def find_revision(deployment: str, number: int) -> RevisionSpec | None:
        try:
            return stores.deployments.get_revision(deployment, number)
        except NotFound:
            return None

    return Fold(
        stores.windows,
        JournalReader(journal),
        find_revision=find_revision,
        find_reference=references.find,
    )


def _fold(fold: Fold) -> None:
    for _ in range(_BATCHES_A_TURN):
        if fold.run().records == 0:
            return


def _roll_out(engine: RolloutEngine, stores: Stores, lease: Lease) -> None:
    engine.tick(lease.fence, stores.windows.tallies)


def _mark_lost(stores: Stores, home: Path) -> None:
    mark_lost_runs(stores.runs, home / "spill", stores.recorder.clock)


def _seal(stores: Stores) -> None:
    stores.ledger.seal()
