"""The composition root: the one place that turns settings into stores and wires them up.

Stores are opened when they are first used, so that a command pays only for what it touches: a
`trivet runs list` imports neither Lance nor DuckDB, and a gateway holds neither in memory.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from trivet.kernel.errors import Unavailable
from trivet.ledger import Recorder, SqlLeases, SqlLedger
from trivet.settings import Settings
from trivet.storage.sql import Database, is_current

if TYPE_CHECKING:
    from trivet.control import SqlRepairStore
    from trivet.data import SqlDatasetStore
    from trivet.features import SqlFeatureStore
    from trivet.monitoring import SqlAlertStore, SqlWindowStore
    from trivet.pipelines import SqlStepCache
    from trivet.registry import SqlModelStore
    from trivet.rollout import SqlDeploymentStore, SqlRolloutStore
    from trivet.serving import SqlRoutingStore
    from trivet.storage.blobs import BlobStore
    from trivet.storage.online import OnlineStore
    from trivet.tracking import SqlExperimentStore, SqlRunStore


class DatabaseGone(Unavailable):
    """A home that was in use has lost its database; an empty one must not take its place."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file

    def __str__(self) -> str:
        return f"{self.file} is gone. Put it back, or choose another --home to begin anew."


@dataclass(frozen=True)
class App:
    """What the server, the controller, the gateway and the command line act on.

    It holds stores and does no work of its own; open it as a context manager.
    """

    settings: Settings
    database: Database
    recorder: Recorder

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Open the platform that `settings` name; a new home is made, an old one upgraded.

        Raises:
            DatabaseGone: Processes ran on this home, but its database is not there.
        """
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = settings.own_database
        if file is not None and not file.exists():
            if settings.processes.exists():
                raise DatabaseGone(str(file))
            file.touch(mode=0o600)
        # From here on it is never made anew: one that was moved away may come back.
        database = Database(settings.database, create=file is None)
        if not is_current(database):
            _load("trivet.storage.sql.migrate:migrate")(database)
        return cls(settings, database, Recorder(settings.actor))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened; stores are of no use afterwards."""
        if "online" in vars(self):
            self.online.close()
        self.database.close()

    @cached_property
    def ledger(self) -> SqlLedger:
        """Facts, lineage, evidence, seals."""
        return SqlLedger(self.database, self.recorder)

    @cached_property
    def leases(self) -> SqlLeases:
        """The right to act alone."""
        return SqlLeases(self.database, self.recorder.clock)

    @cached_property
    def blobs(self) -> "BlobStore":
        """Bytes by digest."""
        store: BlobStore = _load("trivet.storage.blobs:open_blob_store")(self.settings.blobs)
        return store

    @cached_property
    def online(self) -> "OnlineStore":
        """The newest features of each entity."""
        store: OnlineStore = _load("trivet.storage.online:open_online_store")(self.settings.online)
        return store

    @cached_property
    def datasets(self) -> "SqlDatasetStore":
        """Datasets, commits, branches, contracts."""
        store: SqlDatasetStore = _load("trivet.data:SqlDatasetStore")(
            self.database, self.recorder, self.settings.tables
        )
        return store

    @cached_property
    def features(self) -> "SqlFeatureStore":
        """Feature views and services."""
        store: SqlFeatureStore = self._open("trivet.features:SqlFeatureStore")
        return store

    @cached_property
    def experiments(self) -> "SqlExperimentStore":
        """Lines of inquiry."""
        store: SqlExperimentStore = self._open("trivet.tracking:SqlExperimentStore")
        return store

    @cached_property
    def runs(self) -> "SqlRunStore":
        """Runs and what they logged."""
        store: SqlRunStore = self._open("trivet.tracking:SqlRunStore")
        return store

    @cached_property
    def steps(self) -> "SqlStepCache":
        """Results of pipeline steps by cache key."""
        store: SqlStepCache = self._open("trivet.pipelines:SqlStepCache")
        return store

    @cached_property
    def models(self) -> "SqlModelStore":
        """Models, versions, aliases."""
        store: SqlModelStore = self._open("trivet.registry:SqlModelStore")
        return store

    @cached_property
    def routing(self) -> "SqlRoutingStore":
        """Routing tables and gateways."""
        store: SqlRoutingStore = self._open("trivet.serving:SqlRoutingStore")
        return store

    @cached_property
    def deployments(self) -> "SqlDeploymentStore":
        """Deployments and revisions."""
        store: SqlDeploymentStore = self._open("trivet.rollout:SqlDeploymentStore")
        return store

    @cached_property
    def rollouts(self) -> "SqlRolloutStore":
        """Rollouts."""
        store: SqlRolloutStore = self._open("trivet.rollout:SqlRolloutStore")
        return store

    @cached_property
    def windows(self) -> "SqlWindowStore":
        """Tallies by hour, revision and slice."""
        store: SqlWindowStore = self._open("trivet.monitoring:SqlWindowStore")
        return store

    @cached_property
    def alerts(self) -> "SqlAlertStore":
        """Alerts."""
        store: SqlAlertStore = self._open("trivet.monitoring:SqlAlertStore")
        return store

    @cached_property
    def repairs(self) -> "SqlRepairStore":
        """Repairs that control started."""
        store: SqlRepairStore = self._open("trivet.control:SqlRepairStore")
        return store

    def _open(self, target: str) -> Any:
        return _load(target)(self.database, self.recorder)


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
