"""`trivet controller`."""

import json
import logging
import os
import signal
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from trivet.app import App
from trivet.cli.context import read_settings
from trivet.control import open_controller
from trivet.kernel.ids import new_id


@click.command()
@click.option("--pause", default=0.1, show_default=True, help="Seconds to wait between two looks.")
def controller(pause: float) -> None:
    """Carry rollouts on, watch deployments, raise alerts and repair models.

    Several may run; one acts at a time, and another takes over within seconds if it dies.

    \b
    Example:
      trivet controller
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = replace(read_settings(), actor="control")
    holder = f"{socket.gethostname()}-{os.getpid()}-{new_id()[-6:]}"
    with App.open(settings) as app:
        reconciler = open_controller(
            app, home=settings.home, journal=settings.journal, holder=holder
        )
        ready = settings.processes / "controller.json"
        _write_ready(ready, holder)
        try:
            reconciler.run(stop.is_set, lambda seconds: _wait(stop, seconds), pause_seconds=pause)
        finally:
            _remove_own(ready, holder)


def _wait(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


def _write_ready(path: Path, holder: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps({"pid": os.getpid(), "holder": holder}), encoding="utf-8")
    half.replace(path)


def _remove_own(path: Path, holder: str) -> None:
    # Another controller may have started meanwhile and written its own.
    with suppress(FileNotFoundError, ValueError):
        if json.loads(path.read_text(encoding="utf-8")).get("holder") == holder:
            path.unlink()
