"""Nothing that is known only later may reach a feature."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from trivet.demo.flights.features import FULL, REQUEST_COLUMNS, SERVICES, VIEWS
from trivet.demo.source import OUTCOME_COLUMNS, FlightTables, landings_of, load_tables
from trivet.features import make_plan, training_set

APPLIED = [replace(view, version=1) for view in VIEWS]
FIRST_DAY, LAST_DAY = datetime(2013, 1, 8, tzinfo=UTC), datetime(2013, 1, 16, tzinfo=UTC)
MOMENTS = [FIRST_DAY + timedelta(hours=hours) for hours in (40, 75, 111, 163)]


def between(table: pa.Table, column: str, first: datetime, last: datetime) -> pa.Table:
    at = table[column]
    return table.filter(
        pc.and_(pc.greater_equal(at, pa.scalar(first)), pc.less(at, pa.scalar(last)))
    )


@pytest.fixture(scope="module")
def tables() -> FlightTables:
    whole = load_tables()
    return replace(
        whole,
        flights=between(whole.flights, "scheduled_at", FIRST_DAY, LAST_DAY),
        weather=between(whole.weather, "observed_at", FIRST_DAY, LAST_DAY),
    )


def features(
    tables: FlightTables, landings: pa.Table, weather: pa.Table | None = None
) -> pa.Table:
    sources = {
        "landings": landings,
        "weather": tables.weather if weather is None else weather,
        "planes": tables.planes,
    }
    labels = tables.flights.select(["flight_id", "scheduled_at", *REQUEST_COLUMNS])
    return training_set(
        FULL, APPLIED, lambda view: sources[view.source], labels, event_time="scheduled_at"
    )


def with_other_outcomes(flights: pa.Table, changed: np.ndarray, seed: int) -> pa.Table:
    """Return the flights, those of `changed` with an outcome that is another and known later."""
    rng = np.random.default_rng(seed)
    more = rng.integers(400, 900, flights.num_rows)
    for name in ("arr_delay", "dep_delay", "air_time", "dep_time", "arr_time"):
        old = flights[name].cast(pa.float64()).to_numpy()
        new = np.where(changed, np.nan_to_num(old) + more, old)
        column = pa.array(new, pa.float64(), mask=np.isnan(new)).cast(pa.int32())
        flights = flights.set_column(flights.schema.get_field_index(name), name, column)
    return flights


def assert_equal(one: pa.Table, other: pa.Table) -> None:
    for name in make_plan(FULL, APPLIED).names:
        np.testing.assert_array_equal(one[name].to_numpy(), other[name].to_numpy(), name)


@pytest.mark.parametrize("moment", MOMENTS)
def test_outcomes_known_after_a_moment_change_no_feature_until_then(
    tables: FlightTables, moment: datetime
) -> None:
    truth = landings_of(tables.flights)
    known = dict(zip(truth["flight_id"].to_pylist(), truth["known_at"].to_pylist(), strict=True))
    unknown = np.array([known[key] > moment for key in tables.flights["flight_id"].to_pylist()])
    other = landings_of(with_other_outcomes(tables.flights, unknown, seed=1))
    until = pc.less_equal(tables.flights["scheduled_at"], pa.scalar(moment))

    before, after = features(tables, truth), features(tables, other)

    assert unknown.any()
    assert not unknown.all()
    assert_equal(before.filter(until), after.filter(until))
    # The change is no trifle: it does show, later.
    assert not before.filter(pc.invert(until)).equals(after.filter(pc.invert(until)))


def test_a_flights_own_outcome_is_not_among_its_features(tables: FlightTables) -> None:
    truth = landings_of(tables.flights)
    at = tables.flights["scheduled_at"].to_numpy()
    moment = at[len(at) // 2]
    other = landings_of(with_other_outcomes(tables.flights, at == moment, seed=2))
    then = pa.array(at == moment)
    assert_equal(features(tables, truth).filter(then), features(tables, other).filter(then))


@pytest.mark.parametrize("moment", MOMENTS)
def test_weather_published_after_a_moment_changes_no_feature_until_then(
    tables: FlightTables, moment: datetime
) -> None:
    truth = landings_of(tables.flights)
    late = pc.greater(tables.weather["published_at"], pa.scalar(moment))
    position = tables.weather.schema.get_field_index("temp")
    stormy = tables.weather.set_column(
        position, "temp", pc.if_else(late, -99.0, tables.weather["temp"])
    )
    until = pc.less_equal(tables.flights["scheduled_at"], pa.scalar(moment))
    assert_equal(
        features(tables, truth).filter(until), features(tables, truth, stormy).filter(until)
    )


def test_no_definition_names_a_column_that_is_known_only_later() -> None:
    assert not set(REQUEST_COLUMNS) & set(OUTCOME_COLUMNS)
    for view in VIEWS:
        assert view.source != "flights"
        used = {*view.columns, *(item.column for item in view.rolling)}
        assert not used & set(OUTCOME_COLUMNS)
    for service in SERVICES:
        assert {item.column for item in service.request} <= {None, *REQUEST_COLUMNS}
