import json
import pickle
from datetime import timedelta

import pytest

from trivet.features import (
    Aggregate,
    FeatureNameTaken,
    FeatureService,
    FeatureServiceNotFound,
    FeatureView,
    FeatureViewNotFound,
    RequestFeature,
    RequestFieldInvalid,
    Rolling,
    TimePart,
    definition_from_json,
    definition_to_json,
    make_plan,
    plan_from_json,
    plan_to_json,
)
from trivet.features.errors import ColumnMissing, ColumnUnusable, EntityNotOnline
from trivet.features.push import PushContended
from trivet.kernel.errors import InvalidInput

ROLLING = FeatureView(
    name="by_route",
    entity=("origin", "dest"),
    source="landings",
    event_time="departed_at",
    created_time="known_at",
    ttl=timedelta(hours=36, microseconds=1),
    rolling=(
        Rolling(name="n", column="late", function=Aggregate.COUNT, window=timedelta(days=7)),
    ),
    where="late IS NOT NULL",
    event_key=("id",),
    description="what",
    owner="anna",
    version=3,
)
COLUMNS = FeatureView(
    name="weather", entity=("origin",), source="w", event_time="at", columns=("temp", "wind"),
    sql="SELECT * FROM source", version=2,
)  # fmt: skip
SERVICE = FeatureService(
    name="delay",
    views=(("weather", ("wind",)), ("by_route", ())),
    request=(
        RequestFeature(name="hour", part=TimePart.HOUR),
        RequestFeature(name="carrier_code", column="carrier", vocabulary=("UA", "AA")),
        RequestFeature(name="distance", column="distance"),
    ),
    version=1,
)


@pytest.mark.parametrize("definition", [ROLLING, COLUMNS, SERVICE])
def test_a_definition_survives_json(definition: FeatureView | FeatureService) -> None:
    text = json.dumps(definition_to_json(definition))

    assert definition_from_json(json.loads(text), version=definition.version) == definition


def test_a_plan_lists_views_in_the_service_s_order_and_then_the_request() -> None:
    plan = make_plan(SERVICE, [ROLLING, COLUMNS])

    assert plan.names == ("wind", "n", "hour", "carrier_code", "distance")
    assert [(i.view, i.position, i.entity) for i in plan.inputs[:2]] == [
        ("weather@2", 1, ("origin",)),
        ("by_route@3", 0, ("origin", "dest")),
    ]
    assert plan.view_refs == ("features:weather@2", "features:by_route@3")
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan


def test_json_that_holds_something_else_is_refused() -> None:
    for value in ({}, {"kind": "view"}, {"kind": "service", "name": "x"}):
        with pytest.raises(InvalidInput, match="no feature definition"):
            definition_from_json(value)
    with pytest.raises(InvalidInput, match="no feature plan"):
        plan_from_json({"service": "x", "inputs": [{}]})


def test_two_inputs_of_one_name_are_refused() -> None:
    service = FeatureService(
        name="s", views=(("by_route", ()),), request=(RequestFeature(name="n", column="n"),)
    )

    with pytest.raises(InvalidInput, match="two inputs called n"):
        make_plan(service, [ROLLING])


def test_definitions_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(InvalidInput, match="part or vocabulary, not both"):
        RequestFeature(name="x", column="c", part=TimePart.HOUR, vocabulary=("a",))
    with pytest.raises(InvalidInput, match="needs a column"):
        RequestFeature(name="x")
    with pytest.raises(InvalidInput, match="vocabulary of 'x' names 'a' twice"):
        RequestFeature(name="x", column="c", vocabulary=("a", "b", "a"))
    with pytest.raises(InvalidInput, match="longer than nothing"):
        Rolling(name="x", column="c", function=Aggregate.SUM, window=timedelta(0))
    with pytest.raises(InvalidInput, match="neither sql nor columns"):
        FeatureView(
            name="v", entity=("e",), source="s", event_time="t", rolling=ROLLING.rolling, sql="x"
        )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FeatureViewNotFound("v", 2), "No feature view 'v' in version 2."),
        (FeatureServiceNotFound("s"), "No feature service 's'."),
        (FeatureNameTaken("v", "view"), "'v' is the name of a feature view already"),
        (ColumnMissing("The source", "x", ("a",)), "The source has no column 'x'; it has a."),
        (ColumnUnusable("T", "x", "a time", "int64"), "T: column 'x' must be a time, not int64."),
        (RequestFieldInvalid(3, "x", "is missing"), "Row 3: field 'x' is missing."),
        (EntityNotOnline("features:v@1", "a=1"), "features:v@1 has no online row for 'a=1'."),
        (PushContended("v"), "Too many writers push into 'v' at once"),
    ],
)
def test_errors_say_what_is_wrong_and_survive_pickling(error: Exception, words: str) -> None:
    assert words in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own bytes
