import math
from datetime import timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.features import Aggregate, FeatureView, Rolling, view_rows
from trivet.features.errors import ColumnMissing, ColumnUnusable

SECOND = 1_000_000


def times(*seconds: int | None) -> pa.Array:
    return pa.array(
        [None if s is None else s * SECOND for s in seconds], pa.timestamp("us", "UTC")
    )


def rolling(function: Aggregate, seconds: int, name: str = "f") -> Rolling:
    return Rolling(name=name, column="x", function=function, window=timedelta(seconds=seconds))


def view(*features: Rolling, created_time: str | None = None) -> FeatureView:
    return FeatureView(
        name="v",
        entity=("who",),
        source="s",
        event_time="at",
        created_time=created_time,
        rolling=features or (rolling(Aggregate.SUM, 10),),
    )


def test_a_window_leaves_out_its_beginning_and_takes_in_its_end() -> None:
    source = pa.table({"who": ["a"] * 4, "at": times(0, 5, 10, 11), "x": [1.0, 2.0, 4.0, 8.0]})

    rows = view_rows(view(), source)

    assert rows["f"].to_pylist() == [1.0, 3.0, 6.0, 14.0]


def test_a_null_counts_for_nothing_and_a_mean_over_nothing_is_missing() -> None:
    source = pa.table({"who": ["a"] * 3, "at": times(0, 1, 100), "x": [3.0, float("nan"), None]})
    features = [rolling(f, 10, str(f)) for f in Aggregate]

    rows = view_rows(view(*features), source)

    assert rows["count"].to_pylist() == [1.0, 1.0, 0.0]
    assert rows["sum"].to_pylist() == [3.0, 3.0, 0.0]
    assert rows["mean"].to_pylist() == [3.0, 3.0, None]


def test_entities_do_not_mix() -> None:
    source = pa.table(
        {"who": ["b", "a", "b", "a"], "at": times(1, 2, 3, 4), "x": [1.0, 2.0, 4.0, 8.0]}
    )

    rows = view_rows(view(), source)

    lines = rows.to_pylist()
    got = {(line["who"], line["event_at"].second): line["f"] for line in lines}
    assert got == {("b", 1): 1.0, ("b", 3): 5.0, ("a", 2): 2.0, ("a", 4): 10.0}


def test_an_event_counts_from_the_moment_it_became_known() -> None:
    source = pa.table(
        {"who": ["a"] * 3, "at": times(0, 1, 9), "known": times(8, 1, None), "x": [1.0, 2.0, 4.0]}
    )

    rows = view_rows(view(created_time="known"), source)

    # The event of second 0 came to be known at second 8; the last one at once.
    assert [at.second for at in rows["event_at"].to_pylist()] == [1, 8, 9]
    assert rows["event_at"].to_pylist() == rows["created_at"].to_pylist()
    assert rows["f"].to_pylist() == [2.0, 3.0, 7.0]


def test_events_of_one_moment_share_a_row() -> None:
    source = pa.table({"who": ["a"] * 3, "at": times(1, 1, 2), "x": [1.0, 2.0, 4.0]})

    rows = view_rows(view(), source)

    assert rows["f"].to_pylist() == [3.0, 7.0]


def test_rows_without_an_entity_or_a_time_are_left_out() -> None:
    source = pa.table({"who": ["a", None, "a"], "at": times(1, 2, None), "x": [1.0, 2.0, 4.0]})

    rows = view_rows(view(), source)

    assert rows.num_rows == 1
    assert rows["f"].to_pylist() == [1.0]


def test_an_empty_source_gives_no_rows_but_all_columns() -> None:
    source = pa.table(
        {"who": pa.array([], pa.string()), "at": times(), "x": pa.array([], pa.float64())}
    )

    rows = view_rows(view(), source)

    assert rows.num_rows == 0
    assert rows.column_names == ["who", "event_at", "created_at", "f"]


