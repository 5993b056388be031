"""The whole demo again, while its processes are killed at random: every mechanism still works."""

import random
import re
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from trivet.testing.processes import command

VICTIMS = ("server", "controller", "gateway")
KILLS_EACH = 4
FIGURES = ("With and without repair", "The whole of it")
"""Chapters that say how good or how fast it was, which the kills may well change."""


def kill_below(process: psutil.Process, victim: str) -> None:
    for child in process.children(recursive=True):
        try:
            if victim in child.cmdline():
                child.kill()
                return
        except psutil.NoSuchProcess:
            continue


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_outlives_the_death_of_every_process_of_its(tmp_path: Path) -> None:
    rng, home = random.Random(1), tmp_path / "home"
    victims = list(VICTIMS * KILLS_EACH)
    rng.shuffle(victims)
    said = tmp_path / "said"
    with said.open("wb") as output:
        demo = subprocess.Popen(
            command(home, "demo", "flights", "--fast"), stdout=output, stderr=output
        )
        try:
            began = time.monotonic()
            while demo.poll() is None and not (home / "run" / "up.json").exists():
                assert time.monotonic() - began < 60
                time.sleep(0.05)
            pause = rng.uniform(2, 6)
            due = time.monotonic() + pause
            while demo.poll() is None:
                assert time.monotonic() - began < 280, said.read_text()
                time.sleep(0.05)
                if victims and time.monotonic() > due:
                    kill_below(psutil.Process(demo.pid), victims.pop())
                    due = time.monotonic() + rng.uniform(2, 6)
        finally:
            if demo.poll() is None:
                for child in psutil.Process(demo.pid).children(recursive=True):
                    child.kill()
                demo.kill()
                demo.wait()
    text = said.read_text(errors="replace")
    assert "Traceback" not in text
    broken = re.findall(r"^did not hold: (.*)$", text, re.MULTILINE)
    assert [claim for claim in broken if not claim.startswith(FIGURES)] == []
    assert demo.returncode == (1 if broken else 0), text
    assert len(victims) < len(VICTIMS)
    assert subprocess.run(command(home, "ledger", "verify"), check=False).returncode == 0
