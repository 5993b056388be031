"""Pages of alerts: what is wrong, on what evidence, how long there is, and what to do."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Evidence, Fact
from trivet.monitoring import Alert, AlertStatus, AnswerNotFound, Precision
from trivet.server.ui.page import Page
from trivet.serving import find_predictions
from trivet.serving.records import Prediction

_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPage:
    """All alerts, newest first, and how often each rule was right."""

    alerts: tuple[Alert, ...]
    precision: tuple[Precision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClock:
    """One of an alert's two clocks.

    Attributes:
        state: `running`, `passed` if it was met, `failed` if it was not.
    """

    name: str
    due_at: datetime
    met_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A prediction that shows the harm, and what really happened; None while it is not known."""

    prediction: Prediction
    outcome: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """One alert with all that is needed to act."""

    alert: Alert
    is_closed: bool
    evidence: Evidence
    clocks: tuple[AlertClock, ...]
    samples: tuple[Sample, ...]
    facts: tuple[Fact, ...]


def load_alerts(app: App, _request: Request) -> AlertsPage:
    """Read the alerts."""
    return AlertsPage(
        alerts=tuple(app.alerts.list_alerts(limit=200)), precision=tuple(app.alerts.precision())
    )


def load_alert(app: App, request: Request) -> AlertPage:
    """Read one alert."""
    alert = app.alerts.get(request.path_params["id"])
    now = app.recorder.clock()
    return AlertPage(
        alert=alert,
        is_closed=alert.status in (AlertStatus.CONFIRMED, AlertStatus.DISMISSED),
        evidence=app.ledger.get_evidence(alert.evidence),
        clocks=(
            _clock("triage", alert.triage_due_at, alert.triaged_at or alert.closed_at, now),
            _clock("resolve", alert.resolve_due_at, alert.closed_at, now),
        ),
        samples=tuple(
            _sample(app, one)
            for one in find_predictions(app.settings.journal, alert.samples[:_SAMPLES])
        ),
        facts=tuple(app.ledger.list_facts(subject=alert.ref, limit=30, newest_first=True)),
    )


def _sample(app: App, prediction: Prediction) -> Sample:
    try:
        outcome = app.windows.get_answer(prediction.id).outcome
    except AnswerNotFound:
        outcome = None
    return Sample(prediction=prediction, outcome=outcome)


def _clock(name: str, due_at: datetime, met_at: datetime | None, now: datetime) -> AlertClock:
    if met_at is None:
        state = "running" if now <= due_at else "failed"
    else:
        state = "passed" if met_at <= due_at else "failed"
    return AlertClock(name=name, due_at=due_at, met_at=met_at, state=state)


PAGES = (
    Page(address="/alerts", template="alerts/list.html", room="alerts", load=load_alerts),
    Page(address="/alerts/{id}", template="alerts/show.html", room="alerts", load=load_alert),
)
