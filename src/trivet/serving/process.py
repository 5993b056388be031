"""A gateway as a process: its parts put together, a socket, a ready file, and a clean end."""

import gc
import ipaddress
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import uvicorn

from trivet.features import FeatureStore, plan_from_json
from trivet.kernel.clock import Clock, Stopwatch, stopwatch, utc_now
from trivet.kernel.errors import InvalidInput
from trivet.kernel.ids import NewId, new_id
from trivet.kernel.refs import check_name
from trivet.serving.artifacts import ArtifactCache
from trivet.serving.asgi import GatewayApp
from trivet.serving.feature_lookup import PlannedFeatures
from trivet.serving.feature_push import SavedViews, ViewPusher
from trivet.serving.following import TableFollower
from trivet.serving.gateway import Gateway
from trivet.serving.journal import JournalWriter
from trivet.serving.metrics import Metrics
from trivet.serving.records import RevisionSpec
from trivet.serving.revisions import FeatureReader, load_revision
from trivet.serving.saved_tables import SavedTables
from trivet.serving.shadows import ShadowWorker
from trivet.serving.store import RoutingStore
from trivet.storage.blobs import BlobStore
from trivet.storage.online import OnlineStore

_log = logging.getLogger(__name__)

_BACKLOG = 1024
_GRACE_SECONDS = 10
_SWITCH_SECONDS = 0.0005


@dataclass(frozen=True, kw_only=True)
class GatewayParts:
    """What a gateway is made of.

    Attributes:
        home: The folder it keeps its journal, its copies of models and its ready file in.
        id: Its name among the gateways; its journal is `journal/<id>`.
        open_blobs: Opens the blob store; called when an artifact is not on the disk yet.
    """

    home: Path
    id: str
    routing: RoutingStore
    features: FeatureStore
    online: OnlineStore
    open_blobs: Callable[[], BlobStore]
    clock: Clock = utc_now
    new_id: NewId = new_id
    stopwatch: Stopwatch = stopwatch


class RunningGateway:
    """A gateway with its threads; `app` is the ASGI application."""

    def __init__(self, parts: GatewayParts, hosts: frozenset[str]) -> None:
        check_name(parts.id)
        own = parts.home / "gateway" / parts.id
        metrics = Metrics()
        self._journal = JournalWriter(parts.home / "journal" / parts.id, parts.clock)
        self._shadows = ShadowWorker(
            self._journal,
            metrics,
            clock=parts.clock,
            new_id=parts.new_id,
            stopwatch=parts.stopwatch,
        )
        gateway = Gateway(
            self._journal,
            metrics,
            self._shadows,
            clock=parts.clock,
            new_id=parts.new_id,
            stopwatch=parts.stopwatch,
        )
        artifacts = ArtifactCache(cache(parts.open_blobs), own / "artifacts")

        def open_reader(plan: dict[str, object], spec: RevisionSpec) -> FeatureReader:
            refuses = spec.settings.get("unknown_entities") != "missing"
            return PlannedFeatures(plan_from_json(plan), parts.online, refuses_unknown=refuses)

        self.follower = TableFollower(
            gateway,
            parts.routing,
            lambda spec: load_revision(spec, artifacts, open_reader, parts.stopwatch),
            SavedTables(own),
            artifacts,
            gateway_id=parts.id,
            clock=parts.clock,
        )
        pusher = ViewPusher(
            parts.features,
            parts.online,
            lambda: gateway.routes,
            SavedViews(own / "views.json"),
            parts.stopwatch,
        )
        self.app = GatewayApp(
            gateway, self.follower, pusher, hosts=hosts, stopwatch=parts.stopwatch
        )

    def start(self, url: str) -> None:
        """Serve what was served last, look at the store once, and follow it from then on."""
        self.follower.url = url
        self.follower.restore()
        self.follower.poll()
        self._shadows.start()
        self.follower.start()

    def stop(self) -> None:
        """Finish what is under way and close the journal."""
        self.follower.stop()
        self.app.close()
        self._shadows.stop()
        self._journal.close()


def run_gateway(parts: GatewayParts, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InvalidInput: The address is not of this machine alone: nothing here asks for a token.
    """
    _check_loopback(host)
    running = RunningGateway(parts, frozenset({host, "localhost", "127.0.0.1", "::1"}))
    try:
        with _listen(host, port) as listener:
            taken = listener.getsockname()[1]
            url = f"http://{f'[{host}]' if ':' in host else host}:{taken}"
            running.start(url)
            _serve(running, listener, parts, url, taken)
    finally:
        running.stop()


def _serve(
    running: RunningGateway, listener: socket.socket, parts: GatewayParts, url: str, port: int
) -> None:
    config = uvicorn.Config(
        running.app,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # uvicorn raises the signal it got once more when it is done; that must not kill the clean-up.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    # A request must not wait 5 ms, Python's default, for a thread that loads a model or shadows.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What is loaded by now stays: no collection has to walk through it again.
    gc.collect()
    gc.freeze()
    ready = parts.home / "run" / f"gateway-{parts.id}.json"
    _write_ready(ready, {"id": parts.id, "pid": os.getpid(), "url": url, "port": port})
    _log.info("gateway ready", extra={"url": url})
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        ready.unlink(missing_ok=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: an answer must not wait for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InvalidInput(
            f"Port {port} of {host} cannot be taken: {error.strerror}. Choose another with --port."
        ) from error
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _check_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise InvalidInput(
            f"A gateway without tokens answers this machine only; {host!r} is not a loopback "
            "address. Use 127.0.0.1."
        )


def _write_ready(file: Path, content: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)
