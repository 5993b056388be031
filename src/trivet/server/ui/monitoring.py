"""Pages of monitoring: how well a deployment does, where it does worst, and what explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from trivet.app import App
from trivet.control import Repair
from trivet.monitoring import (
    Alert,
    Drift,
    Point,
    References,
    RuleState,
    Window,
    drifts,
    series,
    total,
)
from trivet.monitoring.series import to_point
from trivet.server.ui.charts import Axis, Chart, Dot, Mark, Series, line
from trivet.server.ui.deployments import Summary, summarise
from trivet.server.ui.latency import latency_percentile
from trivet.server.ui.page import Page
from trivet.serving import Role, find_revision

_RECENT = timedelta(days=7)
_BEFORE = timedelta(days=28)
_FEW_LABELS = 30
_WORSE = 0.03
_SLICES = 40
_DAYS_DRAWN = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringPage:
    """All deployments in short, with what each rule says."""

    deployments: tuple[tuple[Summary, tuple[RuleState, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRow:
    """How one slice did in the newest seven days, and in the four weeks before.

    Attributes:
        tone: `bad` where its accuracy is lower than before by more than chance, `warn` where it
            is lower by three points, `good` otherwise, "" where too few outcomes are known.
    """

    slice: str
    requests: int
    labelled: int
    error_rate: float | None
    p99_ms: float | None
    accuracy: float | None
    low: float | None
    high: float | None
    before: float | None
    log_loss: float | None
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The finding of the accuracy chart: `fell`, `rose`, `held`, or `none` without outcomes."""

    kind: str
    points: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """How one deployment does."""

    summary: Summary
    rules: tuple[RuleState, ...]
    accuracy: Chart
    loss: Chart
    requests: Chart
    finding: Finding
    slices: tuple[SliceRow, ...]
    drift: tuple[Drift, ...]
    alerts: tuple[Alert, ...]
    repairs: tuple[Repair, ...]


def load_monitoring(app: App, _request: Request) -> MonitoringPage:
    """Read every deployment in short."""
    return MonitoringPage(
        deployments=tuple(
            (summarise(app, one), tuple(app.alerts.list_states(one.name)))
            for one in app.deployments.list_deployments()
        )
    )


def load_watch(app: App, request: Request) -> WatchPage:
    """Read one deployment."""
    name = request.path_params["name"]
    summary = summarise(app, app.deployments.get_deployment(name))
    windows = app.windows.query(name)
    weeks, days = series(windows, "week"), series(windows, "day")
    marks = _marks(windows)
    return WatchPage(
        summary=summary,
        rules=tuple(app.alerts.list_states(name)),
        accuracy=_accuracy(weeks, marks),
        loss=_loss(weeks, marks),
        requests=_requests(
            weeks if len(days) > _DAYS_DRAWN else days, by_day=len(days) <= _DAYS_DRAWN
        ),
        finding=_finding(weeks),
        slices=_slices(app, name, summary.latest),
        drift=_drift(app, summary),
        alerts=tuple(app.alerts.list_alerts(deployment=name, limit=10)),
        repairs=tuple(app.repairs.list_repairs(name, limit=10)),
    )


def _accuracy(weeks: Sequence[Point], marks: tuple[Mark, ...]) -> Chart:
    dots = tuple(
        Dot(x=week.start, y=week.accuracy, low=week.accuracy_low, high=week.accuracy_high)
        for week in weeks
    )
    return Chart(
        axis=Axis.TIME,
        x_name="week",
        unit="percent",
        series=(Series(name="accuracy", dots=dots),),
        marks=marks,
    )


def _loss(weeks: Sequence[Point], marks: tuple[Mark, ...]) -> Chart:
    dots = tuple(
        Dot(x=week.start, y=week.log_loss, low=week.log_loss_low, high=week.log_loss_high)
        for week in weeks
    )
    return Chart(
        axis=Axis.TIME,
        x_name="week",
        series=(Series(name="log_loss", dots=dots),),
        marks=marks,
    )


