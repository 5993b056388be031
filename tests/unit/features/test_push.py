from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivet.features import Aggregate, FeatureView, Pusher, Rolling, compute_rows, materialize
from trivet.features.errors import ColumnMissing, FeatureViewNotFound
from trivet.features.newest import newest_rows
from trivet.features.push import PushContended
from trivet.storage.online import OnlineRow, OnlineStore
from trivet.storage.online.sqlite import SqliteOnlineStore

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VIEW = FeatureView(
    name="by_carrier",
    entity=("carrier",),
    source="landings",
    event_time="departed_at",
    created_time="landed_at",
    rolling=tuple(
        Rolling(name=f"{f}_{w}", column=column, function=f, window=w * MINUTE)
        for f, w, column in [
            (Aggregate.COUNT, 5, "late"),
            (Aggregate.SUM, 5, "delay"),
            (Aggregate.MEAN, 20, "delay"),
            (Aggregate.COUNT, 20, "delay"),
        ]
    ),
    version=1,
)
KEYED = replace(VIEW, event_key=("id",))
BY_ROUTE = replace(VIEW, name="by_route", entity=("origin", "dest"))

Event = tuple[int, str, int, int | None, float | None]
"""Id, carrier, minute of departure, minutes until landing, delay."""


def table(events: Sequence[Event]) -> pa.Table:
    stamp = pa.timestamp("us", "UTC")
    landed = [None if e[3] is None else START + (e[2] + e[3]) * MINUTE for e in events]
    return pa.table(
        {
            "id": pa.array([e[0] for e in events], pa.int64()),
            "carrier": pa.array([e[1] for e in events], pa.string()),
            "origin": pa.array(["EWR"] * len(events), pa.string()),
            "dest": pa.array([e[1] for e in events], pa.string()),
            "departed_at": pa.array([START + e[2] * MINUTE for e in events], stamp),
            "landed_at": pa.array(landed, stamp),
            "late": pa.array([e[0] % 2 for e in events], pa.int64()),
            "delay": pa.array([e[4] for e in events], pa.float64()),
        }
    )


def offline(view: FeatureView, events: Sequence[Event]) -> list[OnlineRow]:
    return newest_rows(compute_rows(view, table(events)))


def stored(online: OnlineStore, view: FeatureView, keys: Sequence[str]) -> list[OnlineRow | None]:
    return online.read([(view.online_name, key) for key in keys])


def check(online: OnlineStore, view: FeatureView, events: Sequence[Event]) -> None:
    """Assert that the online rows are the newest offline rows."""
    expected = offline(view, events)
    assert online.count(view.online_name) == len(expected)
    assert stored(online, view, [row.key for row in expected]) == expected


FLIGHTS: list[Event] = [
    (n, "UA" if n % 3 else "AA", 2 * n, n % 7, float(n) if n % 5 else None) for n in range(40)
]

events_of_any_order = st.lists(
    st.tuples(
        st.sampled_from(["UA", "AA"]),
        st.integers(0, 60),
        st.one_of(st.none(), st.integers(0, 30)),
        # Whole numbers, whose sums are exact in the offline computation too.
        st.one_of(st.none(), st.integers(-1000, 1000).map(float)),
    ),
    max_size=40,
).map(lambda found: [(n, *rest) for n, rest in enumerate(found)])


@settings(deadline=None, max_examples=60)
@given(events_of_any_order, st.integers(1, 7), st.booleans())
def test_pushes_in_any_order_end_where_the_offline_rows_end(
    events: list[Event], size: int, keyed: bool
) -> None:
    view = KEYED if keyed else VIEW
    with TemporaryDirectory() as folder:
        online = SqliteOnlineStore(Path(folder) / "online.db")
        for start in range(0, len(events), size):
            # A new pusher each time: what it goes on from is what is stored.
            Pusher([view], online).push("landings", table(events[start : start + size]))

        check(online, view, events)
        online.close()


@settings(deadline=None, max_examples=30)
@given(events_of_any_order, st.integers(1, 7))
def test_pushes_as_events_become_known_agree_with_the_offline_rows_all_along(
    events: list[Event], size: int
) -> None:
    events.sort(key=lambda e: e[2] + (e[3] or 0))
    with TemporaryDirectory() as folder:
        online = SqliteOnlineStore(Path(folder) / "online.db")
        pusher = Pusher([VIEW], online)
        for end in range(size, len(events) + size, size):
            pusher.push("by_carrier", table(events[end - size : end]))

            check(online, VIEW, events[:end])
        online.close()


@settings(deadline=None, max_examples=30)
@given(events_of_any_order, st.integers(0, 40), st.integers(0, 60))
def test_pushes_go_on_from_what_was_materialized(
    events: list[Event], split: int, until: int
) -> None:
    known = sorted(events, key=lambda e: e[2] + (e[3] or 0))
    before = [e for e in known if e[2] + (e[3] or 0) <= until]
    after = known[len(before) :]
    with TemporaryDirectory() as folder:
        online = SqliteOnlineStore(Path(folder) / "online.db")
        pusher = Pusher([VIEW], online)

        materialize(VIEW, table(events), online, START + until * MINUTE)

        check(online, VIEW, before)
        pusher.push("landings", table(after[:split]))
        pusher.push("landings", table(after[split:]))
        check(online, VIEW, events)
        online.close()


