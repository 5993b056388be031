"""From the command that rolls back to the last gateway's word that it serves the revision before.

The gateway is the real process, under load from one client; the command is the real command.
"""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure
from trivet.rollout import deploy
from trivet.testing.processes import Caller, command, make_served_home, open_app

_REPEATS = 5
_ROW = {"shop": "a", "x": 0.5, "event_at": "2026-01-02T00:00:00Z"}


def measure() -> list[Figure]:
    """Release version 2 and roll it back, several times, with requests under way."""
    whole, swapped, last_bad = [], [], []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_served_home(home)
        with _gateway(home) as caller, open_app(home) as app:
            for _ in range(_REPEATS):
                deploy(app, "churn", "model:churn@2")
                _await_model(caller, "model:churn@2")
                with _asking(caller) as answers:
                    began = time.perf_counter()
                    done = subprocess.run(
                        command(home, "rollback", "churn", "--reason", "a benchmark", "--json"),
                        check=True,
                        capture_output=True,
                    )
                    whole.append((time.perf_counter() - began) * 1e3)
                swapped.append(json.loads(done.stdout)["seconds"] * 1e3)
                bad = [at for at, model in answers if model == "model:churn@2"]
                last_bad.append((max(bad) - began) * 1e3 if bad else 0.0)
    return [
        _figure("from the swap to the last gateway's confirmation", swapped),
        _figure("from the command's start to the last answer of the bad revision", last_bad),
        _figure("the whole command, start of Python and confirmation included", whole),
    ]


def _figure(work: str, values: list[float], target: str = "") -> Figure:
    middle = sorted(values)[len(values) // 2]
    return Figure(work, middle, "ms", min(values), max(values), target)


@contextmanager
def _gateway(home: Path) -> Iterator[Caller]:
    with subprocess.Popen(command(home, "gateway", "--port", "0")) as process:
        ready = home / "run" / "gateway-main.json"
        try:
            while not ready.exists():
                assert process.poll() is None, "the gateway ended"
                time.sleep(0.02)
            address = json.loads(ready.read_text(encoding="utf-8"))["url"]
            yield Caller(address.removeprefix("http://"))
        finally:
            process.terminate()


def _await_model(caller: Caller, model: str) -> None:
    deadline = time.perf_counter() + 30
    while _ask(caller) != model:
        assert time.perf_counter() < deadline, f"{model} does not answer"
        time.sleep(0.02)


def _ask(caller: Caller) -> str:
    answer = caller.post("/predict/churn", {"rows": [_ROW]})
    return str(answer["predictions"][0]["model"])


@contextmanager
def _asking(caller: Caller) -> Iterator[list[tuple[float, str]]]:
    """Ask about every 2 ms; give the time and the model of each answer."""
    answers: list[tuple[float, str]] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.002):
            model = _ask(caller)
            answers.append((time.perf_counter(), model))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        thread.join()
