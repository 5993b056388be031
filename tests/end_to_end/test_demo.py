"""The demo is a test too: it ends with 0 only if every claim that it makes was checked."""

import subprocess
from pathlib import Path

import psutil
import pytest

from trivet.testing.processes import command


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_fast_demo_checks_every_claim_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        command(home, "demo", "flights", "--fast"),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    verified = subprocess.run(command(home, "ledger", "verify"), check=False)
    assert verified.returncode == 0
    left = [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(home) in (process.info["cmdline"] or [])
    ]
    assert left == []
