"""The first page: the three questions, what is released, what happened."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Fact
from trivet.scorecard import Answers, answers
from trivet.server.ui.deployments import Summary, summarise
from trivet.server.ui.page import Page

_NOISE = (
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """The platform at this moment.

    Attributes:
        answers: The three questions; the ledger is not recomputed for them, since this page is
            read every few seconds.
    """

    answers: Answers
    on_call: str
    deployments: tuple[Summary, ...]
    happened: tuple[Fact, ...]


def load_home(app: App, _request: Request) -> HomePage:
    """Read what is served and what happened last."""
    facts = app.ledger.list_facts(limit=200, newest_first=True)
    return HomePage(
        answers=answers(app, on_call=app.settings.on_call, verify=False),
        on_call=app.settings.on_call,
        deployments=tuple(
            summarise(app, deployment) for deployment in app.deployments.list_deployments()
        ),
        happened=tuple(fact for fact in facts if fact.kind not in _NOISE)[:14],
    )


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
