"""For tests with real processes: a home with a served model, `trivet up` on it, and callers."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from trivet.app import App
from trivet.current import use
from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    RequestFeature,
    Rolling,
    plan_to_json,
)
from trivet.kernel.digests import digest_bytes
from trivet.ledger import Verdict
from trivet.registry import NewVersion, Signature
from trivet.registry.golden import GoldenRows, write_golden
from trivet.registry.reference import make_reference
from trivet.rollout import deploy
from trivet.settings import Settings
from trivet.testing.serving import onnx_model
from trivet.workbench import apply, commit, materialize, plan

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
_PATIENCE_SECONDS = 60.0

BY_SHOP = FeatureView(
    name="by_shop",
    entity=("shop",),
    source="sales",
    event_time="known_at",
    event_key=("sale_id",),
    rolling=(
        Rolling(
            name="sales_30d",
            column="amount",
            function=Aggregate.COUNT,
            window=timedelta(days=30),
        ),
    ),
)
CHURN = FeatureService(
    name="churn",
    views=((BY_SHOP.name, ()),),
    request=(RequestFeature(name="x", column="x"),),
)


def open_app(home: Path) -> App:
    """Open a home as somebody who tests it."""
    return App.open(Settings(home=home, actor="user:test"))


def make_served_home(home: Path) -> None:
    """Commit sales, apply a view of them, register two versions and release the first."""
    with open_app(home) as app:
        use(app)
        sales = {
            "sale_id": ["s0", "s1"],
            "shop": ["a", "b"],
            "known_at": [NEW_YEAR, NEW_YEAR],
            "amount": [1.0, 2.0],
        }
        commit("sales", pa.table(sales), key="sale_id", event_time="known_at")
        apply(BY_SHOP)
        apply(CHURN)
        materialize(BY_SHOP.name, until=NEW_YEAR + timedelta(days=1))
        for factor in (1.0, 2.0):
            _register(app, factor)
        deploy(app, "churn", "model:churn@1")


def _register(app: App, factor: float) -> None:
    """Register a version that answers sigmoid(factor · how many sales the shop had)."""
    fixed = plan(CHURN.name)
    inputs = np.array([[count, count / 7] for count in range(1, 21)], np.float32)
    scores = 1 / (1 + np.exp(-factor * inputs[:, 0].astype(np.float64)))
    reference = make_reference(
        fixed.names, inputs, np.arange(20) % 2, scores, slices={"shop": ["a", "b"] * 10}
    )
    put = app.blobs.put
    golden = GoldenRows(names=fixed.names, inputs=inputs, expected=scores)
    gate = app.ledger.judge("gate", "model:churn", Verdict.PASSED, "It is made for a test.")
    app.models.register(
        "churn",
        NewVersion(
            run=f"run-{factor}",
            format="onnx",
            artifacts={
                "model.onnx": put(onnx_model(("Sigmoid",), factor=factor, width=2)),
                "golden.arrow": put(write_golden(golden)),
                "reference.json": put(json.dumps(reference).encode()),
            },
            signature=Signature(
                inputs=fixed.names,
                plan=plan_to_json(fixed),
                request={"shop": "string", "x": "number"},
                slices=("shop",),
            ),
            datasets=(app.datasets.resolve("sales").ref,),
            features=fixed.view_refs,
            code={"commit": "c0ffee"},
            environment=digest_bytes(b"environment"),
            params={"factor": factor},
            metrics={"auc": 0.7},
            seed=7,
            evidence=(gate.id,),
        ),
    )


def command(home: Path, *arguments: str) -> list[str]:
    """Return the command line of `trivet` on a home."""
    return [sys.executable, "-m", "trivet.cli.main", "--home", str(home), *arguments]


@dataclass
class Everything:
    """A running `trivet up`."""

    home: Path
    process: "subprocess.Popen[bytes]"

    def address(self, name: str) -> str:
        """Return host and port of the server or of the gateway."""
        said = json.loads((self.home / "run" / "up.json").read_text(encoding="utf-8"))
        return str(said[name]["url"]).removeprefix("http://")

    def kill(self, name: str) -> bool:
        """Kill the process of this name wherever it is in its life; false if there is none."""
        for child in psutil.Process(self.process.pid).children():
            try:
                if name in child.cmdline():
                    child.send_signal(signal.SIGKILL)
                    return True
            except psutil.NoSuchProcess:
                continue
        return False


@contextmanager
def everything_up(home: Path) -> Iterator[Everything]:
    """Run `trivet up` on free ports; at the end it is told to stop, and must do so cleanly."""
    process = subprocess.Popen(  # noqa: S603 - our own module
        command(home, "up", "--port", "0", "--gateway-port", "0")
    )
    ready = home / "run" / "up.json"
    try:
        await_true(lambda: ready.exists() or process.poll() is not None, "trivet up is ready")
        assert process.poll() is None, "trivet up did not start"
        yield Everything(home, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(_PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def await_true(
    condition: Callable[[], object], what: str, *, seconds: float = _PATIENCE_SECONDS
) -> None:
    """Return once the condition holds, looked at again and again; fail after a while."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about that {what}"
        time.sleep(0.01)


@dataclass
class Caller:
    """Calls one process over one kept-alive connection, and tries again what went wrong."""

    address: str
    statuses: set[int] = field(default_factory=set)
    _connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: Any) -> Any:
        """Return the answer to a request, repeated until there is one.

        Only a lost connection and a 503 are repeated: any other answer is no accident.
        """
        content = json.dumps(body).encode()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                status, reply = self.exchange("POST", path, content)
            except (OSError, http.client.HTTPException) as error:
                status, reply = 503, repr(error).encode()
            if status == 200:
                return json.loads(reply)
            assert status == 503, f"{path}: {status} {reply!r}"
            assert time.monotonic() < deadline, f"{path}: {reply!r}"
            time.sleep(0.02)

    def exchange(self, method: str, path: str, content: bytes | None = None) -> tuple[int, bytes]:
        """Return status and body of one attempt."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.address, timeout=30)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, path, content, headers)
            response = self._connection.getresponse()
            answer = response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        self.statuses.add(answer[0])
        return answer

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        # A test that fails half way must not blame the next one for its open socket.
        self.close()