def test_fractions_agree_to_the_last_place_of_a_double(online: OnlineStore) -> None:
    events: list[Event] = [(n, "UA", n, None, 0.1 * n) for n in range(50)]

    Pusher([VIEW], online).push("landings", table(events))

    row, expected = stored(online, VIEW, ["UA"])[0], offline(VIEW, events)[0]
    assert row is not None
    assert row.values == pytest.approx(expected.values, rel=3e-16)


def test_one_push_feeds_every_view_over_the_source(online: OnlineStore) -> None:
    pusher = Pusher([VIEW, BY_ROUTE, replace(VIEW, name="other", source="weather")], online)

    written = pusher.push("landings", table(FLIGHTS))

    assert written == {"by_carrier": 2, "by_route": 2}
    check(online, VIEW, FLIGHTS)
    check(online, BY_ROUTE, FLIGHTS)


def test_a_repeated_push_counts_once_where_rows_have_a_key(online: OnlineStore) -> None:
    pusher = Pusher([KEYED], online)

    pusher.push("landings", table(FLIGHTS))
    pusher.push("landings", table(FLIGHTS[-10:]))
    Pusher([KEYED], online).push("landings", table(FLIGHTS))

    check(online, KEYED, FLIGHTS)


def test_a_corrected_row_takes_the_place_of_the_earlier_one(online: OnlineStore) -> None:
    corrected: list[Event] = [(38, "UA", 76, 5, 1000.0), (37, "UA", 80, 0, None)]
    others = [event for event in FLIGHTS if event[0] not in {37, 38}]
    pusher = Pusher([KEYED], online)
    pusher.push("landings", table(FLIGHTS))

    pusher.push("landings", table(corrected))

    assert stored(online, KEYED, ["UA"]) == [
        row for row in offline(KEYED, [*others, *corrected]) if row.key == "UA"
    ]


def test_two_pushers_take_turns_without_losing_events(online: OnlineStore) -> None:
    pushers = [Pusher([VIEW, BY_ROUTE], online), Pusher([VIEW, BY_ROUTE], online)]

    for number, event in enumerate(FLIGHTS):
        pushers[number % 2].push("landings", table([event]))

    check(online, VIEW, FLIGHTS)
    check(online, BY_ROUTE, FLIGHTS)


def test_a_view_of_columns_takes_the_newest_pushed_row(online: OnlineStore) -> None:
    view = FeatureView(
        name="last", entity=("carrier",), source="landings", event_time="departed_at",
        columns=("delay",), version=1,
    )  # fmt: skip
    pusher = Pusher([view], online)

    pusher.push("last", table(FLIGHTS[20:]))
    pusher.push("last", table(FLIGHTS[:20]))

    check(online, view, FLIGHTS)


def test_a_where_holds_for_pushed_rows_too(online: OnlineStore) -> None:
    view = replace(VIEW, where="late = 1")

    Pusher([view], online).push("landings", table(FLIGHTS))

    check(online, view, FLIGHTS)


def test_a_push_that_fails_leaves_nothing_behind(online: OnlineStore) -> None:
    pusher = Pusher([VIEW, BY_ROUTE], online)
    pusher.push("landings", table(FLIGHTS[:20]))

    with pytest.raises(ColumnMissing, match="no column 'dest'"):
        pusher.push("landings", table(FLIGHTS[20:]).drop_columns("dest"))

    check(online, VIEW, FLIGHTS[:20])
    pusher.push("landings", table(FLIGHTS[20:]))
    check(online, VIEW, FLIGHTS)


def test_a_push_to_nothing_is_refused(online: OnlineStore) -> None:
    with pytest.raises(FeatureViewNotFound, match="nowhere"):
        Pusher([VIEW], online).push("nowhere", table(FLIGHTS))


def test_an_empty_push_changes_nothing(online: OnlineStore) -> None:
    assert Pusher([VIEW], online).push("landings", table([])) == {"by_carrier": 0}
    assert online.count(VIEW.online_name) == 0


def test_windows_outlive_their_journal(online: OnlineStore) -> None:
    events: list[Event] = [(n, f"C{n % 50}", n // 200, None, float(n % 97)) for n in range(12_000)]
    pusher = Pusher([KEYED], online)
    for start in range(0, 12_000, 400):
        pusher.push("landings", table(events[start : start + 400]))

    assert online.read_state(f"{KEYED.online_name}/push/snapshot") is not None
    Pusher([KEYED], online).push("landings", table(events[:1]))
    check(online, KEYED, events)


def test_materializing_again_while_pushes_are_ahead_takes_nothing_back(
    online: OnlineStore,
) -> None:
    known = sorted(FLIGHTS, key=lambda e: e[2] + (e[3] or 0))
    pusher = Pusher([VIEW], online)
    materialize(VIEW, table(known[:20]), online, START + 1000 * MINUTE)
    pusher.push("landings", table(known[20:30]))

    materialize(VIEW, table(known[:25]), online, START + 1000 * MINUTE)

    pusher.push("landings", table(known[30:]))
    check(online, VIEW, known)


class ContendedStore(SqliteOnlineStore):
    """A store that somebody else always writes to first."""

    def commit(self, *_args: object, **_kwargs: object) -> bool:
        return False


def test_a_push_that_never_gets_its_turn_says_so(tmp_path: Path) -> None:
    online = ContendedStore(tmp_path / "online.db")

    with pytest.raises(PushContended, match="landings"):
        Pusher([VIEW], online).push("landings", table(FLIGHTS))
    with pytest.raises(PushContended, match="by_carrier"):
        materialize(VIEW, table(FLIGHTS), online, START)

    online.close()
