"""Keeps the processes of `trivet up` running: starts them, waits for them, starts them again."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trivet.app import App
from trivet.kernel.clock import Stopwatch, stopwatch
from trivet.kernel.errors import Conflict, Unavailable
from trivet.server.process import write_ready
from trivet.settings import Settings

_LOOK_SECONDS = 0.1
_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
_FORGIVEN_AFTER_SECONDS = 60.0
_TRY_AGAIN = 75  # what a command exits with when something it needs did not answer

Say = Callable[[str], None]
"""Tells a person what happens."""


class HomeTaken(Conflict):
    """Another `trivet up` runs on the home."""

    def __init__(self, home: str, pid: int | None) -> None:
        super().__init__(home, pid)
        self.home = home
        self.pid = pid

    def __str__(self) -> str:
        who = f"process {self.pid}" if self.pid else "another process"
        return (
            f"'trivet up' runs on {self.home} already ({who}); stop it, or choose another --home."
        )


class ChildFailed(Unavailable):
    """A process of `trivet up` does not come up, or dies again and again."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(name, detail)
        self.name = name
        self.detail = detail

    def __str__(self) -> str:
        return f"The {self.name} {self.detail}; what it said is above."


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running.

    Attributes:
        command: The command of `trivet`, without its port.
        ready: The file that the process writes once it answers.
        port: The port to listen on, 0 for a free one, None for a process that does not listen.
    """

    name: str
    command: tuple[str, ...]
    home: Path
    ready: Path
    port: int | None


@dataclass(slots=True)
class _Running:
    """A child and its present process.

    Attributes:
        port: The port it took first, and is given again when it is started anew.
        deaths: When it died, in seconds of the stopwatch; old ones are forgiven.
        again_at: When it is to be started again, if it is dead.
    """

    child: Child
    process: subprocess.Popen[bytes]
    port: int | None
    deaths: deque[float] = field(default_factory=deque)
    again_at: float | None = None


class Supervisor:
    """Runs children until `stop` is set, and then ends them in the order opposite to their start.

    A child that dies is started again, at once the first time and later each time; one that dies
    more often than `_BACKOFF_SECONDS` has entries within a minute ends the whole.
    """

    def __init__(
        self,
        children: Sequence[Child],
        folder: Path,
        stop: threading.Event,
        say: Say,
        watch: Stopwatch = stopwatch,
    ) -> None:
        self._children = children
        self._up_file = folder / "up.json"
        self._stop = stop
        self._say = say
        self._watch = watch
        self._running: list[_Running] = []

    def run(self) -> None:
        """Start all, say where they answer, and keep them running.

        Raises:
            ChildFailed: One does not come up.
        """
        self._end_orphans()
        try:
            for child in self._children:
                child.ready.unlink(missing_ok=True)
                self._running.append(_Running(child, _start(child, child.port), child.port))
            for one in self._running:
                self._await(one)
            if not self._stop.is_set():
                self._announce()
            while not self._stop.wait(_LOOK_SECONDS):
                for one in self._running:
                    self._look_after(one)
        finally:
            self._up_file.unlink(missing_ok=True)
            self._end_all()

    def _end_orphans(self) -> None:
        """End what a supervisor that was killed left running, told by the file it left."""
        for name, left in _read(self._up_file).items():
            pid = left.get("pid") if isinstance(left, dict) else None
            if isinstance(pid, int) and _is_ours(pid, name):
                self._say(f"Ending the {name} (process {pid}) that an earlier 'trivet up' left.")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _await(self, one: _Running) -> None:
        deadline = self._watch() + _READY_SECONDS
        while not self._stop.is_set():
            found = _read(one.child.ready)
            if found.get("pid") == one.process.pid:
                one.port = found.get("port", one.port)
                return
            if one.process.poll() is not None:
                raise ChildFailed(one.child.name, f"ended with code {one.process.returncode}")
            if self._watch() > deadline:
                raise ChildFailed(one.child.name, f"was not ready in {_READY_SECONDS:g} s")
            self._stop.wait(0.02)

    def _announce(self) -> None:
        self._write_up()
        for one in self._running:
            url = _read(one.child.ready).get("url")
            self._say(f"{one.child.name:<11} {url or 'running'}")

    def _write_up(self) -> None:
        said: dict[str, object] = {"pid": os.getpid()}
        for one in self._running:
            found = _read(one.child.ready)
            said[one.child.name] = {name: found.get(name) for name in ("pid", "url", "port")}
        write_ready(self._up_file, said)

    def _look_after(self, one: _Running) -> None:
        now = self._watch()
        if one.again_at is None:
            if one.process.poll() is not None:
                self._note_death(one, now)
            return
        if now >= one.again_at:
            one.again_at = None
            one.child.ready.unlink(missing_ok=True)
            one.process = _start(one.child, one.port)
            self._await_again(one)

    def _note_death(self, one: _Running, now: float) -> None:
        while one.deaths and now - one.deaths[0] > _FORGIVEN_AFTER_SECONDS:
            one.deaths.popleft()
        code = one.process.returncode
        if len(one.deaths) == len(_BACKOFF_SECONDS) and code == _TRY_AGAIN:
            # What it needs may come back; the others, above all the gateway, must not end for it.
            one.deaths.popleft()
        if len(one.deaths) == len(_BACKOFF_SECONDS):
            raise ChildFailed(one.child.name, f"died {len(one.deaths) + 1} times within a minute")
        pause = _BACKOFF_SECONDS[len(one.deaths)]
        one.deaths.append(now)
        one.again_at = now + pause
        self._say(
            f"The {one.child.name} died ({_ending(code)}); starting it again in {pause:g} s."
        )

    def _await_again(self, one: _Running) -> None:
        try:
            self._await(one)
        except ChildFailed:
            # It died, or hangs, on its way up: the next look counts that as one more death.
            _end(one.process, signal.SIGKILL)
            return
        if not self._stop.is_set():
            self._write_up()
            self._say(f"The {one.child.name} runs again.")

    def _end_all(self) -> None:
        for one in reversed(self._running):
            _end(one.process, signal.SIGTERM)


def make_home(settings: Settings) -> None:
    """Make or upgrade the home once, before three processes would at the same time."""
    with App.open(settings):
        settings.processes.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextmanager
def hold_home(home: Path) -> Iterator[None]:
    """Hold the home's lock file; the system lets go of it even if this process is killed.

    Raises:
        HomeTaken: Another process holds it.
    """
    file = home / "run" / "up.lock"
    with file.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            text = lock.read().strip()
            raise HomeTaken(str(home), int(text) if text.isdecimal() else None) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _start(child: Child, port: int | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "trivet.cli.main", "--home", str(child.home), *child.command]
    if port is not None:
        command += ["--port", str(port)]
    # A session of its own: Ctrl-C reaches this process alone, which ends the others in order.
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own module


def _end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_ours(pid: int, name: str) -> bool:
    """Return whether the process is a `trivet` of this name, not one that got its number later."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"trivet.cli.main" in command and name.encode() in command


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
