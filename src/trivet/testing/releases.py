"""A small world to release into: real stores on SQLite, and what happens outside them.

Gateways report when told to, requests come when told to, and the clock stands still between.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from trivet.kernel.digests import digest_bytes
from trivet.kernel.ids import Uuid7
from trivet.ledger import Recorder, SqlLeases, SqlLedger, Verdict
from trivet.monitoring.records import Tally
from trivet.registry.records import ModelVersion, NewVersion, Signature
from trivet.registry.sql_store import SqlModelStore
from trivet.rollout import (
    CONTROLLER_LEASE,
    Rollout,
    RolloutEngine,
    SqlDeploymentStore,
    SqlRolloutStore,
    deploy,
)
from trivet.serving import Role, RoutingTable
from trivet.serving.sql_store import SqlRoutingStore
from trivet.storage.sql import Database

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that a test sets; each reading takes a microsecond."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """The stores, as `App` has them, and what happens outside them."""

    database: Database
    clock: Clock
    tallies: dict[tuple[int, Role], Tally] = field(default_factory=dict)

    @cached_property
    def recorder(self) -> Recorder:
        rng = random.Random(7)  # noqa: S311 - ids of a test need not be secret
        return Recorder("user:test", self.clock, Uuid7(self.clock, rng))

    @cached_property
    def ledger(self) -> SqlLedger:
        return SqlLedger(self.database, self.recorder)

    @cached_property
    def leases(self) -> SqlLeases:
        return SqlLeases(self.database, self.clock)

    @cached_property
    def models(self) -> SqlModelStore:
        return SqlModelStore(self.database, self.recorder)

    @cached_property
    def routing(self) -> SqlRoutingStore:
        return SqlRoutingStore(self.database, self.recorder)

    @cached_property
    def deployments(self) -> SqlDeploymentStore:
        return SqlDeploymentStore(self.database, self.recorder)

    @cached_property
    def rollouts(self) -> SqlRolloutStore:
        return SqlRolloutStore(self.database, self.recorder)

    @cached_property
    def engine(self) -> RolloutEngine:
        return RolloutEngine(self)

    @cached_property
    def fence(self) -> int:
        lease = self.leases.acquire(CONTROLLER_LEASE, "first", timedelta(days=1))
        assert lease is not None
        return lease.fence

    def register(self, verdict: Verdict = Verdict.PASSED, model: str = "delay") -> ModelVersion:
        gate = self.ledger.judge("gate", "run:r", verdict, "AUC 0.71, at least 0.70")
        number = len(self.models.list_versions(model)) if self._has(model) else 0
        files = ("model.onnx", "golden.arrow", "reference.json")
        return self.models.register(
            model,
            NewVersion(
                run=f"r{number}",
                format="onnx",
                artifacts={
                    name: digest_bytes(f"{name}{model}{number}".encode()) for name in files
                },
                signature=Signature(inputs=("distance",)),
                datasets=("dataset:flights@c1",),
                features=("features:by_carrier@1",),
                code={"commit": "c0ffee", "number": number},
                environment=digest_bytes(b"environment"),
                params={"trees": number},
                metrics={"auc": 0.71},
                seed=7,
                evidence=(gate.id,),
            ),
        )

    def _has(self, model: str) -> bool:
        return any(known.name == model for known in self.models.list_models())

    def report(self, *gateways: str, generation: int | None = None) -> None:
        """Let gateways say that they serve the table in force, or an older one."""
        table = self.table
        for gateway in gateways or ("g1",):
            serving = table.generation if generation is None else generation
            self.routing.report(gateway, "http://127.0.0.1:1", {"delay": serving})

    @property
    def table(self) -> RoutingTable:
        table = self.routing.find_table("delay")
        assert table is not None
        return table

    def count(self, revision: int, role: Role = Role.PRIMARY, **more: int) -> None:
        before = self.tallies.get((revision, role), Tally())
        sums = {name: getattr(before, name) + value for name, value in more.items()}
        self.tallies[revision, role] = replace(before, **sums)

    def tick(self) -> list[Rollout]:
        self.clock.pass_seconds(0.2)
        return self.engine.tick(self.fence, lambda _: dict(self.tallies))

    def traffic(
        self, requests: int = 200, *, accuracy: float = 0.8, flipped: bool = False
    ) -> None:
        """Let requests come, with outcomes, as the table in force routes them."""
        table, known = self.table, round(requests * accuracy)
        taken = round(requests * table.weight)
        if table.candidate is not None:
            right = round(taken * ((1 - accuracy) if flipped else accuracy))
            self.count(table.candidate, requests=taken, labelled=taken, correct=right)
            if table.shadow:
                wrong = requests - known
                self.count(
                    table.candidate,
                    Role.SHADOW,
                    requests=requests,
                    labelled=requests,
                    correct=wrong if flipped else known,
                    agreed=0 if flipped else requests,
                    gained=wrong if flipped else 0,
                    lost=known if flipped else 0,
                )
        left = requests - taken
        self.count(table.stable, requests=left, labelled=left, correct=round(left * accuracy))

    def run(self, ticks: int, *, flipped: bool = False) -> list[Rollout]:
        """Let the gateway report, requests come and the controller look, again and again."""
        moved = []
        for _ in range(ticks):
            self.report()
            self.traffic(flipped=flipped)
            moved += self.tick()
        return moved

    def serve_first(self) -> None:
        """Release version 1 and register version 2."""
        first = self.register()
        self.register()
        deploy(self, "delay", first.ref)

    def active(self) -> Rollout:
        found = self.rollouts.find_active("delay")
        assert found is not None
        return found
