"""For tests of serving: tiny models, and gateways in process with time and ids handed in."""

import asyncio
import itertools
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper

from trivet.features import SqlFeatureStore
from trivet.kernel.ids import Uuid7
from trivet.ledger import Recorder, SqlLedger, Verdict
from trivet.registry import Signature, signature_to_json
from trivet.registry.golden import GoldenRows, write_golden
from trivet.serving import (
    JournalReader,
    Prediction,
    RevisionSpec,
    RoutingTable,
    SqlRoutingStore,
)
from trivet.serving.asgi import GatewayApp
from trivet.serving.process import GatewayParts, RunningGateway
from trivet.storage.blobs import BlobStore, open_blob_store
from trivet.storage.online import OnlineStore, open_online_store
from trivet.storage.sql import Database

START = datetime(2026, 1, 1, tzinfo=UTC)


class SteppingClock:
    """A clock that goes on by one millisecond each time it is read, or further when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def onnx_model(operators: tuple[str, ...] = (), *, factor: float = 1.0, width: int = 1) -> bytes:
    """Return a model that answers its first input times `factor`, through some operators."""
    nodes = [
        helper.make_node("Gather", ["input", "zero"], ["first"], axis=1),
        helper.make_node("Mul", ["first", "factor"], ["v0"]),
    ]
    for position, operator in enumerate(operators):
        nodes.append(helper.make_node(operator, [f"v{position}"], [f"v{position + 1}"]))
    nodes.append(helper.make_node("Identity", [f"v{len(operators)}"], ["probability"]))
    graph = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n"])],
        [
            helper.make_tensor("zero", TensorProto.INT64, [], [0]),
            helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def golden_for(names: tuple[str, ...], function: Callable[[float], float]) -> bytes:
    """Return golden rows of a model that answers `function` of its first input."""
    inputs = np.linspace(0.1, 0.9, 5 * len(names), dtype=np.float32).reshape(5, len(names))
    expected = np.array([function(float(value)) for value in inputs[:, 0]], np.float64)
    return write_golden(GoldenRows(names=names, inputs=inputs, expected=expected))


@dataclass
class Models:
    """Puts models into a blob store and returns their revisions."""

    blobs: BlobStore
    deployment: str = "delay"

    def put(
        self,
        number: int,
        *,
        operators: tuple[str, ...] = (),
        factor: float = 1.0,
        answers: Callable[[float], float] | None = None,
        signature: Signature | None = None,
        content: bytes | None = None,
        settings: dict[str, Any] | None = None,
    ) -> RevisionSpec:
        signature = signature or Signature(inputs=("x",))
        model = content or onnx_model(operators, factor=factor, width=len(signature.inputs))
        function = answers or (lambda x: float(np.float32(x) * np.float32(factor)))
        return RevisionSpec(
            deployment=self.deployment,
            number=number,
            model=f"model:delay@{number}",
            format="onnx",
            artifacts={
                "model.onnx": self.blobs.put(model),
                "golden.arrow": self.blobs.put(golden_for(signature.inputs, function)),
            },
            signature=signature_to_json(signature),
            settings=settings or {},
        )


@dataclass
class Reply:
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Client:
    """Calls an ASGI application in process, as uvicorn would."""

    app: GatewayApp
    runner: asyncio.Runner
    defaults: dict[str, str] = field(
        default_factory=lambda: {"host": "localhost", "content-type": "application/json"}
    )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.call("GET", path, b"", headers)

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self.call("POST", path, content, headers)

    def call(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Reply:
        given = {**self.defaults, "content-length": str(len(body)), **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        chunks = [body[: len(body) // 2], body[len(body) // 2 :]]
        messages = [
            {"type": "http.request", "body": chunks[0], "more_body": True},
            {"type": "http.request", "body": chunks[1], "more_body": False},
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        self.runner.run(self.app(scope, receive, send))
        start, end = sent
        replied = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], replied, end["body"])


@dataclass
class House:
    """A home with a database, blobs, an online store, and as many gateways as a test starts."""

    home: Path
    clock: SteppingClock
    database: Database
    routing: SqlRoutingStore
    ledger: SqlLedger
    features: SqlFeatureStore
    online: OnlineStore
    models: Models
    runner: asyncio.Runner
    running: list[RunningGateway] = field(default_factory=list)

    @property
    def blobs_url(self) -> str:
        return f"file://{self.home}/blobs"

    def release(self, *revisions: RevisionSpec, **values: Any) -> RoutingTable:
        """Put a table of these revisions in force, forced; the first is stable unless said."""
        before = self.routing.find_table(revisions[0].deployment)
        table = RoutingTable(
            deployment=revisions[0].deployment,
            generation=0,
            fence=0,
            revisions=revisions,
            stable=revisions[0].number,
        )
        forced = self.ledger.judge("force", "deployment:delay", Verdict.FORCED, "A test.")
        return self.routing.swap(
            replace(table, **values),
            expected=before.generation if before else 0,
            reason="A test.",
            evidence=forced.id,
        )

    def parts(self, gateway_id: str = "g1") -> GatewayParts:
        return GatewayParts(
            home=self.home,
            id=gateway_id,
            routing=self.routing,
            features=self.features,
            online=self.online,
            open_blobs=partial(open_blob_store, self.blobs_url),
            clock=self.clock,
            new_id=Uuid7(self.clock, random.Random(next(_seeds))),  # noqa: S311 - not a secret
            stopwatch=time.perf_counter,
        )

    def open_gateway(self, gateway_id: str = "g1") -> RunningGateway:
        """Return a gateway that has looked at the store once and has no threads."""
        running = RunningGateway(self.parts(gateway_id), frozenset({"localhost"}))
        self.running.append(running)
        running.follower.restore()
        running.follower.poll()
        return running

    def client(self, running: RunningGateway) -> Client:
        return Client(running.app, self.runner)

    def predictions(self) -> list[Prediction]:
        records, _ = JournalReader(self.home / "journal").read({})
        return [record for record in records if isinstance(record, Prediction)]

    def close(self, running: RunningGateway) -> None:
        self.running.remove(running)
        running.stop()


_seeds = itertools.count()


@contextmanager
def open_house(home: Path, empty_database: Path) -> Iterator[House]:
    """Yield a house in the folder `home`, its database a copy of a migrated one."""
    shutil.copy(empty_database, home / "trivet.db")
    clock = SteppingClock()
    database = Database(f"sqlite:///{home}/trivet.db")
    recorder = Recorder("user:test", clock, Uuid7(clock, random.Random(7)))  # noqa: S311
    with asyncio.Runner() as runner:
        house = House(
            home=home,
            clock=clock,
            database=database,
            routing=SqlRoutingStore(database, recorder),
            ledger=SqlLedger(database, recorder),
            features=SqlFeatureStore(database, recorder),
            online=open_online_store(f"sqlite:///{home}/online.db"),
            models=Models(open_blob_store(f"file://{home}/blobs")),
            runner=runner,
        )
        yield house
        for running in list(house.running):
            running.stop()
    database.close()


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """Let no file grow beyond `limit` bytes, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
