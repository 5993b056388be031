from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet.features import RequestFeature, TimePart
from trivet.features.errors import ColumnMissing, ColumnUnusable, RequestFieldInvalid
from trivet.features.request import request_column, request_function

AT = datetime(2024, 12, 31, 23, 59, 30, tzinfo=UTC)


def test_time_parts_are_read_in_utc() -> None:
    in_seoul = AT.astimezone(timezone(timedelta(hours=9)))
    expected = {"hour": 23, "weekday": 1, "month": 12, "day_of_year": 366, "minute_of_day": 1439}
    labels = pa.table({"at": [AT, None]})

    for part in TimePart:
        feature = RequestFeature(name="f", column="at", part=part)
        for value in (in_seoul, in_seoul.isoformat(), AT.replace(tzinfo=None).isoformat()):
            assert request_function(feature)({"at": value}, AT, 0) == expected[part]
        np.testing.assert_array_equal(
            request_column(feature, labels, "at"), [expected[part], np.nan]
        )


@given(
    st.lists(
        st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        min_size=1,
    )
)
def test_a_time_part_is_the_same_for_a_table_and_for_a_row(instants: list[datetime]) -> None:
    labels = pa.table({"at": pa.array(instants, pa.timestamp("us", "UTC"))})

    for part in TimePart:
        feature = RequestFeature(name="f", part=part)
        one = request_function(feature)

        assert request_column(feature, labels, "at").tolist() == [one({}, a, 0) for a in instants]


@given(st.lists(st.one_of(st.none(), st.sampled_from(["UA", "AA", "??", ""])), min_size=1))
def test_a_code_is_the_same_for_a_table_and_for_a_row(words: list[str | None]) -> None:
    feature = RequestFeature(name="f", column="c", vocabulary=("AA", "UA"))
    one = request_function(feature)

    found = request_column(feature, pa.table({"c": pa.array(words, pa.string())}), "at")

    np.testing.assert_array_equal(found, [one({"c": word}, AT, 0) for word in words])


@given(st.lists(st.one_of(st.none(), st.floats(-1e30, 1e30), st.integers(-9, 9)), min_size=1))
def test_a_number_is_the_same_for_a_table_and_for_a_row(values: list[float | None]) -> None:
    feature = RequestFeature(name="f", column="c")
    one = request_function(feature)

    found = request_column(feature, pa.table({"c": pa.array(values, pa.float64())}), "at")

    np.testing.assert_array_equal(found, [one({"c": value}, AT, 0) for value in values])


def test_a_word_outside_the_vocabulary_is_minus_one() -> None:
    one = request_function(RequestFeature(name="f", column="c", vocabulary=("AA",)))

    assert one({"c": "ZZ"}, AT, 0) == -1.0


@pytest.mark.parametrize(
    ("feature", "value", "problem"),
    [
        (RequestFeature(name="f", column="c"), "1", "must be a number, not a text"),
        (RequestFeature(name="f", column="c"), [1], "must be a number, not list"),
        (RequestFeature(name="f", column="c"), float("nan"), "must be a finite float32"),
        (RequestFeature(name="f", column="c"), float("-inf"), "must be a finite float32"),
        (RequestFeature(name="f", column="c"), 1e39, "must be a finite float32"),
        (RequestFeature(name="f", column="c"), 10**400, "must be a finite float32"),
        (RequestFeature(name="f", column="c", vocabulary=("a",)), 1, "must be a text, not a num"),
        (RequestFeature(name="f", column="c", part=TimePart.HOUR), "soon", "must be an ISO 8601"),
        (RequestFeature(name="f", column="c", part=TimePart.HOUR), 5, "not a number"),
        (
            RequestFeature(name="f", column="c", part=TimePart.HOUR),
            "0001-01-01T00:00:00+14:00",
            "must be an ISO 8601",
        ),
    ],
)
def test_a_field_that_is_not_what_is_meant_is_named(
    feature: RequestFeature, value: object, problem: str
) -> None:
    with pytest.raises(RequestFieldInvalid, match=problem) as caught:
        request_function(feature)({"c": value}, AT, 7)

    assert (caught.value.row, caught.value.field) == (7, "c")


def test_an_absent_field_is_named_and_null_is_missing() -> None:
    for feature in (
        RequestFeature(name="f", column="c"),
        RequestFeature(name="f", column="c", vocabulary=("a",)),
        RequestFeature(name="f", column="c", part=TimePart.MONTH),
    ):
        with pytest.raises(RequestFieldInvalid, match="Row 2: field 'c' is missing"):
            request_function(feature)({"d": 1}, AT, 2)
        assert np.isnan(request_function(feature)({"c": None}, AT, 2))


def test_a_table_that_does_not_fit_is_refused() -> None:
    feature = RequestFeature(name="f", column="c", vocabulary=("a",))

    with pytest.raises(ColumnMissing, match="no column 'c'"):
        request_column(feature, pa.table({"d": [1]}), "at")
    with pytest.raises(ColumnUnusable, match="must be a text"):
        request_column(feature, pa.table({"c": [1]}), "at")
