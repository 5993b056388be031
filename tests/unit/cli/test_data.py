import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from trivet.cli.main import cli
from trivet.data import ContractViolated, MergeConflicts, RowsRefused
from trivet.kernel.errors import InvalidInput
from trivet.testing.dataset_store import CONTRACT

FIRST = "id,at,price\n1,2026-01-01 10:00:00,5\n2,2026-01-02 10:00:00,6\n3,2026-01-03 10:00:00,NA\n"
SECOND = "id,at,price\n1,2026-01-01 10:00:00,7\n4,2026-01-04 10:00:00,8\n"
BAD = "id,at,price\n5,2026-01-05 10:00:00,-7\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    files = {"first": FIRST, "second": SECOND, "bad": BAD}
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    return tmp_path / "home"


def trivet(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, ["--home", str(home), "data", *arguments], catch_exceptions=False
    )


def said(home: Path, *arguments: str) -> Any:
    result = trivet(home, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def file(home: Path, name: str) -> str:
    return str(home.parent / name)


@pytest.fixture
def orders(home: Path) -> Path:
    """A home whose dataset `orders` has one commit."""
    trivet(home, "commit", "orders", file(home, "first.csv"), "--key", "id", "--event-time", "at")
    return home


def test_a_dataset_is_made_and_listed(home: Path) -> None:
    assert "No datasets yet" in trivet(home, "list").output
    made = said(home, "create", "orders", "--key", "shop, id", "--description", "What was bought")
    assert made["key"] == ["shop", "id"]
    assert [each["name"] for each in said(home, "list")] == ["orders"]


def test_a_commit_is_logged_shown_and_profiled(orders: Path) -> None:
    made = said(orders, "commit", "orders", file(orders, "second.csv"), "-m", "January")
    assert (made["rows_added"], made["rows_changed"], made["rows"]) == (1, 1, 4)
    log = said(orders, "log", "orders")
    assert [each["message"] for each in log] == ["January", "Commit first.csv"]
    shown = said(orders, "show", "orders", "--where", "price > 6")
    assert sorted(row["id"] for row in shown["rows"]) == [1, 4]
    profile = {each["name"]: each for each in said(orders, "profile", "orders")}
    assert profile["price"]["nulls"] == 1
    for command in ("log", "show", "profile", "branches"):
        assert "orders" not in trivet(orders, command, "orders").stderr
    assert "no contract was in force" in trivet(orders, "show", "orders").output


def test_a_diff_shows_cells(orders: Path) -> None:
    first = said(orders, "show", "orders")["commit"]["id"]
    trivet(orders, "commit", "orders", file(orders, "second.csv"))
    found = said(orders, "diff", "orders", first[:8])
    assert found["cells_changed"] == {"price": 1}
    assert "price: 5 → 7" in trivet(orders, "diff", "orders", first[:8]).output


def test_branches_are_merged_and_reverted(orders: Path) -> None:
    trivet(orders, "tag", "orders", "v1")
    trivet(orders, "branch", "orders", "dearer")
    trivet(orders, "commit", "orders", file(orders, "second.csv"), "--branch", "dearer")
    merged = said(orders, "merge", "orders", "dearer")
    assert merged["rows"] == 4
    back = said(orders, "revert", "orders", "v1")
    assert (back["change"], back["rows"]) == ("reverted", 3)
    listed = said(orders, "branches", "orders")
    assert [each["name"] for each in listed["branches"]] == ["dearer", "main"]
    assert [each["name"] for each in listed["tags"]] == ["v1"]


def test_a_conflict_is_refused_until_a_side_is_chosen(orders: Path) -> None:
    trivet(orders, "branch", "orders", "dearer")
    trivet(orders, "commit", "orders", file(orders, "second.csv"), "--branch", "dearer")
    cheaper = home_file(orders, "cheaper.csv", SECOND.replace(",7", ",1"))
    trivet(orders, "commit", "orders", cheaper)
    with pytest.raises(MergeConflicts):
        trivet(orders, "merge", "orders", "dearer")
    assert said(orders, "merge", "orders", "dearer", "--resolve", "ours")["change"] == "merged"


def test_a_contract_refuses_and_rows_are_put_aside(orders: Path) -> None:
    assert "has no contract" in trivet(orders, "contract", "show", "orders").output
    trivet(orders, "contract", "set", "orders", file(orders, "contract.yaml"))
    assert trivet(orders, "contract", "show", "orders").output == CONTRACT
    checked = trivet(orders, "contract", "check", "orders", file(orders, "bad.csv"))
    assert checked.exit_code == 1
    assert "values below 0" in checked.output
    with pytest.raises(ContractViolated):
        trivet(orders, "commit", "orders", file(orders, "bad.csv"))
    aside = said(orders, "quarantine", "orders", file(orders, "bad.csv"), "-m", "negative")
    assert aside["branch"] == "quarantine/2026-01-05"
    assert aside["commit"]["contract"] == "failed"
    assert trivet(orders, "contract", "check", "orders", file(orders, "first.csv")).exit_code == 0


def test_parquet_and_json_lines_are_read_too(orders: Path) -> None:
    rows = pa.table({"id": [8], "price": [8]})
    parquet.write_table(rows, file(orders, "more.parquet"))
    assert said(orders, "commit", "orders", file(orders, "more.parquet"))["rows"] == 4
    lines = home_file(orders, "more.jsonl", '{"id": 9, "price": 9}\n')
    assert said(orders, "commit", "orders", lines)["rows"] == 5


def test_a_file_that_is_no_table_is_refused(orders: Path) -> None:
    with pytest.raises(InvalidInput, match="no known kind"):
        trivet(orders, "commit", "orders", home_file(orders, "notes.txt", "hello"))
    with pytest.raises(InvalidInput, match="cannot be read as a table"):
        trivet(orders, "commit", "orders", home_file(orders, "broken.parquet", "hello"))
    with pytest.raises(RowsRefused, match="key column 'id' is missing"):
        trivet(orders, "commit", "orders", home_file(orders, "other.csv", "x,y\n1,2\n"))


def home_file(home: Path, name: str, text: str) -> str:
    path = home.parent / name
    path.write_text(text)
    return str(path)
