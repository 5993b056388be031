from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from trivet.features import (
    Aggregate,
    FeatureService,
    FeatureView,
    OnlineReader,
    RequestFeature,
    Rolling,
    TimePart,
    make_plan,
    materialize,
    training_set,
)
from trivet.kernel.errors import InvalidInput
from trivet.storage.online import OnlineStore

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DELAYS = FeatureView(
    name="by_carrier",
    entity=("carrier",),
    source="landings",
    event_time="departed_at",
    created_time="landed_at",
    ttl=6 * HOUR,
    rolling=(
        Rolling(name="flights", column="late", function=Aggregate.COUNT, window=3 * HOUR),
        Rolling(name="late", column="late", function=Aggregate.MEAN, window=3 * HOUR),
    ),
    version=1,
)
WEATHER = FeatureView(
    name="weather", entity=("origin",), source="weather", event_time="at",
    columns=("temp", "wind"), version=4,
)  # fmt: skip
SERVICE = FeatureService(
    name="delay",
    views=(("weather", ("wind",)), ("by_carrier", ())),
    request=(
        RequestFeature(name="hour", part=TimePart.HOUR),
        RequestFeature(name="carrier_code", column="carrier", vocabulary=("AA", "UA")),
        RequestFeature(name="distance", column="distance"),
    ),
)
LANDINGS = pa.table(
    {
        "carrier": ["UA", "UA", "UA"],
        "departed_at": [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - 2 * HOUR],
        "landed_at": [NOON - HOUR, NOON - HOUR / 2, NOON + HOUR],
        "late": [1, 0, 1],
    }
)
REPORTS = pa.table(
    {"origin": ["EWR"], "at": [NOON - HOUR], "temp": [1.5], "wind": pa.array([None], pa.float64())}
)
SOURCES = {"landings": LANDINGS, "weather": REPORTS}
LABELS = pa.table(
    {
        "carrier": ["UA", "ZZ", None],
        "origin": ["EWR", "EWR", "JFK"],
        "departs_at": [NOON, NOON, NOON],
        "distance": [100, None, 300],
        "late": [True, False, True],
    }
)


def source(view: FeatureView) -> pa.Table:
    return SOURCES[view.source]


def test_a_training_set_has_the_labels_and_then_the_inputs_in_order() -> None:
    labels = LABELS.rename_columns({"late": "target"})

    found = training_set(SERVICE, [DELAYS, WEATHER], source, labels, event_time="departs_at")

    inputs = make_plan(SERVICE, [DELAYS, WEATHER]).names
    assert found.column_names == ["carrier", "origin", "departs_at", "target", *inputs]
    assert all(found.schema.field(name).type == pa.float32() for name in inputs)
    values = np.column_stack([found[name].to_numpy() for name in inputs])
    nan = np.nan
    # The flight that lands after noon is not known at noon.
    np.testing.assert_array_equal(
        values,
        [[nan, 2, 0.5, 12, 1, 100], [nan, nan, nan, 12, -1, nan], [nan] * 3 + [12, nan, 300]],
    )


def test_a_feature_called_like_a_label_is_refused() -> None:
    with pytest.raises(InvalidInput, match="feature 'late' has the name of a label column"):
        training_set(SERVICE, [DELAYS, WEATHER], source, LABELS, event_time="departs_at")


def test_serving_gives_what_training_was_given(online: OnlineStore) -> None:
    labels = LABELS.rename_columns({"late": "target"})
    plan = make_plan(SERVICE, [DELAYS, WEATHER])
    for view in (DELAYS, WEATHER):
        materialize(view, source(view), online, NOON)

    trained = training_set(SERVICE, [DELAYS, WEATHER], source, labels, event_time="departs_at")
    requests = labels.select(["carrier", "origin", "distance"]).to_pylist()
    served = OnlineReader(plan, online).vectors(requests, [NOON] * 3)

    values = np.column_stack([trained[name].to_numpy() for name in plan.names])
    assert served.names == plan.names
    np.testing.assert_array_equal(served.values, values)
