"""Start what `trivet up` starts, wait until it answers, watch its memory, and stop it."""

import json
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from trivet.kernel.clock import Sleep, Stopwatch, sleep, stopwatch
from trivet.kernel.errors import Unavailable
from trivet.kernel.extras import extra

with extra("demo", "The demo"):
    import psutil

_START_SECONDS = 45
_STOP_SECONDS = 20
_SAMPLE_SECONDS = 0.5


class DidNotStart(Unavailable):
    """`trivet up` ended, or did not become ready in time."""

    def __init__(self, log: str, tail: str) -> None:
        super().__init__(log, tail)
        self.log = log
        self.tail = tail

    def __str__(self) -> str:
        return f"'trivet up' did not become ready; the end of {self.log} says: {self.tail}"


class Everyday:
    """The processes of `trivet up` on one home."""

    def __init__(self, process: subprocess.Popen[bytes], home: Path) -> None:
        self._process = process
        self._home = home

    @classmethod
    def start(cls, home: Path, port: int, gateway_port: int, sleep: Sleep = sleep) -> Self:
        """Start `trivet up` and return when server and gateway answer."""
        home.mkdir(parents=True, exist_ok=True)
        ready = home / "run" / "up.json"
        ready.unlink(missing_ok=True)
        log = home / "up.log"
        ports = ["--port", str(port), "--gateway-port", str(gateway_port)]
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "trivet.cli.main", "--home", str(home), "up", *ports],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        everyday = cls(process, home)
        watch = stopwatch
        deadline = watch() + _START_SECONDS
        while not everyday._is_ready(ready):
            if process.poll() is not None or watch() > deadline:
                everyday.stop()
                raise DidNotStart(str(log), log.read_text(errors="replace")[-600:])
            sleep(0.05)
        return everyday

    @staticmethod
    def _is_ready(ready: Path) -> bool:
        try:
            return bool(json.loads(ready.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False

    def stop(self) -> None:
        """End all of them cleanly."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def get_status(url: str) -> int:
    """Return the status of a GET on loopback."""
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback
        return int(response.status)


class MemoryWatch:
    """The greatest sum of resident memory of this process and all it started."""

    def __init__(self, watch: Stopwatch = stopwatch) -> None:
        self.peak_bytes = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._watch = watch

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Sample twice a second while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._thread.join()

    def _sample(self) -> None:
        me = psutil.Process()
        while not self._stopped.wait(_SAMPLE_SECONDS):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue  # It ended between the listing and the look.
            self.peak_bytes = max(self.peak_bytes, total)
