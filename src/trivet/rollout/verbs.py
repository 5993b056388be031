"""What a person, or control on a person's behalf, does with deployments and rollouts.

Each verb is done when it returns: it writes the state, the evidence and the routing table itself
and needs no controller, except that a canary or shadow goes on only while a controller looks.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from trivet.kernel.clock import Sleep, Stopwatch, sleep, stopwatch
from trivet.kernel.errors import InvalidInput
from trivet.kernel.refs import Kind, Ref
from trivet.ledger import Evidence, Verdict
from trivet.registry.records import ModelVersion
from trivet.rollout.aliases import move_champion
from trivet.rollout.analysis import Analysis
from trivet.rollout.confirmation import Confirmation, confirmation, wait_for_table
from trivet.rollout.engine import RolloutEngine, Stores
from trivet.rollout.errors import (
    GatesNotGreen,
    NothingServed,
    NothingToRollBackTo,
    RolloutActive,
    RolloutNotFound,
)
from trivet.rollout.records import Phase, Rollout, RolloutSpec, Strategy, Verb
from trivet.rollout.routes import promoted
from trivet.rollout.steps import plan
from trivet.serving import RevisionSpec, RoutingTable

_ALL = 1_000_000


def deploy(
    stores: Stores,
    deployment: str,
    model: str,
    *,
    strategy: str | None = None,
    spec: RolloutSpec | None = None,
    force_reason: str | None = None,
    unit: str | None = None,
    settings: dict[str, Any] | None = None,
) -> Rollout:
    """Start to release a model version, and return the rollout.

    A direct release is over when this returns. A canary or shadow is PENDING until a controller
    looks at it. A rollout that is under way for another version is superseded.

    Args:
        stores: Where everything is kept.
        deployment: The name that clients call; it is made if there is none.
        model: The version's ref: `model:delay@2`, `model:delay@challenger`.
        strategy: `direct`, `canary` or `shadow`; the spec's, or else `direct`.
        spec: The steps and bounds; the usual ones of the strategy where None.
        force_reason: Why a version whose gates did not all pass is released all the same.
        unit: For a new deployment, the request column whose values stick to a revision.
        settings: For a new deployment: its repair policy and the like.

    Raises:
        NotFound: There is no such version.
        GatesNotGreen: Not all of its gates passed, and no reason to force it is given.
        NothingServed: There is no revision to compare a canary or shadow with.
        RolloutActive: This version is being released, or serves already.
    """
    spec = plan(strategy, spec, force_reason)
    version = find_version(stores, model)
    table = stores.routing.find_table(deployment)
    if table is None and spec.strategy is not Strategy.DIRECT:
        raise NothingServed(deployment, spec.strategy)
    active = stores.rollouts.find_active(deployment)
    _check_news(stores, version, table, active)
    gates = _gates(stores, version, spec.force_reason)
    stores.deployments.create_deployment(deployment, version.model, unit=unit, settings=settings)
    if active is not None:
        RolloutEngine(stores).ask(
            active, Verb.SUPERSEDE, f"{version.ref} is released in its place"
        )
        table = stores.routing.find_table(deployment)
    with stores.database.write() as connection:
        revision = stores.deployments.add_revision(deployment, version, connection=connection)
        release = _judge_release(stores, connection, revision, gates, spec.force_reason)
        rollout = _new_rollout(stores, revision, spec, table, release)
        if spec.strategy is Strategy.DIRECT:
            rollout = _serve(stores, connection, rollout, revision, table, unit=unit)
        started = stores.rollouts.start(rollout, connection=connection)
    if started.phase is Phase.SUCCEEDED:
        move_champion(stores.models, revision, release.id)
    return started


def promote(stores: Stores, deployment: str, reason: str) -> Rollout:
    """Make the candidate the stable revision without further steps; the reason is recorded."""
    if not reason.strip():
        raise InvalidInput(
            "To promote by hand skips what the steps would have shown; say why with --reason."
        )
    return RolloutEngine(stores).ask(_active(stores, deployment), Verb.PROMOTE, reason)


def abort(stores: Stores, deployment: str, reason: str = "") -> Rollout:
    """Take the candidate out of service; what is over already stays as it is."""
    active = stores.rollouts.find_active(deployment)
    if active is None:
        stores.deployments.get_deployment(deployment)
        return latest(stores, deployment)
    return RolloutEngine(stores).ask(active, Verb.ABORT, reason)


def pause(stores: Stores, deployment: str, reason: str = "") -> Rollout:
    """Keep the rollout at its present step; the test for harm goes on."""
    return RolloutEngine(stores).ask(_active(stores, deployment), Verb.PAUSE, reason)


def resume(stores: Stores, deployment: str, reason: str = "") -> Rollout:
    """Let a paused rollout go on."""
    return RolloutEngine(stores).ask(_active(stores, deployment), Verb.RESUME, reason)


def latest(stores: Stores, deployment: str) -> Rollout:
    """Return the deployment's newest rollout."""
    stores.deployments.get_deployment(deployment)
    rollouts = stores.rollouts.list_rollouts(deployment, limit=1)
    if not rollouts:
        raise RolloutNotFound(deployment)
    return rollouts[0]


