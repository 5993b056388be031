"""What every `ModelStore` must do."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from trivet.kernel.digests import Digest
from trivet.kernel.errors import InvalidInput
from trivet.ledger import EvidenceNotFound, Ledger, StaleGeneration, Verdict
from trivet.registry import (
    DuplicateVersion,
    EvidenceMissing,
    IncompleteVersion,
    ModelNotFound,
    ModelStore,
    NewVersion,
    NotAdmitted,
    Signature,
    VersionNotFound,
)


def content(number: int = 1, **changes: Any) -> NewVersion:
    """Return a whole content; two numbers give two contents."""
    whole = NewVersion(
        run="run1",
        format="onnx",
        artifacts={
            "model.onnx": Digest(f"{number:064x}"),
            "golden.arrow": Digest("b" * 64),
            "reference.json": Digest("c" * 64),
        },
        signature=Signature(inputs=("x", "y"), plan={"service": "s"}, slices=("carrier",)),
        datasets=("dataset:flights@4f0c",),
        features=("features:by_carrier@3",),
        code={"commit": "4f0c"},
        environment="e" * 64,
        params={"rate": 0.1},
        metrics={"auc": 0.7},
        seed=number,
    )
    return replace(whole, **changes)


class ModelStoreContract:
    """Subclass, and provide fixtures `store`, an empty store, and `ledger`, its ledger."""

    def test_a_version_is_returned_as_it_was_registered(self, store: ModelStore) -> None:
        version = store.register("delay", content())
        assert version.ref == "model:delay@1"
        assert version.content == content()
        assert store.get_version("delay", 1) == version
        assert store.get_version("delay", "1") == version

    def test_versions_are_counted_for_each_model(self, store: ModelStore) -> None:
        numbers = [store.register("delay", content(seed)).version for seed in (1, 2, 3)]
        assert numbers == [1, 2, 3]
        assert store.register("churn", content()).version == 1
        assert [version.version for version in store.list_versions("delay")] == [3, 2, 1]
        assert [model.name for model in store.list_models()] == ["churn", "delay"]

    def test_a_model_is_created_once(self, store: ModelStore) -> None:
        first = store.create_model("delay", description="late or not", owner="anna")
        assert store.create_model("delay", description="other") == first
        assert store.get_model("delay") == first

    def test_what_does_not_exist_is_not_found(self, store: ModelStore) -> None:
        with pytest.raises(ModelNotFound, match="delay"):
            store.get_model("delay")
        with pytest.raises(ModelNotFound):
            store.get_version("delay", 1)
        with pytest.raises(ModelNotFound):
            store.list_versions("delay")
        store.register("delay", content())
        for absent in (2, "champion", 0):
            with pytest.raises(VersionNotFound):
                store.get_version("delay", absent)

    def test_the_same_content_is_registered_once(self, store: ModelStore) -> None:
        store.register("delay", content())
        with pytest.raises(DuplicateVersion, match="model:delay@1") as caught:
            store.register("delay", content())
        assert caught.value.version == 1
        assert [version.version for version in store.list_versions("delay")] == [1]
        assert store.register("delay", content(2)).version == 2

    def test_the_same_training_run_again_is_the_same_content(self, store: ModelStore) -> None:
        store.register("delay", content())
        with pytest.raises(DuplicateVersion):
            store.register("delay", content(run="run2", metrics={"auc": 0.8}, description="x"))

    def test_a_part_may_be_absent_only_if_it_is_named(self, store: ModelStore) -> None:
        absences: dict[str, dict[str, Any]] = {
            "run": {"run": ""},
            "datasets": {"datasets": ()},
            "features": {"features": ()},
            "code": {"code": {}},
            "environment": {"environment": None},
            "seed": {"seed": None},
            "golden": {"artifacts": {"model.onnx": Digest("a"), "reference.json": Digest("c")}},
            "reference": {"artifacts": {"model.onnx": Digest("a"), "golden.arrow": Digest("b")}},
        }
        for part, absent in absences.items():
            with pytest.raises(IncompleteVersion) as caught:
                store.register("delay", content(**absent))
            assert caught.value.parts == (part,)
            store.register(f"delay-{part}", content(**absent, missing=(part,)))
        with pytest.raises(ModelNotFound):
            store.get_model("delay")

    def test_the_model_itself_is_never_absent(self, store: ModelStore) -> None:
        artifacts = {"golden.arrow": Digest("b"), "reference.json": Digest("c")}
        with pytest.raises(IncompleteVersion, match=r"model\.onnx"):
            store.register("delay", content(artifacts=artifacts))

    def test_nothing_is_declared_missing_that_is_there_or_unknown(self, store: ModelStore) -> None:
        for part in ("seed", "colour"):
            with pytest.raises(InvalidInput, match=part):
                store.register("delay", content(missing=(part,)))

    def test_a_version_cites_only_refs_with_a_version(self, store: ModelStore) -> None:
        with pytest.raises(InvalidInput, match="dataset:flights"):
            store.register("delay", content(datasets=("dataset:flights",)))
        with pytest.raises(InvalidInput, match="model:other@1"):
            store.register("delay", content(features=("model:other@1",)))

    def test_registering_records_a_fact_and_the_lineage(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        version = store.register("delay", content())
        (fact,) = ledger.list_facts(subject=version.ref, kind="model.registered")
        assert fact.payload["digest"] == version.digest
        edges = {
            (edge.from_ref, edge.role) for edge in ledger.list_edges(version.ref, upstream=True)
        }
        assert edges == {
            ("run:run1", "trained"),
            ("dataset:flights@4f0c", "data"),
            ("features:by_carrier@3", "features"),
        }

    def test_a_refused_registration_leaves_nothing(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        with pytest.raises(EvidenceNotFound):
            store.register("delay", content(evidence=("nothing",)))
        assert store.list_versions("delay") == []
        assert ledger.list_facts(kind="model.registered") == []
        assert store.register("delay", content()).version == 1

    def test_a_gate_that_did_not_pass_keeps_a_version_out(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        for verdict in (Verdict.FAILED, Verdict.NO_DATA, Verdict.INCONCLUSIVE, Verdict.ERROR):
            passed = ledger.judge("gate", "run:run1", Verdict.PASSED, "Quick enough.")
            refused = ledger.judge("gate", "run:run1", verdict, "AUC 0.4 is below 0.6.")
            with pytest.raises(NotAdmitted, match=r"AUC 0\.4 is below 0\.6"):
                store.register("delay", content(evidence=(passed.id, refused.id)))

    def test_forced_evidence_lets_a_refused_version_in(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        refused = ledger.judge("gate", "run:run1", Verdict.FAILED, "AUC 0.4 is below 0.6.")
        forced = ledger.judge("force", "run:run1", Verdict.FORCED, "To see it fail.")
        version = store.register("delay", content(evidence=(refused.id, forced.id)))
        assert store.get_version("delay", 1).content.evidence == version.content.evidence

    def test_an_alias_points_at_a_version(self, store: ModelStore, ledger: Ledger) -> None:
        version = store.register("delay", content())
        evidence = ledger.judge("gate", version.ref, Verdict.PASSED, "Good.")
        alias = store.set_alias("delay", "champion", 1, evidence=evidence.id)
        assert (alias.version, alias.generation, alias.evidence) == (1, 1, evidence.id)
        assert store.get_version("delay", "champion") == version
        assert store.list_aliases("delay") == [alias]

    def test_an_alias_moves_by_compare_and_swap(self, store: ModelStore, ledger: Ledger) -> None:
        for seed in (1, 2):
            store.register("delay", content(seed))
        evidence = ledger.judge("approval", "model:delay", Verdict.FORCED, "Because.").id
        store.set_alias("delay", "champion", 1, evidence=evidence)
        for expected in (None, 2):
            with pytest.raises(StaleGeneration) as caught:
                store.set_alias("delay", "champion", 2, evidence=evidence, expected=expected)
            assert caught.value.found == 1
        moved = store.set_alias("delay", "champion", 2, evidence=evidence, expected=1)
        assert (moved.version, moved.generation) == (2, 2)
        moves = ledger.list_facts(kind="alias.moved")
        assert [(fact.payload["to"], fact.generation) for fact in moves] == [(1, 1), (2, 2)]

    def test_a_new_alias_is_not_at_an_expected_version(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        store.register("delay", content())
        evidence = ledger.judge("gate", "model:delay@1", Verdict.PASSED, "Good.").id
        with pytest.raises(StaleGeneration):
            store.set_alias("delay", "champion", 1, evidence=evidence, expected=1)

    def test_an_alias_needs_evidence_that_carries_it(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        for seed in (1, 2):
            store.register("delay", content(seed))
        with pytest.raises(EvidenceMissing, match="is not stored"):
            store.set_alias("delay", "champion", 1, evidence="nothing")
        for verdict in (Verdict.FAILED, Verdict.NO_DATA, Verdict.LEARNING):
            evidence = ledger.judge("gate", "model:delay@1", verdict, "No.")
            with pytest.raises(EvidenceMissing, match=verdict):
                store.set_alias("delay", "champion", 1, evidence=evidence.id)
        other = ledger.judge("gate", "model:delay@2", Verdict.PASSED, "Good.")
        with pytest.raises(EvidenceMissing, match="model:delay@2"):
            store.set_alias("delay", "champion", 1, evidence=other.id)
        assert store.list_aliases("delay") == []

    def test_an_alias_is_no_number_and_points_at_what_exists(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        store.register("delay", content())
        evidence = ledger.judge("gate", "model:delay@1", Verdict.PASSED, "Good.").id
        with pytest.raises(InvalidInput, match="7"):
            store.set_alias("delay", "7", 1, evidence=evidence)
        with pytest.raises(VersionNotFound):
            store.set_alias("delay", "champion", 9, evidence=evidence)

    def test_of_many_who_register_each_gets_a_number_of_its_own(self, store: ModelStore) -> None:
        got: list[int] = []

        def register(seed: int) -> None:
            got.append(store.register("delay", content(seed)).version)

        _in_threads([lambda seed=seed: register(seed) for seed in range(8)])
        assert sorted(got) == list(range(1, 9))

    def test_of_many_who_register_the_same_content_one_succeeds(self, store: ModelStore) -> None:
        outcomes: list[str] = []

        def register() -> None:
            try:
                outcomes.append(store.register("delay", content()).ref)
            except DuplicateVersion as error:
                outcomes.append(f"duplicate of {error.version}")

        _in_threads([register] * 6)
        assert sorted(outcomes) == ["duplicate of 1"] * 5 + ["model:delay@1"]

    def test_of_many_who_move_an_alias_one_succeeds(
        self, store: ModelStore, ledger: Ledger
    ) -> None:
        for seed in range(5):
            store.register("delay", content(seed))
        evidence = ledger.judge("force", "model:delay", Verdict.FORCED, "Because.").id
        store.set_alias("delay", "champion", 1, evidence=evidence)
        won: list[int] = []

        def move(to: int) -> None:
            try:
                alias = store.set_alias("delay", "champion", to, evidence=evidence, expected=1)
            except StaleGeneration:
                return
            won.append(alias.version)

        _in_threads([lambda to=to: move(to) for to in range(2, 6)])
        assert [store.get_version("delay", "champion").version] == won


def _in_threads(calls: list[Any]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
