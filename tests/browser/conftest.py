"""A seeded home, a real server process on it, and Debian's Chromium."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from seed import Site, seed_home

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_START_SECONDS = 30


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("home")
    settings = seed_home(home, datetime.now(UTC))
    command = [sys.executable, "-m", "trivet.cli.main", "--home", str(home), "server"]
    environment = {**os.environ, "TRIVET_ON_CALL": settings.on_call}
    process = subprocess.Popen([*command, "--port", "0"], env=environment)
    try:
        yield Site(_await_ready(home / "run" / "server.json", process), settings)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _await_ready(ready: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():
        assert process.poll() is None, "the server ended before it was ready"
        assert time.monotonic() < deadline, "the server was not ready in time"
        time.sleep(0.02)
    return str(json.loads(ready.read_text())["url"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        reason = f"{CHROMIUM} is not installed"
        if os.environ.get("TRIVET_TESTS_MUST_NOT_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page on the site that fails its test if the console shows an error."""
    context = browser.new_context(
        base_url=site.url, viewport={"width": 1400, "height": 900}, locale="en"
    )
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []
