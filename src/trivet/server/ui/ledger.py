"""The page of the ledger: facts with filters, and whether the chain is whole."""

from dataclasses import dataclass

from starlette.requests import Request

from trivet.app import App
from trivet.ledger import Fact, Verification
from trivet.server.ui.page import Page

_FACTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Facts, newest first.

    Attributes:
        verification: What recomputing the chain found, where it was asked for by `?verify`.
        older: The `before` of the next page, or None at the end.
    """

    facts: tuple[Fact, ...]
    kind: str
    subject: str
    verification: Verification | None
    older: int | None


def load_ledger(app: App, request: Request) -> LedgerPage:
    """Read facts of a kind and of a subject."""
    asked = request.query_params
    kind, subject = asked.get("kind", "").strip(), asked.get("subject", "").strip()
    before = asked.get("before", "")
    limit = int(before) if before.isdecimal() else None
    facts = app.ledger.list_facts(
        kind=kind or None,
        subject=subject or None,
        limit=_FACTS,
        newest_first=True,
        before=limit,
    )
    return LedgerPage(
        facts=tuple(facts),
        kind=kind,
        subject=subject,
        verification=app.ledger.verify() if "verify" in asked else None,
        older=facts[-1].seq if len(facts) == _FACTS else None,
    )


PAGES = (Page(address="/ledger", template="ledger/show.html", room="ledger", load=load_ledger),)
