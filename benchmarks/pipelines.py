"""What the orchestration of a pipeline costs, as a user of `trivet run` has it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure

_NO_OPS = """
import os
import time
from trivet import pipeline, step

@step
def plus(number: int, position: int) -> int:
    with open("times", "a") as file:
        file.write(f"{time.time()}\\n")
    if position == int(os.environ.get("STOP_AT", "0")):
        time.sleep(600)
    return number + 1

@pipeline
def twenty():
    number = 0
    for position in range(1, 21):
        number = plus(number, position)
    return number
"""
_TABLES = """
import numpy as np
import pyarrow as pa
from trivet import pipeline, step

@step
def make() -> pa.Table:
    return pa.table({f"c{n}": np.full(1_250_000, n, dtype=np.float64) for n in range(10)})

@step
def hand(table: pa.Table) -> pa.Table:
    return table

@pipeline
def tables():
    return hand(hand(hand(make())))
"""


def measure() -> list[Figure]:
    """Run twenty no-op steps fresh and cached, kill and resume them, and hand on a table."""
    rounds = [_round() for _ in range(3)]
    targets = {
        "first step after start": ("ms", "<= 500 ms"),
        "one more step": ("ms", "<= 10 ms"),
        "20 steps, fresh": ("ms", ""),
        "20 steps, cached": ("ms", "<= 400 ms"),
        "files a step": ("files", "<= 5"),
        "resume after kill -9 in step 15": ("ms", ""),
        "table of 100 MB through 4 steps": ("ms", "<= 2000 ms"),
        "bytes kept of it": ("MB", "one copy"),
    }
    figures = []
    for name, (unit, target) in targets.items():
        values = sorted(one[name] for one in rounds)
        figures.append(Figure(name, values[1], unit, values[0], values[-1], target))
    return figures


def _round() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "no_ops.py").write_text(_NO_OPS)
        (folder / "tables.py").write_text(_TABLES)
        _run(folder, "runs", "list")
        before = _files(folder)
        start = time.time()
        fresh = _run(folder, "run", "no_ops.py")
        stamps = [float(line) for line in (folder / "times").read_text().split()]
        found = {
            "first step after start": (stamps[0] - start) * 1e3,
            "one more step": (stamps[-1] - stamps[0]) / (len(stamps) - 1) * 1e3,
            "20 steps, fresh": fresh,
            "files a step": (_files(folder) - before) / 20,
            "20 steps, cached": _run(folder, "run", "no_ops.py"),
        }
        shutil.rmtree(folder / "home")
        _run(folder, "runs", "list")
        _kill_in_step_15(folder)
        found["resume after kill -9 in step 15"] = _run(folder, "run", "no_ops.py")
        found["table of 100 MB through 4 steps"] = _run(folder, "run", "tables.py")
        blobs = (path.stat().st_size for path in (folder / "home/blobs").rglob("*"))
        found["bytes kept of it"] = sum(size for size in blobs if size > 1 << 20) / 1e6
        return found


def _kill_in_step_15(folder: Path) -> None:
    (folder / "times").unlink()
    process = subprocess.Popen(
        _command(folder, "run", "no_ops.py"),
        cwd=folder,
        env={**os.environ, "STOP_AT": "15"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (folder / "times").exists() or (folder / "times").read_text().count("\n") < 15:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _run(folder: Path, *arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run(_command(folder, *arguments), cwd=folder, check=True, capture_output=True)
    return (time.perf_counter() - start) * 1e3


def _command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "trivet.cli.main", "--home", str(folder / "home"), *arguments]


def _files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "home").rglob("*"))
