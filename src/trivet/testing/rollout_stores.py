"""The contracts of `trivet.rollout.DeploymentStore` and `trivet.rollout.RolloutStore`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from trivet.kernel.digests import digest_bytes
from trivet.kernel.errors import Conflict, InvalidInput
from trivet.ledger import Ledger, StaleGeneration
from trivet.registry.records import ModelVersion, NewVersion, Signature
from trivet.rollout import (
    CANARY,
    DeploymentNotFound,
    DeploymentStore,
    Phase,
    RevisionNotFound,
    Rollout,
    RolloutActive,
    RolloutNotFound,
    RolloutSpec,
    RolloutStore,
    Strategy,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
FINAL = [phase for phase in Phase if phase.is_final]
WRITERS = 6


def model_version(number: int = 1) -> ModelVersion:
    """Return a version of the model `delay`, as a registry would."""
    content = NewVersion(
        run="r",
        format="onnx",
        artifacts={},
        signature=Signature(inputs=("distance",), slices=("carrier", "origin")),
        datasets=(),
        features=(),
        code={},
        environment=None,
        params={},
        metrics={},
        seed=None,
    )
    return ModelVersion(
        model="delay",
        version=number,
        digest=digest_bytes(b"content"),
        at=AT,
        author="user:test",
        content=content,
    )


def rollout(rollout_id: str = "r1", **values: Any) -> Rollout:
    """Return a rollout of `deployment:delay` that is PENDING."""
    first = Rollout(
        id=rollout_id,
        deployment="delay",
        stable=1,
        candidate=2,
        spec=RolloutSpec(strategy=Strategy.CANARY, steps=CANARY),
        phase=Phase.PENDING,
        step=0,
        reason="All gates passed.",
        started_at=AT,
        step_at=AT,
        actor="user:test",
        analysis={"paused": False, "generation": 3},
        evidence=("e1",),
    )
    return replace(first, **values)


def in_threads(calls: list[Callable[[], object]]) -> list[object]:
    """Return what each call returned, or the conflict that it raised."""

    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


class DeploymentStoreContract:
    """Subclass, and provide fixtures `store` and `ledger`."""

    def test_a_deployment_comes_back_as_it_was_made(self, store: DeploymentStore) -> None:
        made = store.create_deployment(
            "delay",
            "delay",
            unit="carrier",
            owner="team:ops",
            settings={"repair": {"level": "ask"}},
        )
        assert store.get_deployment("delay") == made
        assert store.find_deployment("delay") == made
        assert store.list_deployments() == [made]

    def test_to_make_a_deployment_again_returns_the_first(self, store: DeploymentStore) -> None:
        made = store.create_deployment("delay", "delay", unit="carrier")
        assert store.create_deployment("delay", "delay") == made

    def test_a_deployment_keeps_its_model(self, store: DeploymentStore) -> None:
        store.create_deployment("delay", "delay")
        with pytest.raises(RolloutActive):
            store.create_deployment("delay", "fares")

    def test_a_name_that_is_none_is_refused(self, store: DeploymentStore) -> None:
        with pytest.raises(InvalidInput):
            store.create_deployment("../delay", "delay")

    def test_settings_are_replaced_with_a_fact(
        self, store: DeploymentStore, ledger: Ledger
    ) -> None:
        store.create_deployment("delay", "delay", settings={"a": 1})
        assert store.configure("delay", {"b": [1, 2]}).settings == {"b": [1, 2]}
        [fact] = ledger.list_facts(kind="deployment.configured")
        assert fact.payload == {"b": [1, 2]}

    def test_revisions_are_counted_and_come_back_as_they_were_made(
        self, store: DeploymentStore
    ) -> None:
        store.create_deployment("delay", "delay")
        first = store.add_revision("delay", model_version(1), settings={"threads": 1})
        second = store.add_revision("delay", model_version(2))
        assert (first.number, second.number) == (1, 2)
        assert store.get_revision("delay", 1) == first
        assert store.list_revisions("delay") == [second, first]

    def test_a_revision_records_which_model_version_it_serves(
        self, store: DeploymentStore, ledger: Ledger
    ) -> None:
        store.create_deployment("delay", "delay")
        revision = store.add_revision("delay", model_version(7))
        [edge] = ledger.list_edges(revision.ref, upstream=True)
        assert (edge.from_ref, edge.role) == ("model:delay@7", "serves")

    def test_of_many_who_add_revisions_each_gets_a_number_of_its_own(
        self, store: DeploymentStore
    ) -> None:
        store.create_deployment("delay", "delay")
        in_threads([lambda: store.add_revision("delay", model_version())] * WRITERS)
        numbers = [revision.number for revision in store.list_revisions("delay")]
        assert numbers == list(range(WRITERS, 0, -1))

    def test_what_there_is_not_is_not_found(self, store: DeploymentStore) -> None:
        assert store.find_deployment("nobody") is None
        for call in (
            lambda: store.get_deployment("nobody"),
            lambda: store.configure("nobody", {}),
            lambda: store.add_revision("nobody", model_version()),
        ):
            with pytest.raises(DeploymentNotFound):
                call()
        store.create_deployment("delay", "delay")
        with pytest.raises(RevisionNotFound):
            store.get_revision("delay", 1)
        assert store.list_revisions("delay") == []


class RolloutStoreContract:
    """Subclass, and provide fixtures `ledger` and `store`, where `delay` is a deployment."""

    def test_a_rollout_comes_back_as_it_was_started(self, store: RolloutStore) -> None:
        started = store.start(rollout())
        assert started.version == 1
        assert store.get("r1") == started
        assert store.find_active("delay") == started

    def test_a_deployment_has_one_rollout_under_way(self, store: RolloutStore) -> None:
        store.start(rollout())
        with pytest.raises(RolloutActive, match="rollout:r1 is pending"):
            store.start(rollout("r2"))

    def test_of_many_who_start_a_rollout_one_succeeds(self, store: RolloutStore) -> None:
        outcomes = in_threads(
            [partial(store.start, rollout(f"r{number}")) for number in range(WRITERS)]
        )
        assert sum(isinstance(outcome, Rollout) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, RolloutActive) for outcome in outcomes) == WRITERS - 1
        assert len(store.list_rollouts("delay")) == 1

    @pytest.mark.parametrize("phase", FINAL)
    def test_a_final_rollout_makes_room_and_is_never_written_again(
        self, store: RolloutStore, phase: Phase
    ) -> None:
        ended = store.save(replace(store.start(rollout()), phase=phase, ended_at=AT))
        assert store.find_active("delay") is None
        with pytest.raises(StaleGeneration):
            store.save(replace(ended, phase=Phase.STEPPING))
        assert store.get("r1") == ended
        store.start(rollout("r2"))

    def test_a_write_is_refused_where_there_is_a_newer_one(self, store: RolloutStore) -> None:
        read = store.start(rollout())
        newer = store.save(replace(read, phase=Phase.PREPARING))
        with pytest.raises(StaleGeneration):
            store.save(replace(read, phase=Phase.ABORTING))
        assert store.get("r1") == newer

    def test_of_many_who_write_one_version_one_succeeds(self, store: RolloutStore) -> None:
        read = store.start(rollout())
        outcomes = in_threads(
            [
                partial(store.save, replace(read, phase=phase))
                for phase in [Phase.PREPARING, Phase.ABORTING] * (WRITERS // 2)
            ]
        )
        [won] = [outcome for outcome in outcomes if isinstance(outcome, Rollout)]
        assert store.get("r1") == won

    def test_a_change_of_phase_or_step_has_its_fact_and_a_measurement_has_none(
        self, store: RolloutStore, ledger: Ledger
    ) -> None:
        started = store.start(rollout())
        stepping = store.save(replace(started, phase=Phase.STEPPING))
        counted = store.save(replace(stepping, analysis={"looks": 1}))
        store.save(replace(counted, step=1))
        kinds = [fact.kind for fact in ledger.list_facts(subject="rollout:r1")]
        assert kinds == ["rollout.started", "rollout.stepping", "rollout.stepping"]

    def test_a_pause_without_a_change_of_phase_has_its_fact_too(
        self, store: RolloutStore, ledger: Ledger
    ) -> None:
        started = store.start(rollout())
        paused = store.save(replace(started, analysis={"paused": True}))
        store.save(replace(paused, analysis={"paused": False}))
        kinds = [fact.kind for fact in ledger.list_facts(subject="rollout:r1")]
        assert kinds == ["rollout.started", "rollout.paused", "rollout.resumed"]

    def test_rollouts_are_listed_newest_first(self, store: RolloutStore) -> None:
        ended = store.start(rollout(phase=Phase.SUCCEEDED, ended_at=AT))
        going = store.start(rollout("r2"))
        assert store.list_rollouts() == [going, ended]
        assert store.list_rollouts("delay", limit=1) == [going]
        assert store.list_rollouts(active=True) == [going]
        assert store.list_rollouts("fares") == []

    def test_an_unknown_rollout_is_not_found(self, store: RolloutStore) -> None:
        with pytest.raises(RolloutNotFound):
            store.get("nobody")
        assert store.find_active("delay") is None
