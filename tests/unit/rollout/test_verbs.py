"""What a person can do with a deployment, and what is refused."""

import itertools
from dataclasses import replace

import pytest

from trivet.kernel.errors import InvalidInput, NotFound
from trivet.ledger import Verdict
from trivet.rollout import (
    DeploymentNotFound,
    GatesNotGreen,
    NotConfirmed,
    NothingServed,
    NothingToRollBackTo,
    Phase,
    RevisionNotFound,
    RolloutActive,
    RolloutNotFound,
    StrategyNotBuilt,
    VerbRefused,
    abort,
    confirmation_of,
    deploy,
    latest,
    pause,
    promote,
    resume,
    rollback,
    wait_for_gateways,
)
from trivet.testing.releases import World


def test_a_first_release_is_direct_and_serves_when_it_returns(world: World) -> None:
    version = world.register()
    rollout = deploy(world, "delay", version.ref, unit="carrier", settings={"slo": "p99"})
    assert rollout.phase is Phase.SUCCEEDED
    table = world.table
    assert (table.stable, table.generation, table.unit) == (1, 1, "carrier")
    assert table.revisions[0].model == "model:delay@1"
    assert world.deployments.get_deployment("delay").settings == {"slo": "p99"}
    assert [alias.version for alias in world.models.list_aliases("delay")] == [1]
    edges = world.ledger.list_edges("deployment:delay#1", upstream=True)
    assert ("model:delay@1", "serves") in [(edge.from_ref, edge.role) for edge in edges]


def test_a_version_may_be_named_by_its_alias(serving: World) -> None:
    with pytest.raises(RolloutActive, match="serves model:delay@1 already"):
        deploy(serving, "delay", "model:delay@champion")


@pytest.mark.parametrize("model", ["model:delay@99", "model:delay@nobody", "model:other@1"])
def test_an_unknown_version_is_not_found_and_nothing_is_made(world: World, model: str) -> None:
    world.register()
    facts = len(world.ledger.list_facts())
    with pytest.raises(NotFound):
        deploy(world, "fresh", model)
    assert world.deployments.list_deployments() == []
    assert len(world.ledger.list_facts()) == facts


@pytest.mark.parametrize("model", ["model:delay", "run:x", "delay@1"])
def test_what_names_no_version_is_refused(world: World, model: str) -> None:
    with pytest.raises(InvalidInput):
        deploy(world, "delay", model)


@pytest.mark.parametrize("strategy", ["blue-green", "ab", "A/B"])
def test_strategies_that_are_not_built_are_refused_by_name(serving: World, strategy: str) -> None:
    with pytest.raises(StrategyNotBuilt, match="not built in this version"):
        deploy(serving, "delay", "model:delay@2", strategy=strategy)


def test_a_canary_needs_something_to_be_compared_with(world: World) -> None:
    version = world.register()
    with pytest.raises(NothingServed, match="trivet deploy direct"):
        deploy(world, "delay", version.ref, strategy="canary")


def test_a_version_whose_gates_are_not_green_needs_a_reason_which_is_evidence(
    serving: World,
) -> None:
    forced = serving.register(Verdict.FORCED)
    with pytest.raises(GatesNotGreen, match="--force-reason"):
        deploy(serving, "delay", forced.ref, strategy="canary")
    with pytest.raises(GatesNotGreen):
        deploy(serving, "delay", forced.ref, strategy="canary", force_reason="  ")
    assert serving.deployments.list_revisions("delay")[0].number == 1
    rollout = deploy(
        serving, "delay", forced.ref, strategy="canary", force_reason="to see it caught"
    )
    evidence = serving.ledger.get_evidence(rollout.evidence[0])
    assert evidence.verdict is Verdict.FORCED
    assert "to see it caught" in evidence.summary


def test_a_deployment_serves_one_model(serving: World) -> None:
    other = serving.register(model="fares")
    with pytest.raises(RolloutActive, match="not of 'fares'"):
        deploy(serving, "delay", other.ref)


def test_a_newer_release_supersedes_the_one_under_way(serving: World) -> None:
    first = deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(5)
    third = serving.register()
    second = deploy(serving, "delay", third.ref, strategy="canary")
    assert serving.rollouts.get(first.id).phase is Phase.SUPERSEDED
    assert (second.stable, second.candidate) == (1, 3)
    assert (serving.table.stable, serving.table.candidate) == (1, None)
    assert serving.run(60)[-1].phase is Phase.SUCCEEDED
    assert serving.table.stable == 3


def test_a_release_that_supersedes_a_promotion_compares_with_the_proven_revision(
    serving: World,
) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    while serving.active().phase is not Phase.PROMOTING:
        serving.run(1)
    third = serving.register()
    rollout = deploy(serving, "delay", third.ref, strategy="canary")
    assert (rollout.stable, serving.table.stable) == (1, 1)


