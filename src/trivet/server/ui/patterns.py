"""Every component once, so that a change of style can be looked at in one place."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Evidence, EvidenceId, Verdict
from trivet.server.ui.charts import Axis, Chart, Dot, Mark, Series
from trivet.server.ui.deployments import Share
from trivet.server.ui.graph import Drawing, Node, draw
from trivet.server.ui.page import Page

_START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternsPage:
    """Made-up facts in every shape that components take."""

    states: tuple[str, ...]
    shares: tuple[Share, ...]
    chart: Chart
    bars: Chart
    empty: Chart
    graph: Drawing
    evidence: Evidence
    counts: tuple[int, ...]


def load_patterns(_app: App, _request: Request) -> PatternsPage:
    """Return the examples; nothing is read."""
    return PatternsPage(
        states=(*map(str, Verdict), "running", "holding", "rolled_back", "verified", "stale"),
        shares=(
            Share(tone="stable", share=0.9, revision=13, model="model:delay@7"),
            Share(tone="candidate", share=0.1, revision=14, model="model:delay@8"),
        ),
        chart=_weeks(),
        bars=Chart(
            axis=Axis.NAME,
            x_name="hour",
            kind="bar",
            series=(
                Series(
                    name="rows",
                    dots=tuple(Dot(x=f"{hour}", y=(hour * 7) % 23) for hour in range(24)),
                ),
            ),
        ),
        empty=Chart(axis=Axis.TIME, x_name="week", series=()),
        graph=_graph(),
        evidence=Evidence(
            id=EvidenceId("0" * 32),
            at=_START,
            actor="control",
            kind="gate",
            subject="model:delay@7",
            verdict=Verdict.PASSED,
            summary="AUC 0.742 is above its floor of 0.700.",
            numbers={"value": 0.742, "bound": 0.7, "rows": 41_200},
        ),
        counts=(3, 8, 21, 34, 30, 18, 9, 5, 2, 1),
    )


def _weeks() -> Chart:
    values = (0.79, 0.785, 0.77, 0.74, 0.72, 0.77, 0.785, 0.79)
    return Chart(
        axis=Axis.TIME,
        x_name="week",
        unit="percent",
        series=(
            Series(
                name="accuracy",
                dots=tuple(
                    Dot(x=_START + timedelta(weeks=week), y=y, low=y - 0.012, high=y + 0.012)
                    for week, y in enumerate(values)
                ),
            ),
            Series(
                name="reference",
                dashed=True,
                dots=tuple(Dot(x=_START + timedelta(weeks=week), y=0.781) for week in range(8)),
            ),
        ),
        marks=(
            Mark(x=_START + timedelta(weeks=4, days=2), text="alert", tone="bad"),
            Mark(x=_START + timedelta(weeks=5), text="#14", tone="good"),
        ),
    )


def _graph() -> Drawing:
    nodes = [
        Node(id="flights", title="flights@4f0c…9b1e", text="dataset", tone="good"),
        Node(id="weather", title="weather@77aa…0c2d", text="dataset", tone="good"),
        Node(id="run", title="train", text="running · 12 s", tone="live", is_centre=True),
        Node(id="model", title="delay@7", text="model", tone="unknown"),
    ]
    links = [("flights", "run", "train"), ("weather", "run", "train"), ("run", "model", "trained")]
    return draw(nodes, links)


PAGES = (Page(address="/ui/patterns", template="patterns.html", room="", load=load_patterns),)
