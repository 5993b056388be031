"""Follow the routing store: load what a new table needs, try it, then swap, then say so."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from trivet.kernel.clock import Clock
from trivet.kernel.errors import TrivetError
from trivet.serving.artifacts import ArtifactCache
from trivet.serving.errors import JournalFailed, ModelRefused
from trivet.serving.gateway import Gateway, Route
from trivet.serving.records import RevisionSpec, RoutingTable
from trivet.serving.revisions import Revision
from trivet.serving.saved_tables import SavedTables
from trivet.serving.store import RoutingStore

T = TypeVar("T")

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.1
_REPORT_SECONDS = 2.0
_SYNC_SECONDS = 1.0
_RETRY_SECONDS = 1.0

LoadRevision = Callable[[RevisionSpec], Revision]
"""Loads and tries a revision, or raises a `TrivetError` that says why it may not serve."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A table that could not be taken; retried where time may heal it."""

    generation: int
    at: datetime
    problem: str
    is_final: bool


class TableFollower:
    """Keeps a gateway's routes at the newest tables of a routing store, on a thread of its own.

    A new table is served only once every revision it sends traffic to is loaded and has passed
    its self-test; until then the gateway goes on by the table it has. While the store does not
    answer, it goes on as well, for as long as it takes (I4).
    """

    def __init__(
        self,
        gateway: Gateway,
        store: RoutingStore,
        load: LoadRevision,
        saved: SavedTables,
        artifacts: ArtifactCache,
        *,
        gateway_id: str,
        clock: Clock,
    ) -> None:
        self.gateway_id = gateway_id
        self.url = ""
        self.heard_at: datetime | None = None
        self._gateway = gateway
        self._store = store
        self._load = load
        self._saved = saved
        self._artifacts = artifacts
        self._clock = clock
        # Both are replaced, never changed: requests read them from another thread.
        self._refused: dict[str, _Refusal] = {}
        self._spares: dict[str, str] = {}
        self._reported: tuple[dict[str, int], dict[str, str]] | None = None
        self._reported_at: datetime | None = None
        self._synced_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stale_seconds(self) -> float | None:
        """How long the store has not answered; None if it never has."""
        if self.heard_at is None:
            return None
        return (self._clock() - self.heard_at).total_seconds()

    @property
    def problems(self) -> dict[str, str]:
        """By deployment, why its newest table is not served, or a spare revision not warm."""
        return self._spares | {name: refusal.problem for name, refusal in self._refused.items()}

    def restore(self) -> None:
        """Serve by the tables that were served before the last stop, as far as they load."""
        for table in self._saved.load():
            self._try(table)

    def poll(self) -> None:
        """Look at the store once, take what is newer, and report."""
        try:
            generations = self._store.list_generations()
            self.heard_at = self._clock()
            if any(self._is_wanted(name, number) for name, number in generations.items()):
                taken = [self._try(table) for table in self._store.list_tables()]
                if any(taken):
                    self._forget_old_artifacts()
            self._report()
        except TrivetError as error:
            _log.debug("the routing store does not answer", extra={"error": str(error)})

    def start(self) -> None:
        """Poll every 100 ms until `stop`."""
        self._thread = threading.Thread(target=self._run, name="tables", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End polling."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self.poll()
                self._sync_journal()
            except Exception:  # noqa: BLE001 - the edge of a thread: a gateway outlives what fails
                _log.exception("a round of following the routing store failed")

    def _sync_journal(self) -> None:
        now = self._clock()
        if self._synced_at and (now - self._synced_at).total_seconds() < _SYNC_SECONDS:
            return
        self._synced_at = now
        try:
            self._gateway.journal.sync()
        except JournalFailed:
            self._gateway.metrics.counted("journal_failed")

    def _is_wanted(self, deployment: str, generation: int) -> bool:
        route = self._gateway.routes.get(deployment)
        if route is not None and route.table.generation >= generation:
            return False
        refusal = self._refused.get(deployment)
        if refusal is None or refusal.generation != generation:
            return True
        age = (self._clock() - refusal.at).total_seconds()
        return not refusal.is_final and age >= _RETRY_SECONDS

    def _try(self, table: RoutingTable) -> bool:
        name = table.deployment
        if not self._is_wanted(name, table.generation):
            return False
        try:
            route = self._warm(table)
        except TrivetError as error:
            is_final = isinstance(error, ModelRefused)
            _log.warning("a table is refused", extra={"deployment": name, "problem": str(error)})
            refusal = _Refusal(table.generation, self._clock(), str(error), is_final)
            self._refused = {**self._refused, name: refusal}
            return False
        self._refused = _without(self._refused, name)
        self._keep(table)
        return self._gateway.take(route)

    def _keep(self, table: RoutingTable) -> None:
        """Save the table before it is served: a restart must not go back behind an answer.

        A disk that takes nothing must not keep traffic where it is; then the table is served
        all the same.
        """
        tables = {name: route.table for name, route in self._gateway.routes.items()}
        try:
            self._saved.save({**tables, table.deployment: table}.values())
        except OSError as error:
            _log.warning("the tables could not be saved", extra={"problem": str(error)})

    def _warm(self, table: RoutingTable) -> Route:
        """Return the table with its revisions loaded; those that are warm already are kept."""
        current = self._gateway.routes.get(table.deployment)
        warm = dict(current.revisions) if current else {}
        revisions: dict[int, Revision] = {}
        self._spares = _without(self._spares, table.deployment)
        for spec in table.revisions:
            known = warm.get(spec.number)
            if known is not None and known.spec == spec:
                revisions[spec.number] = known
                continue
            try:
                revisions[spec.number] = self._load(spec)
            except TrivetError as error:
                if spec.number in (table.stable, table.candidate):
                    raise
                problem = f"revision {spec.number} is not warm: {error}"
                self._spares = {**self._spares, table.deployment: problem}
        return Route(table, revisions)

    def _forget_old_artifacts(self) -> None:
        tables = [route.table for route in self._gateway.routes.values()]
        self._artifacts.keep_only(
            {
                digest
                for table in tables
                for spec in table.revisions
                for digest in spec.artifacts.values()
            }
        )

    def _report(self) -> None:
        routes = self._gateway.routes
        said = ({name: route.table.generation for name, route in routes.items()}, self.problems)
        now = self._clock()
        is_due = self._reported_at is None or (
            (now - self._reported_at).total_seconds() >= _REPORT_SECONDS
        )
        if said == self._reported and not is_due:
            return
        self._store.report(self.gateway_id, self.url, *said)
        self._reported, self._reported_at = said, now


def _without(values: dict[str, T], name: str) -> dict[str, T]:
    return {key: value for key, value in values.items() if key != name}
