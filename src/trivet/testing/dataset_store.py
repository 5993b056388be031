"""What every `DatasetStore` must do."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from trivet.data import (
    Change,
    CommitNotFound,
    ContractInvalid,
    ContractStore,
    ContractViolated,
    DatasetExists,
    DatasetNotFound,
    DatasetStore,
    RowsRefused,
)
from trivet.kernel.errors import InvalidInput
from trivet.ledger import Ledger, StaleGeneration, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: price, logicalType: number, logicalTypeOptions: {minimum: 0}}
"""


def orders(*rows: tuple[int, float | None], **columns: list[Any]) -> pa.Table:
    """Return orders of these (id, price), one a minute."""
    table: dict[str, Any] = {
        "id": pa.array([each[0] for each in rows], pa.int64()),
        "price": pa.array([each[1] for each in rows], pa.float64()),
        "at": pa.array(
            [START + timedelta(minutes=at) for at in range(len(rows))], pa.timestamp("us", "UTC")
        ),
    }
    return pa.table(table | columns)


def prices(table: pa.Table) -> dict[int, float | None]:
    """Return the price of each id."""
    return dict(zip(table["id"].to_pylist(), table["price"].to_pylist(), strict=True))


class DatasetStoreContract:
    """Subclass, and provide the fixtures `store` (empty; a `ContractStore` too) and `ledger`."""

    @pytest.fixture(autouse=True)
    def _made(self, request: pytest.FixtureRequest) -> None:
        store: DatasetStore = request.getfixturevalue("store")
        store.create("orders", key=("id",), event_time="at")

    def test_a_dataset_is_made_once(self, store: DatasetStore) -> None:
        assert store.get("orders").key == ("id",)
        assert [each.name for each in store.list_datasets()] == ["orders"]
        with pytest.raises(DatasetExists, match="orders"):
            store.create("orders", key=("other",))
        with pytest.raises(InvalidInput, match="key"):
            store.create("keyless", key=())

    def test_what_is_not_there_is_not_found(self, store: DatasetStore) -> None:
        with pytest.raises(DatasetNotFound, match="nope"):
            store.get("nope")
        with pytest.raises(CommitNotFound, match="main"):
            store.read("orders")
        store.commit("orders", orders((1, 1.0)), message="first")
        with pytest.raises(CommitNotFound, match="typo"):
            store.commit("orders", orders((1, 1.0)), message="x", branch="typo")

    def test_a_commit_reads_the_same_for_ever(self, store: DatasetStore) -> None:
        first = store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
        store.commit("orders", orders((2, 9.0), (3, 3.0)), message="second")
        store.commit("orders", orders((1, 0.0)), message="third", mode="delete")
        assert prices(store.read("orders", first.id)) == {1: 1.0, 2: 2.0}
        assert prices(store.read("orders")) == {2: 9.0, 3: 3.0}

    def test_kinds_of_change_are_counted(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
        made = store.commit("orders", orders((1, 1.0), (2, 9.0), (3, 3.0)), message="second")
        assert (made.rows_added, made.rows_changed, made.rows_deleted, made.rows) == (1, 1, 0, 3)
        gone = store.commit("orders", orders((1, 0.0), (7, 0.0)), message="x", mode="delete")
        assert (gone.change, gone.rows_deleted, gone.rows) == (Change.DELETED, 1, 2)
        whole = store.commit("orders", orders((3, 4.0), (8, 8.0)), message="y", mode="replace")
        assert (whole.rows_added, whole.rows_changed, whole.rows_deleted) == (1, 1, 1)
        assert prices(store.read("orders")) == {3: 4.0, 8: 8.0}

    def test_rows_that_are_there_already_make_no_commit(self, store: DatasetStore) -> None:
        rows = orders((1, 1.0), (2, None))
        first = store.commit("orders", rows, message="first")
        assert store.commit("orders", rows.slice(1), message="again") == first
        assert store.commit("orders", rows, message="again", mode="replace") == first
        assert len(store.log("orders")) == 1

    def test_equal_rows_have_equal_content(self, store: DatasetStore) -> None:
        rows = orders((1, 1.0), (2, 2.0))
        first = store.commit("orders", rows, message="first")
        store.commit("orders", orders((2, 9.0), (3, 3.0)), message="second")
        store.commit("orders", orders((3, 3.0)), message="third", mode="delete")
        back = store.commit("orders", rows, message="as it was")
        assert back.content == first.content
        assert back.id != first.id

    def test_an_append_refuses_a_key_that_is_there(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0)), message="first")
        with pytest.raises(RowsRefused, match="there already"):
            store.commit("orders", orders((1, 2.0), (2, 2.0)), message="x", mode="append")
        made = store.commit("orders", orders((2, 2.0)), message="y", mode="append")
        assert (made.change, made.rows) == (Change.APPENDED, 2)

    def test_rows_that_cannot_be_told_apart_are_refused(self, store: DatasetStore) -> None:
        with pytest.raises(RowsRefused, match="repeat a key, such as id=1"):
            store.commit("orders", orders((1, 1.0), (1, 2.0)), message="x")
        with pytest.raises(RowsRefused, match="key column 'id' is missing"):
            store.commit("orders", orders((1, 1.0)).drop(["id"]), message="x")
        nameless = orders((1, 1.0)).set_column(0, "id", pa.array([None], pa.int64()))
        with pytest.raises(RowsRefused, match="null in 1 rows"):
            store.commit("orders", nameless, message="x")

    def test_a_value_that_does_not_fit_its_column_is_refused(self, store: DatasetStore) -> None:
        first = store.commit("orders", orders((1, 1.0)), message="first")
        wrong = orders((2, 2.0)).set_column(0, "id", pa.array(["two"]))
        with pytest.raises(RowsRefused, match="cannot become int64"):
            store.commit("orders", wrong, message="x")
        assert store.resolve("orders") == first

    def test_a_dataset_grows_by_columns(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
        made = store.commit("orders", orders((2, 2.0), city=["Seoul"]), message="cities")
        assert (made.rows_changed, [each.name for each in made.schema][-1]) == (1, "city")
        assert store.read("orders").sort_by("id")["city"].to_pylist() == [None, "Seoul"]

    def test_a_column_left_out_keeps_its_values(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0), city=["Seoul"]), message="first")
        store.commit("orders", orders((1, 5.0), (2, 2.0)), message="prices only")
        found = store.read("orders").sort_by("id")
        assert found["city"].to_pylist() == ["Seoul", None]
        assert found["price"].to_pylist() == [5.0, 2.0]

    def test_reads_choose_columns_and_rows(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0), (2, 2.0)), message="first")
        found = store.read("orders", columns=["price"], where="id = 2")
        assert found.to_pydict() == {"price": [2.0]}
        with pytest.raises(InvalidInput, match="no column 'nope'"):
            store.read("orders", columns=["nope"])
        with pytest.raises(InvalidInput, match="query failed"):
            store.read("orders", where="no such thing")

    def test_a_condition_reaches_no_file(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0)), message="first")
        with pytest.raises(InvalidInput, match="disabled"):
            store.read("orders", where="(SELECT count(*) FROM read_text('/etc/hostname')) > 0")

    def test_a_commit_is_found_by_the_start_of_its_id(self, store: DatasetStore) -> None:
        made = store.commit("orders", orders((1, 1.0)), message="first")
        assert store.resolve("orders", made.id[:10]) == made
        with pytest.raises(CommitNotFound):
            store.resolve("orders", made.id[:3])

    def test_the_log_runs_from_the_newest_to_the_first(self, store: DatasetStore) -> None:
        made = [
            store.commit("orders", orders((number, 1.0)), message=str(number))
            for number in range(5)
        ]
        assert store.log("orders") == made[::-1]
        assert store.log("orders", made[2].id, limit=2) == [made[2], made[1]]
        assert [each.parents for each in made] == [(), *((each.id,) for each in made[:-1])]

    def test_branches_do_not_see_each_other(self, store: DatasetStore) -> None:
        store.commit("orders", orders((1, 1.0)), message="first")
        made = store.create_branch("orders", "relabel")
        assert not made.protected
        store.commit("orders", orders((1, 7.0)), message="theirs", branch="relabel")
        store.commit("orders", orders((2, 2.0)), message="ours")
        assert prices(store.read("orders")) == {1: 1.0, 2: 2.0}
        assert prices(store.read("orders", "relabel")) == {1: 7.0}
        assert [each.name for each in store.list_branches("orders")] == ["main", "relabel"]

    def test_a_writer_who_looked_elsewhere_is_refused(self, store: DatasetStore) -> None:
        first = store.commit("orders", orders((1, 1.0)), message="first")
        second = store.commit("orders", orders((2, 2.0)), message="second", expected=first.id)
        with pytest.raises(StaleGeneration, match=first.id):
            store.commit("orders", orders((3, 3.0)), message="third", expected=first.id)
        assert store.resolve("orders") == second

    def test_of_many_writers_each_is_in_or_told(self, store: DatasetStore) -> None:
        store.commit("orders", orders((0, 0.0)), message="first")
        outcomes: dict[int, bool] = {}

        def write(number: int) -> None:
            try:
                store.commit("orders", orders((number, float(number))), message=str(number))
                outcomes[number] = True
            except StaleGeneration:
                outcomes[number] = False

        threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 7)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert any(outcomes.values())
        assert len(outcomes) == 6
        written = {0, *(number for number, done in outcomes.items() if done)}
        assert set(prices(store.read("orders"))) == written
        assert len(store.log("orders")) == len(written)

    def test_a_commit_and_its_fact_are_there_together(
        self, store: DatasetStore, ledger: Ledger
    ) -> None:
        made = store.commit("orders", orders((1, 1.0)), message="first", source="run:r1")
        facts = ledger.list_facts(kind="dataset.committed")
        assert [fact.subject for fact in facts] == [made.ref]
        assert facts[0].payload["rows_added"] == 1
        assert [edge.from_ref for edge in ledger.list_edges(made.ref, upstream=True)] == ["run:r1"]

    def test_without_a_contract_the_verdict_is_no_data(self, store: DatasetStore) -> None:
        made = store.commit("orders", orders((1, -1.0)), message="first")
        assert made.contract is Verdict.NO_DATA


