import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from trivet.kernel.errors import InvalidInput
from trivet.storage.tables import (
    LanceTables,
    Query,
    QueryFailed,
    TablesUnavailable,
    TableVersion,
    TableWriter,
    quoted,
)


def rows(*ids: int, value: int = 0) -> pa.Table:
    return pa.table({"id": pa.array(ids, pa.int64()), "value": pa.array([value] * len(ids))})


def ids(tables: LanceTables, at: TableVersion) -> list[int]:
    return sorted(tables.open("t", at).to_table()["id"].to_pylist())


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    return LanceTables(f"file://{tmp_path}/tables")


def test_each_version_reads_the_same_for_ever(tables: LanceTables) -> None:
    first = tables.create("t", rows(1, 2))
    more = tables.write("t", first, lambda writer: writer.append(rows(3)))
    other = tables.write("t", more, lambda writer: writer.upsert(rows(1, value=9), ["id"]))
    assert ids(tables, first) == [1, 2]
    assert ids(tables, more) == [1, 2, 3]
    assert tables.open("t", other).to_table(filter="id = 1")["value"].to_pylist() == [9]


def test_a_write_on_an_older_version_does_not_see_the_newer(tables: LanceTables) -> None:
    first = tables.create("t", rows(1))
    tables.write("t", first, lambda writer: writer.append(rows(2)))
    aside = tables.write("t", first, lambda writer: writer.append(rows(3)))
    assert ids(tables, aside) == [1, 3]
    assert aside.line is not None
    on_top = tables.write("t", aside, lambda writer: writer.append(rows(4)))
    assert on_top == TableVersion(line=aside.line, number=aside.number + 1)
    assert ids(tables, on_top) == [1, 3, 4]


def test_a_writer_who_is_overtaken_starts_again_with_nothing_of_the_other(
    tables: LanceTables,
) -> None:
    first = tables.create("t", rows(1))
    calls: list[TableVersion] = []

    def overtaken(writer: TableWriter) -> None:
        calls.append(writer.at)
        if len(calls) == 1:
            tables.write("t", first, lambda other: other.append(rows(7)))
        writer.append(rows(2))

    ours = tables.write("t", first, overtaken)
    assert len(calls) == 2
    assert ids(tables, ours) == [1, 2]


def test_a_table_that_is_there_already_is_not_ours(tables: LanceTables) -> None:
    theirs = tables.create("t", rows(1, 2, 3))
    ours = tables.create("t", rows(9))
    assert ids(tables, ours) == [9]
    assert ids(tables, theirs) == [1, 2, 3]


def test_rows_are_deleted_by_their_lance_ids_and_columns_added(tables: LanceTables) -> None:
    first = tables.create("t", rows(*range(10)))
    found = tables.open("t", first).to_table(filter="id < 4", with_row_id=True)

    def work(writer: TableWriter) -> None:
        writer.add_columns([pa.field("city", pa.string())])
        writer.delete(found["_rowid"].to_pylist())

    after = tables.write("t", first, work)
    table = tables.open("t", after).to_table()
    assert sorted(table["id"].to_pylist()) == list(range(4, 10))
    assert table["city"].null_count == 6


def test_clean_up_keeps_what_was_returned(tables: LanceTables) -> None:
    versions = [tables.create("t", rows(0))]
    for number in range(1, 6):
        at = versions[-1] if number % 2 else versions[0]
        versions.append(tables.write("t", at, partial(TableWriter.append, rows=rows(number))))
    before = [ids(tables, at) for at in versions]
    tables.clean_up("t", timedelta(0))
    assert [ids(tables, at) for at in versions] == before


def test_a_relative_url_reads_from_any_folder(tmp_path: Path) -> None:
    script = (
        "import os, sys, pyarrow as pa\n"
        "from trivet.storage.tables import LanceTables\n"
        "tables = LanceTables('tables')\n"
        "first = tables.create('t', pa.table({'id': [1]}))\n"
        "tables.write('t', first, lambda writer: writer.append(pa.table({'id': [2]})))\n"
        "aside = tables.write('t', first, lambda writer: writer.append(pa.table({'id': [3]})))\n"
        "os.chdir('/')\n"
        "print(sorted(tables.open('t', aside).to_table()['id'].to_pylist()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[1, 3]"


def test_what_is_not_there_is_unavailable(tables: LanceTables) -> None:
    with pytest.raises(TablesUnavailable):
        tables.open("t", TableVersion(line=None, number=1))


def test_a_place_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no place for tables"):
        LanceTables("ftp://host/tables")


def test_options_of_an_s3_url_become_lances_own() -> None:
    tables = LanceTables(
        "s3://bucket/prefix/?endpoint=http://127.0.0.1:1&allow_http=true&region=eu-west-1"
    )
    assert tables._root == "s3://bucket/prefix"
    assert tables._options == {
        "aws_endpoint": "http://127.0.0.1:1",
        "allow_http": "true",
        "aws_region": "eu-west-1",
    }


def test_options_that_tables_in_s3_do_not_know_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no option 'nonsense'"):
        LanceTables("s3://bucket/prefix?nonsense=1")
    with pytest.raises(InvalidInput, match="names a bucket"):
        LanceTables("s3:///prefix")


def test_a_query_reaches_nothing_but_its_tables(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    secret = pa.table({"a": [1]})
    with Query({"data": rows(1, 2)}) as query:
        assert query.row("SELECT count(*) AS n FROM data") == {"n": 2}
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"SELECT * FROM '{tmp_path}/secret.csv'",
            "SELECT * FROM secret",
            f"COPY data TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.db'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(QueryFailed):
                query.execute(sql)
    assert secret.num_rows == 1
    assert not (tmp_path / "out.csv").exists()


def test_names_are_quoted() -> None:
    name = 'a"; DROP TABLE data; --'
    with Query({"data": pa.table({name: [1]})}) as query:
        assert query.table(f"SELECT {quoted(name)} FROM data").num_rows == 1


def test_queries_do_not_see_each_other() -> None:
    with Query({"data": rows(1)}) as one, Query({"data": rows(1, 2)}) as other:
        one.execute("CREATE TEMP TABLE mine AS SELECT * FROM data")
        assert one.row("SELECT count(*) AS n FROM mine") == {"n": 1}
        assert other.row("SELECT count(*) AS n FROM data") == {"n": 2}
        with pytest.raises(QueryFailed, match="mine"):
            other.table("SELECT * FROM mine")


def test_a_query_is_one_statement() -> None:
    with Query({"data": rows(1)}) as query, pytest.raises(QueryFailed, match="more than one"):
        query.table("SELECT * FROM data WHERE (TRUE); CREATE TABLE kept AS SELECT (1)")
