import pyarrow as pa
import pytest
from sqlalchemy import update

from trivet.data import (
    BranchExists,
    Change,
    CommitDamaged,
    ContractViolated,
    MergeConflicts,
    RedDataset,
    SqlDatasetStore,
    diff_commits,
    merge_branch,
    profile_commit,
    quarantine,
    require_green,
    revert_branch,
    verify_commit,
)
from trivet.ledger import SqlLedger, Verdict
from trivet.storage.sql.schema import data as schema
from trivet.testing.dataset_store import CONTRACT, orders, prices


def test_a_branch_that_did_not_move_is_fast_forwarded(store: SqlDatasetStore) -> None:
    store.commit("orders", orders((1, 1.0)), message="first")
    store.create_branch("orders", "relabel")
    theirs = store.commit("orders", orders((1, 7.0)), message="theirs", branch="relabel")
    assert merge_branch(store, "orders", "relabel") == theirs
    assert store.resolve("orders") == theirs
    assert merge_branch(store, "orders", "relabel") == theirs


def test_a_merge_commit_has_two_parents_and_both_sides(store: SqlDatasetStore) -> None:
    store.commit("orders", orders((1, 1.0), (2, 2.0), (3, 3.0)), message="first")
    store.create_branch("orders", "relabel")
    store.commit("orders", orders((1, 7.0)), message="theirs", branch="relabel")
    theirs = store.commit(
        "orders", orders((3, 0.0)), message="less", branch="relabel", mode="delete"
    )
    ours = store.commit("orders", orders((9, 9.0)), message="ours")
    merged = merge_branch(store, "orders", "relabel")
    assert merged.parents == (ours.id, theirs.id)
    assert merged.change is Change.MERGED
    assert prices(store.read("orders")) == {1: 7.0, 2: 2.0, 9: 9.0}
    assert (merged.rows, merged.rows_changed, merged.rows_deleted) == (3, 1, 1)
    rebuilt = SqlDatasetStore(store.database, store.recorder, f"file://{store.tables._root}")
    rebuilt.create("copy", key=("id",), event_time="at")
    assert rebuilt.commit("copy", store.read("orders"), message="x").content == merged.content


def test_a_conflict_leaves_the_branch_and_a_side_settles_it(store: SqlDatasetStore) -> None:
    first = orders((1, 1.0), (2, 2.0))
    store.commit("orders", first, message="first")
    store.create_branch("orders", "relabel")
    dearer = first.set_column(1, "price", pa.array([5.0, 2.0]))
    cheaper = first.set_column(1, "price", pa.array([0.5, 2.0]))
    store.commit("orders", dearer, message="theirs", branch="relabel")
    ours = store.commit("orders", cheaper, message="ours")
    with pytest.raises(MergeConflicts, match=r"price of row id=1 is 0\.5 in ours, 5\.0 in"):
        merge_branch(store, "orders", "relabel")
    assert store.resolve("orders") == ours
    merge_branch(store, "orders", "relabel", resolve="theirs")
    assert prices(store.read("orders")) == {1: 5.0, 2: 2.0}
    facts = SqlLedger(store.database, store.recorder).list_facts(kind="dataset.committed")
    assert facts[-1].payload["resolve"] == "theirs"
    assert facts[-1].payload["conflicts"] == 1


def test_a_revert_reads_as_before_and_copies_nothing(store: SqlDatasetStore) -> None:
    first = store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
    store.commit("orders", orders((2, 9.0), (3, 3.0)), message="second")
    back = revert_branch(store, "orders", "main", first.id)
    assert (back.change, back.content) == (Change.REVERTED, first.content)
    assert (back.rows_added, back.rows_changed, back.rows_deleted) == (0, 1, 1)
    assert store.node("orders").at == store.node("orders", first.id).at
    store.commit("orders", orders((4, 4.0)), message="goes on")
    assert prices(store.read("orders")) == {1: 1.0, 2: 2.0, 4: 4.0}
    assert prices(store.read("orders", first.id)) == {1: 1.0, 2: 2.0}


def test_bad_rows_are_put_aside_and_nothing_trains_on_them(store: SqlDatasetStore) -> None:
    store.set_contract("orders", CONTRACT)
    first = store.commit("orders", orders((1, 1.0)), message="first")
    bad = orders((2, -2.0), (3, 3.0))
    with pytest.raises(ContractViolated) as refused:
        store.commit("orders", bad, message="bad")
    branch, aside = quarantine(
        store, "orders", bad, message="bad week", evidence=refused.value.evidence
    )
    assert branch == "quarantine/2026-01-01"
    assert aside.contract is Verdict.FAILED
    assert store.resolve("orders") == first
    with pytest.raises(RedDataset, match="nothing may be trained"):
        require_green(store, f"dataset:orders@{branch}")
    assert require_green(store, "dataset:orders@main") == first
    with pytest.raises(ContractViolated):
        merge_branch(store, "orders", branch)
    with pytest.raises(RedDataset):
        revert_branch(store, "orders", "main", branch)
    again, _commit = quarantine(store, "orders", orders((4, -4.0)), message="and again")
    assert again.startswith("quarantine/2026-01-01-")


