"""What control acts on, as a protocol: `trivet.app.App` is one."""

from typing import Protocol

from trivet.control.store import RepairStore
from trivet.ledger import Leases, Ledger, Recorder
from trivet.monitoring.sql_alert_store import SqlAlertStore
from trivet.monitoring.sql_window_store import SqlWindowStore
from trivet.registry.store import ModelStore
from trivet.rollout.store import DeploymentStore, RolloutStore
from trivet.serving.store import RoutingStore
from trivet.storage.blobs.store import BlobStore
from trivet.storage.sql import Database
from trivet.tracking import RunStore


class Stores(Protocol):
    """The stores that one home has."""

    @property
    def database(self) -> Database: ...
    @property
    def recorder(self) -> Recorder: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def blobs(self) -> BlobStore: ...
    @property
    def runs(self) -> RunStore: ...
    @property
    def models(self) -> ModelStore: ...
    @property
    def routing(self) -> RoutingStore: ...
    @property
    def deployments(self) -> DeploymentStore: ...
    @property
    def rollouts(self) -> RolloutStore: ...
    @property
    def windows(self) -> SqlWindowStore: ...
    @property
    def alerts(self) -> SqlAlertStore: ...
    @property
    def repairs(self) -> RepairStore: ...