def _requests(points: Sequence[Point], *, by_day: bool) -> Chart:
    return Chart(
        axis=Axis.TIME,
        x_name="day" if by_day else "week",
        kind="bar",
        series=(line("requests", [(one.start, float(one.tally.requests)) for one in points]),),
    )


def _marks(windows: Sequence[Window]) -> tuple[Mark, ...]:
    """Return when, in event time, each revision but the first gave its first answer."""
    first: dict[int, datetime] = {}
    for window in windows:
        if window.role is Role.PRIMARY and window.tally.requests:
            first[window.revision] = min(first.get(window.revision, window.hour), window.hour)
    ordered = sorted(first.items())[1:]
    return tuple(Mark(x=hour, text=f"#{revision}", tone="live") for revision, hour in ordered)


def _finding(weeks: Sequence[Point]) -> Finding:
    known = [week.accuracy for week in weeks if week.accuracy is not None]
    if len(known) < 2:
        return Finding(kind="none", points=0.0, accuracy=known[0] if known else 0.0)
    change = known[-1] - max(known[:-1])
    if change < -_WORSE:
        return Finding(kind="fell", points=-change * 100, accuracy=known[-1])
    kind = "rose" if change > 0 else "held"
    return Finding(kind=kind, points=abs(change) * 100, accuracy=known[-1])


def _slices(app: App, name: str, latest: datetime | None) -> tuple[SliceRow, ...]:
    if latest is None:
        return ()
    edge = latest - _RECENT
    windows = app.windows.query(name, since=edge - _BEFORE, slice=None)
    by_slice: dict[str, tuple[list[Window], list[Window]]] = {}
    for window in windows:
        by_slice.setdefault(window.slice, ([], []))[window.hour >= edge].append(window)
    rows = [_slice(name, old, new) for name, (old, new) in by_slice.items() if new]
    worst_first = sorted(rows, key=lambda row: (row.slice != "", _rank(row), -row.requests))
    return tuple(worst_first[:_SLICES])


def _rank(row: SliceRow) -> int:
    return {"bad": 0, "warn": 1, "good": 2}.get(row.tone, 3)


def _slice(name: str, old: Sequence[Window], new: Sequence[Window]) -> SliceRow:
    recent, before = total(new), total(old)
    point = to_point(new[0].hour, recent)
    return SliceRow(
        slice=name,
        requests=recent.requests,
        labelled=recent.labelled,
        error_rate=recent.error_rate,
        p99_ms=latency_percentile(recent.latency, 0.99),
        accuracy=point.accuracy,
        low=point.accuracy_low,
        high=point.accuracy_high,
        before=before.accuracy,
        log_loss=recent.log_loss,
        tone=_slice_tone(point, before.accuracy, recent.labelled),
    )


def _slice_tone(point: Point, before: float | None, labelled: int) -> str:
    if point.accuracy is None or labelled < _FEW_LABELS:
        return ""
    if before is None:
        return "good"
    if point.accuracy_high is not None and point.accuracy_high < before:
        return "bad"
    return "warn" if point.accuracy < before - _WORSE else "good"


def _drift(app: App, summary: Summary) -> tuple[Drift, ...]:
    if summary.table is None or summary.latest is None:
        return ()
    revision = find_revision(summary.table, summary.table.stable)
    reference = None if revision is None else References(app.blobs).find(revision)
    if revision is None or reference is None:
        return ()
    counts = app.windows.feature_counts(
        summary.deployment.name, revision.number, since=summary.latest - _RECENT
    )
    return tuple(drifts(reference, counts))


PAGES = (
    Page(
        address="/monitoring",
        template="monitoring/list.html",
        room="monitoring",
        load=load_monitoring,
    ),
    Page(
        address="/monitoring/{name:path}",
        template="monitoring/show.html",
        room="monitoring",
        load=load_watch,
    ),
)
