"""Windows by day or week, with shares and their intervals. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from trivet.monitoring.intervals import normal, wilson
from trivet.monitoring.records import Point, Tally, Window

Period = Literal["hour", "day", "week"]


def series(windows: Iterable[Window], by: Period = "week") -> list[Point]:
    """Return a point for each period in which something was asked, oldest first.

    Weeks begin on Monday, in UTC. Revisions and roles among `windows` are added together.
    """
    sums: dict[datetime, Tally] = {}
    for window in windows:
        start = period_start(window.hour, by)
        sums[start] = sums.get(start, Tally()) + window.tally
    return [to_point(start, sums[start]) for start in sorted(sums)]


def period_start(instant: datetime, by: Period) -> datetime:
    """Return when the period began that `instant` lies in."""
    hour = instant.replace(minute=0, second=0, microsecond=0)
    if by == "hour":
        return hour
    midnight = hour.replace(hour=0)
    return midnight if by == "day" else midnight - timedelta(days=midnight.weekday())


def to_point(start: datetime, tally: Tally) -> Point:
    """Return the point of one period."""
    accuracy = wilson(tally.correct, tally.labelled)
    loss = normal(tally.loss, tally.loss_squared, tally.labelled)
    return Point(
        start=start,
        tally=tally,
        accuracy=tally.accuracy,
        accuracy_low=accuracy[0] if accuracy else None,
        accuracy_high=accuracy[1] if accuracy else None,
        log_loss=tally.log_loss,
        log_loss_low=loss[0] if loss else None,
        log_loss_high=loss[1] if loss else None,
        error_rate=tally.error_rate,
    )


def total(windows: Iterable[Window]) -> Tally:
    """Return the tally of all windows together."""
    return sum((window.tally for window in windows), start=Tally())
