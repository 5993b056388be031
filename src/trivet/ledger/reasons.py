"""Why something is as it is: the facts about it and the evidence they rest on, in sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trivet.ledger.errors import EvidenceNotFound
from trivet.ledger.records import Evidence, Fact, Verdict
from trivet.ledger.store import Ledger
from trivet.ledger.wording import word_fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that happened to a ref, or one judgement that what happened to it rests on.

    Attributes:
        kind: The fact's kind, such as `alias.moved`, or the evidence's, such as `gate`.
        subject: The ref it is about.
        sentence: What a person should know of it.
        verdict: What the judgement came to, where it is one.
        evidence: The id of the evidence: the judgement itself, or what the move rests on.
    """

    at: datetime
    actor: str
    kind: str
    subject: str
    sentence: str
    verdict: Verdict | None = None
    evidence: str | None = None


def find_reasons(ledger: Ledger, refs: Iterable[str], *, limit: int = 50) -> list[Reason]:
    """Return why what the refs name is as it is, newest first.

    Args:
        ledger: Where facts and evidence are.
        refs: The thing, and the pointers to it; one may end in `*`.
        limit: How many reasons at most.
    """
    facts: dict[str, Fact] = {}
    for ref in refs:
        for fact in ledger.list_facts(subject=ref, limit=limit, newest_first=True):
            facts[fact.id] = fact
    newest = sorted(facts.values(), key=lambda fact: fact.seq, reverse=True)
    told = [_of_fact(fact) for fact in newest]
    judged = {fact.payload.get("evidence") for fact in newest if "verdict" in fact.payload}
    cited = dict.fromkeys(cited for fact in newest for cited in _cited(fact))
    told += [_of_evidence(found) for found in _find(ledger, cited) if found.id not in judged]
    return sorted(told, key=lambda reason: reason.at, reverse=True)[:limit]


def _cited(fact: Fact) -> list[str]:
    cited = fact.payload.get("evidence")
    return cited if isinstance(cited, list) else [cited] if isinstance(cited, str) else []


def _find(ledger: Ledger, ids: Iterable[str]) -> Iterable[Evidence]:
    for evidence_id in ids:
        try:
            yield ledger.get_evidence(evidence_id)
        except EvidenceNotFound:
            continue  # `verify` says so; here it is only one reason less.


def _of_fact(fact: Fact) -> Reason:
    verdict, cited = fact.payload.get("verdict"), _cited(fact)
    return Reason(
        at=fact.at,
        actor=fact.actor,
        kind=fact.kind,
        subject=fact.subject,
        sentence=word_fact(fact),
        verdict=None if verdict is None else Verdict(verdict),
        evidence=cited[0] if len(cited) == 1 else None,
    )


def _of_evidence(evidence: Evidence) -> Reason:
    return Reason(
        at=evidence.at,
        actor=evidence.actor,
        kind=evidence.kind,
        subject=evidence.subject,
        sentence=evidence.summary,
        verdict=evidence.verdict,
        evidence=evidence.id,
    )
