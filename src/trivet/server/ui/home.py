"""The first page: the three questions, what is released, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Fact
from trivet.rollout import Deployment
from trivet.rollout.analysis import Counts
from trivet.scorecard import Answers, answers
from trivet.server.ui.charts import Chart
from trivet.server.ui.deployments import (
    ReleaseStep,
    Summary,
    progress_of,
    release_steps,
    summarise,
)
from trivet.server.ui.page import Page
from trivet.server.ui.slices import SliceRow, read_slices
from trivet.server.ui.trends import Finding, read_trend

_NOISE = (
    "alert.acted_on",
    "gate.judged",
    "revision.created",
    "routing.swapped",
    "run.finished",
    "run.linked",
    "run.started",
    "step.stored",
    "weights.verified",
)
"""Facts of the machinery, which the ledger's page shows; they say nothing by themselves."""


_ROUTINE = ("contract.judged", "rule.judged", "analysis.judged")
_FINE = ("passed", "learning", "no_data")
_SLICES = 9
_HAPPENED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A deployment with what there is to decide about it.

    Attributes:
        steps: Of its newest release, each with the evidence it rests on.
        accuracy: By week, with releases and alerts marked.
        slices: All requests, then the slices that do worst.
    """

    summary: Summary
    steps: tuple[ReleaseStep, ...]
    progress: Counts | None
    accuracy: Chart
    finding: Finding
    slices: tuple[SliceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """The platform at this moment.

    Attributes:
        answers: The three questions; the ledger is not recomputed for them, since this page is
            read every few seconds.
    """

    answers: Answers
    on_call: str
    deployments: tuple[Served, ...]
    happened: tuple[Fact, ...]


def load_home(app: App, _request: Request) -> HomePage:
    """Read what is served and what happened last."""
    facts = app.ledger.list_facts(limit=400, newest_first=True)
    return HomePage(
        answers=answers(app, on_call=app.settings.on_call, verify=False),
        on_call=app.settings.on_call,
        deployments=tuple(
            _serve(app, deployment) for deployment in app.deployments.list_deployments()
        ),
        happened=_tell(facts),
    )


def _serve(app: App, deployment: Deployment) -> Served:
    summary = summarise(app, deployment)
    repairs = app.repairs.list_repairs(deployment.name, limit=10)
    trend = read_trend(app, deployment.name, repairs)
    return Served(
        summary=summary,
        steps=release_steps(app, summary.rollout),
        progress=progress_of(summary.rollout),
        accuracy=trend.accuracy,
        finding=trend.finding,
        slices=read_slices(app, deployment.name, summary.latest, _SLICES),
    )


def _tell(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return the newest facts that say something.

    Of the machinery, of judgements that all is well, and of a dataset's commits but the newest
    the ledger's page tells.
    """
    told: list[Fact] = []
    committed: set[str] = set()
    for fact in facts:
        if fact.kind in _NOISE:
            continue
        if fact.kind in _ROUTINE and fact.payload.get("verdict") in _FINE:
            continue
        if fact.kind == "dataset.committed":
            name = fact.subject.partition("@")[0]
            if name in committed:
                continue
            committed.add(name)
        told.append(fact)
    return tuple(told[:_HAPPENED])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersPage:
    """The three questions with all that answers them; the ledger is recomputed for it."""

    answers: Answers
    on_call: str


def load_answers(app: App, _request: Request) -> AnswersPage:
    """Read the answers."""
    return AnswersPage(
        answers=answers(app, on_call=app.settings.on_call), on_call=app.settings.on_call
    )


PAGES = (
    Page(address="/", template="home.html", room="home", load=load_home),
    Page(address="/answers", template="answers.html", room="home", load=load_answers),
)