def rollback(
    stores: Stores, deployment: str, *, to: int | None = None, reason: str = ""
) -> RoutingTable:
    """Go back to the previous revision by one swap, and return the table that is in force.

    While a rollout is under way, this aborts it. After a success, the revision that was replaced
    is still warm in every gateway, so nothing is loaded (I5).

    Args:
        stores: Where everything is kept.
        deployment: The name that clients call.
        to: The revision to go to; the one before by default.
        reason: Why, for the ledger.

    Raises:
        NothingToRollBackTo: The revision that serves replaced no other.
        RevisionNotFound: There is no revision `to`.
    """
    stores.deployments.get_deployment(deployment)
    target = None if to is None else stores.deployments.get_revision(deployment, to)
    active = stores.rollouts.find_active(deployment)
    if active is not None:
        RolloutEngine(stores).ask(active, Verb.ABORT, reason)
        if target is None:
            return _table(stores, deployment)
    table = _table(stores, deployment)
    target = target or _previous(stores, table)
    if target.number == table.stable:
        return table
    return _go_back(stores, table, target, reason)


def confirmation_of(stores: Stores, deployment: str) -> Confirmation:
    """Return which of the gateways that are up serve the deployment's table in force."""
    table = stores.routing.find_table(deployment)
    generation = table.generation if table else 1
    statuses = stores.routing.list_gateways()
    return confirmation(statuses, deployment, generation, stores.recorder.clock())


def wait_for_gateways(
    stores: Stores,
    deployment: str,
    *,
    timeout_seconds: float = 30.0,
    pause: Sleep = sleep,
    watch: Stopwatch = stopwatch,
) -> float:
    """Return the seconds until every gateway that is up serves the table in force.

    Raises:
        NotConfirmed: One did not within `timeout_seconds`, or none is up.
    """
    return wait_for_table(
        stores.routing,
        deployment,
        _table(stores, deployment).generation,
        timeout_seconds=timeout_seconds,
        clock=stores.recorder.clock,
        pause=pause,
        watch=watch,
    )


def find_version(stores: Stores, model: str) -> ModelVersion:
    """Return the version that a ref names, by number or by alias."""
    ref = Ref.parse(model)
    if ref.kind is not Kind.MODEL or ref.version is None:
        raise InvalidInput(f"{model!r} names no model version; write 'model:delay@2'.")
    number = int(ref.version) if ref.version.isdecimal() else ref.version
    return stores.models.get_version(ref.name, number)


def _active(stores: Stores, deployment: str) -> Rollout:
    stores.deployments.get_deployment(deployment)
    active = stores.rollouts.find_active(deployment)
    if active is None:
        raise RolloutNotFound(deployment)
    return active


def _table(stores: Stores, deployment: str) -> RoutingTable:
    table = stores.routing.find_table(deployment)
    if table is None:
        raise NothingToRollBackTo(deployment, None)
    return table


def _check_news(
    stores: Stores, version: ModelVersion, table: RoutingTable | None, active: Rollout | None
) -> None:
    """Refuse to release what is being released, or serves everybody, already."""
    if active is not None:
        candidate = stores.deployments.get_revision(active.deployment, active.candidate)
        if candidate.model == version.ref:
            detail = f"{active.ref} is releasing {version.ref} already ({active.phase})"
            raise RolloutActive(active.deployment, detail)
    elif table is not None:
        serving = stores.deployments.get_revision(table.deployment, table.stable)
        if serving.model == version.ref:
            detail = f"{serving.ref} serves {version.ref} already"
            raise RolloutActive(table.deployment, detail)


