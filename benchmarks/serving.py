"""One-row inference over HTTP, with feature lookup, routing, prediction log and metrics on.

The gateway is the real process; the load comes from wrk where it is installed, otherwise from a
client in asyncio, on the same machine.
"""

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from lightgbm import LGBMClassifier

from benchmarks.figures import Figure
from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    RequestFeature,
    Rolling,
    SqlFeatureStore,
    TimePart,
    plan_to_json,
)
from trivet.ledger import Recorder, SqlLedger, Verdict
from trivet.registry import Signature, signature_to_json
from trivet.registry.golden import GoldenRows, write_golden
from trivet.registry.onnx_export import export_onnx
from trivet.serving import RevisionSpec, RoutingTable, SqlRoutingStore
from trivet.storage.blobs import open_blob_store
from trivet.storage.online import OnlineRow, open_online_store
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate

_SECONDS = 3
_CARRIERS = tuple(f"C{number}" for number in range(16))
_ORIGINS = ("EWR", "JFK", "LGA")
_AT = datetime(2013, 3, 1, 10, tzinfo=UTC)
_ROW = {"carrier": "C3", "origin": "EWR", "distance": 1400, "event_at": _AT.isoformat()}
_OIP = {
    "inputs": [
        {"name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["C3"]},
        {"name": "origin", "datatype": "BYTES", "shape": [1], "data": ["EWR"]},
        {"name": "distance", "datatype": "FP64", "shape": [1], "data": [1400.0]},
        {"name": "event_at", "datatype": "BYTES", "shape": [1], "data": [_AT.isoformat()]},
    ]
}


def measure() -> list[Figure]:
    """Measure latency and throughput at concurrency 1 and 32."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare(home)
        with _gateway(home) as port:
            plain = ("/predict/bench", json.dumps({"rows": [_ROW]}))
            protocol = ("/v2/models/bench/infer", json.dumps(_OIP))
            _load(port, plain, 8, 1, home)
            figures = []
            for name, request in (("plain JSON", plain), ("Open Inference", protocol)):
                for concurrency in (1, 32):
                    figures += _figures(name, request, concurrency, port, home)
            return figures


def main() -> None:
    """Print the figures."""
    for figure in measure():
        print(f"{figure.work:<44} {figure.value:10,.3f} {figure.unit:<6} {figure.target}")


def prepare(home: Path) -> None:
    """Make a home with a deployment `bench`: 100 trees over 15 features, 12 of them looked up."""
    database = Database(f"sqlite:///{home}/trivet.db")
    migrate(database)
    recorder = Recorder("user:bench")
    features = SqlFeatureStore(database, recorder)
    views = [features.apply(_view(name)) for name in ("carrier", "origin")]
    service = FeatureService(
        name="bench",
        views=tuple((view.name, ()) for view in views),
        request=(
            RequestFeature(name="distance", column="distance"),
            RequestFeature(name="hour", part=TimePart.HOUR),
            RequestFeature(name="month", part=TimePart.MONTH),
        ),
    )
    plan = features.plan(features.apply(service))
    _fill(home, views)
    spec = _revision(home, plan_to_json(plan), plan.names)
    table = RoutingTable(deployment="bench", generation=0, fence=0, revisions=(spec,), stable=1)
    forced = SqlLedger(database, recorder).judge(
        "force", "deployment:bench", Verdict.FORCED, "A benchmark."
    )
    SqlRoutingStore(database, recorder).swap(
        table, expected=0, reason="A benchmark.", evidence=forced.id
    )
    database.close()


def _view(entity: str) -> FeatureView:
    windows = {"3h": timedelta(hours=3), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
    rolling = tuple(
        Rolling(name=f"{entity}_{kind}_{label}", column="late", function=kind, window=window)
        for label, window in windows.items()
        for kind in (Aggregate.MEAN, Aggregate.COUNT)
    )
    return FeatureView(
        name=f"by_{entity}",
        entity=(entity,),
        source="flights",
        event_time="known_at",
        rolling=rolling,
        ttl=timedelta(days=30),
    )


def _fill(home: Path, views: list[FeatureView]) -> None:
    rng = np.random.default_rng(1)
    store = open_online_store(f"sqlite:///{home}/online.db")
    for view, keys in zip(views, (_CARRIERS, _ORIGINS), strict=True):
        rows = [
            OnlineRow(key, _AT, _AT, tuple(float(value) for value in rng.random(6)))
            for key in keys
        ]
        store.write(view.online_name, rows)


def _revision(home: Path, plan: dict[str, object], names: tuple[str, ...]) -> RevisionSpec:
    rng = np.random.default_rng(1)
    inputs = rng.random((2_000, len(names))).astype(np.float32)
    labels = (inputs[:, 0] + inputs[:, 6] + rng.normal(0, 0.3, 2_000) > 1).astype(int)
    model = LGBMClassifier(n_estimators=100, verbose=-1, n_jobs=1).fit(inputs, labels)
    golden = GoldenRows(
        names=names,
        inputs=inputs[:20],
        expected=np.asarray(model.booster_.predict(inputs[:20]), np.float64),
    )
    blobs = open_blob_store(f"file://{home}/blobs")
    signature = Signature(
        inputs=names,
        plan=plan,
        request={"carrier": "string", "origin": "string", "distance": "number"},
        slices=("carrier", "origin"),
    )
    return RevisionSpec(
        deployment="bench",
        number=1,
        model="model:bench@1",
        format="onnx",
        artifacts={
            "model.onnx": blobs.put(export_onnx(model, len(names))),
            "golden.arrow": blobs.put(write_golden(golden)),
        },
        signature=signature_to_json(signature),
    )


@contextmanager
def _gateway(home: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "trivet.cli.main", "--home", str(home)]
    process = subprocess.Popen([*command, "gateway", "--port", "0"])
    ready = home / "run" / "gateway-main.json"
    try:
        while not ready.exists():
            assert process.poll() is None, "the gateway ended"
            time.sleep(0.02)
        port = json.loads(ready.read_text())["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert "bench" in json.load(answer)["deployments"]
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _figures(
    name: str, request: tuple[str, str], concurrency: int, port: int, home: Path
) -> list[Figure]:
    p50, p99, rate = _load(port, request, concurrency, _SECONDS, home)
    work = f"{name}, concurrency {concurrency}"
    target = "2,000 or more" if concurrency == 32 else ""
    return [
        Figure(f"{work}: p50", p50, "ms", p50, p50),
        Figure(f"{work}: p99", p99, "ms", p99, p99),
        Figure(f"{work}: requests", rate, "1/s", rate, rate, target),
    ]


def _load(
    port: int, request: tuple[str, str], concurrency: int, seconds: int, home: Path
) -> tuple[float, float, float]:
    """Return p50 and p99 in milliseconds and requests a second; every answer must be a 200."""
    if shutil.which("wrk"):
        return _load_by_wrk(port, request, concurrency, seconds, home)
    return asyncio.run(_load_by_asyncio(port, request, concurrency, seconds))


def _load_by_wrk(
    port: int, request: tuple[str, str], concurrency: int, seconds: int, home: Path
) -> tuple[float, float, float]:
    path, body = request
    script = home / "request.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = [==[{body}]==]\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        "done = function(summary, latency, requests)\n"
        "  local errors = summary.errors\n"
        '  io.write(string.format("RESULT %f %f %f %d\\n", latency:percentile(50) / 1000,\n'
        "    latency:percentile(99) / 1000, summary.requests / summary.duration * 1e6,\n"
        "    errors.status + errors.connect + errors.read + errors.write + errors.timeout))\n"
        "end\n"
    )
    command = ["wrk", "-t", "1", "-c", str(concurrency), "-d", f"{seconds}s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True
    )
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", done.stdout)
    assert found is not None, done.stdout
    assert int(found[4]) == 0, done.stdout
    return float(found[1]), float(found[2]), float(found[3])


async def _load_by_asyncio(
    port: int, request: tuple[str, str], concurrency: int, seconds: int
) -> tuple[float, float, float]:
    path, body = request
    content = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    message = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < end:
            writer.write(message)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200"), answer
            length = re.search(rb"content-length: (\d+)", answer)
            assert length is not None
            await reader.readexactly(int(length[1]))
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(concurrency)))
    p50, p99 = np.percentile(took, [50, 99]) * 1000
    return float(p50), float(p99), len(took) / seconds


if __name__ == "__main__":
    main()
