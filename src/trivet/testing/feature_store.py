"""The promises of `FeatureStore`, as tests that every back end must pass."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trivet.features import (
    Aggregate,
    FeatureNameTaken,
    FeatureService,
    FeatureServiceNotFound,
    FeatureStore,
    FeatureView,
    FeatureViewNotFound,
    RequestFeature,
    Rolling,
    TimePart,
)
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Ledger

VIEW = FeatureView(
    name="by_carrier",
    entity=("carrier",),
    source="landings",
    event_time="departed_at",
    created_time="known_at",
    ttl=timedelta(days=2),
    rolling=(
        Rolling(name="late_3h", column="late", function=Aggregate.MEAN, window=timedelta(hours=3)),
        Rolling(
            name="flights_3h", column="late", function=Aggregate.COUNT, window=timedelta(hours=3)
        ),
    ),
    event_key=("flight", "departed_at"),
)
SERVICE = FeatureService(
    name="delay",
    views=(("by_carrier", ("flights_3h",)),),
    request=(RequestFeature(name="hour", part=TimePart.HOUR),),
)


class FeatureStoreContract:
    """Subclass, and provide fixtures `store` (empty) and `ledger` (which sees its facts)."""

    def test_a_definition_comes_back_as_it_was_applied(self, store: FeatureStore) -> None:
        applied = store.apply(VIEW)

        assert applied == replace(VIEW, version=1)
        assert store.get_view("by_carrier") == applied
        assert store.get_view("by_carrier", 1) == applied
        assert store.list_views() == [applied]

    def test_what_was_applied_already_changes_nothing_and_records_nothing(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        first = store.apply(VIEW)
        facts = ledger.list_facts()

        again = store.apply(first)

        assert again == first
        assert ledger.list_facts() == facts

    def test_a_changed_definition_is_a_new_version_and_the_old_one_stays(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        store.apply(VIEW)

        second = store.apply(replace(VIEW, ttl=None))

        assert second.version == 2
        assert store.get_view("by_carrier") == second
        assert store.get_view("by_carrier", 1).ttl == timedelta(days=2)
        assert [fact.subject for fact in ledger.list_facts(kind="features.applied")] == [
            "features:by_carrier@1",
            "features:by_carrier@2",
        ]

    def test_going_back_to_an_old_definition_moves_the_pointer_only(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        store.apply(VIEW)
        store.apply(replace(VIEW, ttl=None))

        back = store.apply(VIEW)

        assert back.version == 1
        assert store.get_view("by_carrier").version == 1
        last = ledger.list_facts(kind="features.applied", newest_first=True)[0]
        assert (last.subject, last.generation) == ("features:by_carrier@1", 3)

    def test_many_who_apply_at_once_make_each_version_once(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        views = [replace(VIEW, ttl=timedelta(days=1 + number % 2)) for number in range(8)]

        with ThreadPoolExecutor(8) as pool:
            applied = list(pool.map(store.apply, views))

        assert {view.version for view in applied} == {1, 2}
        for view in applied:
            assert store.get_view("by_carrier", view.version) == view
        generations = [fact.generation for fact in ledger.list_facts(kind="features.applied")]
        assert sorted(g or 0 for g in generations) == list(range(1, len(generations) + 1))

    def test_what_is_not_there_is_not_found(self, store: FeatureStore) -> None:
        store.apply(VIEW)

        with pytest.raises(FeatureViewNotFound, match="by_origin"):
            store.get_view("by_origin")
        with pytest.raises(FeatureViewNotFound, match="version 7"):
            store.get_view("by_carrier", 7)
        with pytest.raises(FeatureServiceNotFound, match="by_carrier"):
            store.get_service("by_carrier")
        with pytest.raises(FeatureViewNotFound):
            store.get("nothing")

    def test_a_service_is_versioned_like_a_view(self, store: FeatureStore) -> None:
        store.apply(VIEW)

        applied = store.apply(SERVICE)

        assert applied == replace(SERVICE, version=1)
        assert store.get_service("delay") == applied
        assert store.get("delay") == applied
        assert store.list_services() == [applied]
        assert store.apply(replace(SERVICE, request=())).version == 2

    def test_a_service_needs_its_views(self, store: FeatureStore, ledger: Ledger) -> None:
        with pytest.raises(FeatureViewNotFound, match="by_carrier"):
            store.apply(SERVICE)

        assert store.list_services() == []
        assert ledger.list_facts() == []

    def test_a_service_names_features_that_its_views_have(self, store: FeatureStore) -> None:
        store.apply(VIEW)

        with pytest.raises(InvalidInput, match=r"has no feature 'late_9h'; it has late_3h"):
            store.apply(replace(SERVICE, views=(("by_carrier", ("late_9h",)),)))

    def test_a_view_and_a_service_share_their_names(self, store: FeatureStore) -> None:
        store.apply(VIEW)

        with pytest.raises(FeatureNameTaken, match="a feature view already"):
            store.apply(replace(SERVICE, name="by_carrier"))

    def test_a_plan_fixes_the_versions_of_its_moment(self, store: FeatureStore) -> None:
        store.apply(VIEW)
        store.apply(SERVICE)
        before = store.plan("delay")

        store.apply(replace(VIEW, ttl=None))

        first = before.inputs[0]
        assert before.names == ("flights_3h", "hour")
        assert (first.view, first.position, first.entity) == ("by_carrier@1", 1, ("carrier",))
        assert first.ttl_seconds == 2 * 86_400
        assert before.view_refs == ("features:by_carrier@1",)
        assert store.plan("delay").inputs[0].view == "by_carrier@2"

    def test_a_materialization_is_recorded_with_its_lineage(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        view = store.apply(VIEW)
        until = datetime(2026, 1, 1, tzinfo=UTC)

        first = store.record_materialization(view, "dataset:landings@a1", rows=16, until=until)
        second = store.record_materialization(view, "dataset:landings@b2", rows=17, until=until)

        assert store.list_materializations("by_carrier") == [second, first]
        assert store.list_materializations(limit=1) == [second]
        assert store.list_materializations("by_origin") == []
        assert (first.view, first.rows, first.until) == (view.ref, 16, until)
        edges = ledger.list_edges(view.ref, upstream=True)
        assert [edge.from_ref for edge in edges] == ["dataset:landings@a1", "dataset:landings@b2"]

    def test_a_view_that_was_never_applied_cannot_be_materialized(
        self, store: FeatureStore, ledger: Ledger
    ) -> None:
        with pytest.raises(FeatureViewNotFound):
            store.record_materialization(
                VIEW, "dataset:landings@a1", rows=1, until=datetime(2026, 1, 1, tzinfo=UTC)
            )

        assert ledger.list_facts() == []