def test_the_same_version_is_not_released_twice_at_once(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    with pytest.raises(RolloutActive, match="is releasing model:delay@2 already"):
        deploy(serving, "delay", "model:delay@2", strategy="canary")


def test_a_direct_release_replaces_the_stable_revision_at_once(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="direct")
    table = serving.table
    assert (table.stable, [spec.number for spec in table.revisions]) == (2, [1, 2])


def test_promotion_by_hand_needs_a_reason_and_is_forced_evidence(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(3)
    with pytest.raises(InvalidInput, match="say why"):
        promote(serving, "delay", " ")
    promoted = promote(serving, "delay", "incident 12")
    assert promoted.phase is Phase.PROMOTING
    assert serving.table.stable == 2
    evidence = serving.ledger.get_evidence(promoted.evidence[-1])
    assert (evidence.kind, evidence.verdict) == ("approval", Verdict.FORCED)
    assert "incident 12" in evidence.summary
    assert serving.run(1)[-1].phase is Phase.SUCCEEDED


def test_an_abort_is_obeyed_also_after_a_promotion_by_hand(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(3)
    promote(serving, "delay", "in a hurry")
    abort(serving, "delay", "too much of a hurry")
    assert (serving.table.stable, serving.table.candidate) == (1, None)
    assert serving.run(2)[-1].phase is Phase.ROLLED_BACK


def test_to_abort_where_nothing_is_under_way_changes_nothing(serving: World) -> None:
    table = serving.table
    assert abort(serving, "delay").phase is Phase.SUCCEEDED
    assert serving.table == table


def test_a_paused_rollout_goes_on_when_resumed(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(5)
    assert pause(serving, "delay", "lunch").phase is Phase.HOLDING
    step = serving.active().step
    assert serving.run(20) == []
    assert serving.active().step == step
    assert resume(serving, "delay").phase is Phase.STEPPING
    assert serving.run(60)[-1].phase is Phase.SUCCEEDED


def test_to_pause_while_it_is_prepared_is_remembered_and_recorded(serving: World) -> None:
    rollout = deploy(serving, "delay", "model:delay@2", strategy="canary")
    pause(serving, "delay")
    serving.run(5)
    assert serving.active().phase is Phase.PREPARING
    kinds = [fact.kind for fact in serving.ledger.list_facts(subject=rollout.ref)]
    assert "rollout.paused" in kinds


def test_verbs_on_nothing_are_not_found(serving: World) -> None:
    with pytest.raises(DeploymentNotFound):
        abort(serving, "nobody")
    with pytest.raises(RolloutNotFound):
        promote(serving, "delay", "why not")
    serving.deployments.create_deployment("empty", "delay")
    with pytest.raises(RolloutNotFound):
        latest(serving, "empty")


def test_a_rollout_that_is_pending_cannot_be_promoted(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    with pytest.raises(VerbRefused, match="pending"):
        promote(serving, "delay", "quick")


def test_a_rollback_after_a_success_is_one_swap_to_a_warm_revision(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(60)
    warm, generation = serving.table.revisions, serving.table.generation
    table = rollback(serving, "delay", reason="wrong for UA")
    assert (table.stable, table.generation) == (1, generation + 1)
    assert table.revisions == warm
    assert [alias.version for alias in serving.models.list_aliases("delay")] == [1]
    [fact] = serving.ledger.list_facts(kind="deployment.rolled_back")
    assert (fact.payload["from"], fact.payload["to"]) == (2, 1)


@pytest.mark.parametrize("ticks", [0, 1, 2, 5, 12, 20, 26])
def test_a_rollback_is_possible_at_any_moment_of_a_release(serving: World, ticks: int) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(ticks)
    table = rollback(serving, "delay")
    assert (table.stable, table.candidate, table.weight, table.shadow) == (1, None, 0.0, 0.0)
    serving.run(2)
    assert serving.rollouts.find_active("delay") is None
    assert serving.table.stable == 1


def test_a_first_release_has_nothing_to_go_back_to(serving: World) -> None:
    with pytest.raises(NothingToRollBackTo, match="replaced no other"):
        rollback(serving, "delay")
    serving.deployments.create_deployment("empty", "delay")
    with pytest.raises(NothingToRollBackTo, match="serves nothing yet"):
        rollback(serving, "empty")


def test_a_rollback_may_name_its_revision(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2")
    deploy(serving, "delay", serving.register().ref)
    assert rollback(serving, "delay", to=1).stable == 1
    assert rollback(serving, "delay", to=1).stable == 1
    assert rollback(serving, "delay", to=3).stable == 3
    with pytest.raises(RevisionNotFound):
        rollback(serving, "delay", to=9)


def test_waiting_for_gateways_returns_the_seconds_until_the_last_confirmed(
    serving: World,
) -> None:
    serving.report("g1")
    serving.report("g2", generation=0)
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            serving.report("g2")

    ticks = itertools.count()
    seconds = wait_for_gateways(serving, "delay", pause=wait, watch=lambda: next(ticks) / 10)
    assert len(pauses) == 3
    assert seconds == pytest.approx(0.4)


def test_waiting_for_a_gateway_that_never_confirms_names_it(serving: World) -> None:
    serving.report("slow", generation=0)
    ticks = itertools.count()
    with pytest.raises(NotConfirmed, match="slow has not reported"):
        wait_for_gateways(
            serving,
            "delay",
            timeout_seconds=3,
            pause=lambda _: None,
            watch=lambda: float(next(ticks)),
        )
    assert confirmation_of(serving, "delay").waiting == ("slow",)


def test_the_way_back_is_found_however_many_releases_failed_since(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2")
    succeeded = latest(serving, "delay")
    for number in range(120):
        failed = replace(
            succeeded, id=f"f{number:031}", candidate=3, stable=2, phase=Phase.ROLLED_BACK
        )
        serving.rollouts.start(failed)
    assert rollback(serving, "delay").stable == 1
