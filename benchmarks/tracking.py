"""What it costs to log one metric, and to keep what was logged."""

import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, not_measured, timed
from trivet.app import App
from trivet.current import open_workspace
from trivet.settings import Settings
from trivet.tracking import capture, start_run

_CALLS = 20_000


def measure() -> list[Figure]:
    """Time a call at the caller, and the way of all calls to the database."""
    figures = []
    with tempfile.TemporaryDirectory() as folder, App.open(Settings(home=Path(folder))) as app:
        workspace = open_workspace(app)

        def captured() -> object:
            return capture(app.blobs, folder=Path(folder))

        figures.append(timed("capture code and environment", captured, target="<= 50 ms"))
        calls, delivery = [], []
        for _ in range(5):
            with start_run(app.runs, app.blobs, "bench", spill=workspace.spill) as run:
                start = time.perf_counter()
                for number in range(_CALLS):
                    run.log_metric("loss", number)
                calls.append((time.perf_counter() - start) / _CALLS * 1e6)
                run.log.flush()
                delivery.append(_CALLS / (time.perf_counter() - start))
    for work, values, unit, target in (
        ("log_metric at the caller", calls, "us", "<= 5 us"),
        ("metrics logged and in SQLite", delivery, "1/s", ""),
    ):
        middle = sorted(values)[len(values) // 2]
        figures.append(Figure(work, middle, unit, min(values), max(values), target))
    figures.append(
        not_measured("log_metric over HTTP", "this version has no HTTP API for tracking")
    )
    return figures
