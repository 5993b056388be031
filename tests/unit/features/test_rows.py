from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from trivet.features import FeatureView, compute_rows, view_rows
from trivet.kernel.errors import InvalidInput

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def view(sql: str | None = None, **changed: str) -> FeatureView:
    values = {"name": "v", "source": "s", "event_time": "at", **changed}
    return FeatureView(entity=("who",), sql=sql, columns=("x",), **values)  # type: ignore[arg-type]


def source() -> pa.Table:
    return pa.table({"who": ["a", "b"], "at": [NOON, NOON], "x": [1, 2], "ok": [True, False]})


def test_columns_come_as_numbers_with_their_times() -> None:
    rows = view_rows(view(), source())

    assert rows.to_pylist() == [
        {"who": "a", "event_at": NOON, "created_at": None, "x": 1.0},
        {"who": "b", "event_at": NOON, "created_at": None, "x": 2.0},
    ]


def test_sql_sees_the_rows_that_where_left() -> None:
    found = view('SELECT who, "at", 10 * x AS x FROM source ORDER BY x', where="ok")

    assert view_rows(found, source())["x"].to_pylist() == [10.0]


def test_bad_sql_is_an_error_of_the_definition() -> None:
    with pytest.raises(InvalidInput, match="SQL of view 'v' does not run"):
        view_rows(view("SELECT nothing FROM source"), source())
    with pytest.raises(InvalidInput, match="SQL of view 'v' does not run"):
        view_rows(view(where="nowhere = 1"), source())
    with pytest.raises(InvalidInput, match="is no query"):
        view_rows(view(";"), source())


def test_sql_reads_no_files_and_no_python_objects(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("who,at,x\na,2026-01-01,1\n")
    other = pa.table({"who": ["a"], "at": [NOON], "x": [1]})
    assert other.num_rows == 1

    with pytest.raises(InvalidInput, match="does not run"):
        view_rows(view(f"SELECT * FROM '{secret}'"), source())
    with pytest.raises(InvalidInput, match="does not run"):
        view_rows(view("SELECT * FROM other"), source())


def test_infinite_is_missing_and_bools_are_numbers() -> None:
    table = pa.table({"who": ["a", "a"], "at": [NOON] * 2, "x": [float("inf"), 1.0]})

    assert view_rows(view(), table)["x"].to_pylist() == [None, 1.0]
    bools = view_rows(view('SELECT who, "at", ok AS x FROM source'), source())
    assert bools["x"].to_pylist() == [1.0, 0.0]


def test_entities_of_dictionary_columns_and_of_several_chunks_are_found() -> None:
    table = pa.concat_tables([source(), source()])
    at = table.schema.get_field_index("who")
    table = table.set_column(at, "who", table["who"].dictionary_encode())

    rows = compute_rows(view(), table)

    assert [rows.entities.keys[code] for code in rows.entities.codes] == ["a", "b", "a", "b"]


def test_texts_are_taken_for_times_with_or_without_a_zone() -> None:
    zoned = ["2026-01-10T12:00:00Z", "2026-01-10T13:00:00+01:00"]
    naive = ["2026-01-10T12:00:00", "2026-01-10 12:00:00"]
    for texts in (zoned, naive):
        rows = view_rows(view(), source().set_column(1, "at", pa.array(texts)))

        assert rows["event_at"].to_pylist() == [NOON, NOON]


def test_a_definition_that_cannot_work_is_refused_when_it_is_made() -> None:
    cases: dict[str, dict[str, object]] = {
        "needs an entity": {"entity": ()},
        "has no features": {"columns": ()},
        "names 'x' twice": {"columns": ("x", "x")},
        "must not be negative": {"ttl": timedelta(seconds=-1)},
        "is no name": {"name": "by carrier"},
    }
    for message, changed in cases.items():
        values: dict[str, object] = {"name": "v", "entity": ("who",), "columns": ("x",), **changed}
        with pytest.raises(InvalidInput, match=message):
            FeatureView(source="s", event_time="at", **values)  # type: ignore[arg-type]
