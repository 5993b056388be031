"""Time, always aware and in UTC. Nothing else in trivet reads the machine's clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current instant, aware and in UTC."""

Sleep = Callable[[float], None]
"""Waits for a number of seconds."""

Stopwatch = Callable[[], float]
"""Returns seconds on a scale that never goes back; only differences mean something."""


def utc_now() -> datetime:
    """Return the current time; the default `Clock`, replaced by a fixed one in tests."""
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    """Wait; the default `Sleep`."""
    time.sleep(seconds)


def stopwatch() -> float:
    """Return monotonic seconds; the default `Stopwatch`."""
    return time.perf_counter()
