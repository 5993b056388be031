"""Writes to a run store, in order, on disk while the store is away.

Each write has its number in its run, and the store refuses a number it has seen; so a write may
be delivered again after a crash or a lost answer, and still takes effect once.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from trivet.kernel.errors import TrivetError, Unavailable
from trivet.tracking.errors import RunFinished
from trivet.tracking.process import is_alive, this_process
from trivet.tracking.records import Artifact, Metric, RunId, RunStatus
from trivet.tracking.store import RunStore

_log = logging.getLogger(__name__)
_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One call to a run store that can be made later, and made again.

    `content` is JSON (with NaN and infinity): the arguments of `log`, `link` or `finish_run`.
    """

    run_id: RunId
    sequence: int
    call: Literal["log", "link", "finish"]
    content: dict[str, Any] = field(default_factory=dict)


def carry_out(store: RunStore, write: Write) -> None:
    """Make the call that `write` stands for."""
    content = write.content
    if write.call == "log":
        store.log(
            write.run_id,
            params=content.get("params"),
            metrics=[_to_metric(row) for row in content.get("metrics", ())],
            tags=content.get("tags"),
            artifacts=[Artifact(**row) for row in content.get("artifacts", ())],
            sequence=write.sequence,
        )
    elif write.call == "link":
        store.link(
            write.run_id,
            inputs=[(ref, role) for ref, role in content.get("inputs", ())],
            outputs=[(ref, role) for ref, role in content.get("outputs", ())],
            sequence=write.sequence,
        )
    else:
        _finish(store, write)


def _finish(store: RunStore, write: Write) -> None:
    status: Any = RunStatus(write.content["status"])
    try:
        store.finish_run(
            write.run_id, status, write.content["error"], detail=write.content["detail"]
        )
    except RunFinished as error:
        if error.status != status:
            raise  # Otherwise the answer to an earlier delivery was lost.


class Spill:
    """An append-only file of writes that wait; gone once it is empty."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.waiting = 0

    def append(self, write: Write) -> None:
        """Add a write at the end."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            if file.tell() == 0:
                file.write(json.dumps({"process": this_process()}) + "\n")
            file.write(json.dumps([write.run_id, write.sequence, write.call, write.content]))
            file.write("\n")
        self.waiting += 1

    def deliver(self, store: RunStore) -> None:
        """Carry out every write in order, then remove the file.

        Raises:
            Unavailable: The store is away; the writes stay, and are delivered from the first on.
        """
        for write in read_spill(self._file):
            carry_out_or_report(store, write)
        self._file.unlink(missing_ok=True)
        self.waiting = 0


def carry_out_or_report(store: RunStore, write: Write) -> None:
    """Carry out a write; one the store refuses for good is reported and left out."""
    try:
        carry_out(store, write)
    except Unavailable:
        raise
    except TrivetError as error:
        _log.error(
            "the store refused what a run logged",
            extra={"run_id": write.run_id, "call": write.call, "reason": str(error)},
        )


def deliver_spilled(store: RunStore, folder: Path) -> None:
    """Deliver what processes that are gone left in `folder`; several may do so at once."""
    for file in sorted(folder.glob(f"*{_SUFFIX}")):
        # A file that is gone was delivered meanwhile by somebody else.
        with suppress(FileNotFoundError):
            if is_alive(_process_of(file)) is False:
                Spill(file).deliver(store)


def read_spill(file: Path) -> Iterator[Write]:
    """Yield the writes of a file; a last line that was cut off by a crash is none."""
    with file.open(encoding="utf-8") as lines:
        next(lines, None)
        for line in lines:
            if line.endswith("\n"):
                run_id, sequence, call, content = json.loads(line)
                yield Write(run_id=run_id, sequence=sequence, call=call, content=content)


def spill_file(folder: Path, name: str) -> Path:
    """Return where the writes of a writer of this name wait."""
    return folder / f"{name}{_SUFFIX}"


def _process_of(file: Path) -> dict[str, Any]:
    with file.open(encoding="utf-8") as lines:
        try:
            process: dict[str, Any] = json.loads(next(lines, "{}"))["process"]
        except (ValueError, KeyError):
            return {}
    return process


def _to_metric(row: list[Any]) -> Metric:
    key, value, step, at = row
    return Metric(key=key, value=value, step=step, at=datetime.fromisoformat(at))
