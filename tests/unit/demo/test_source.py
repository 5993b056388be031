from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from trivet.demo.source import OUTCOME_COLUMNS, FlightTables, landings_of, load_tables


@pytest.fixture(scope="module")
def tables() -> FlightTables:
    return load_tables()


def one(table: pa.Table, flight_id: str) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = table.filter(pc.equal(table["flight_id"], flight_id)).to_pylist()
    return row


def test_every_flight_has_one_outcome(tables: FlightTables) -> None:
    assert tables.flights.num_rows == tables.landings.num_rows == 336_776
    assert pc.count_distinct(tables.flights["flight_id"]).as_py() == 336_776
    assert set(tables.flights["flight_id"].to_pylist()) == set(
        tables.landings["flight_id"].to_pylist()
    )


def test_a_flight_is_known_when_it_has_landed(tables: FlightTables) -> None:
    # UA 1545 to Houston: due 08:19 Central Time on 1 January, 14:19 UTC; eleven minutes late.
    flight = one(tables.flights, "20130101-UA-1545-EWR-515")
    assert flight["scheduled_at"] == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    landing = one(tables.landings, "20130101-UA-1545-EWR-515")
    assert landing["known_at"] == datetime(2013, 1, 1, 14, 30, tzinfo=UTC)
    assert (landing["late"], landing["delay"]) == (0, 11.0)


def test_a_flight_to_an_airport_that_is_not_listed_is_known_too(tables: FlightTables) -> None:
    # B6 725 to Aguadilla: due 10:22 Atlantic Time, 14:22 UTC; eighteen minutes early.
    landing = one(tables.landings, "20130101-B6-725-JFK-545")
    assert landing["known_at"] == datetime(2013, 1, 1, 14, 4, tzinfo=UTC)


def test_a_cancelled_flight_is_late_and_known_two_hours_after_its_departure(
    tables: FlightTables,
) -> None:
    flight = one(tables.flights, "20130101-EV-4308-EWR-1630")
    landing = one(tables.landings, "20130101-EV-4308-EWR-1630")
    assert flight["dep_time"] is None
    assert (landing["known_at"] - landing["scheduled_at"]).total_seconds() == 2 * 3600
    assert (landing["late"], landing["delay"]) == (1, 180.0)


def test_a_late_flight_arrives_more_than_fifteen_minutes_after_schedule(
    tables: FlightTables,
) -> None:
    rows = tables.flights.select(["flight_id", "arr_delay"]).join(
        tables.landings.select(["flight_id", "late"]), "flight_id"
    )
    delay = rows["arr_delay"].cast(pa.float64()).to_numpy()
    late = rows["late"].to_numpy()
    np.testing.assert_array_equal(late, np.isnan(delay) | (delay > 15))
    assert 0.25 < late.mean() < 0.27


def test_no_outcome_is_known_before_departure(tables: FlightTables) -> None:
    landings = tables.landings
    assert pc.all(pc.greater(landings["known_at"], landings["scheduled_at"])).as_py()
    known = landings["known_at"].to_numpy()
    assert (np.diff(known) >= np.timedelta64(0, "us")).all()


def test_weather_is_published_after_it_was_observed(tables: FlightTables) -> None:
    weather = tables.weather
    assert weather.num_rows == weather.group_by(["origin", "observed_at"]).aggregate([]).num_rows
    assert pc.all(pc.greater(weather["published_at"], weather["observed_at"])).as_py()


def test_outcomes_follow_from_the_flights_alone(tables: FlightTables) -> None:
    some = tables.flights.slice(5_000, 500)
    again = landings_of(some)
    assert again.num_rows == 500
    assert set(OUTCOME_COLUMNS) <= set(some.column_names)
    assert one(again, some["flight_id"][0].as_py()) == one(
        tables.landings, some["flight_id"][0].as_py()
    )
