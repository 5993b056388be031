"""Pages for any ref: its record, its lineage, what happened to it; and the search."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from trivet.app import App
from trivet.kernel.errors import InvalidInput, NotFound
from trivet.kernel.refs import Ref
from trivet.ledger import Edge, Evidence, Fact
from trivet.lookup import look_up, resolve
from trivet.server.ui.addresses import find_address
from trivet.server.ui.graph import Drawing
from trivet.server.ui.lineage import draw_lineage
from trivet.server.ui.page import Page, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class RefPage:
    """Whatever a ref names.

    Attributes:
        home: The page that is made for things of this kind, if there is one.
        record: The record as JSON, or None where the ref has none of its own.
    """

    ref: str
    home: str | None
    record: Any
    upstream: tuple[Edge, ...]
    downstream: tuple[Edge, ...]
    lineage: Drawing
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineagePage:
    """Where lineage can be looked at from: what was recorded last."""

    recent: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """A judgement."""

    evidence: Evidence


def load_ref(app: App, request: Request) -> RefPage:
    """Read whatever the path names."""
    asked = Ref.parse(request.path_params["ref"])
    ref = str(resolve(app, asked))
    address = find_address(ref)
    return RefPage(
        ref=ref,
        home=None if address is None or address.startswith("/ref/") else address,
        record=_find_record(app, asked),
        upstream=tuple(app.ledger.list_edges(ref, upstream=True, depth=6)),
        downstream=tuple(app.ledger.list_edges(ref, upstream=False, depth=6)),
        lineage=draw_lineage(app, ref),
        facts=tuple(app.ledger.list_facts(subject=ref, limit=50, newest_first=True)),
    )


def _find_record(app: App, ref: Ref) -> Any:
    try:
        return to_json(look_up(app, ref))
    except InvalidInput:
        return None


def load_lineage(app: App, _request: Request) -> LineagePage:
    """Read what was made last."""
    kinds = ("model.registered", "dataset.committed", "deployment.*", "run.*")
    facts = [
        fact
        for kind in kinds
        for fact in app.ledger.list_facts(kind=kind, limit=12, newest_first=True)
    ]
    newest = sorted(facts, key=lambda fact: fact.seq, reverse=True)
    return LineagePage(recent=tuple({fact.subject: fact for fact in newest}.values())[:40])


def load_evidence(app: App, request: Request) -> EvidencePage:
    """Read a judgement."""
    return EvidencePage(evidence=app.ledger.get_evidence(request.path_params["id"]))


def search(app: App, text: str) -> str:
    """Return the address of what `text` means: a ref, or the name of something.

    Raises:
        NotFound: Nothing is called so.
    """
    wanted = text.strip()
    address = find_address(wanted)
    if address is not None:
        return address
    for found in _names(app):
        if found.partition(":")[2].partition("@")[0] == wanted:
            return str(find_address(found))
    raise NothingFound(wanted)


def _names(app: App) -> list[str]:
    return [
        *(f"deployment:{item.name}" for item in app.deployments.list_deployments()),
        *(f"model:{item.name}" for item in app.models.list_models()),
        *(f"dataset:{item.name}" for item in app.datasets.list_datasets()),
        *(f"features:{item.name}" for item in app.features.list_views()),
        *(f"experiment:{item.name}" for item in app.experiments.list_experiments()),
    ]


class NothingFound(NotFound):
    """A search named nothing."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"Nothing is called {self.text!r}; write a name or a ref such as 'model:delay@7'."


PAGES = (
    Page(address="/ref/{ref:path}", template="refs/show.html", room="lineage", load=load_ref),
    Page(address="/lineage", template="refs/index.html", room="lineage", load=load_lineage),
    Page(
        address="/evidence/{id}", template="refs/evidence.html", room="ledger", load=load_evidence
    ),
)