def test_rows_may_be_put_aside_by_hand(store: SqlDatasetStore) -> None:
    _branch, aside = quarantine(store, "orders", orders((1, 1.0)), message="suspect")
    assert aside.contract is Verdict.FAILED
    evidence = SqlLedger(store.database, store.recorder).get_evidence(aside.evidence or "")
    assert evidence.summary.startswith("Put aside (by hand).")


def test_mended_rows_leave_quarantine(store: SqlDatasetStore) -> None:
    store.set_contract("orders", CONTRACT)
    store.commit("orders", orders((1, 1.0)), message="first")
    branch, _aside = quarantine(store, "orders", orders((2, -2.0)), message="bad")
    mended = store.commit("orders", orders((2, 2.0)), message="mended", branch=branch)
    assert merge_branch(store, "orders", branch) == mended
    assert prices(store.read("orders")) == {1: 1.0, 2: 2.0}


def test_a_tag_never_moves(store: SqlDatasetStore) -> None:
    first = store.commit("orders", orders((1, 1.0)), message="first")
    store.tag("orders", "v1")
    store.commit("orders", orders((1, 2.0)), message="second")
    assert store.resolve("orders", "v1") == first
    assert [each.name for each in store.list_tags("orders")] == ["v1"]
    for make in (lambda: store.tag("orders", "v1"), lambda: store.create_branch("orders", "v1")):
        with pytest.raises(BranchExists):
            make()


def test_a_diff_counts_rows_and_cells_and_shows_some(store: SqlDatasetStore) -> None:
    table = orders((1, 1.0), (2, 2.0), (3, None))
    first = store.commit("orders", table, message="first")
    changed = table.set_column(1, "price", pa.array([1.0, 5.0, 6.0])).slice(1)
    store.commit("orders", changed, message="dearer")
    store.commit("orders", orders((1, 0.0)), message="less", mode="delete")
    store.commit("orders", orders((4, 4.0), city=["Seoul"]), message="more")
    found = diff_commits(store, "orders", first.id, "main")
    assert (found.rows_added, found.rows_changed, found.rows_deleted) == (1, 2, 1)
    assert found.cells_changed == {"price": 2}
    assert found.columns_added == ("city",)
    kinds = {row.key["id"]: row.kind for row in found.sample}
    assert kinds == {1: "deleted", 2: "changed", 3: "changed", 4: "added"}
    cell = next(row for row in found.sample if row.key["id"] == 3).cells[0]
    assert (cell.column, cell.before, cell.after) == ("price", None, 6.0)
    same = diff_commits(store, "orders", "main", "main")
    assert (same.rows_added, same.rows_changed, same.rows_deleted, same.sample) == (0, 0, 0, ())


def test_a_profile_says_what_columns_look_like(store: SqlDatasetStore) -> None:
    rows = orders(*((number, float(number)) for number in range(100)), (100, None))
    rows = rows.append_column("city", pa.array(["Seoul"] * 60 + ["Busan"] * 41))
    store.commit("orders", rows, message="first")
    profile = {each.name: each for each in profile_commit(store, "orders")}
    price = profile["price"]
    assert (price.rows, price.nulls, price.min, price.max, price.mean) == (101, 1, 0.0, 99.0, 49.5)
    assert price.quantiles[2] == 49.5
    assert sum(rows for _low, _high, rows in price.histogram) == 100
    assert profile["city"].top == (("Seoul", 60), ("Busan", 41))
    assert profile_commit(store, "orders") == list(profile.values())


def test_a_commit_verifies_until_a_row_of_it_is_changed(store: SqlDatasetStore) -> None:
    first = store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
    store.commit("orders", orders((2, 3.0), (3, None), city=["Seoul", None]), message="second")
    store.commit("orders", orders((1, 1.0)), message="third", mode="delete")
    for commit in store.log("orders"):
        assert verify_commit(store, "orders", commit.id) == commit
    newest = store.resolve("orders")
    with store.database.write() as connection:
        connection.execute(
            update(schema.dataset_commits)
            .where(schema.dataset_commits.c.id == newest.id)
            .values(table_number=store.node("orders", first.id).at.number)
        )
    with pytest.raises(CommitDamaged, match=newest.id):
        verify_commit(store, "orders")


def test_a_delete_takes_over_the_verdict_and_its_evidence(store: SqlDatasetStore) -> None:
    store.set_contract("orders", CONTRACT)
    first = store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
    less = store.commit("orders", orders((1, 1.0)), message="less", mode="delete")
    assert (less.contract, less.evidence) == (Verdict.PASSED, first.evidence)


def test_main_may_begin_after_the_first_rows_were_put_aside(store: SqlDatasetStore) -> None:
    store.set_contract("orders", CONTRACT)
    bad = orders((1, -1.0))
    with pytest.raises(ContractViolated):
        store.commit("orders", bad, message="bad")
    quarantine(store, "orders", bad, message="bad")
    made = store.commit("orders", orders((1, 1.0)), message="good")
    assert (made.parents, made.contract) == ((), Verdict.PASSED)
