"""`trivet up` as a user has it: three processes on one home, kept running."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.slow

NAMES = ("server", "controller", "gateway")
PATIENCE_SECONDS = 45


def start(home: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Start `trivet up`; what it says goes to a file, since its children write there as well."""
    command = [sys.executable, "-m", "trivet.cli.main", "up", "--home", str(home)]
    ports = ["--port", "0", "--gateway-port", "0"]
    with said_by(home).open("ab") as log:
        return subprocess.Popen([*command, *(options or ports)], stderr=log)


def said_by(home: Path) -> Path:
    return home.with_suffix(".log")


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def read_up(home: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((home / "run" / "up.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def health(url: str) -> int:
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - loopback
        return int(answer.status)


def is_alive(pid: int) -> bool:
    """Return whether the process runs; one that ended and nobody has reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def everyday(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = start(home)
    wait_until(lambda: bool(read_up(home)), process)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


def test_all_three_answer_come_back_after_a_kill_and_stop_together(
    everyday: "subprocess.Popen[bytes]", home: Path
) -> None:
    first = read_up(home)
    assert [health(first[name]["url"]) for name in ("server", "gateway")] == [200, 200]

    for name in NAMES:
        os.kill(first[name]["pid"], signal.SIGKILL)
    wait_until(lambda: all(read_up(home)[n]["pid"] != first[n]["pid"] for n in NAMES), everyday)
    again = read_up(home)
    assert [again[n]["port"] for n in NAMES] == [first[n]["port"] for n in NAMES]
    assert [health(again[name]["url"]) for name in ("server", "gateway")] == [200, 200]

    second = start(home)
    assert second.wait(PATIENCE_SECONDS) == 1
    assert f"process {everyday.pid}" in said_by(home).read_text()

    everyday.send_signal(signal.SIGTERM)
    assert everyday.wait(PATIENCE_SECONDS) == 0
    assert "The gateway died (SIGKILL)" in said_by(home).read_text()
    assert not any(is_alive(again[name]["pid"]) for name in NAMES)
    assert not (home / "run" / "up.json").exists()


def test_what_a_killed_supervisor_left_is_ended_by_the_next(
    everyday: "subprocess.Popen[bytes]", home: Path
) -> None:
    left = read_up(home)
    everyday.kill()
    everyday.wait()
    assert all(is_alive(left[name]["pid"]) for name in NAMES)

    ports = ["--port", str(left["server"]["port"])]
    ports += ["--gateway-port", str(left["gateway"]["port"])]
    next_one = start(home, *ports)
    try:
        wait_until(lambda: read_up(home).get("pid") == next_one.pid, next_one)
        assert not any(is_alive(left[name]["pid"]) for name in NAMES)
    finally:
        next_one.send_signal(signal.SIGTERM)
    assert next_one.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("command", ["server", "up"])
def test_an_address_that_others_reach_is_refused(home: Path, command: str) -> None:
    base = [sys.executable, "-m", "trivet.cli.main", "--home", str(home), command]
    refused = subprocess.run([*base, "--host", "0.0.0.0"], capture_output=True, text=True)  # noqa: S104
    assert refused.returncode == 1
    assert "no tokens" in refused.stderr
    assert not home.exists()
