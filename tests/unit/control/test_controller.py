import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from trivet.control import Controller, Part
from trivet.ledger import Lease, LeaseLost
from trivet.rollout import CONTROLLER_LEASE
from trivet.testing.homes import Home


def controller(home: Home, parts: list[Part], holder: str) -> Controller:
    return Controller(
        parts,
        leases=home.leases,
        ledger=home.ledger,
        holder=holder,
        stopwatch=lambda: home.clock().timestamp(),
    )


def test_one_controller_acts_at_a_time_and_another_takes_over(home: Home) -> None:
    acted: list[str] = []
    first = controller(home, [Part("act", lambda lease: acted.append(lease.holder))], "first")
    second = controller(home, [Part("act", lambda lease: acted.append(lease.holder))], "second")

    assert first.tick().lease is not None
    assert second.tick().lease is None
    home.clock.now += timedelta(seconds=6)
    taken = second.tick().lease
    assert first.tick().lease is None

    assert acted == ["first", "second"]
    assert taken is not None
    assert taken.fence == 2


def test_a_controller_that_lost_its_lease_stops_in_the_middle_of_its_turn(home: Home) -> None:
    acted: list[str] = []
    leases = home.leases

    def be_overtaken(lease: Lease) -> None:
        home.clock.now += timedelta(seconds=6)
        assert leases.acquire(CONTROLLER_LEASE, "second", timedelta(seconds=5)) is not None

    def write(lease: Lease) -> None:
        with home.database.write() as connection:
            leases.require(connection, CONTROLLER_LEASE, lease.fence)
            acted.append("wrote")

    parts = [
        Part("overtaken", be_overtaken),
        Part("write", write),
        Part("never", lambda lease: acted.append("never")),
    ]

    turn = controller(home, parts, "first").tick()

    assert turn.lease is None
    assert turn.ran == ("overtaken",)
    assert acted == []


def test_a_part_that_fails_is_recorded_once_and_the_others_go_on(home: Home) -> None:
    acted: list[int] = []

    def fail(lease: Lease) -> None:
        raise RuntimeError("out of order")

    loop = controller(home, [Part("bad", fail), Part("good", lambda _: acted.append(1))], "first")

    turns = [loop.tick() for _ in range(3)]

    assert [turn.failed for turn in turns] == [{"bad": "RuntimeError: out of order"}] * 3
    assert len(acted) == 3
    [fact] = home.ledger.list_facts(kind="controller.part_failed")
    assert fact.payload == {"part": "bad", "error": "RuntimeError: out of order"}


def test_a_part_waits_its_time(home: Home) -> None:
    acted: list[str] = []
    loop = controller(home, [Part("slow", lambda _: acted.append("slow"), 3.0)], "first")

    for _ in range(4):
        loop.tick()
        home.clock.now += timedelta(seconds=1)

    assert acted == ["slow", "slow"]


def test_a_controller_that_stops_gives_its_lease_back(home: Home) -> None:
    turns: list[int] = []
    loop = controller(home, [Part("act", lambda _: turns.append(1))], "first")

    loop.run(lambda: len(turns) >= 2, lambda _: None, pause_seconds=0.2)

    second = controller(home, [], "second").tick().lease
    assert second is not None
    assert second.holder == "second"


_CONTROLLER = """
import sys
from datetime import timedelta
from trivet.control import Controller, Part
from trivet.kernel.clock import sleep, stopwatch
from trivet.ledger import Recorder, SqlLeases, SqlLedger
from trivet.storage.sql import Database

database = Database(sys.argv[1])
ledger = SqlLedger(database, Recorder("control"))

def act(lease):
    print(lease.fence, flush=True)

loop = Controller([Part("act", act)], leases=SqlLeases(database), ledger=ledger,
                  holder=sys.argv[2], stopwatch=stopwatch, ttl=timedelta(seconds=0.5))
loop.run(lambda: False, sleep, pause_seconds=0.05)
"""


def test_when_a_controller_is_killed_another_process_takes_over_with_a_higher_fence(
    home: Home, tmp_path: Path
) -> None:
    def start(holder: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", _CONTROLLER, f"sqlite:///{tmp_path}/trivet.db", holder],
            stdout=subprocess.PIPE,
            text=True,
        )

    with start("first") as first:
        assert first.stdout is not None
        fence = int(first.stdout.readline())
        with start("second") as second:
            assert second.stdout is not None
            os.kill(first.pid, signal.SIGKILL)
            taken = int(second.stdout.readline())
            second.kill()

    assert taken > fence
    with pytest.raises(LeaseLost), home.database.write() as connection:
        home.leases.require(connection, CONTROLLER_LEASE, fence)
