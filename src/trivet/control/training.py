"""Run one training in a process of its own, at most once, and leave its result in a folder.

    python training.py FOLDER

The folder holds `job.json` and, step by step, `lock` (held while the process lives), `started`
and `result.json`. A controller that dies leaves the process running; the next one finds in the
folder what became of it. Two processes that are started for one folder do not both train: the
second waits for the lock, and finds `started` there.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OUTPUT_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """How a training ended.

    Attributes:
        model: The ref of the version it registered; None where it registered none.
        error: Why not, as the pipeline said it.
    """

    model: str | None
    error: str


class Training:
    """One training, known by its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def start(self, command: Sequence[str], *, project: Path, limit_seconds: float) -> None:
        """Start a process that trains, unless one did before; do not wait for it.

        The process has a session of its own and is nobody's child, so that what ends the
        controller does not end the training.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        job = {"command": list(command), "project": str(project), "limit": limit_seconds}
        _write(self._folder / "job.json", json.dumps(job))
        # By its path and not as a module: a folder needs nothing of trivet, and starts at once.
        trainer = [sys.executable, "-P", __file__, str(self._folder)]
        subprocess.run(  # noqa: S603 - our own interpreter and file
            ["/bin/sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *trainer],
            check=True,
            start_new_session=True,
        )

    @property
    def was_started(self) -> bool:
        """Whether a process has begun to train; from then on none begins again."""
        return (self._folder / "started").exists()

    @property
    def is_running(self) -> bool:
        """Whether a process holds the folder's lock."""
        try:
            with _locked(self._folder / "lock"):
                return False
        except BlockingIOError:
            return True

    def find_result(self) -> TrainingResult | None:
        """Return how it ended, or None while it has not, or if its process was killed."""
        try:
            values = json.loads((self._folder / "result.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return TrainingResult(values["model"], values["error"])


def train(folder: Path) -> None:
    """Do the job in `folder` unless somebody does or did it; see the module."""
    started = folder / "started"
    if started.exists():
        return
    # Waiting: a controller that only asks whether we run holds the lock for a moment, too.
    with _locked(folder / "lock", wait=True):
        try:
            started.touch(exist_ok=False)
        except FileExistsError:
            return
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        result = _run(folder, job)
        _write(folder / "result.json", json.dumps({"model": result.model, "error": result.error}))


def _run(folder: Path, job: dict[str, Any]) -> TrainingResult:
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - the pipeline that the deployment's owner chose
            job["command"],
            cwd=job["project"],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=job["limit"])
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return TrainingResult(None, f"Training took longer than {job['limit']:g} s.")
    if code != 0:
        said = err.read_text(encoding="utf-8", errors="replace").strip()[-_OUTPUT_CHARACTERS:]
        return TrainingResult(None, said or f"The pipeline ended with exit code {code}.")
    return _registered(out.read_text(encoding="utf-8", errors="replace"))


def _registered(output: str) -> TrainingResult:
    """Return the model version that the pipeline's JSON names, under `model` or as an output."""
    try:
        answer = json.loads(output)
        if not isinstance(answer, dict):
            raise ValueError(output)
    except ValueError:
        return TrainingResult(None, "The pipeline's output is no JSON object.")
    found = _model_refs([answer.get("model"), answer.get("outputs")])
    if not found:
        return TrainingResult(None, "The pipeline ended well but registered no model version.")
    return TrainingResult(found[0], "")


def _model_refs(value: Any) -> list[str]:
    """Return every text in a JSON value that is the ref of a model version, in order."""
    if isinstance(value, str):
        return [value] if value.startswith("model:") and "@" in value else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [ref for item in items for ref in _model_refs(item)]


@contextmanager
def _locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock file; the system frees it if we are killed.

    Raises:
        BlockingIOError: Somebody else holds it, and we are not to wait.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    half = path.with_suffix(".half")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
