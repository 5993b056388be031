"""The engine on real stores: a whole release, a bad one, and everything that may go wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from trivet.kernel.errors import TrivetError
from trivet.ledger import LeaseLost, StaleGeneration, Verdict
from trivet.monitoring.records import Tally
from trivet.rollout import (
    CANARY,
    CONTROLLER_LEASE,
    Phase,
    RolloutEngine,
    RolloutSpec,
    Strategy,
    Verb,
    deploy,
)
from trivet.serving import Role, RoutingTable
from trivet.serving.sql_store import SqlRoutingStore
from trivet.testing.releases import World


def test_a_good_candidate_goes_through_every_step_and_becomes_champion(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    moved = serving.run(60)

    assert [(rollout.phase, rollout.step) for rollout in moved] == [
        (Phase.PREPARING, 0),
        (Phase.STEPPING, 0),
        (Phase.STEPPING, 1),
        (Phase.STEPPING, 2),
        (Phase.STEPPING, 3),
        (Phase.PROMOTING, 3),
        (Phase.SUCCEEDED, 3),
    ]
    table = serving.table
    assert (table.stable, table.candidate, table.weight, table.shadow) == (2, None, 0.0, 0.0)
    assert [spec.number for spec in table.revisions] == [1, 2]  # the way back stays warm
    assert [alias.version for alias in serving.models.list_aliases("delay")] == [2]
    judged = [serving.ledger.get_evidence(given) for given in moved[-1].evidence]
    assert [item.verdict for item in judged] == [Verdict.PASSED] * 5
    assert [item.kind for item in judged] == ["release"] + ["analysis"] * 4
    assert serving.ledger.verify().is_intact


def test_every_change_of_phase_or_step_has_its_fact(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    moved = serving.run(60)
    facts = serving.ledger.list_facts(subject=moved[0].ref)
    kinds = [fact.kind for fact in facts]
    assert kinds == ["rollout.started", *(f"rollout.{rollout.phase}" for rollout in moved)]
    assert [fact.payload["step"] for fact in facts[1:]] == [rollout.step for rollout in moved]


def test_flipped_labels_are_taken_back_in_shadow_before_any_caller_sees_them(
    serving: World,
) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    moved = serving.run(30, flipped=True)
    assert [rollout.phase for rollout in moved][-2:] == [Phase.ABORTING, Phase.ROLLED_BACK]
    assert serving.tallies[2, Role.PRIMARY].requests == 0
    table = serving.table
    assert (table.stable, table.candidate) == (1, None)
    assert [alias.version for alias in serving.models.list_aliases("delay")] == [1]
    [failed] = [
        item
        for item in serving.ledger.list_evidence(kind="analysis")
        if item.verdict is Verdict.FAILED
    ]
    assert failed.subject == "deployment:delay#2"
    assert failed.numbers["shadow"]["e_value"] >= failed.numbers["shadow"]["abort_at"]


def test_without_a_shadow_flipped_labels_are_taken_back_in_the_canary(serving: World) -> None:
    spec = RolloutSpec(strategy=Strategy.CANARY, steps=CANARY[2:])
    deploy(serving, "delay", "model:delay@2", spec=spec)
    moved = serving.run(60, flipped=True)
    assert moved[-1].phase is Phase.ROLLED_BACK
    seen = serving.tallies[2, Role.PRIMARY].requests
    assert 0 < seen <= 100


def test_one_invalid_answer_takes_a_candidate_back_at_the_next_look(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(4)
    serving.count(2, Role.SHADOW, requests=1, invalid=1)
    [aborting] = serving.tick()
    assert aborting.phase is Phase.ABORTING
    assert serving.table.shadow == 0.0
    assert "1 invalid answers" in aborting.reason


def test_without_traffic_a_rollout_holds_and_no_weight_rises(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    for _ in range(100):
        serving.report()
        serving.tick()
    held = serving.active()
    assert (held.phase, held.step) == (Phase.HOLDING, 0)
    assert serving.table.weight == 0.0
    last = serving.ledger.get_evidence(held.evidence[-1])
    assert last.verdict is Verdict.NO_DATA


def test_an_idle_tick_writes_nothing(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(4)
    serving.report()
    serving.tick()
    before = serving.active()
    serving.report()
    serving.tick()
    assert serving.active().version == before.version


def test_a_step_waits_until_every_live_gateway_confirmed_it(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.report("g1", "g2")
    serving.tick()
    serving.report("g1")
    serving.tick()
    assert serving.active().phase is Phase.PREPARING
    serving.report("g2")
    serving.tick()
    assert serving.active().phase is Phase.STEPPING


def test_a_gateway_that_fell_silent_is_not_waited_for(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.report("dead")
    serving.tick()
    serving.clock.pass_seconds(6)
    serving.report("g1")
    serving.tick()
    assert serving.active().phase is Phase.STEPPING


def test_a_controller_that_lost_its_lease_can_write_nothing(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    stale = serving.fence
    serving.clock.pass_seconds(2 * 86_400)
    taken = serving.leases.acquire(CONTROLLER_LEASE, "second", timedelta(seconds=5))
    assert taken is not None
    before, table = serving.active(), serving.table
    with pytest.raises(LeaseLost):
        serving.engine.tick(stale, lambda _: {})
    assert (serving.active(), serving.table) == (before, table)
    serving.report()
    serving.engine.tick(taken.fence, lambda _: {})
    assert serving.active().phase is Phase.PREPARING
    assert serving.table.fence == taken.fence


def test_a_controller_that_lost_its_lease_cannot_move_the_champion(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    while serving.active().phase is not Phase.PROMOTING:
        serving.run(1)
    stale = serving.fence
    serving.clock.pass_seconds(2 * 86_400)
    serving.leases.acquire(CONTROLLER_LEASE, "second", timedelta(seconds=5))
    serving.report()
    with pytest.raises(LeaseLost):
        serving.engine.tick(stale, lambda _: serving.tallies)
    assert [alias.version for alias in serving.models.list_aliases("delay")] == [1]


def test_of_a_person_and_a_controller_who_write_at_once_one_loses(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(5)
    read = serving.active()
    serving.engine.ask(read, Verb.ABORT, "odd answers")
    with pytest.raises(StaleGeneration):
        serving.engine.ask(read, Verb.PROMOTE, "looks good")
    assert serving.active().phase is Phase.ABORTING
    assert serving.table.candidate is None


class _Meddling(SqlRoutingStore):
    """Refuses every swap, as if somebody had swapped just before."""

    def swap(
        self,
        table: RoutingTable,
        *,
        expected: int,
        reason: str,
        evidence: str | None,
        connection: Connection | None = None,
    ) -> RoutingTable:
        return super().swap(
            table,
            expected=expected - 1,
            reason=reason,
            evidence=evidence,
            connection=connection,
        )


def test_a_swap_that_is_refused_leaves_neither_state_nor_evidence(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(2)
    before = serving.active()
    facts = len(serving.ledger.list_facts(limit=1000))
    serving.__dict__["routing"] = _Meddling(serving.database, serving.recorder)
    with pytest.raises(StaleGeneration):
        serving.engine.ask(before, Verb.ABORT)
    assert serving.active() == before
    assert len(serving.ledger.list_facts(limit=1000)) == facts


def test_a_rollout_that_cannot_be_written_does_not_stop_the_others(serving: World) -> None:
    other = serving.register(model="fares")
    better = serving.register(model="fares")
    deploy(serving, "fares", other.ref)
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    deploy(serving, "fares", better.ref, strategy="canary")
    stuck = serving.active()
    broken = replace(stuck, analysis={**stuck.analysis, "generation": 0})
    serving.rollouts.save(broken)

    def changed_meanwhile(deployment: str) -> dict[tuple[int, Role], Tally]:
        if deployment == "delay":
            serving.rollouts.save(replace(serving.active(), reason="somebody wrote this"))
        return {}

    moved = RolloutEngine(serving).tick(serving.fence, changed_meanwhile)
    assert [rollout.deployment for rollout in moved] == ["fares"]


def test_a_killed_controller_goes_on_where_it_was(serving: World) -> None:
    # Every tick is by a fresh engine with nothing in memory.
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    for _ in range(60):
        serving.report()
        serving.traffic()
        serving.clock.pass_seconds(0.2)
        RolloutEngine(serving).tick(serving.fence, lambda _: serving.tallies)
    assert serving.table.stable == 2


def test_a_champion_moved_before_the_kill_is_not_moved_again(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    while serving.active().phase is not Phase.PROMOTING:
        serving.run(1)
    evidence = serving.active().evidence[-1]
    serving.models.set_alias("delay", "champion", 2, evidence=evidence, expected=1)
    serving.run(1)
    [alias] = serving.models.list_aliases("delay")
    assert (alias.version, alias.generation) == (2, 2)
    assert serving.rollouts.find_active("delay") is None


def test_tallies_that_went_back_are_waited_out(serving: World) -> None:
    deploy(serving, "delay", "model:delay@2", strategy="canary")
    serving.run(5)
    kept = dict(serving.tallies)
    serving.tallies.clear()
    serving.tick()
    serving.tallies.update(kept)
    serving.tick()
    assert serving.run(60)[-1].phase is Phase.SUCCEEDED


def test_a_move_without_evidence_is_refused_by_the_router_too(serving: World) -> None:
    table = serving.table
    raised = replace(table, stable=1, revisions=table.revisions)
    second = serving.deployments.add_revision("delay", serving.models.get_version("delay", 2))
    raised = replace(raised, revisions=(*table.revisions, second), candidate=2, weight=0.5)
    with pytest.raises(TrivetError, match="evidence"):
        serving.routing.swap(raised, expected=table.generation, reason="", evidence=None)
