"""Replay flights in the order of their events: predict at departure, learn at landing."""

import heapq
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trivet.demo.gateway_client import GatewayClient
from trivet.demo.source import FlightTables
from trivet.kernel.clock import Stopwatch, stopwatch

TICK = timedelta(hours=1)
_SOURCES = {"landings": "known_at", "weather": "published_at"}
"""What is pushed into the feature views, and the time at which each row of it becomes known."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer that a caller got, with the wall-clock seconds at which they got it."""

    id: str
    flight: str
    event_at: datetime
    revision: int
    generation: int
    probability: float | None
    seconds: float


@dataclass(slots=True)
class Replay:
    """Where the replay stands, and what it was told.

    At each hour of event time three things happen, in this order: the landings and the weather
    reports of the past hour are pushed into the feature views; what became of earlier
    predictions is fed back; flights of the hour to come are predicted, `share` of them.

    Attributes:
        at: The event time reached.
        share: Which share of the flights is predicted; each landing is pushed whatever it is.
        given: Every answer, in the order given.
    """

    tables: FlightTables
    client: GatewayClient
    feedback_client: GatewayClient
    deployment: str
    request_columns: tuple[str, ...]
    at: datetime
    share: float = 0.2
    watch: Stopwatch = stopwatch
    given: list[Given] = field(default_factory=list)
    fed_back: int = 0
    pushed: int = 0
    _owed: float = 0.0
    _waiting: list[tuple[datetime, str, int]] = field(default_factory=list)
    _outcomes: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def until(self, end: datetime) -> None:
        """Go on to `end`, hour by hour."""
        sources = [
            _by_tick(
                _between(getattr(self.tables, name), time, self.at - TICK, end),
                time,
                self.at - TICK,
            )
            for name, time in _SOURCES.items()
        ]
        flights = _between(self.tables.flights, "scheduled_at", self.at, end)
        self._learn_outcomes(flights)
        departures = _by_tick(flights, "scheduled_at", self.at)
        with ThreadPoolExecutor(1) as beside:
            while self.at < end:
                # Feedback goes over a connection of its own: its sync to the disk takes as long
                # as the push, and neither needs the other.
                feedback = beside.submit(self._feed_back)
                for source, rows in zip(_SOURCES, sources, strict=True):
                    self._push(source, next(rows))
                feedback.result()
                self._predict(next(departures))
                self.at += TICK

    def request_of(self, flight: dict[str, Any]) -> dict[str, Any]:
        """Return what a caller tells of a flight at its scheduled departure."""
        told = {name: _plain(flight[name]) for name in self.request_columns}
        return told | {"event_at": flight["scheduled_at"].isoformat()}

    def _learn_outcomes(self, flights: pa.Table) -> None:
        self._outcomes.clear()
        ids = set(flights["flight_id"].to_pylist())
        landings = self.tables.landings
        mine = landings.filter(pc.is_in(landings["flight_id"], pa.array(sorted(ids))))
        for flight, known_at, late in zip(
            mine["flight_id"].to_pylist(),
            mine["known_at"].to_pylist(),
            mine["late"].to_pylist(),
            strict=True,
        ):
            self._outcomes[flight] = (known_at, late)

    def _push(self, source: str, rows: pa.Table) -> None:
        if rows.num_rows == 0:
            return
        columns = {
            name: [_plain(value) for value in rows[name].to_pylist()] for name in rows.column_names
        }
        self.client.push(source, columns)
        self.pushed += rows.num_rows

    def _feed_back(self) -> None:
        items = []
        while self._waiting and self._waiting[0][0] <= self.at:
            known_at, prediction, late = heapq.heappop(self._waiting)
            items.append(
                {"prediction": prediction, "outcome": late, "event_at": known_at.isoformat()}
            )
        self.feedback_client.feedback(self.deployment, items)
        self.fed_back += len(items)

    def _predict(self, flights: pa.Table) -> None:
        chosen = [row for row in flights.to_pylist() if self._is_chosen()]
        if not chosen:
            return
        answers = self.client.predict(
            self.deployment, [self.request_of(flight) for flight in chosen]
        )
        seconds = self.watch()
        for row, answer in zip(chosen, answers, strict=True):
            flight = row["flight_id"]
            known_at, late = self._outcomes.pop(flight)
            heapq.heappush(self._waiting, (known_at, answer.id, late))
            self.given.append(
                Given(
                    answer.id,
                    flight,
                    row["scheduled_at"],
                    answer.revision,
                    answer.generation,
                    answer.probability,
                    seconds,
                )
            )

    def _is_chosen(self) -> bool:
        self._owed += self.share
        if self._owed < 1:
            return False
        self._owed -= 1
        return True


def _between(table: pa.Table, column: str, start: datetime, end: datetime) -> pa.Table:
    times = table[column]
    return table.filter(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))


def _by_tick(table: pa.Table, column: str, start: datetime) -> Iterator[pa.Table]:
    """Yield the rows of each hour from `start` on, without end; `table` is in time order."""
    ticks = pc.divide(
        pc.cast(pc.subtract(table[column], pa.scalar(start, table[column].type)), pa.int64()),
        int(TICK.total_seconds() * 1_000_000),
    ).to_numpy()
    position, tick = 0, 0
    while True:
        begin = position
        while position < len(ticks) and ticks[position] <= tick:
            position += 1
        yield table.slice(begin, position - begin)
        tick += 1


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
