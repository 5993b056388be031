"""The run that code is running in, and the handle by which it logs."""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.storage.blobs.store import BlobStore
from trivet.tracking.capture import Captured, capture
from trivet.tracking.errors import ParamChanged
from trivet.tracking.process import this_process
from trivet.tracking.records import Artifact, Run, RunKind, RunStatus
from trivet.tracking.run_log import Entry, RunLog
from trivet.tracking.store import RunStore

_KEY_LENGTH = 250
_CHUNK_BYTES = 1 << 20

_current: ContextVar["RunHandle | None"] = ContextVar("trivet_current_run", default=None)


def current_run() -> "RunHandle | None":
    """Return the handle of the run this code runs in, or None outside of any."""
    return _current.get()


class RunHandle:
    """Logs to one run. Every call returns at once; `RunLog` delivers in the background.

    Lineage that is linked to a step's run is linked to its pipeline's run too.
    """

    def __init__(
        self, run: Run, log: RunLog, blobs: BlobStore, parent: "RunHandle | None" = None
    ) -> None:
        self.run = run
        self.log = log
        self.blobs = blobs
        self.parent = parent
        self.params: dict[str, str] = {}
        self.metrics: dict[str, float] = {}
        self.links: dict[tuple[str, str, str], None] = {}
        self._steps: dict[str, int] = {}

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log input values; a param keeps the value it was first given."""
        texts = {_checked(key): str(value) for key, value in params.items()}
        for key, value in texts.items():
            if self.params.get(key, value) != value:
                raise ParamChanged(self.run.id, key, self.params[key], value)
        self.params.update(texts)
        self.log.put((self.run.id, "params", texts))

    def log_metric(self, key: str, value: float, step: int | None = None) -> None:
        """Log a number; without `step` the values of a key are counted from 0."""
        if step is None:
            step = self._steps.get(key, -1) + 1
        if len(key) > _KEY_LENGTH:
            _checked(key)
        number = float(value)
        if step >= self._steps.get(key, step):
            self._steps[key] = step
            self.metrics[key] = number
        self.log.put((self.run.id, "metric", key, number, step, self.log.clock()))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log several numbers of one step."""
        for key, value in metrics.items():
            self.log_metric(key, value, step)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set labels; a later value replaces an earlier one."""
        texts = {_checked(key): str(value) for key, value in tags.items()}
        self.log.put((self.run.id, "tags", texts))

    def log_artifact(
        self,
        content: Path | str | bytes,
        path: str | None = None,
        *,
        media_type: str = "application/octet-stream",
    ) -> Artifact:
        """Keep a file, or bytes, as a file of the run.

        Args:
            content: The file's path, or its bytes.
            path: The path within the run; a file's own name by default.
            media_type: What the content is.
        """
        if isinstance(content, bytes):
            if path is None:
                raise InvalidInput("Bytes need a path within the run: log_artifact(data, 'a/b').")
            digest, size = self.blobs.put(content), len(content)
        else:
            file = Path(content)
            if not file.is_file():
                raise InvalidInput(f"{str(file)!r} is no file; an artifact is a file or bytes.")
            digest, size = self.blobs.put_chunks(_chunks(file)), file.stat().st_size
        name = path if path is not None else Path(str(content)).name
        return self.add_artifact(name, digest, size=size, media_type=media_type)

    def add_artifact(self, path: str, digest: Digest, *, size: int, media_type: str) -> Artifact:
        """Name a blob that is there already as a file of the run."""
        artifact = Artifact(path=path, digest=digest, size=size, media_type=media_type)
        self.log.put((self.run.id, "artifact", artifact))
        return artifact

    def link_input(self, ref: str, role: str = "input") -> None:
        """Record that the run came of what `ref`, a ref with a version, names."""
        self.link("inputs", ref, role)

    def link_output(self, ref: str, role: str = "output") -> None:
        """Record that what `ref`, a ref with a version, names came of the run."""
        self.link("outputs", ref, role)

    def take(self, entry: Entry) -> None:
        """Log what was put to a handle of the same run in another process."""
        _, kind, *rest = entry
        if kind == "metric":
            key, value, step, _ = rest
            self._steps[key] = step
            self.metrics[key] = value
        elif kind in ("inputs", "outputs"):
            self.link(kind, *rest)
            return
        self.log.put(entry)

    def link(self, side: str, ref: str, role: str) -> None:
        if (side, ref, role) in self.links:
            return
        self.links[side, ref, role] = None
        self.log.put((self.run.id, side, ref, role))
        if self.parent is not None:
            self.parent.link(side, ref, role)


@contextmanager
def activate(handle: RunHandle) -> Iterator[RunHandle]:
    """Make `handle` the current run within the block."""
    token = _current.set(handle)
    try:
        yield handle
    finally:
        _current.reset(token)


@contextmanager
def start_run(
    store: RunStore,
    blobs: BlobStore,
    experiment: str,
    *,
    spill: Path,
    name: str = "",
    captured: Captured | None = None,
) -> Iterator[RunHandle]:
    """Start a run, current within the block; an error in the block ends it as failed.

    Args:
        store: Where the run is kept.
        blobs: Where its artifacts are kept.
        experiment: What it belongs to; made if there is none of this name.
        spill: The folder where writes wait while the store is away.
        name: A word for people.
        captured: Code and environment, if they are known already.
    """
    known = captured or capture(blobs)
    run = store.create_run(
        experiment,
        name=name,
        kind=RunKind.RUN,
        code=known.code,
        environment=known.environment,
        process=this_process(),
    )
    log = RunLog(store, spill)
    log.follow(run.id)
    handle = RunHandle(run, log, blobs)
    try:
        with activate(handle):
            yield handle
    except BaseException:
        log.finish(run, RunStatus.FAILED, traceback.format_exc())
        raise
    else:
        log.finish(run, RunStatus.FINISHED)
    finally:
        log.close()


def _checked(key: str) -> str:
    if not key or len(key) > _KEY_LENGTH:
        raise InvalidInput(f"{key[:50]!r} is no key; a key has 1 to {_KEY_LENGTH} characters.")
    return key


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK_BYTES):
            yield chunk
