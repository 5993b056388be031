"""What a benchmark reports."""

import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        work: What was done.
        value: The median of the repeats.
        unit: Its unit.
        low: The least of the repeats.
        high: The greatest of the repeats.
        target: What it was to reach, in words; empty where nothing was asked.
    """

    work: str
    value: float
    unit: str
    low: float
    high: float
    target: str = ""


def timed(
    work: str,
    function: Callable[[], object],
    *,
    repeats: int = 5,
    unit: str = "ms",
    target: str = "",
) -> Figure:
    """Return the wall time of `function` over several repeats, after one that is not counted."""
    function()
    scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append((time.perf_counter() - start) * scale)
    return Figure(work, statistics.median(times), unit, min(times), max(times), target)


def ratio(ours: Figure, peer: Figure) -> Figure:
    """Return how many times the peer's time ours took; both were measured in this run."""
    work = f"ratio: {ours.work} / {peer.work}"
    return Figure(work, ours.value / peer.value, "x", ours.low / peer.high, ours.high / peer.low)


def not_measured(work: str, why: str) -> Figure:
    """Return the row of a figure that cannot be measured yet, which says why."""
    return Figure(work, math.nan, "", math.nan, math.nan, f"not measured: {why}")


def machine() -> str:
    """Return what the figures were measured on."""
    load = os.getloadavg()[0]
    return (
        f"Python {platform.python_version()}, {platform.machine()}, {platform.system()}, "
        f"{os.cpu_count()} cores, load {load:.1f} at the start"
    )
