"""The cases of `peers/features/semantics.py`, each as a test, and a brute-force oracle."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.features import FeatureView, compute_rows, point_in_time_join
from trivet.features.errors import ColumnMissing
from trivet.kernel.errors import InvalidInput

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
TTL = timedelta(hours=1)

Row = tuple[object, datetime | None, datetime | None, float | None]


def join(
    labels: list[tuple[object, datetime | None]],
    rows: list[Row],
    *,
    ttl: timedelta | None = None,
    created: bool = True,
    bitemporal: bool = True,
) -> list[float | None]:
    view = FeatureView(
        name="v", entity=("key",), source="s", event_time="at", ttl=ttl, columns=("x",),
        created_time="created" if created else None,
    )  # fmt: skip
    stamp = pa.timestamp("us", "UTC")
    source = pa.table(
        {
            "key": [row[0] for row in rows],
            "at": pa.array([row[1] for row in rows], stamp),
            "created": pa.array([row[2] for row in rows], stamp),
            "x": pa.array([row[3] for row in rows], pa.float64()),
        }
    )
    table = pa.table(
        {"key": [label[0] for label in labels], "when": pa.array([label[1] for label in labels])}
    )
    joined = point_in_time_join(
        table, [compute_rows(view, source)], event_time="when", bitemporal=bitemporal
    )
    found: list[float | None] = joined["x"].to_pylist()
    return found


def test_a_value_of_the_label_s_own_instant_is_taken() -> None:
    assert join([(1, NOON)], [(1, NOON, NOON, 1.0)]) == [1.0]


def test_a_value_a_microsecond_later_is_not() -> None:
    assert join([(1, NOON)], [(1, NOON + MICROSECOND, NOON, 1.0)]) == [None]


def test_a_value_exactly_as_old_as_the_ttl_is_taken() -> None:
    assert join([(1, NOON)], [(1, NOON - TTL, NOON, 1.0)], ttl=TTL) == [1.0]


def test_a_value_a_microsecond_older_than_the_ttl_is_not() -> None:
    assert join([(1, NOON)], [(1, NOON - TTL - MICROSECOND, NOON, 1.0)], ttl=TTL) == [None]


@pytest.mark.parametrize("ttl", [None, timedelta(0)])
def test_no_ttl_and_a_ttl_of_zero_are_no_limit(ttl: timedelta | None) -> None:
    assert join([(1, NOON)], [(1, NOON - 400 * DAY, NOON - DAY, 1.0)], ttl=ttl) == [1.0]


def test_a_key_that_has_no_values_keeps_its_label() -> None:
    assert join([(2, NOON), (1, NOON)], [(1, NOON, NOON, 1.0)]) == [None, 1.0]


@pytest.mark.parametrize("turned", [False, True])
def test_of_one_event_time_the_later_created_wins(turned: bool) -> None:
    rows: list[Row] = [(1, NOON - DAY, NOON - DAY, 1.0), (1, NOON - DAY, NOON - TTL, 2.0)]

    assert join([(1, NOON)], rows[::-1] if turned else rows) == [2.0]


def test_a_newer_event_wins_though_it_was_created_earlier() -> None:
    rows: list[Row] = [(1, NOON - 2 * DAY, NOON - TTL, 1.0), (1, NOON - DAY, NOON - DAY, 2.0)]

    assert join([(1, NOON)], rows) == [2.0]


def test_a_correction_created_after_the_label_is_not_seen() -> None:
    # On purpose unlike Feast, whose default lets training know more than serving did.
    rows: list[Row] = [(1, NOON - DAY, NOON - DAY, 1.0), (1, NOON - DAY, NOON + TTL, 2.0)]

    assert join([(1, NOON)], rows) == [1.0]
    assert join([(1, NOON)], rows, bitemporal=False) == [2.0]


def test_a_value_created_at_the_label_s_instant_is_seen() -> None:
    assert join([(1, NOON)], [(1, NOON - DAY, NOON, 1.0)]) == [1.0]
    assert join([(1, NOON)], [(1, NOON - DAY, NOON + MICROSECOND, 1.0)]) == [None]


def test_where_every_version_came_after_the_label_nothing_is_seen() -> None:
    assert join([(1, NOON)], [(1, NOON - DAY, NOON + TTL, 1.0)]) == [None]


@pytest.mark.parametrize("turned", [False, True])
def test_a_null_created_time_loses_to_any(turned: bool) -> None:
    rows: list[Row] = [(1, NOON - DAY, None, 1.0), (1, NOON - DAY, NOON - 2 * DAY, 2.0)]

    assert join([(1, NOON)], rows[::-1] if turned else rows) == [2.0]


def test_a_value_without_a_created_time_was_known_at_once() -> None:
    assert join([(1, NOON)], [(1, NOON - DAY, None, 1.0)]) == [1.0]


@pytest.mark.parametrize("created", [False, True])
def test_of_equal_times_the_last_in_the_source_wins(created: bool) -> None:
    # Feast leaves this open: its two stores differ. The online stores here do as this does.
    rows: list[Row] = [(1, NOON - DAY, NOON - DAY, 1.0), (1, NOON - DAY, NOON - DAY, 2.0)]

    assert join([(1, NOON)], rows, created=created) == [2.0]


def test_a_null_in_the_newest_row_stays_null() -> None:
    rows: list[Row] = [(1, NOON - DAY, NOON - DAY, 1.0), (1, NOON - TTL, NOON - TTL, None)]

    assert join([(1, NOON)], rows) == [None]


def test_a_null_key_matches_nothing() -> None:
    rows: list[Row] = [(None, NOON - DAY, NOON - DAY, 1.0), (2, NOON - DAY, NOON - DAY, 2.0)]

    assert join([(None, NOON), (2, NOON)], rows) == [None, 2.0]


def test_equal_labels_stay_two_rows() -> None:
    assert join([(1, NOON), (1, NOON)], [(1, NOON, NOON, 1.0)]) == [1.0, 1.0]


def test_labels_keep_their_order() -> None:
    rows: list[Row] = [("a", NOON - 2 * DAY, None, 1.0), ("b", NOON - DAY, None, 2.0)]

    found = join([("b", NOON + DAY), ("a", NOON), ("b", NOON)], rows)

    assert found == [2.0, 1.0, 2.0]


def test_a_label_without_a_zone_is_utc() -> None:
    rows: list[Row] = [(1, NOON, NOON, 1.0), (1, NOON + MICROSECOND, None, 2.0)]

    assert join([(1, NOON.replace(tzinfo=None))], rows) == [1.0]


def test_a_label_in_another_zone_is_the_same_instant() -> None:
    rows: list[Row] = [(1, NOON, NOON, 1.0), (1, NOON + MICROSECOND, None, 2.0)]

    assert join([(1, NOON.astimezone(ZoneInfo("Asia/Seoul")))], rows) == [1.0]


def test_a_value_without_an_event_time_is_never_seen() -> None:
    rows: list[Row] = [(1, None, NOON - DAY, 1.0), (2, NOON, NOON, 2.0)]

    assert join([(1, NOON), (2, NOON)], rows) == [None, 2.0]


def test_a_label_without_a_time_sees_nothing() -> None:
    assert join([(1, None), (1, NOON)], [(1, NOON, NOON, 1.0)]) == [None, 1.0]


def test_labels_that_share_a_time_and_half_a_key_stay_apart() -> None:
    view = FeatureView(name="v", entity=("a", "b"), source="s", event_time="at", columns=("x",))
    source = pa.table({"a": [1, 1], "b": ["p", "q"], "at": [NOON, NOON], "x": [1.0, 2.0]})
    labels = pa.table({"a": [1, 1, 1, 2], "b": ["q", "p", "r", "p"], "when": [NOON] * 4})

    joined = point_in_time_join(labels, [compute_rows(view, source)], event_time="when")

    assert joined["x"].to_pylist() == [2.0, 1.0, None, None]


def test_400_keys_corrected_at_once_all_show_the_correction() -> None:
    old: list[Row] = [(key, NOON - DAY, NOON - DAY, 1.0) for key in range(400)]
    new: list[Row] = [(key, NOON - DAY, NOON - TTL, 2.0) for key in range(400)]

    assert join([(key, NOON) for key in range(400)], new + old) == [2.0] * 400


def test_whole_numbers_of_any_type_are_one_key() -> None:
    rows: list[Row] = [(5, NOON, NOON, 1.0)]

    assert join([(5.0, NOON), (6.5, NOON)], rows) == [1.0, None]
    assert join([("5", NOON)], rows) == [1.0]


def test_no_labels_and_no_rows_are_no_trouble() -> None:
    view = FeatureView(name="v", entity=("key",), source="s", event_time="at", columns=("x",))
    stamp = pa.timestamp("us")
    nothing = pa.table(
        {"key": pa.array([], pa.string()), "at": pa.array([], stamp), "x": pa.array([], pa.int8())}
    )
    label = pa.table({"key": ["a"], "at": [NOON]})

    rows = compute_rows(view, nothing)

    assert point_in_time_join(label, [rows], event_time="at")["x"].to_pylist() == [None]
    assert point_in_time_join(nothing.drop_columns("x"), [rows], event_time="at").num_rows == 0


def test_two_columns_of_one_name_are_refused() -> None:
    view = FeatureView(name="v", entity=("key",), source="s", event_time="at", columns=("x",))
    table = pa.table({"key": ["a"], "at": [NOON], "x": [1.0]})

    with pytest.raises(InvalidInput, match="two columns called 'x'"):
        point_in_time_join(table, [compute_rows(view, table)], event_time="at")


def test_labels_without_the_entity_are_refused() -> None:
    view = FeatureView(name="v", entity=("key",), source="s", event_time="at", columns=("x",))
    table = pa.table({"key": ["a"], "at": [NOON], "x": [1.0]})

    with pytest.raises(ColumnMissing, match="The table of labels has no column 'key'; it has at"):
        point_in_time_join(table.select(["at"]), [compute_rows(view, table)], event_time="at")


minutes = st.integers(0, 12)
keys = st.sampled_from(["a", "b", None])


@given(
    st.lists(st.tuples(keys, minutes), max_size=12),
    st.lists(
        st.tuples(keys, st.one_of(st.none(), minutes), st.one_of(st.none(), minutes)), max_size=25
    ),
    st.one_of(st.none(), st.integers(0, 6)),
    st.booleans(),
)
def test_the_join_agrees_with_a_search_through_all_rows(
    labels: list[tuple[str | None, int]],
    rows: list[tuple[str | None, int | None, int | None]],
    ttl: int | None,
    bitemporal: bool,
) -> None:
    def at(minute: int | None) -> datetime | None:
        return None if minute is None else NOON + timedelta(minutes=minute)

    found = join(
        [(key, at(minute)) for key, minute in labels],
        [(key, at(e), at(c), float(n)) for n, (key, e, c) in enumerate(rows)],
        ttl=None if ttl is None else timedelta(minutes=ttl),
        bitemporal=bitemporal,
    )

    expected = []
    for key, moment in labels:
        seen = [
            (event, -1 if created is None else created, float(n))
            for n, (other, event, created) in enumerate(rows)
            if key is not None and key == other and event is not None and event <= moment
            and (not bitemporal or created is None or created <= moment)
            and (not ttl or moment - event <= ttl)
        ]  # fmt: skip
        expected.append(max(seen)[2] if seen else None)
    assert found == expected


def test_a_finer_time_is_cut_to_the_microsecond() -> None:
    view = FeatureView(name="v", entity=("key",), source="s", event_time="at", columns=("x",))
    nanoseconds = np.array([1_000, 1_999], "datetime64[ns]")
    source = pa.table({"key": ["a", "b"], "at": nanoseconds, "x": [1.0, 2.0]})
    labels = pa.table({"key": ["a", "b"], "at": np.array([1, 1], "datetime64[us]")})

    joined = point_in_time_join(labels, [compute_rows(view, source)], event_time="at")

    assert joined["x"].to_pylist() == [1.0, 2.0]