def _gates(stores: Stores, version: ModelVersion, force_reason: str | None) -> list[Evidence]:
    """Return the evidence the version was admitted on, or refuse it."""
    gates = [stores.ledger.get_evidence(given) for given in version.content.evidence]
    problems = [
        f"{gate.kind} {gate.verdict}: {gate.summary}"
        for gate in gates
        if gate.verdict is not Verdict.PASSED
    ]
    if not gates:
        problems = ["no gate has judged it"]
    if problems and not (force_reason and force_reason.strip()):
        raise GatesNotGreen(version.ref, tuple(problems))
    return gates


def _judge_release(
    stores: Stores,
    connection: Connection,
    revision: RevisionSpec,
    gates: list[Evidence],
    force_reason: str | None,
) -> Evidence:
    """Store what the release rests on: green gates, or the reason it was forced."""
    green = bool(gates) and all(gate.verdict is Verdict.PASSED for gate in gates)
    summary = f"All {len(gates)} gates of {revision.model} passed."
    return stores.recorder.judge(
        connection,
        "release",
        revision.ref,
        Verdict.PASSED if green else Verdict.FORCED,
        summary if green else f"Forced without green gates: {force_reason}",
        inputs={"model": revision.model, "gates": [gate.id for gate in gates]},
        numbers={"gates": len(gates), "passed": _passed(gates)},
    )


def _passed(gates: list[Evidence]) -> int:
    return sum(gate.verdict is Verdict.PASSED for gate in gates)


def _new_rollout(
    stores: Stores,
    revision: RevisionSpec,
    spec: RolloutSpec,
    table: RoutingTable | None,
    release: Evidence,
) -> Rollout:
    now = stores.recorder.clock()
    return Rollout(
        id=stores.recorder.new_id(),
        deployment=revision.deployment,
        stable=table.stable if table else None,
        candidate=revision.number,
        spec=spec,
        phase=Phase.PENDING,
        step=0,
        reason=release.summary,
        started_at=now,
        step_at=now,
        actor=stores.recorder.actor,
        analysis=Analysis.begin(spec).to_json(),
        evidence=(release.id,),
    )


def _serve(
    stores: Stores,
    connection: Connection,
    rollout: Rollout,
    revision: RevisionSpec,
    table: RoutingTable | None,
    *,
    unit: str | None,
) -> Rollout:
    """Let the revision answer everybody at once, and return the rollout as it ends."""
    before = table or RoutingTable(
        deployment=revision.deployment,
        generation=0,
        fence=0,
        revisions=(revision,),
        stable=revision.number,
        unit=unit,
    )
    swapped = stores.routing.swap(
        promoted(before, revision, keep=rollout.stable),
        expected=before.generation,
        reason=rollout.reason,
        evidence=rollout.evidence[-1],
        connection=connection,
    )
    analysis = replace(Analysis.begin(rollout.spec), generation=swapped.generation)
    return replace(
        rollout,
        phase=Phase.SUCCEEDED,
        ended_at=stores.recorder.clock(),
        analysis=analysis.to_json(),
    )


def _previous(stores: Stores, table: RoutingTable) -> RevisionSpec:
    """Return the revision that the stable one replaced."""
    for rollout in stores.rollouts.list_rollouts(table.deployment, limit=_ALL):
        if rollout.candidate == table.stable and rollout.stable is not None:
            return stores.deployments.get_revision(table.deployment, rollout.stable)
    raise NothingToRollBackTo(table.deployment, table.stable)


def _go_back(
    stores: Stores, table: RoutingTable, target: RevisionSpec, reason: str
) -> RoutingTable:
    actor = stores.recorder.actor
    sentence = (
        f"{actor} rolled back from revision {table.stable} to {target.number}"
        f"{f': {reason}' if reason else '.'}"
    )
    with stores.database.write() as connection:
        evidence = stores.recorder.judge(
            connection,
            "rollback",
            target.ref,
            Verdict.FORCED,
            sentence,
            inputs={"from": table.stable, "to": target.number},
        )
        swapped = stores.routing.swap(
            promoted(table, target, keep=table.stable),
            expected=table.generation,
            reason=sentence,
            evidence=evidence.id,
            connection=connection,
        )
        stores.recorder.record(
            connection,
            "deployment.rolled_back",
            f"deployment:{table.deployment}",
            {"from": table.stable, "to": target.number, "evidence": evidence.id},
            generation=swapped.generation,
        )
    move_champion(stores.models, target, evidence.id)
    return swapped
