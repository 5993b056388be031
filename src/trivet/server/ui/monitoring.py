"""Pages of monitoring: how well a deployment does, where it does worst, and what explains it."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.control import Repair
from trivet.monitoring import Alert, Drift, References, RuleState, drifts
from trivet.server.ui.deployments import Summary, summarise
from trivet.server.ui.page import Page
from trivet.server.ui.slices import RECENT, SliceRow, read_slices
from trivet.server.ui.trends import Trend, read_trend
from trivet.serving import find_revision


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringPage:
    """All deployments in short, with what each rule says."""

    deployments: tuple[tuple[Summary, tuple[RuleState, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """How one deployment does."""

    summary: Summary
    rules: tuple[RuleState, ...]
    trend: Trend
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
    repairs = tuple(app.repairs.list_repairs(name, limit=10))
    return WatchPage(
        summary=summary,
        rules=tuple(app.alerts.list_states(name)),
        trend=read_trend(app, name, repairs),
        slices=read_slices(app, name, summary.latest),
        drift=_drift(app, summary),
        alerts=tuple(app.alerts.list_alerts(deployment=name, limit=10)),
        repairs=repairs,
    )


def _drift(app: App, summary: Summary) -> tuple[Drift, ...]:
    if summary.table is None or summary.latest is None:
        return ()
    revision = find_revision(summary.table, summary.table.stable)
    reference = None if revision is None else References(app.blobs).find(revision)
    if revision is None or reference is None:
        return ()
    counts = app.windows.feature_counts(
        summary.deployment.name, revision.number, since=summary.latest - RECENT
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
