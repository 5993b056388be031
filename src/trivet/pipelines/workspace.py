"""What a pipeline runs on: stores, a folder, and a way to fix pointers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trivet.kernel.clock import Clock, Stopwatch, stopwatch, utc_now
from trivet.kernel.errors import InvalidInput
from trivet.kernel.ids import NewId, new_id
from trivet.kernel.refs import Kind, Ref
from trivet.pipelines.store import StepCache
from trivet.storage.blobs.store import BlobStore
from trivet.tracking import RunBatches, RunStore

_POINTING = (Kind.DATASET, Kind.FEATURES, Kind.MODEL)
_CURRENT = (Kind.DATASET, Kind.FEATURES)
"""Kinds whose bare name points, too: at the head of `main`, at the current version."""


class PipelineRunStore(RunStore, RunBatches, Protocol):
    """A run store that can record runs that are over, many at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The stores a pipeline runs on.

    Attributes:
        spill: The folder where what runs log waits while the store is away.
        home: A folder that is no part of the code, such as trivet's own home.
        resolve: Gives a ref a version in place of a pointer: `dataset:x@main` its commit.
    """

    runs: PipelineRunStore
    blobs: BlobStore
    cache: StepCache
    spill: Path
    home: Path | None = None
    resolve: Callable[[Ref], Ref] = lambda ref: ref
    clock: Clock = utc_now
    stopwatch: Stopwatch = stopwatch
    new_id: NewId = new_id


def fix_refs(value: Any, resolve: Callable[[Ref], Ref], pins: dict[str, str]) -> Any:
    """Return `value` with every pointer in its texts resolved; `pins` takes what it came to."""
    if isinstance(value, str):
        ref = _ref_in(value)
        if ref is None:
            return value
        if value not in pins:
            pins[value] = str(resolve(ref))
        return pins[value]
    if type(value) is dict:
        return {key: fix_refs(item, resolve, pins) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(fix_refs(item, resolve, pins) for item in value)
    return value


def _ref_in(text: str) -> Ref | None:
    if not text.startswith(tuple(f"{kind}:" for kind in _POINTING)):
        return None
    try:
        ref = Ref.parse(text)
    except InvalidInput:
        return None
    return ref if ref.version is not None or ref.kind in _CURRENT else None
