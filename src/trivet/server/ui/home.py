"""The first page: the three questions, what is released, what happened."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Fact
from trivet.server.ui.deployments import Summary, summarise
from trivet.server.ui.page import Page

_NOISE = ("weights.verified", "run.started")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """The platform at this moment."""

    deployments: tuple[Summary, ...]
    happened: tuple[Fact, ...]


def load_home(app: App, _request: Request) -> HomePage:
    """Read what is served and what happened last."""
    facts = app.ledger.list_facts(limit=80, newest_first=True)
    return HomePage(
        deployments=tuple(
            summarise(app, deployment) for deployment in app.deployments.list_deployments()
        ),
        happened=tuple(fact for fact in facts if fact.kind not in _NOISE)[:14],
    )


PAGES = (Page(address="/", template="home.html", room="home", load=load_home),)