def test_a_long_history_leaves_no_trace_in_a_sum() -> None:
    # Running sums in doubles would answer 0.25 here, or nothing at all.
    source = pa.table({"who": ["a"] * 3, "at": times(0, 100, 101), "x": [1e17, 0.1, 0.2]})

    rows = view_rows(view(), source)

    assert rows["f"].to_pylist() == [1e17, 0.1, 0.1 + 0.2]


def test_a_where_chooses_the_events() -> None:
    source = pa.table({"who": ["a"] * 3, "at": times(1, 2, 3), "x": [1.0, 2.0, 4.0]})
    chosen = FeatureView(
        name="v", entity=("who",), source="s", event_time="at", where="x <> 2",
        rolling=(rolling(Aggregate.SUM, 10),),
    )  # fmt: skip

    assert view_rows(chosen, source)["f"].to_pylist() == [1.0, 5.0]


def test_errors_name_the_column() -> None:
    source = pa.table({"who": ["a"], "at": ["soon"], "x": ["1"]})

    with pytest.raises(ColumnUnusable, match="'at' must be a time"):
        view_rows(view(), source)
    with pytest.raises(ColumnUnusable, match="'x' must be a number, not string"):
        view_rows(view(), source.set_column(1, "at", times(1)))
    with pytest.raises(ColumnMissing, match="no column 'who'; it has at"):
        view_rows(view(), source.drop_columns("who").set_column(0, "at", times(1)))


events = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(0, 40),
        st.one_of(st.none(), st.integers(0, 40)),
        st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-5, 5).map(float)),
    ),
    max_size=30,
)


@given(events, st.integers(1, 30), st.integers(1, 30))
def test_rows_agree_with_a_search_through_all_events(
    found: list[tuple[str, int, int | None, float | None]], first: int, second: int
) -> None:
    source = pa.table(
        {
            "who": pa.array([e[0] for e in found], pa.string()),
            "at": times(*[e[1] for e in found]),
            "known": times(*[e[2] for e in found]),
            "x": pa.array([e[3] for e in found], pa.float64()),
        }
    )
    features = [rolling(f, w, f"{f}_{w}") for f in Aggregate for w in {first, second}]

    rows = view_rows(view(*features, created_time="known"), source)

    expected = {}
    for who, at, known, _ in found:
        moment = max(at, at if known is None else known)
        expected[who, moment] = [_search(found, who, moment, f) for f in features]
    got = {}
    for line in rows.to_pylist():
        key = line["who"], round(line["event_at"].timestamp())
        got[key] = [line[feature.name] for feature in features]
    assert got.keys() == expected.keys()
    for key, values in expected.items():
        for value, exact in zip(got[key], values, strict=True):
            assert (value is None) == (exact is None)
            if exact is not None:
                # A unit in the last place for the sum, and half of one for the mean.
                assert value == pytest.approx(float(exact), rel=4e-16, abs=1e-300)


def _search(
    found: list[tuple[str, int, int | None, float | None]], who: str, moment: int, feature: Rolling
) -> Fraction | None:
    after = moment - feature.window.total_seconds()
    values = [
        Fraction(x)
        for name, at, known, x in found
        if name == who and x is not None and after < max(at, known or at) <= moment
    ]
    if feature.function is Aggregate.COUNT:
        return Fraction(len(values))
    if feature.function is Aggregate.SUM:
        return sum(values, Fraction(0))
    return sum(values, Fraction(0)) / len(values) if values else None


@given(st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=40))
def test_a_sum_is_the_exact_sum_rounded(values: list[float]) -> None:
    source = pa.table(
        {"who": ["a"] * len(values), "at": times(*[1] * len(values)), "x": np.array(values)}
    )

    rows = view_rows(view(), source)

    assert rows["f"].to_pylist() == [pytest.approx(math.fsum(values), rel=3e-16, abs=1e-300)]
