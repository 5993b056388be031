"""`trivet controller` as a process: ready, killed, followed, stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from trivet.rollout import deploy
from trivet.serving import Role
from trivet.testing.homes import Home


def start(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "trivet.cli.main", "--home", str(folder), "controller"],
        stderr=subprocess.DEVNULL,
    )


def wait_for(happened: object, seconds: float = 30.0) -> None:
    """Wait for another process."""
    assert callable(happened)
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_a_controller_folds_is_killed_is_followed_and_stops_cleanly(home: Home) -> None:
    home.register(1)
    deploy(home, "delay", "model:delay@1", strategy="direct")
    home.ask(50)
    ready = home.folder / "run" / "controller.json"

    def counted() -> int:
        tally = home.windows.tallies("delay").get((1, Role.PRIMARY))
        return tally.requests if tally else 0

    with start(home.folder) as first:
        wait_for(lambda: counted() == 50)
        assert json.loads(ready.read_text())["pid"] == first.pid
        os.kill(first.pid, signal.SIGKILL)
    home.ask(50)
    with start(home.folder) as second:
        wait_for(lambda: counted() == 100)
        wait_for(lambda: json.loads(ready.read_text())["pid"] == second.pid)
        second.terminate()
        assert second.wait(20) == 0

    assert not ready.exists()
    assert home.ledger.verify().is_intact
