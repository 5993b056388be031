"""How well a deployment did, week by week, with what happened to it marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trivet.app import App
from trivet.control import Repair, RepairPhase
from trivet.monitoring import Point, Window, series, total
from trivet.rollout import Phase
from trivet.server.ui.charts import Axis, Chart, Dot, Mark, Series, line
from trivet.serving import Role

_WORSE = 0.03
_DAYS_DRAWN = 45
_BEFORE_REPAIR = timedelta(days=28)
_STOPPED = (Phase.ABORTING, Phase.ROLLED_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The finding of the accuracy chart.

    Attributes:
        kind: `repaired` after a repair, else `fell`, `rose`, `held`, or `none` without outcomes.
        accuracy: Of the newest week; after a repair, of all the time since.
        before: After a repair, the accuracy of the four weeks before it.
        at: After a repair, since when its model answers.
    """

    kind: str
    points: float = 0.0
    accuracy: float = 0.0
    before: float = 0.0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The weeks of a deployment."""

    accuracy: Chart
    loss: Chart
    requests: Chart
    finding: Finding


def read_trend(app: App, name: str, repairs: Sequence[Repair]) -> Trend:
    """Return the weeks of a deployment."""
    windows = app.windows.query(name, histograms=False)
    weeks = series(windows, "week")
    first = _first_answers(windows)
    marks = _marks(app, name, first, repairs)
    by_day = len(weeks) * 7 <= _DAYS_DRAWN
    bars = series(windows, "day") if by_day else weeks
    return Trend(
        accuracy=_banded("accuracy", weeks, marks, unit="percent"),
        loss=_banded("log_loss", weeks, marks, unit=""),
        requests=Chart(
            axis=Axis.TIME,
            x_name="day" if by_day else "week",
            kind="bar",
            series=(line("requests", [(one.start, float(one.tally.requests)) for one in bars]),),
        ),
        finding=_finding(windows, weeks, _repaired_at(app, first, repairs)),
    )


def _banded(name: str, weeks: Sequence[Point], marks: tuple[Mark, ...], unit: str) -> Chart:
    dots = tuple(
        Dot(
            x=week.start,
            y=getattr(week, name),
            low=getattr(week, f"{name}_low"),
            high=getattr(week, f"{name}_high"),
        )
        for week in weeks
    )
    return Chart(
        axis=Axis.TIME,
        x_name="week",
        unit="percent" if unit == "percent" else "",
        series=(Series(name=name, dots=dots),),
        marks=marks,
    )


def _first_answers(windows: Sequence[Window]) -> dict[int, datetime]:
    """Return when, in event time, each revision gave its first answer."""
    first: dict[int, datetime] = {}
    for window in windows:
        if window.role is Role.PRIMARY and window.tally.requests:
            first[window.revision] = min(first.get(window.revision, window.hour), window.hour)
    return first


def _marks(
    app: App, name: str, first: dict[int, datetime], repairs: Sequence[Repair]
) -> tuple[Mark, ...]:
    models = {
        one.number: one.model.partition(":")[2] for one in app.deployments.list_revisions(name)
    }
    stopped = {
        rollout.candidate
        for rollout in app.rollouts.list_rollouts(name)
        if rollout.phase in _STOPPED
    }
    marks = [
        Mark(x=hour, text=f"✕ #{number}", tone="bad")
        if number in stopped
        else Mark(x=hour, text=f"#{number} · {models.get(number, '?')}", tone="live")
        for number, hour in first.items()
        if number != min(first)
    ]
    marks += [Mark(x=repair.event_at, text="alert", tone="bad") for repair in repairs]
    return tuple(sorted(marks, key=lambda mark: (str(mark.x), mark.text)))


def _repaired_at(
    app: App, first: dict[int, datetime], repairs: Sequence[Repair]
) -> datetime | None:
    for repair in repairs:
        if repair.phase is RepairPhase.DONE and repair.rollout is not None:
            return first.get(app.rollouts.get(repair.rollout).candidate)
    return None


def _finding(
    windows: Sequence[Window], weeks: Sequence[Point], repaired_at: datetime | None
) -> Finding:
    if repaired_at is not None:
        after = total(w for w in windows if w.hour >= repaired_at).accuracy
        start = repaired_at - _BEFORE_REPAIR
        before = total(w for w in windows if start <= w.hour < repaired_at).accuracy
        if after is not None and before is not None:
            return Finding(kind="repaired", accuracy=after, before=before, at=repaired_at)
    known = [week.accuracy for week in weeks if week.accuracy is not None]
    if len(known) < 2:
        return Finding(kind="none", accuracy=known[0] if known else 0.0)
    change = known[-1] - max(known[:-1])
    kind = "fell" if change < -_WORSE else "rose" if change > 0 else "held"
    return Finding(kind=kind, points=abs(change) * 100, accuracy=known[-1])