class ContractStoreContract(DatasetStoreContract):
    """The same store, as one that keeps contracts; needs the same fixtures."""

    @pytest.fixture
    def contracts(self, store: Any) -> ContractStore:
        kept: ContractStore = store
        return kept

    def test_a_contract_is_kept_in_every_version(
        self, store: DatasetStore, contracts: ContractStore
    ) -> None:
        assert contracts.find_contract("orders") is None
        assert contracts.set_contract("orders", CONTRACT) == 1
        assert contracts.set_contract("orders", CONTRACT + "tags: [money]\n") == 2
        assert contracts.find_contract("orders") == CONTRACT + "tags: [money]\n"

    def test_a_contract_that_is_not_understood_is_not_kept(self, contracts: ContractStore) -> None:
        with pytest.raises(ContractInvalid, match="minimun"):
            contracts.set_contract("orders", CONTRACT.replace("minimum", "minimun"))
        assert contracts.find_contract("orders") is None

    def test_a_check_stores_nothing(
        self, store: DatasetStore, contracts: ContractStore, ledger: Ledger
    ) -> None:
        contracts.set_contract("orders", CONTRACT)
        before = len(ledger.list_facts())
        report = contracts.check("orders", orders((1, 1.0), (2, -2.0)))
        assert report.verdict is Verdict.FAILED
        assert [each.examples for each in report.failures] == [("id=2",)]
        assert len(ledger.list_facts()) == before

    def test_a_green_commit_cites_its_evidence(
        self, store: DatasetStore, contracts: ContractStore, ledger: Ledger
    ) -> None:
        contracts.set_contract("orders", CONTRACT)
        made = store.commit("orders", orders((1, 1.0)), message="first")
        assert made.contract is Verdict.PASSED
        assert ledger.get_evidence(made.evidence or "").subject == made.ref

    def test_a_protected_branch_takes_nothing_red(
        self, store: DatasetStore, contracts: ContractStore, ledger: Ledger
    ) -> None:
        contracts.set_contract("orders", CONTRACT)
        first = store.commit("orders", orders((1, 1.0)), message="first")
        with pytest.raises(ContractViolated, match="values below 0") as refused:
            store.commit("orders", orders((2, -2.0)), message="bad")
        assert store.resolve("orders") == first
        assert ledger.get_evidence(refused.value.evidence).verdict is Verdict.FAILED
        assert len(ledger.list_facts(kind="dataset.committed")) == 1

    def test_another_branch_takes_it_and_says_so(
        self, store: DatasetStore, contracts: ContractStore
    ) -> None:
        contracts.set_contract("orders", CONTRACT)
        store.commit("orders", orders((1, 1.0)), message="first")
        store.create_branch("orders", "aside")
        bad = store.commit("orders", orders((2, -2.0)), message="bad", branch="aside")
        assert bad.contract is Verdict.FAILED

    def test_what_builds_on_red_is_red_until_it_is_mended(
        self, store: DatasetStore, contracts: ContractStore
    ) -> None:
        contracts.set_contract("orders", CONTRACT)
        store.commit("orders", orders((1, 1.0)), message="first")
        store.create_branch("orders", "aside")
        store.commit("orders", orders((2, -2.0)), message="bad", branch="aside")
        more = store.commit("orders", orders((3, 3.0)), message="more", branch="aside")
        assert more.contract is Verdict.FAILED
        mended = store.commit("orders", orders((2, 2.0)), message="mended", branch="aside")
        assert mended.contract is Verdict.PASSED
