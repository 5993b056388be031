"""Gather the facts that answer the three questions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from trivet.ledger import Fact, Ledger, Recorder
from trivet.monitoring import SqlAlertStore
from trivet.registry.records import ModelVersion
from trivet.registry.store import ModelStore
from trivet.rollout import DeploymentStore, Phase, Rollout, RolloutStore, Strategy
from trivet.scorecard.delivery import delivery
from trivet.scorecard.records import Answers, Release
from trivet.scorecard.validation import validation
from trivet.scorecard.velocity import Origin, release, velocity
from trivet.scorecard.versioning import versioning

_EVERYTHING = 1_000_000


class Stores(Protocol):
    """Where the facts are; `trivet.app.App` is one."""

    @property
    def recorder(self) -> Recorder: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def models(self) -> ModelStore: ...
    @property
    def deployments(self) -> DeploymentStore: ...
    @property
    def rollouts(self) -> RolloutStore: ...
    @property
    def alerts(self) -> SqlAlertStore: ...


def answers(stores: Stores, *, on_call: str = "", verify: bool = True) -> Answers:
    """Return the three questions, answered from what this home has recorded.

    Args:
        stores: Where the facts are.
        on_call: Who is told when something breaks.
        verify: Whether to recompute the whole ledger for the third answer.
    """
    at = stores.recorder.clock()
    rollouts = stores.rollouts.list_rollouts(limit=_EVERYTHING)
    ways = [way for way in (_release(stores, each) for each in rollouts) if way is not None]
    alerts = stores.alerts.list_alerts(limit=_EVERYTHING)
    verification = stores.ledger.verify() if verify else None
    newest = stores.ledger.list_facts(newest_first=True, limit=1)
    return Answers(
        at=at,
        velocity=velocity(ways),
        validation=validation(
            alerts,
            on_call=on_call,
            owners={each.name: each.owner for each in stores.deployments.list_deployments()},
            precision=stores.alerts.precision(),
        ),
        versioning=versioning(
            stores.ledger.list_evidence(kind="reproduction", limit=_EVERYTHING),
            runs_at={fact.subject: fact.at for fact in _facts(stores, "run.started")},
            runs_of=_runs_of(stores),
            facts=verification.facts if verification else (newest[0].seq if newest else 0),
            verification=verification,
        ),
        delivery=delivery(rollouts, ways, alerts, at),
    )


def _facts(stores: Stores, kind: str, subject: str | None = None) -> list[Fact]:
    return stores.ledger.list_facts(kind=kind, subject=subject, limit=_EVERYTHING)


def _release(stores: Stores, rollout: Rollout) -> Release | None:
    if rollout.phase is not Phase.SUCCEEDED or rollout.spec.strategy is Strategy.SHADOW:
        return None
    revision = stores.deployments.get_revision(rollout.deployment, rollout.candidate)
    name, _, number = revision.model.removeprefix("model:").partition("@")
    version = stores.models.get_version(name, int(number))
    run = f"run:{version.content.run}" if version.content.run else None
    started = _facts(stores, "run.started", run) if run else []
    committed = _newest_commit(stores, version, started[0].at if started else version.at)
    return release(
        Origin(
            deployment=rollout.deployment,
            revision=rollout.candidate,
            model=version.ref,
            data=committed.subject if committed else None,
            committed_at=committed.at if committed else None,
            run=run,
            run_started_at=started[0].at if started else None,
            registered_at=version.at,
        ),
        _facts(stores, "rollout.*", rollout.ref),
    )


def _newest_commit(stores: Stores, version: ModelVersion, before: datetime) -> Fact | None:
    commits = [
        fact for ref in version.content.datasets for fact in _facts(stores, "dataset.*", ref)
    ]
    known = [fact for fact in commits if fact.at <= before]
    return max(known, key=lambda fact: fact.at, default=None)


def _runs_of(stores: Stores) -> dict[str, list[str]]:
    """Return the runs of each model version: the one that trained it, and its parents."""
    return {
        version.ref: [f"run:{version.content.run}", *_parents(stores, version.ref)]
        for model in stores.models.list_models()
        for version in stores.models.list_versions(model.name)
    }


def _parents(stores: Stores, ref: str) -> Iterable[str]:
    edges: Sequence[str] = [
        edge.from_ref for edge in stores.ledger.list_edges(ref, upstream=True, depth=3)
    ]
    return [found for found in edges if found.startswith("run:")]
