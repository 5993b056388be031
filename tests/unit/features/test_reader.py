from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from trivet.features import (
    FeaturePlan,
    FeatureService,
    FeatureView,
    OnlineReader,
    RequestFeature,
    RequestFieldInvalid,
    TimePart,
    entity_key,
    make_plan,
)
from trivet.storage.online import OnlineRow, OnlineStore

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BY_ROUTE = FeatureView(
    name="by_route", entity=("origin", "dest"), source="s", event_time="at", columns=("a", "b"),
    ttl=HOUR, version=1,
)  # fmt: skip
BY_GATE = FeatureView(
    name="by_gate", entity=("gate",), source="s", event_time="at", columns=("c",), version=2
)
ROW = {"origin": "EWR", "dest": "SFO", "gate": 5}


def plan() -> FeaturePlan:
    service = FeatureService(
        name="s",
        views=(("by_route", ("b", "a")), ("by_gate", ())),
        request=(RequestFeature(name="hour", part=TimePart.HOUR),),
    )
    return make_plan(service, [BY_ROUTE, BY_GATE])


def fill(online: OnlineStore, event_at: datetime = NOON) -> None:
    route = entity_key(("EWR", "SFO")) or ""
    online.write("by_route@1", [OnlineRow(route, event_at, event_at, (1.0, 2.0))])
    online.write("by_gate@2", [OnlineRow("5", event_at, event_at, (None,))])


def values(online: OnlineStore, row: dict[str, object], at: datetime = NOON) -> list[float]:
    found: list[float] = OnlineReader(plan(), online).vectors([row], [at]).values[0].tolist()
    return found


def test_inputs_come_in_the_plan_s_order(online: OnlineStore) -> None:
    fill(online)

    found = OnlineReader(plan(), online).vectors([ROW, {**ROW, "dest": "LAX"}], [NOON + HOUR] * 2)

    assert found.names == ("b", "a", "c", "hour")
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, [[2, 1, np.nan, 13], [np.nan, np.nan, np.nan, 13]])
    assert found.missing == {"a": 1, "b": 1, "c": 2}
    assert found.oldest_seconds == 3600


def test_the_ttl_counts_from_the_request_s_own_time(online: OnlineStore) -> None:
    fill(online)

    assert values(online, ROW, NOON + HOUR)[:2] == [2.0, 1.0]
    assert np.isnan(values(online, ROW, NOON + HOUR + timedelta(microseconds=1))[:2]).all()


def test_a_value_newer_than_the_request_is_used(online: OnlineStore) -> None:
    fill(online)

    assert values(online, ROW, NOON - 100 * HOUR)[:2] == [2.0, 1.0]


@pytest.mark.parametrize("gate", [5, 5.0, "5"])
def test_a_key_is_one_however_its_number_is_written(online: OnlineStore, gate: object) -> None:
    online.write("by_gate@2", [OnlineRow("5", NOON, NOON, (7.0,))])

    assert values(online, {**ROW, "gate": gate})[2] == 7.0


def test_a_null_entity_is_missing(online: OnlineStore) -> None:
    fill(online)

    assert np.isnan(values(online, {**ROW, "dest": None})[:2]).all()
    assert np.isnan(values(online, {"origin": None, "dest": None, "gate": None})[:3]).all()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"dest": ["SFO"]}, "'dest' must be a text or a number, not list"),
        ({"dest": {}}, "'dest' must be a text or a number, not dict"),
        ({"dest": "a\x1fb"}, "'dest' must be a text or a number, not text with U"),
        ({"dest": "\ud800"}, "'dest' holds half a character"),
    ],
)
def test_a_malformed_entity_is_named(
    online: OnlineStore, changed: dict[str, object], problem: str
) -> None:
    with pytest.raises(RequestFieldInvalid, match=problem) as caught:
        OnlineReader(plan(), online).vectors([ROW, {**ROW, **changed}], [NOON] * 2)

    assert (caught.value.row, caught.value.field) == (1, "dest")


def test_an_absent_entity_is_named(online: OnlineStore) -> None:
    with pytest.raises(RequestFieldInvalid, match="Row 0: field 'gate' is missing"):
        values(online, {"origin": "EWR", "dest": "SFO"})


def test_columns_the_plan_does_not_take_are_left_alone(online: OnlineStore) -> None:
    fill(online)

    assert values(online, {**ROW, "note": object()})[:2] == [2.0, 1.0]


def test_a_row_none_of_whose_entities_is_known_is_told(online: OnlineStore) -> None:
    fill(online)
    unknown = {"origin": "X", "dest": "Y", "gate": 9}

    found = OnlineReader(plan(), online).vectors(
        [ROW, unknown, {**unknown, "gate": 5}], [NOON + 100 * HOUR] * 3
    )

    assert found.unknown == (1,)


def test_a_plan_without_views_knows_no_unknown_rows(online: OnlineStore) -> None:
    service = FeatureService(name="s", views=(), request=(RequestFeature(name="x", column="x"),))

    found = OnlineReader(make_plan(service, []), online).vectors([{"x": 1}], [NOON])

    assert (found.unknown, found.oldest_seconds, found.values.tolist()) == ((), None, [[1.0]])


def test_no_rows_are_no_trouble(online: OnlineStore) -> None:
    found = OnlineReader(plan(), online).vectors([], [])

    assert found.values.shape == (0, 4)
    assert (found.missing, found.oldest_seconds) == ({}, None)


def test_a_time_without_a_zone_is_utc(online: OnlineStore) -> None:
    fill(online)

    assert values(online, ROW, NOON.replace(tzinfo=None)) == pytest.approx(
        [2, 1, np.nan, 12], nan_ok=True
    )
