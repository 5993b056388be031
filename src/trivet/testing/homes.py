"""A home on SQLite, with a journal that is written as a gateway writes it."""

import json
import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from trivet.control import Controller, SqlRepairStore, open_controller
from trivet.kernel.digests import digest_bytes
from trivet.kernel.ids import Uuid7
from trivet.ledger import Recorder, SqlLeases, SqlLedger, Verdict
from trivet.monitoring import SqlAlertStore, SqlWindowStore
from trivet.registry import SqlModelStore
from trivet.registry.records import ModelVersion, NewVersion, Signature
from trivet.rollout import SqlDeploymentStore, SqlRolloutStore
from trivet.serving import (
    Feedback,
    JournalWriter,
    Prediction,
    Role,
    RoutingTable,
    SqlRoutingStore,
    Status,
)
from trivet.storage.blobs import BlobStore, open_blob_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.tracking import SqlRunStore

MARCH = datetime(2013, 3, 1, tzinfo=UTC)
REFERENCE = {
    "rows": 1000,
    "features": {"distance": {"edges": [0.25, 0.5, 0.75], "counts": [250] * 4, "missing": 0.0}},
    "log_loss": 0.5,
    "base_rate": 0.3,
    "accuracy": 0.8,
}


@dataclass
class Clock:
    """A clock that a test sets; each reading takes a millisecond."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Home:
    """The stores, as `App` has them, and what gateways write and say."""

    folder: Path
    database: Database
    clock: Clock = field(default_factory=Clock)
    asked: int = 0
    seed: int = 7

    @cached_property
    def recorder(self) -> Recorder:
        """Who acts is `user:test`."""
        rng = random.Random(self.seed)  # noqa: S311 - not a secret
        return Recorder("user:test", self.clock, Uuid7(self.clock, rng))

    @cached_property
    def ledger(self) -> SqlLedger:
        """Facts and evidence."""
        return SqlLedger(self.database, self.recorder)

    @cached_property
    def leases(self) -> SqlLeases:
        """Leases by the test's clock."""
        return SqlLeases(self.database, self.clock)

    @cached_property
    def blobs(self) -> BlobStore:
        """Blobs in the folder."""
        return open_blob_store(f"file://{self.folder}/blobs")

    @cached_property
    def runs(self) -> SqlRunStore:
        """Runs."""
        return SqlRunStore(self.database, self.recorder)

    @cached_property
    def models(self) -> SqlModelStore:
        """Model versions."""
        return SqlModelStore(self.database, self.recorder)

    @cached_property
    def routing(self) -> SqlRoutingStore:
        """Routing tables."""
        return SqlRoutingStore(self.database, self.recorder)

    @cached_property
    def deployments(self) -> SqlDeploymentStore:
        """Deployments."""
        return SqlDeploymentStore(self.database, self.recorder)

    @cached_property
    def rollouts(self) -> SqlRolloutStore:
        """Rollouts."""
        return SqlRolloutStore(self.database, self.recorder)

    @cached_property
    def windows(self) -> SqlWindowStore:
        """Windows."""
        return SqlWindowStore(self.database, self.recorder)

    @cached_property
    def alerts(self) -> SqlAlertStore:
        """Alerts."""
        return SqlAlertStore(self.database, self.recorder)

    @cached_property
    def repairs(self) -> SqlRepairStore:
        """Repairs."""
        return SqlRepairStore(self.database, self.recorder)

    @cached_property
    def journal(self) -> JournalWriter:
        """What a gateway named `main` writes."""
        return JournalWriter(self.folder / "journal" / "main", self.clock)

    @property
    def table(self) -> RoutingTable:
        """The routing table in force."""
        table = self.routing.find_table("delay")
        assert table is not None
        return table

    def close(self) -> None:
        """Close the journal and the database."""
        if "journal" in self.__dict__:
            self.journal.close()
        self.database.close()

    def controller(self, holder: str = "first") -> Controller:
        """Return a controller whose parts are all due at every tick."""
        return open_controller(
            self,
            home=self.folder,
            journal=self.folder / "journal",
            holder=holder,
            watch=lambda: self.clock().timestamp() * 1e6,
        )

    def register(self, number: int) -> ModelVersion:
        """Register a version that is like the others but for its number."""
        gate = self.ledger.judge("gate", "run:r", Verdict.PASSED, "AUC 0.71, at least 0.70")
        reference = self.blobs.put(json.dumps(REFERENCE).encode())
        return self.models.register(
            "delay",
            NewVersion(
                run=f"r{number}",
                format="onnx",
                artifacts={
                    "model.onnx": digest_bytes(f"model {number}".encode()),
                    "golden.arrow": digest_bytes(b"golden"),
                    "reference.json": reference,
                },
                signature=Signature(inputs=("distance",), slices=("carrier",)),
                datasets=("dataset:flights@c1",),
                features=("features:by_carrier@1",),
                code={"commit": "c0ffee", "number": number},
                environment=digest_bytes(b"environment"),
                params={},
                metrics={"auc": 0.71},
                seed=7,
                evidence=(gate.id,),
            ),
        )

    def report(self) -> None:
        """Let the gateway say that it serves the table in force."""
        self.routing.report("main", "http://127.0.0.1:1", {"delay": self.table.generation})

    def ask(
        self, count: int, *, wrong: float = 0.2, shadow_wrong: float = 0.2, labelled: bool = True
    ) -> None:
        """Ask for `count` predictions, six an hour, and feed every outcome back.

        `wrong` is the share that the answering revision gets wrong, told with certainty of 0.8.
        """
        table = self.table
        for _ in range(count):
            self.asked += 1
            number = self.asked
            y = number % 10 < 3
            revision = table.stable
            weight = table.weight if table.candidate else 0.0
            if table.candidate and math.fmod(number * 0.618, 1.0) < weight:
                revision = table.candidate
            share = shadow_wrong if revision != table.stable else wrong
            answer = self._prediction(number, revision, y, share)
            records: list[Prediction | Feedback] = [answer]
            if table.candidate and table.shadow:
                records.append(self._shadow(answer, table.candidate, y, shadow_wrong))
            if labelled:
                records.append(
                    Feedback(
                        prediction=answer.id,
                        deployment="delay",
                        at=self.clock(),
                        event_at=answer.event_at + timedelta(hours=2),
                        outcome=float(y),
                    )
                )
            self.journal.append(records)
        self.journal.sync()

    def _prediction(self, number: int, revision: int, y: bool, wrong: float) -> Prediction:
        told = y != (math.fmod(number * 0.7548776662, 1.0) < wrong)
        return Prediction(
            id=self.recorder.new_id(),
            at=self.clock(),
            event_at=MARCH + number * timedelta(minutes=10),
            deployment="delay",
            revision=revision,
            generation=self.table.generation,
            role=Role.PRIMARY,
            status=Status.OK,
            unit=str(number),
            inputs={"carrier": ("UA", "DL")[number % 2]},
            features=[math.fmod(number * 0.618, 1.0)],
            output=0.8 if told else 0.2,
            label=int(told),
            latency_ms=1.0,
        )

    def _shadow(self, answer: Prediction, revision: int, y: bool, wrong: float) -> Prediction:
        number = int(answer.unit)
        computed = self._prediction(number, revision, y, wrong)
        values = {name: getattr(computed, name) for name in Prediction.__struct_fields__}
        return Prediction(
            **{
                **values,
                "role": Role.SHADOW,
                "primary": answer.id,
                "primary_label": answer.label,
            }
        )


def open_home(folder: Path, *, seed: int = 7) -> Home:
    """Return a home on SQLite; close it when done. Its ids follow from the seed."""
    database = Database(f"sqlite:///{folder}/trivet.db")
    migrate(database)
    return Home(folder, database, seed=seed)
