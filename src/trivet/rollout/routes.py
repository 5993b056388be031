"""Which routing table a rollout's decision calls for. Pure."""

from dataclasses import replace

from trivet.rollout.machine import Decision
from trivet.rollout.records import Phase, Rollout
from trivet.serving.records import RevisionSpec, RoutingTable

_ON_TRIAL = (Phase.PREPARING, Phase.STEPPING, Phase.HOLDING)


def route(
    table: RoutingTable, rollout: Rollout, decision: Decision, candidate: RevisionSpec
) -> RoutingTable:
    """Return the table that is to be in force; the generation and the fence are left as they are.

    On trial, the candidate is added to what is warm. Once promoted, it and the revision it
    replaced are what is warm. Otherwise it is gone, and the stable revision of before answers
    everybody.
    """
    if decision.phase is Phase.PENDING:
        return table
    if decision.promotes:
        return promoted(table, candidate, keep=rollout.stable)
    if decision.phase in _ON_TRIAL:
        return replace(
            table,
            revisions=_warm(table, candidate),
            candidate=candidate.number,
            weight=decision.weight,
            shadow=decision.shadow,
            salt=rollout.id,
        )
    stable = table.stable if rollout.stable is None else rollout.stable
    left = tuple(spec for spec in table.revisions if spec.number != candidate.number)
    return replace(table, revisions=left, stable=stable, candidate=None, weight=0.0, shadow=0.0)


def promoted(table: RoutingTable, revision: RevisionSpec, *, keep: int | None) -> RoutingTable:
    """Return the table in which `revision` answers everybody and `keep` stays warm (I5)."""
    kept = tuple(spec for spec in table.revisions if spec.number in (keep, revision.number))
    warm = _warm(replace(table, revisions=kept), revision)
    return replace(
        table, revisions=warm, stable=revision.number, candidate=None, weight=0.0, shadow=0.0
    )


def _warm(table: RoutingTable, revision: RevisionSpec) -> tuple[RevisionSpec, ...]:
    others = (spec for spec in table.revisions if spec.number != revision.number)
    return tuple(sorted((*others, revision), key=lambda spec: spec.number))
