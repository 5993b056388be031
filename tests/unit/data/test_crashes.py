import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from trivet.data import SqlDatasetStore
from trivet.ledger import Recorder, SqlLedger
from trivet.storage.sql import Database
from trivet.storage.sql.migrate import migrate
from trivet.storage.tables import TablesUnavailable

WRITER = Path(__file__).with_name("crashing_writer.py")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_writer_killed_in_mid_commit_leaves_old_or_new(tmp_path: Path, seed: int) -> None:
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    recorder = Recorder("user:test")
    store = SqlDatasetStore(database, recorder, f"file://{tmp_path}/tables")
    store.create("orders", key=("id",))
    store.commit("orders", pa.table({"id": range(100), "value": [0] * 100}), message="0")
    rng = random.Random(seed)
    acknowledged = 1
    with subprocess.Popen(
        [sys.executable, WRITER, tmp_path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(rng.randint(2, 6)):
            acknowledged = int(writer.stdout.readline())
        # The kill falls at any place of the next commit: the delay is that of `wait`.
        try:
            writer.wait(rng.uniform(0, 0.08))
        except subprocess.TimeoutExpired:
            writer.kill()
        rest = writer.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged

    head = store.resolve("orders")
    rows = store.read("orders")
    assert head.rows == rows.num_rows
    assert head.rows // 100 in (acknowledged, acknowledged + 1)
    assert head.rows % 100 == 0
    assert len(store.log("orders")) == head.rows // 100
    facts = SqlLedger(database, recorder).list_facts(kind="dataset.committed")
    assert len(facts) == head.rows // 100
    more = pa.table({"id": [-1], "value": [7]})
    assert store.commit("orders", more, message="goes on").rows == head.rows + 1
    database.close()


def test_a_full_disk_leaves_the_branch_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path}/trivet.db")
    migrate(database)
    store = SqlDatasetStore(database, Recorder("user:test"), f"file://{tmp_path}/tables")
    store.create("orders", key=("id",))
    first = store.commit("orders", pa.table({"id": [1]}), message="first")

    def no_space(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("lance.write_dataset", no_space)
        with pytest.raises(TablesUnavailable, match="No space left"):
            store.commit("orders", pa.table({"id": [2]}), message="second")
    assert store.resolve("orders") == first
    assert store.commit("orders", pa.table({"id": [2]}), message="second").rows == 2
    database.close()
